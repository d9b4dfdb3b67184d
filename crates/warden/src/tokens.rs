//! Bearer tokens: what a caller is and may do, under the node's own key, so that no list of tokens
//! has to be kept.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use pathwarden_types::{Digest, Identity, Name, SessionId};
use pathwarden_wire::Reach;

/// What a caller may do.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Act: join a session, ask, report, observe. Nothing else.
    Agent,
    /// Read everything, change nothing.
    Auditor,
    /// Start and end sessions, answer questions, load policies, and read.
    Operator,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        [Self::Agent, Self::Auditor, Self::Operator]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(TokenError)
    }
}

/// A caller, as authenticated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// What it may do.
    pub role: Role,
    /// The agent it acts as; `None` for people.
    pub agent: Option<Name>,
    /// The one session it may act in, if it is bound to one.
    pub session: Option<SessionId>,
    /// Where its token is taken.
    pub reach: Reach,
    /// Digest of the credential that it presented.
    pub credential: Digest,
}

impl Caller {
    /// The caller as it is written into a record.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let principal = match &self.agent {
            Some(agent) => format!("{}:{agent}", self.role),
            None => self.role.to_string(),
        };
        Identity { principal, credential: self.credential }
    }
}

/// The text is not a token of this node.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a token of this node")]
pub struct TokenError;

/// The key that makes and checks tokens. Has no `Debug`; the key is zeroed on drop by its library.
pub struct TokenKey(hmac::Key);

/// What comes first in every token, so that scanners for leaked secrets can find it.
const PREFIX: &str = "pathwarden1";

impl TokenKey {
    /// Length of the secret, in bytes.
    pub const BYTES: usize = 32;

    /// The key from its secret.
    #[must_use]
    pub fn new(secret: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A token for an agent, for one session or for sessions of its own.
    #[must_use]
    pub fn for_agent(&self, agent: &Name, session: Option<SessionId>, reach: Reach) -> String {
        self.mint(Role::Agent, Some(agent), session, reach)
    }

    /// A token for a person or their tools.
    #[must_use]
    pub fn for_person(&self, role: Role) -> String {
        self.mint(role, None, None, Reach::Everywhere)
    }

    fn mint(
        &self,
        role: Role,
        agent: Option<&Name>,
        session: Option<SessionId>,
        reach: Reach,
    ) -> String {
        let agent = agent.map_or_else(String::new, |name| hex(name.as_str().as_bytes()));
        let session = session.map_or_else(String::new, |session| session.to_string());
        let claims = format!("{PREFIX}.{role}.{agent}.{session}.{}", reach_text(reach));
        self.seal(&claims)
    }

    /// A text under this key. Its first part, up to the first dot, must be no token's.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        format!("{text}.{}", hex(hmac::sign(&self.0, text.as_bytes()).as_ref()))
    }

    /// The text that was sealed; `None` when it is not one of ours.
    #[must_use]
    pub fn open<'a>(&self, sealed: &'a str) -> Option<&'a str> {
        let (text, tag) = sealed.rsplit_once('.')?;
        hmac::verify(&self.0, text.as_bytes(), &unhex(tag)?).ok()?;
        (!text.starts_with(&format!("{PREFIX}."))).then_some(text)
    }

    /// The caller that a token stands for.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when it is not one of ours; it does not say what is wrong with it.
    pub fn check(&self, token: &str) -> Result<Caller, TokenError> {
        let (claims, tag) = token.rsplit_once('.').ok_or(TokenError)?;
        let tag = unhex(tag).ok_or(TokenError)?;
        hmac::verify(&self.0, claims.as_bytes(), &tag).map_err(|_| TokenError)?;
        let parts: Vec<&str> = claims.split('.').collect();
        let [PREFIX, role, agent, session, reach] = parts.as_slice() else {
            return Err(TokenError);
        };
        Ok(Caller {
            role: role.parse()?,
            agent: optional(agent, name_of)?,
            session: optional(session, |text| text.parse().ok())?,
            reach: [Reach::Everywhere, Reach::Gateways]
                .into_iter()
                .find(|known| reach_text(*known) == *reach)
                .ok_or(TokenError)?,
            credential: Digest::of(token.as_bytes()),
        })
    }
}

const fn reach_text(reach: Reach) -> &'static str {
    match reach {
        Reach::Everywhere => "everywhere",
        Reach::Gateways => "gateways",
    }
}

fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, TokenError> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or(TokenError) }
}

fn name_of(text: &str) -> Option<Name> {
    String::from_utf8(unhex(text)?).ok()?.parse().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use pathwarden_wire::Reach;

    use super::{Role, TokenKey};

    #[test]
    fn what_was_sealed_opens_and_a_token_is_no_such_thing() {
        let key = TokenKey::new(&[7; 32]);
        let sealed = key.seal("state.1");
        assert_eq!(key.open(&sealed), Some("state.1"));
        assert!(key.check(&sealed).is_err());
        assert_eq!(key.open(&sealed.replace("state.1", "state.2")), None);
        assert_eq!(key.open(&key.for_person(Role::Operator)), None);
        assert_eq!(TokenKey::new(&[8; 32]).open(&sealed), None);
    }

    #[test]
    fn a_token_stands_for_its_caller_and_nothing_else_does() {
        let key = TokenKey::new(&[7; 32]);
        let agent = "invoices.eu".parse().expect("name");
        let token = key.for_agent(&agent, None, Reach::Gateways);
        let caller = key.check(&token).expect("ours");
        assert_eq!((caller.role, caller.agent), (Role::Agent, Some(agent)));
        assert_eq!(caller.reach, Reach::Gateways);
        for forged in [
            token.replace("agent", "operator"),
            token.replace("gateways", "everywhere"),
            token.replace(".agent.", ".agent.."),
            format!("{token}00"),
            TokenKey::new(&[8; 32]).for_person(Role::Operator),
            String::new(),
            "a.b.c.d.e.f".to_owned(),
        ] {
            assert!(key.check(&forged).is_err(), "{forged}");
        }
    }
}
