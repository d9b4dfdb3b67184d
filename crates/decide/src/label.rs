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
