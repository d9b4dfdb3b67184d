use std::collections::BTreeSet;

use http::{Method, StatusCode};
use pathwarden_types::{FindingKind, ItemKind, OperationKind, Outcome};
use pathwarden_wire::Withheld;

use super::client::{Answer, Client};
use super::server;

const CAPABILITIES: &str = r#"{"elicitation":{}}"#;

/// A request of the modern era.
pub(super) fn request(id: u32, method: &str, params: &str, capabilities: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{capabilities}}}}}}}"#
    )
}

fn call(id: u32, name: &str, rest: &str) -> String {
    let params = format!(r#""name":"{name}","arguments":{{"to":"a@b"}}{rest}"#);
    request(id, "tools/call", &params, CAPABILITIES)
}

async fn post(
    client: &Client,
    method: &str,
    name: &str,
    body: &str,
    more: &[(&str, &str)],
) -> Answer {
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    if !name.is_empty() {
        headers.push(("mcp-name", name));
    }
    headers.extend_from_slice(more);
    client.request(Method::POST, "/mcp/files", &headers, body).await
}

async fn post_call(client: &Client, id: u32, name: &str, rest: &str) -> String {
    post(client, "tools/call", name, &call(id, name, rest), &[]).await.text().await
}

#[tokio::test]
async fn a_modern_call_passes_byte_for_byte_and_its_refusal_says_that_it_is_complete() {
    let client = Client::start().await;
    let body = call(1, "x", "");
    let answer = post(&client, "tools/call", "x", &body, &[]).await;
    assert_eq!((answer.status, answer.text().await), (StatusCode::OK, server::answer_to("1")));
    assert_eq!(client.server.heard(1).await[0].body, body);
    let told = post_call(&client, 1, "deny", "").await;
    assert!(told.contains(r#""result":{"resultType":"complete","content""#), "{told}");
}

#[tokio::test]
async fn a_header_that_says_something_else_than_the_body_is_refused_and_found() {
    let client = Client::start().await;
    let body = call(1, "deny_me_not", "");
    for (method, name) in [("tools/call", "read"), ("tools/list", ""), ("tools/call", "")] {
        let answer = post(&client, method, name, &body, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {name}");
        assert!(answer.text().await.contains("-32020"));
    }
    let legacy = [("mcp-protocol-version", "2025-11-25")];
    let answer = client.request(Method::POST, "/mcp/files", &legacy, &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.fake.finding().await.kind, FindingKind::HeaderMismatch);
    assert!(client.server.seen.borrow().is_empty() && client.fake.asks.borrow().is_empty());
}

#[tokio::test]
async fn parameters_that_a_tool_repeats_in_headers_are_compared_and_made_anew() {
    let client = Client::start().await;
    let list = request(1, "tools/list", r#""name":"params""#, "{}");
    post(&client, "tools/list", "", &list, &[]).await.text().await;
    let body = call(1, "rewrite", "");
    let wrong = [("mcp-param-to", "c@d")];
    let answer = post(&client, "tools/call", "rewrite", &body, &wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "the header of a body parameter");
    let right = [("mcp-param-to", "a@b")];
    let answer = post(&client, "tools/call", "rewrite", &body, &right).await;
    assert_eq!(answer.status, StatusCode::OK);
    let heard = client.server.heard(2).await.remove(1);
    assert!(heard.body.contains("<cut>"));
    assert_eq!(heard.headers["mcp-param-to"], "<cut>", "what is cut out leaves in no header");
}

#[tokio::test]
async fn what_a_request_must_say_of_itself_and_does_not_is_told() {
    let client = Client::start().await;
    let without = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
    let answer = post(&client, "tools/list", "", without, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().await.contains("-32602"));
    let future = request(1, "tools/list", "", "{}").replace("2026-07-28", "2031-01-01");
    let headers = [("mcp-protocol-version", "2031-01-01"), ("mcp-method", "tools/list")];
    let answer = client.request(Method::POST, "/mcp/files", &headers, &future).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let told = answer.text().await;
    assert!(told.contains("-32022") && told.contains(r#""requested":"2031-01-01""#), "{told}");
    for method in ["ping", "initialize", "logging/setLevel", "events/listen"] {
        let answer = post(&client, method, "", &request(1, method, "", "{}"), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
        assert!(answer.text().await.contains("-32601"));
    }
    assert!(client.server.seen.borrow().is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_and_the_server_learns_of_it() {
    let client = Client::start().await;
    let mut answer = post(&client, "tools/call", "later", &call(1, "later", ""), &[]).await;
    answer.read_until(": soon\n\n").await;
    drop(answer);
    let report = client.fake.reported(1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn what_is_withheld_is_not_in_the_list_and_the_list_is_private() {
    let client = Client::start().await;
    let withheld = Withheld { names: BTreeSet::from(["rewrite".to_owned()]) };
    let _ = client.fake.withheld.send_replace(withheld);
    let list = request(1, "tools/list", r#""name":"params""#, "{}");
    let listed = post(&client, "tools/list", "", &list, &[]).await.text().await;
    assert!(!listed.contains("rewrite") && listed.contains("\"other\""), "{listed}");
    assert!(listed.contains(r#""cacheScope":"private""#), "{listed}");
    let items = client.fake.catalogued(1).await.remove(0).items;
    let names: Vec<_> = items.iter().map(|item| (item.kind, item.name.as_str())).collect();
    assert_eq!(names, [(ItemKind::Tool, "rewrite"), (ItemKind::Tool, "other")]);
}

#[tokio::test]
async fn a_person_behind_the_client_is_asked_inside_the_result_and_the_call_comes_back() {
    let client = Client::start().await;
    let asked = post_call(&client, 1, "hold", "").await;
    assert!(asked.contains(r#""resultType":"input_required""#), "{asked}");
    assert!(asked.contains(r#""requestState":"pathwarden-state1.x""#), "{asked}");
    let back = |answer: &str| {
        format!(
            r#","requestState":"pathwarden-state1.x","inputResponses":{{"pathwarden_approval":{answer}}}"#
        )
    };
    let yes = back(r#"{"action":"accept","content":{"approve":true}}"#);
    assert_eq!(post_call(&client, 1, "hold", &yes).await, server::answer_to("1"));
    let heard = client.server.heard(1).await.remove(0);
    assert!(!heard.body.contains("pathwarden"), "what is ours does not reach the server");
    let no = back(r#"{"action":"decline"}"#);
    assert!(post_call(&client, 1, "hold", &no).await.contains("no_outsiders"));
    let states = client.fake.asked(3).await;
    let states: Vec<_> = states.iter().map(|ask| ask.resume.as_ref().map(|r| r.approve)).collect();
    assert_eq!(states, [None, Some(Some(true)), Some(Some(false))]);
}

#[tokio::test]
async fn a_client_that_cannot_ask_its_person_just_waits() {
    let client = Client::start().await;
    client.fake.person.send_replace(Some(true));
    let body = call(1, "hold", "").replace(CAPABILITIES, "{}");
    let told = post(&client, "tools/call", "hold", &body, &[]).await.text().await;
    assert!(told.contains(&server::answer_to("1")), "{told}");
    assert!(!client.fake.asked(1).await[0].near_person);
}

#[tokio::test]
async fn what_a_server_asks_inside_a_result_is_decided_before_the_client_sees_it() {
    let client = Client::start().await;
    let told = post_call(&client, 1, "asks-name", "").await;
    assert!(told.contains("What is your name?"), "{told}");
    let told = post_call(&client, 1, "asks-pin", "").await;
    assert!(!told.contains("PIN") && told.contains("may not have"), "{told}");
    let kinds: Vec<_> = client.fake.asked(4).await.iter().map(|ask| ask.operation.kind).collect();
    let (call, ask) = (OperationKind::ToolCall, OperationKind::Elicitation);
    assert_eq!(kinds, [call, ask, call, ask]);
    assert_eq!(client.fake.finding().await.kind, FindingKind::ServerAsk);
    let reports = client.fake.reported(2).await;
    assert!(reports.iter().any(|report| report.effect.outcome == Outcome::Unknown));
}

#[tokio::test]
async fn what_a_list_or_the_state_of_a_task_asks_is_decided_as_well() {
    let client = Client::start().await;
    let list = request(1, "tools/list", r#""name":"list-asks""#, "{}");
    let told = post(&client, "tools/list", "", &list, &[]).await.text().await;
    assert!(!told.contains("PIN") && told.contains("may not have"), "{told}");
    let told = post_call(&client, 1, "task-asks", "").await;
    assert!(!told.contains("PIN") && told.contains("1e400"), "{told}");
    let seen = client.fake.seen(1).await;
    assert!(seen.iter().any(|seen| seen.content.contains("PIN")), "it is on record");
}

#[tokio::test]
async fn headers_that_repeat_the_body_say_what_it_says_or_nothing() {
    let client = Client::start().await;
    let more = [("mcp-param-region", "secret")];
    post(&client, "tools/call", "x", &call(1, "x", ""), &more).await.text().await;
    let legacy = [
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
        ("mcp-name", "delete_all"),
    ];
    let body = crate::fake::call("1", "x");
    client.request(Method::POST, "/mcp/files", &legacy, &body).await.text().await;
    let heard = client.server.heard(2).await;
    assert!(heard[0].headers.get("mcp-param-region").is_none());
    assert_eq!(heard[1].headers["mcp-method"], "tools/call");
    assert_eq!(heard[1].headers["mcp-name"], "x");
}

#[tokio::test]
async fn what_a_client_answers_is_decided_before_the_call_that_carries_it() {
    let client = Client::start().await;
    let rest = |answer: &str| {
        format!(
            r#","requestState":"theirs","inputResponses":{{"q":{{"content":{{"a":"{answer}"}}}}}}"#
        )
    };
    let body = call(1, "x", &rest("Ada"));
    let answer = post(&client, "tools/call", "x", &body, &[]).await;
    assert_eq!(answer.text().await, server::answer_to("1"));
    assert_eq!(client.server.heard(1).await[0].body, body, "the server's state is as it was");
    let told = post_call(&client, 1, "x", &rest("PIN 1234")).await;
    assert!(told.contains("no_outsiders"), "{told}");
    assert_eq!(client.server.seen.borrow().len(), 1);
    let kinds: Vec<_> = client.fake.asked(3).await.iter().map(|ask| ask.operation.kind).collect();
    assert_eq!(kinds, [OperationKind::Reply, OperationKind::ToolCall, OperationKind::Reply]);
}

#[tokio::test]
async fn a_subscription_is_decided_for_each_resource_and_hears_of_our_own_changes() {
    let client = Client::start().await;
    let filter =
        r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:1","a:2"]}"#;
    let listen = request(1, "subscriptions/listen", filter, "{}");
    let mut stream = post(&client, "subscriptions/listen", "", &listen, &[]).await;
    stream.read_until("acknowledged").await;
    assert_eq!(client.fake.asked(2).await[1].operation.name, "a:2");
    let reports = client.fake.reported(2).await;
    assert!(reports.iter().all(|report| report.effect.outcome == Outcome::Done));
    client.fake.changed.send_modify(|version| *version += 1);
    stream
        .read_until(r#""notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1}}"#)
        .await;
}

#[tokio::test]
async fn more_calls_of_a_tool_than_it_may_have_at_once_are_refused() {
    let client = Client::start().await;
    let body = call(1, "single", "");
    let first = post(&client, "tools/call", "single", &body, &[]);
    let second = async {
        client.server.heard(1).await;
        let told = post_call(&client, 2, "single", "").await;
        client.server.go_on.notify_one();
        told
    };
    let (_, told) = tokio::join!(async { first.await.text().await }, second);
    assert!(told.contains("too_many_calls"), "{told}");
    assert_eq!(client.server.seen.borrow().len(), 1);
}

#[tokio::test]
async fn a_foreign_page_is_found() {
    let client = Client::start().await;
    let evil = [("origin", "http://evil.example")];
    let answer = client.request(Method::POST, "/mcp/files", &evil, &call(1, "x", "")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let finding = client.fake.finding().await;
    assert_eq!(
        (finding.kind, &*finding.subject),
        (FindingKind::ForeignOrigin, "http://evil.example")
    );
}

#[tokio::test]
async fn a_client_without_a_credential_learns_where_to_get_one() {
    let client = Client::start().await;
    let none = [("authorization", "Bearer guess")];
    let answer = client.request(Method::POST, "/mcp/files", &none, &call(1, "x", "")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap().to_owned();
    let place = "https://gate.example/.well-known/oauth-protected-resource/mcp/files";
    assert!(challenge.contains(&format!("resource_metadata=\"{place}\"")), "{challenge}");
    assert!(challenge.contains("scope=\"mcp\""), "{challenge}");
    let path = "/.well-known/oauth-protected-resource/mcp/files";
    let answer = client.request(Method::GET, path, &[], "").await;
    let metadata = answer.text().await;
    assert!(metadata.contains(r#""resource":"https://gate.example/mcp/files""#), "{metadata}");
    assert!(
        metadata.contains(r#""authorization_servers":["https://login.example"]"#),
        "{metadata}"
    );
    let path = "/.well-known/oauth-protected-resource/mcp/none";
    assert_eq!(client.request(Method::GET, path, &[], "").await.status, StatusCode::NOT_FOUND);
}
