use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::{KeySource, Rules, TOKEN_BYTES_MAX, TokenError, Verifier};

const ISSUER: &str = "https://login.example";

/// An issuer with one key, whose key set is in a file.
struct Issuer {
    key: Ed25519KeyPair,
    folder: std::path::PathBuf,
}

impl Issuer {
    fn new(name: &str) -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let folder =
            std::env::temp_dir().join(format!("pathwarden-oauth-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let x = BASE64.encode(key.public_key().as_ref());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k", "alg": "EdDSA"});
        std::fs::write(folder.join("jwks"), json!({ "keys": [jwk] }).to_string()).unwrap();
        Self { key, folder }
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(Rules {
            issuer: ISSUER.to_owned(),
            resource: "https://gate.example".to_owned(),
            claim: "client_id".to_owned(),
            scopes: ["mcp".to_owned()].into(),
            keys: Some(KeySource::File(self.folder.join("jwks"))),
        })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", BASE64.encode(self.key.sign(signed.as_bytes())))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt"})
}

fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({"iss": ISSUER, "aud": "https://gate.example/mcp/files", "client_id": "c",
           "scope": "mcp other", "exp": now + 300, "iat": now})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn check(verifier: &Verifier, token: &str) -> Result<String, TokenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(verifier.check(token, "/mcp/files"))
}

#[test]
fn a_good_token_says_who_calls() {
    let issuer = Issuer::new("good");
    let verifier = issuer.verifier();
    for aud in [json!("https://gate.example"), json!(["x", "https://gate.example/mcp/files"])] {
        let token = issuer.token(&header(), &with("aud", aud));
        assert_eq!(check(&verifier, &token).unwrap(), "c");
    }
}

#[test]
fn a_token_for_somebody_else_or_of_somebody_else_is_not_good() {
    let issuer = Issuer::new("bad");
    let verifier = issuer.verifier();
    let mut no_audience = claims();
    no_audience.as_object_mut().unwrap().remove("aud");
    let mut no_expiry = claims();
    no_expiry.as_object_mut().unwrap().remove("exp");
    for wrong in [
        with("aud", json!("https://gate.example/mcp/mail")),
        with("aud", json!("https://gate.example.evil.example")),
        with("iss", json!("https://evil.example")),
        with("exp", json!(1)),
        with("nbf", json!(4_000_000_000_u64)),
        with("client_id", json!("")),
        with("client_id", json!(["c"])),
        no_audience,
        no_expiry,
    ] {
        let token = issuer.token(&header(), &wrong);
        assert!(matches!(check(&verifier, &token), Err(TokenError::NotGood)), "{wrong}");
    }
    let other = Issuer::new("other").token(&header(), &claims());
    assert!(matches!(check(&verifier, &other), Err(TokenError::NotGood)));
    let good = issuer.token(&header(), &claims());
    for forged in [
        good.replace('.', ""),
        format!("{good}A"),
        issuer.token(&json!({"alg": "none"}), &claims()),
        issuer.token(&json!({"alg": "HS256", "kid": "k"}), &claims()),
        issuer.token(&json!({"alg": "RS256", "kid": "k"}), &claims()),
        issuer.token(&json!({"alg": "EdDSA", "kid": "unknown"}), &claims()),
        "x".repeat(TOKEN_BYTES_MAX + 1),
        String::new(),
    ] {
        assert!(check(&verifier, &forged).is_err(), "{forged:.40}");
    }
}

#[test]
fn a_token_without_a_scope_that_is_needed_says_which() {
    let issuer = Issuer::new("scope");
    let token = issuer.token(&header(), &with("scope", json!("other")));
    assert!(matches!(check(&issuer.verifier(), &token), Err(TokenError::Scope(s)) if s == "mcp"));
    let token = issuer.token(&header(), &with("scope", json!(["mcp"])));
    assert!(check(&issuer.verifier(), &token).is_ok());
}

#[test]
fn without_keys_nobody_comes_in() {
    let issuer = Issuer::new("keys");
    let token = issuer.token(&header(), &claims());
    std::fs::write(issuer.folder.join("jwks"), "not keys").unwrap();
    assert!(matches!(check(&issuer.verifier(), &token), Err(TokenError::Keys(_))));
    std::fs::remove_file(issuer.folder.join("jwks")).unwrap();
    assert!(matches!(check(&issuer.verifier(), &token), Err(TokenError::Keys(_))));
}
