use http::{Method, StatusCode};
use pathwarden_types::OperationKind;

use super::client::Client;
use super::modern::request;

async fn legacy(client: &Client, session: &str, body: &str) -> super::client::Answer {
    let headers = [("mcp-session-id", session)];
    client.request(Method::POST, "/mcp/all", &headers, body).await
}

async fn modern(client: &Client, method: &str, name: &str, body: &str) -> super::client::Answer {
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    headers.extend((!name.is_empty()).then_some(("mcp-name", name)));
    client.request(Method::POST, "/mcp/all", &headers, body).await
}

#[tokio::test]
async fn a_legacy_client_begins_with_all_servers_that_are_there_and_reaches_each_by_name() {
    let client = Client::start().await;
    let hello = r#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{}}}"#;
    let answer = client.request(Method::POST, "/mcp/all", &[], hello).await;
    let session = answer.headers["mcp-session-id"].to_str().unwrap().to_owned();
    assert_eq!(session, "files:s-1,mail:s-1");
    let told = answer.text().await;
    assert!(told.contains(r#""id":7,"result":{"protocolVersion":"2025-11-25""#), "{told}");
    assert!(
        told.contains(r#""tools":{"listChanged":true}"#) && told.contains("mail: Be kind."),
        "{told}"
    );
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"name":"params"}}"#;
    let listed = legacy(&client, &session, list).await.text().await;
    for name in ["files__rewrite", "files__other", "mail__rewrite", "mail__other"] {
        assert!(listed.contains(&format!("\"name\":\"{name}\"")), "{listed}");
    }
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mail__x","arguments":{"to":"a@b"},"v":1.0}}"#;
    let answer = legacy(&client, &session, call).await;
    assert_eq!(answer.text().await, super::server::answer_to("1"));
    let heard = client.server.heard(5).await.remove(4);
    assert_eq!(heard.body, call.replace("mail__x", "x"), "every other byte is as it was");
    assert_eq!(heard.headers["mcp-session-id"], "s-1");
    let asked = client.fake.asked(1).await.remove(0);
    assert_eq!((asked.operation.server.as_str(), &*asked.operation.name), ("mail", "x"));
}

#[tokio::test]
async fn what_names_no_server_goes_nowhere() {
    let client = Client::start().await;
    for name in ["x", "other__x", "files__"] {
        let call = super::call("1", name);
        let told = legacy(&client, "", &call).await.text().await;
        assert!(told.contains("-32602") && told.contains("name of a server"), "{told}");
    }
    let reply = r#"{"jsonrpc":"2.0","id":"s1","result":{"a":1}}"#;
    assert_eq!(legacy(&client, "", reply).await.status, StatusCode::BAD_REQUEST);
    assert!(client.server.seen.borrow().is_empty());
}

#[tokio::test]
async fn a_request_of_a_server_comes_back_to_it() {
    let client = Client::start().await;
    let call = super::call("1", "mail__events");
    let mut answer = legacy(&client, "", &call).await;
    client.server.go_on.notify_one();
    answer.read_until(r#""id":"mail:\"s1\"""#).await;
    answer.text().await;
    let reply = r#"{"jsonrpc":"2.0","id":"mail:\"s1\"","result":{"action":"accept"}}"#;
    assert_eq!(legacy(&client, "", reply).await.status, StatusCode::ACCEPTED);
    let heard = client.server.heard(2).await.remove(1);
    assert!(heard.body.contains(r#""id":"s1""#), "{}", heard.body);
    let kinds: Vec<_> = client.fake.asked(3).await.iter().map(|ask| ask.operation.kind).collect();
    assert_eq!(kinds[2], OperationKind::Reply);
}

#[tokio::test]
async fn a_modern_client_reaches_servers_that_are_all_modern() {
    let client = Client::start().await;
    let list = request(1, "tools/list", r#""name":"params""#, "{}");
    let listed = modern(&client, "tools/list", "", &list).await.text().await;
    assert!(
        listed.contains(r#""resultType":"complete","tools":[{"name":"files__rewrite""#),
        "{listed}"
    );
    assert!(listed.contains(r#""ttlMs":1,"cacheScope":"private""#), "{listed}");
    let call = request(1, "tools/call", r#""name":"files__x","arguments":{}"#, "{}");
    let answer = modern(&client, "tools/call", "files__x", &call).await;
    assert_eq!(answer.text().await, super::server::answer_to("1"));
    let heard = client.server.seen.borrow().last().unwrap().clone();
    assert_eq!(heard.headers["mcp-name"], "x");
    let split = modern(&client, "tools/call", "mail__x", &call).await;
    assert_eq!(split.status, StatusCode::BAD_REQUEST);
    let hello = request(1, "server/discover", "", "{}");
    let told = modern(&client, "server/discover", "", &hello).await.text().await;
    assert!(told.contains(r#""supportedVersions":["2026-07-28"]"#), "{told}");
}

#[tokio::test]
async fn a_modern_client_is_told_to_fall_back_when_a_server_is_not() {
    let client = Client::start().await;
    client.server.is_legacy.store(true, std::sync::atomic::Ordering::SeqCst);
    let hello = request(1, "server/discover", "", "{}");
    let answer = modern(&client, "server/discover", "", &hello).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let told = answer.text().await;
    assert!(told.contains("initialize") && !told.contains("-3202"), "{told}");
}

#[tokio::test]
async fn a_subscription_hears_of_our_own_changes() {
    let client = Client::start().await;
    let filter = r#""notifications":{"toolsListChanged":true}"#;
    let listen = request(1, "subscriptions/listen", filter, "{}");
    let mut stream = modern(&client, "subscriptions/listen", "", &listen).await;
    stream.read_until("acknowledged").await;
    client.fake.changed.send_modify(|version| *version += 1);
    stream.read_until("notifications/tools/list_changed").await;
}
