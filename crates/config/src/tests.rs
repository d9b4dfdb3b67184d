use crate::Config;

#[test]
fn an_empty_file_is_a_safe_configuration() {
    let config = Config::parse("").map_err(|faults| faults.to_string());
    let config = config.expect("defaults");
    assert!(config.api.ip().is_loopback() && config.mcp.ip().is_loopback());
    assert!(config.settings.servers.is_empty() && config.dangers.is_empty());
}

#[test]
fn every_fault_is_named_at_once() {
    let faults = Config::parse(
        r#"
        polcy = "x"
        [listen]
        api = "0.0.0.0:7717"
        mcp = "here"
        sockets = "x"
        [approvals]
        minutes_max = 0
        [servers.mail]
        inside = "yes"
        url = "ftp://x"
        [servers.mail.tools]
        send_mail = "shout"
        [organisation]
        domains = "acme.example"
        "#,
    )
    .expect_err("faults");
    insta::assert_snapshot!(faults, @"");
}

#[test]
fn a_broken_file_says_where() {
    let faults = Config::parse("[listen\napi = 1").expect_err("faults");
    assert!(faults.to_string().contains("line 1"), "{faults}");
}

#[test]
fn beyond_loopback_needs_a_danger_key_and_is_said() {
    let text = "[listen]\napi = \"0.0.0.0:1\"\n[danger]\nlisten_beyond_loopback = true";
    let config = Config::parse(text).expect("allowed");
    assert_eq!(config.dangers.len(), 1);
}
