//! Access tokens of an OAuth 2.1 authorization server (RFC 9068), for a gateway that is a protected
//! resource.
//!
//! **What it is for.** To tell who calls: a token is taken when the configured issuer signed it, it is for
//! this gateway, it is in its time, and it has the scopes that are asked for.
//!
//! **What it never does.** It passes no token on, keeps none, and never takes a symmetric signature or
//! none at all: whoever can check those can make them. It decides nothing about actions.
//!
//! **Where to start.** [`Verifier::check`]; `keys.rs` finds the issuer's keys.

mod keys;

use std::collections::BTreeSet;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use keys::Keys;
pub use keys::{KeyError, KeySource};
use serde_json::Value;

/// What a token must be.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who must have signed it.
    pub issuer: String,
    /// For whom it must be: the gateway's base, or an endpoint below it.
    pub resource: String,
    /// The claim that says who it is.
    pub claim: String,
    /// Scopes that it must have.
    pub scopes: BTreeSet<String>,
    /// Where the issuer's keys are; found through its metadata when `None`.
    pub keys: Option<KeySource>,
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not one of the issuer's, not for us, or not in its time. Does not say which.
    #[error("the access token is not good here")]
    NotGood,
    /// It lacks scopes.
    #[error("the access token lacks the scope `{0}`")]
    Scope(String),
    /// The issuer's keys could not be had.
    #[error("the keys of the issuer cannot be had")]
    Keys(#[source] KeyError),
}

/// Checks tokens. Keeps the issuer's keys, and nothing of a token.
pub struct Verifier {
    rules: Rules,
    keys: Keys,
}

/// What may have signed a token.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;

/// How far clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

impl Verifier {
    /// A verifier by these rules. Nothing is fetched yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let keys = Keys::new(rules.issuer.clone(), rules.keys.clone());
        Self { rules, keys }
    }

    /// Who the bearer of a token is, at the endpoint of this path.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn check(&self, token: &str, path: &str) -> Result<String, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::NotGood);
        }
        let header = decode_header(token).map_err(|_| TokenError::NotGood)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(TokenError::NotGood);
        }
        let found = self.keys.find(header.kid.as_deref()).await.map_err(TokenError::Keys)?;
        let (key, own) = found.ok_or(TokenError::NotGood)?;
        if own.is_some_and(|own| own != header.alg) {
            return Err(TokenError::NotGood);
        }
        let decoded = decode::<Value>(token, &key, &self.validation(header.alg, path));
        let claims = decoded.map_err(|_| TokenError::NotGood)?.claims;
        self.has_scopes(&claims)?;
        let who = claims.get(&self.rules.claim).and_then(Value::as_str).unwrap_or_default();
        if who.is_empty() { Err(TokenError::NotGood) } else { Ok(who.to_owned()) }
    }

    fn validation(&self, algorithm: Algorithm, path: &str) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&self.rules.issuer]);
        let base = &self.rules.resource;
        validation.set_audience(&[base.clone(), format!("{base}/"), format!("{base}{path}")]);
        validation
    }

    /// `scope` is text with spaces between (RFC 8693 section 4.2), with some issuers a list, or `scp`.
    fn has_scopes(&self, claims: &Value) -> Result<(), TokenError> {
        let given: BTreeSet<&str> = ["scope", "scp"]
            .iter()
            .filter_map(|name| claims.get(name))
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
                other => other.as_str().unwrap_or_default().split(' ').collect::<Vec<_>>(),
            })
            .collect();
        match self.rules.scopes.iter().find(|scope| !given.contains(scope.as_str())) {
            Some(missing) => Err(TokenError::Scope(missing.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
