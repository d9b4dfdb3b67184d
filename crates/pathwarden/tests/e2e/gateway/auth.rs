use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::gateway::stage::{Stage, modern};

const AUTH: &str = r#"
[auth]
issuer = "https://login.example"
resource = "https://gate.example"
keys = "issuer.jwks"
scopes = ["mcp"]
[auth.agents]
client-7 = "visitor"
"#;

fn token(key: &Ed25519KeyPair, aud: &str, client: &str, scope: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let part = |value: &Value| BASE64.encode(value.to_string());
    let header = part(&json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}));
    let claims = part(&json!({"iss": "https://login.example", "aud": aud, "client_id": client,
                              "scope": scope, "exp": now + 60}));
    let signed = format!("{header}.{claims}");
    format!("{signed}.{}", BASE64.encode(key.sign(signed.as_bytes())))
}

#[test]
fn tokens_of_the_issuer_for_this_gateway_are_taken_and_say_which_agent_it_is() {
    let stage = Stage::new(&[("sums", true)], AUTH);
    let key = Ed25519KeyPair::generate().expect("a key");
    let x = BASE64.encode(key.public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"});
    fs::write(stage.home.path("issuer.jwks"), json!({ "keys": [jwk] }).to_string()).expect("write");
    let list = |token: &str| {
        let bearer = format!("Bearer {token}");
        let body = modern("tools/list", "{}");
        stage.send("sums", "tools/list", "", &body, &[("authorization", &bearer)]).0
    };
    let ours = "https://gate.example/mcp/sums";
    assert_eq!(list(&token(&key, ours, "client-7", "mcp")), 200);
    let sessions = crate::support::json(&stage.home, &["session", "list"]);
    let agents: Vec<_> = sessions.as_array().expect("a list").iter().map(|s| &s["agent"]).collect();
    assert!(agents.contains(&&json!("visitor")), "{sessions}");
    assert_eq!(list(&token(&key, "https://other.example", "client-7", "mcp")), 401, "audience");
    assert_eq!(list(&token(&key, ours, "client-8", "mcp")), 403, "nobody knows it");
    assert_eq!(list(&token(&key, ours, "client-7", "other")), 403, "scope");
    let other = Ed25519KeyPair::generate().expect("a key");
    assert_eq!(list(&token(&other, ours, "client-7", "mcp")), 401, "signature");
}

#[test]
fn a_client_learns_where_tokens_are_issued() {
    let stage = Stage::new(&[("sums", true)], AUTH);
    let body = modern("tools/list", "{}");
    let headers = [("host", "localhost"), ("mcp-protocol-version", "2026-07-28")];
    let (status, head, _) = super::stage::post(stage.node.mcp(), "/mcp/sums", &headers, &body);
    assert_eq!(status, 401);
    let place =
        "resource_metadata=\"https://gate.example/.well-known/oauth-protected-resource/mcp/sums\"";
    assert!(head.contains(place), "{head}");
}
