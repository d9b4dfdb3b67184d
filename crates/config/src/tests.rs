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
    insta::assert_snapshot!(faults, @r"
    approvals.minutes_max: `0` is out of range; give a whole number from 1 to 10080
    listen.api: `0.0.0.0:7717` is reachable from other machines; use 127.0.0.1, or set danger.listen_beyond_loopback = true
    listen.mcp: `here` is not an address with a port; write it like 127.0.0.1:7717
    listen.sockets: there is no such key; remove it, or use one of: socket, api, mcp, allowed_hosts, allowed_origins
    organisation.domains: this is a string; give a list of texts
    polcy: there is no such key; remove it, or use one of: danger, listen, policy, organisation, approvals, ledger, agents, servers
    servers.mail.inside: this is a string; give true or false
    servers.mail.tools.send_mail: `shout` is no class of tool; use read, write, send, configure, delete, pay or execute
    servers.mail.url: `ftp://x` is not an http:// URL; give the http:// address of the server's MCP endpoint
    ");
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
