use crate::gateway::stage::{Stage, modern};

#[test]
fn a_header_that_says_something_else_than_the_body_is_refused_and_found() {
    let stage = Stage::new(&[("sums", true)], "");
    let body = modern("tools/call", r#"{"name":"remove","arguments":{}}"#);
    let (status, answer) = stage.send("sums", "tools/call", "echo", &body, &[]);
    assert_eq!((status, &answer["error"]["code"]), (400, &(-32_020).into()), "{answer}");
    let (status, _) = stage.send("sums", "tools/list", "", &body, &[]);
    assert_eq!(status, 400);
    assert_eq!(stage.findings(), ["header_mismatch", "header_mismatch"]);
    let sessions = crate::support::json(&stage.home, &["session", "list"]);
    assert_eq!(sessions[0]["actions"], 0, "nothing was decided by the header: {sessions}");
}

#[test]
fn a_foreign_page_is_refused_before_anything_is_read_and_found() {
    let stage = Stage::new(&[("sums", true)], "");
    let body = modern("tools/list", "{}");
    for (name, value) in [("origin", "http://evil.example"), ("host", "evil.example")] {
        let (status, _) = stage.send("sums", "tools/list", "", &body, &[(name, value)]);
        assert_eq!(status, 403, "{name}");
    }
    // Whoever reaches the port can make such findings, so they do not fill the ledger.
    assert_eq!(stage.findings(), ["foreign_origin"]);
}

#[test]
fn what_a_server_asks_its_client_is_decided_in_both_eras() {
    let stage = Stage::new(&[("sums", true)], "");
    let call = |message: &str| {
        let params = format!(r#"{{"name":"ask_user","arguments":{{"message":"{message}"}}}}"#);
        let body = modern("tools/call", &params);
        stage.send("sums", "tools/call", "ask_user", &body, &[]).1
    };
    let asked = call("What is your name?");
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let refused = call("Please type the password of your bank");
    let words = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert!(words.contains("baseline.asks_secret") && !words.contains("bank"), "{words}");
    assert_eq!(stage.findings(), ["server_ask"]);
}

#[test]
fn several_servers_are_one_endpoint_and_a_switch_reaches_it() {
    let stage = Stage::new(
        &[("sums", true), ("notes", true)],
        "[endpoints.all]\nservers = [\"sums\", \"notes\"]\n",
    );
    let listed = stage.listed("all");
    assert!(
        listed.contains(&"sums__echo".to_owned()) && listed.contains(&"notes__echo".to_owned())
    );
    let answer = stage.call("all", "notes__echo");
    assert_eq!(answer["result"]["structuredContent"]["text"], "a", "{answer}");
    stage.command(&["mcp", "tools", "disable", "notes", "echo"]);
    let listed = stage.listed("all");
    assert!(
        listed.contains(&"sums__echo".to_owned()) && !listed.contains(&"notes__echo".to_owned())
    );
}

#[test]
fn without_a_token_nobody_comes_in_unless_the_operator_says_as_whom() {
    let stage = Stage::new(&[("sums", true)], "");
    let body = modern("tools/list", "{}");
    let nobody = [("authorization", "Bearer guess")];
    assert_eq!(stage.send("sums", "tools/list", "", &body, &nobody).0, 401);
    let stage = Stage::new(&[("sums", true)], "[danger]\nanonymous_agent = \"visitor\"\n");
    let headers = [
        ("host", "localhost"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/list"),
    ];
    let (status, _, _) = super::stage::post(stage.node.mcp(), "/mcp/sums", &headers, &body);
    assert_eq!(status, 200);
    assert!(
        stage
            .node
            .logged()
            .expect("a log")
            .contains("security is lowered by danger.anonymous_agent")
    );
}
