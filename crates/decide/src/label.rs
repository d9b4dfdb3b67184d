//! The label of content that comes from a server.

use pathwarden_types::{Confidentiality, Integrity, Label, Name};

use crate::{Reading, Settings};

/// What is known of content that `server` sent.
#[must_use]
pub fn label(settings: &Settings, server: &Name, reading: &Reading) -> Label {
    let server_settings = settings.server(server);
    let inside = server_settings.inside;
    let is_ours = inside && !server_settings.outside_content;
    Label {
        integrity: if is_ours { Integrity::FirstParty } else { Integrity::Untrusted },
        confidentiality: match (reading.restricted, inside) {
            (true, _) => Confidentiality::Restricted,
            (false, true) => Confidentiality::Internal,
            (false, false) => Confidentiality::Public,
        },
        readers: None,
        origins: [server.to_string()].into(),
    }
}

/// What is known of content that stands in a model's window and came by no way that anybody watched.
#[must_use]
pub fn unwatched_label(reading: &Reading) -> Label {
    let is_restricted = reading.restricted;
    Label {
        integrity: Integrity::Untrusted,
        confidentiality: if is_restricted {
            Confidentiality::Restricted
        } else {
            Confidentiality::Internal
        },
        readers: None,
        origins: ["window".to_owned()].into(),
    }
}

/// What is known of what the node writes down itself.
#[must_use]
pub fn own_label() -> Label {
    Label {
        integrity: Integrity::FirstParty,
        confidentiality: Confidentiality::Internal,
        readers: None,
        origins: ["node".to_owned()].into(),
    }
}
