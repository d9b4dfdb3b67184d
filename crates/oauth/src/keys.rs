//! The keys of an issuer: read from a file, or fetched and kept.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey};
use pathwarden_outbound::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// Where an issuer's keys are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// In a file (a JSON Web Key Set, RFC 7517).
    File(PathBuf),
    /// At a URL.
    Url(String),
}

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("`{0}` cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    /// What was read is not what it should be.
    #[error("`{0}` holds no keys that can be read")]
    Content(String),
    /// The issuer cannot be reached or does not answer as it should.
    #[error("`{0}` does not answer as it should")]
    Fetch(String),
    /// The metadata is of another issuer (RFC 8414 section 3.3).
    #[error("`{0}` describes another issuer")]
    OtherIssuer(String),
}

/// How long fetched keys are good.
const FRESH: Duration = Duration::from_mins(10);

/// Between two fetches, however many unknown keys are named: whoever sends tokens names them.
const PAUSE: Duration = Duration::from_secs(10);

/// The longest document that is read, in bytes.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// How long one fetch may take.
const FETCH: Duration = Duration::from_secs(10);

pub(crate) struct Keys {
    issuer: String,
    source: Option<KeySource>,
    client: Client<Empty<Bytes>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: Option<JwkSet>,
    tried: Option<Instant>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    pub(crate) fn new(issuer: String, source: Option<KeySource>) -> Self {
        let client = pathwarden_outbound::client(FETCH);
        Self { issuer, source, client, kept: Mutex::default() }
    }

    /// The key of this name, with the algorithm that it is for, if it says so; of an issuer with one key,
    /// that one when no name is given.
    pub(crate) async fn find(
        &self,
        name: Option<&str>,
    ) -> Result<Option<(DecodingKey, Option<Algorithm>)>, KeyError> {
        let mut kept = self.kept.lock().await;
        let age = kept.tried.map(|tried| tried.elapsed());
        let is_stale = age.is_none_or(|age| age >= FRESH) || kept.keys.is_none();
        let is_unknown = kept.keys.as_ref().is_some_and(|keys| pick(keys, name).is_none());
        if (is_stale || is_unknown) && age.is_none_or(|age| age >= PAUSE) {
            kept.tried = Some(Instant::now());
            match self.load().await {
                Ok(keys) => kept.keys = Some(keys),
                // Old keys are better than none; a revoked one is gone once the issuer answers.
                Err(error) if kept.keys.is_some() => tracing::warn!(%error, "keys are not renewed"),
                Err(error) => return Err(error),
            }
        }
        let none = || KeyError::Fetch(self.issuer.clone());
        let keys = kept.keys.as_ref().ok_or_else(none)?;
        let Some(key) = pick(keys, name) else { return Ok(None) };
        let decoding =
            DecodingKey::from_jwk(key).map_err(|_| KeyError::Content(self.issuer.clone()))?;
        Ok(Some((decoding, key.common.key_algorithm.and_then(algorithm))))
    }

    async fn load(&self) -> Result<JwkSet, KeyError> {
        match &self.source {
            Some(KeySource::File(path)) => {
                let read = std::fs::read(path);
                let bytes = read.map_err(|source| KeyError::File(path.clone(), source))?;
                let wrong = |_| KeyError::Content(path.display().to_string());
                serde_json::from_slice(&bytes).map_err(wrong)
            }
            Some(KeySource::Url(url)) => self.fetch(url).await,
            None => self.fetch(&self.discover().await?).await,
        }
    }

    /// Where the issuer says that its keys are (RFC 8414 section 3, or OpenID Connect Discovery).
    async fn discover(&self) -> Result<String, KeyError> {
        let mut last = KeyError::Fetch(self.issuer.clone());
        for url in well_known(&self.issuer) {
            match self.fetch::<Metadata>(&url).await {
                Ok(found) if found.issuer == self.issuer => return Ok(found.jwks_uri),
                Ok(_) => last = KeyError::OtherIssuer(url),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> Result<T, KeyError> {
        let failed = || KeyError::Fetch(url.to_owned());
        let request =
            Request::builder().method(Method::GET).uri(url).header("accept", "application/json");
        let request = request.body(Empty::new()).map_err(|_| failed())?;
        let fetching = async {
            let response = self.client.request(request).await.map_err(|_| failed())?;
            if !response.status().is_success() {
                return Err(failed());
            }
            let body = Limited::new(response.into_body(), DOCUMENT_BYTES_MAX);
            body.collect().await.map(|body| body.to_bytes()).map_err(|_| failed())
        };
        let bytes = timeout(FETCH, fetching).await.map_err(|_| failed())??;
        serde_json::from_slice(&bytes).map_err(|_| KeyError::Content(url.to_owned()))
    }
}

fn pick<'a>(keys: &'a JwkSet, name: Option<&str>) -> Option<&'a Jwk> {
    match (name, keys.keys.as_slice()) {
        (Some(name), _) => keys.find(name),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn algorithm(key: KeyAlgorithm) -> Option<Algorithm> {
    key.to_string().parse().ok()
}

/// Where an issuer's metadata may stand: the well-known part goes before its path, or after it.
fn well_known(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim_end_matches('/');
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("https", issuer));
    let (host, path) =
        rest.split_once('/').map_or((rest, String::new()), |(h, p)| (h, format!("/{p}")));
    vec![
        format!("{scheme}://{host}/.well-known/oauth-authorization-server{path}"),
        format!("{scheme}://{host}/.well-known/openid-configuration{path}"),
        format!("{issuer}/.well-known/openid-configuration"),
    ]
}

#[cfg(test)]
mod tests {
    use super::well_known;

    #[test]
    fn the_well_known_part_stands_where_the_specifications_put_it() {
        assert_eq!(
            well_known("https://login.example/tenant"),
            [
                "https://login.example/.well-known/oauth-authorization-server/tenant",
                "https://login.example/.well-known/openid-configuration/tenant",
                "https://login.example/tenant/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            well_known("https://login.example/")[0],
            "https://login.example/.well-known/oauth-authorization-server"
        );
    }
}
