//! The two eras of the protocol: with a handshake and sessions (up to 2025-11-25), and without (since
//! 2026-07-28, where every request says for itself what it speaks).

use pathwarden_json::{Json, Kind};

use crate::message::{Body, Message};

/// The revisions that are spoken here, the newest first.
pub const SPOKEN: [&str; 3] = ["2026-07-28", "2025-11-25", "2025-06-18"];

/// The oldest revision of the modern era. Revisions are dates, so their order is that of their text.
pub const FIRST_MODERN: &str = "2026-07-28";

/// What a request says of itself (2026-07-28, basic/index, `_meta`).
pub(crate) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The era of one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Era {
    /// Begun by `initialize`; the revision is that of the session.
    Legacy,
    /// The request carries its revision.
    Modern,
}

/// Why a request of the modern era cannot be passed on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EraFault {
    /// A member of `_meta` that every request must have is missing, or of another kind.
    #[error("`params._meta` needs {expected} as `{name}`")]
    Meta {
        /// The member.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A revision that is not spoken here.
    #[error("the revision `{requested}` is not spoken here")]
    Unsupported {
        /// The revision.
        requested: String,
    },
}

impl Message {
    /// The era that it belongs to, by what it says itself.
    #[must_use]
    pub fn era(&self) -> Era {
        match self.own_meta(VERSION) {
            Some(_) => Era::Modern,
            None => Era::Legacy,
        }
    }

    /// The revision that a request says it speaks.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.own_meta(VERSION)?.string().map(std::borrow::Cow::into_owned)
    }

    fn own_meta(&self, name: &str) -> Option<Json<'_>> {
        match self.body() {
            Body::Request { .. } | Body::Notification { .. } => self.param("_meta")?.member(name),
            Body::Response { .. } => None,
        }
    }

    /// Whether the client says that it can show its person a form.
    #[must_use]
    pub fn shows_forms(&self) -> bool {
        let elicitation = self.own_meta(CAPABILITIES).and_then(|all| all.member("elicitation"));
        // Without a mode, a form is meant (2026-07-28, client/elicitation, capabilities).
        elicitation.is_some_and(|modes| {
            modes.kind() == Kind::Object
                && (modes.members().next().is_none() || modes.member("form").is_some())
        })
    }

    /// Sees to it that a request of the modern era says what it must, in a revision that is spoken.
    ///
    /// # Errors
    ///
    /// [`EraFault`].
    pub fn check_era(&self) -> Result<(), EraFault> {
        let meta = |name, expected| EraFault::Meta { name, expected };
        let version = self.own_meta(VERSION).and_then(Json::string);
        let requested = version.ok_or_else(|| meta(VERSION, "a revision"))?.into_owned();
        if !SPOKEN.contains(&requested.as_str()) || requested.as_str() < FIRST_MODERN {
            return Err(EraFault::Unsupported { requested });
        }
        match self.own_meta(CAPABILITIES) {
            Some(value) if value.kind() == Kind::Object => Ok(()),
            _ => Err(meta(CAPABILITIES, "an object")),
        }
    }
}
