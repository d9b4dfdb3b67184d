use http::{Method, StatusCode};
use pathwarden_types::Outcome;

use super::apis::{ALL, CHAT};
use super::client::{BEARER, Client};
use super::provider::packed;

const AWAY: [(&str, &str); 2] = [
    ("location", "http://evil.test/"),
    ("www-authenticate", "Bearer resource_metadata=\"http://evil.test/\""),
];

#[tokio::test]
async fn a_provider_leads_the_agent_to_nobody_else() {
    for case in ALL {
        for status in
            ["301 Moved", "307 Elsewhere", "308 Elsewhere", "101 Other Protocol", "999 Odd"]
        {
            let client = Client::start().await;
            client.provider.play(packed(status, &AWAY, b"go to evil"));
            let answer = client.stream(&case, "m").await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{status}");
            assert!(!format!("{:?}", answer.headers).contains("evil"));
            assert!(!answer.text().await.contains("evil"));
            client.closed(Outcome::Unknown).await;
        }
    }
    let client = Client::start().await;
    for status in ["401 Unauthorized", "201 Created"] {
        client.provider.play(packed(status, &AWAY, CHAT.answer(&[]).as_bytes()));
        let answer = client.stream(&CHAT, "m").await;
        assert!(!format!("{:?}", answer.headers).contains("evil"), "{status}");
    }
    client.provider.play(packed("307 Temporary Redirect", &AWAY, b"{}"));
    let answer = client.send(Method::GET, "/openai/v1/models", &[BEARER], b"").await;
    assert!(!format!("{:?}", answer.headers).contains("evil"));
}
