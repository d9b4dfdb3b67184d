use pathwarden_decide::RiskSettings;
use pathwarden_types::{Ratio, SignalKind};

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
        [risk]
        bands = [20, 20, 60, 80]
        edges = []
        [risk.weights]
        tool = 101
        weather = 3
        "#,
    )
    .expect_err("faults");
    insta::assert_snapshot!(faults, @r"
    approvals.minutes_max: `0` is out of range; give a whole number from 1 to 10080
    listen.api: `0.0.0.0:7717` is reachable from other machines; use 127.0.0.1, or set danger.listen_beyond_loopback = true
    listen.mcp: `here` is not an address with a port; write it like 127.0.0.1:7717
    listen.sockets: there is no such key; remove it, or use one of: socket, api, mcp, models, allowed_hosts, allowed_origins
    organisation.domains: this is a string; give a list of texts
    polcy: there is no such key; remove it, or use one of: danger, listen, policy, organisation, approvals, run, ledger, risk, agents, servers, memory, endpoints, models, auth
    risk.bands: these do not rise from 1 to 100; give where guarded, elevated, high and severe begin: four whole numbers from 1 to 100, each greater than the one before
    risk.edges: there is no such key; remove it, or use one of: bands, weights
    risk.weights.tool: `101` is out of range; give a whole number from 0 to 100
    risk.weights.weather: there is no such key; remove it, or use one of: identity, permissions, prompt_context, tool, destination, behaviour, data_classification, threat_intelligence, approval_history, confidence
    servers.mail.inside: this is a string; give true or false
    servers.mail.tools.send_mail: `shout` is no class of tool; use read, write, send, configure, delete, pay or execute
    servers.mail.url: `ftp://x` is not an http:// or https:// URL; give the address of the server's MCP endpoint
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

#[test]
fn without_a_word_on_risk_the_shipped_numbers_hold() {
    let config = Config::parse("[risk]").expect("defaults");
    assert_eq!(config.settings.risk, RiskSettings::default());
    assert!(config.dangers.is_empty());
}

#[test]
fn weights_and_bands_are_read_in_percent() {
    let text = "[risk]\nbands = [1, 2, 3, 80]\n[risk.weights]\ndestination = 100\ntool = 7";
    let config = Config::parse(text).expect("sound");
    let weights = [(SignalKind::Destination, Ratio::ONE), (SignalKind::Tool, Ratio::of(700))];
    let bands = [100, 200, 300, 8_000].map(Ratio::of);
    assert_eq!(config.settings.risk, RiskSettings { weights: weights.into(), bands });
    assert!(config.dangers.is_empty(), "{:?}", config.dangers);
}

#[test]
fn a_signal_that_is_switched_off_and_bands_that_let_more_through_are_said() {
    let text = "[risk]\nbands = [20, 40, 60, 81]\n[risk.weights]\nbehaviour = 0";
    let dangers = Config::parse(text).expect("allowed").dangers;
    assert_eq!(dangers.len(), 2);
    assert!(dangers.iter().any(|words| words.starts_with("risk.weights.behaviour")));
    assert!(dangers.iter().any(|words| words.starts_with("risk.bands")));
}

#[test]
fn bands_that_are_not_four_rising_percentages_are_refused() {
    for bands in [
        "[]",
        "[20, 40, 60]",
        "[1, 2, 3, 4, 5]",
        "[4, 3, 2, 1]",
        "[0, 1, 2, 3]",
        "[97, 98, 99, 101]",
    ] {
        let faults = Config::parse(&format!("[risk]\nbands = {bands}")).expect_err(bands);
        assert_eq!(faults.0.len(), 1, "{bands}: {faults}");
        assert!(faults.to_string().starts_with("risk.bands: "), "{bands}: {faults}");
    }
    for bands in ["7", "['a']", "[-1, 2, 3, 4]", "[1.5, 2, 3, 4]"] {
        let faults = Config::parse(&format!("[risk]\nbands = {bands}")).expect_err(bands);
        assert!(faults.to_string().contains("give a list of whole numbers"), "{bands}: {faults}");
    }
}

#[test]
fn what_the_gateway_reaches_and_who_may_call_is_read() {
    let text = r#"
        [agents.demo]
        person_answers_in_client = true
        [approvals]
        wait_seconds = 2
        [servers.tickets]
        url = "https://tickets.example/mcp"
        token_env = "TICKETS_TOKEN"
        answer_seconds = 30
        [servers.tickets.limits.search]
        concurrent = 2
        [servers.notes]
        url = "http://127.0.0.1:9000/mcp"
        [endpoints.all]
        servers = ["tickets", "notes"]
        [auth]
        issuer = "https://login.example"
        resource = "https://gate.example/"
        scopes = ["mcp"]
        [auth.agents]
        client-1 = "demo"
    "#;
    let config = Config::parse(text).expect("sound");
    let tickets = &config.upstreams[&"tickets".parse().expect("a name")];
    assert_eq!((tickets.calls.answer_ms, tickets.calls.concurrent_max), (30_000, 256));
    assert_eq!(tickets.tools["search"].concurrent_max, 2);
    assert_eq!(tickets.tools["search"].answer_ms, 30_000, "what is not said is the server's");
    assert_eq!(config.endpoints.len(), 1);
    assert_eq!(config.auth.expect("auth").resource, "https://gate.example");
    assert_eq!((config.near.len(), config.hold_ms), (1, 2_000));
    assert!(config.dangers.is_empty(), "{:?}", config.dangers);
}

#[test]
fn what_would_let_the_wrong_in_or_send_a_token_in_clear_is_a_fault() {
    let faults = Config::parse(
        r#"
        [danger]
        anonymous_agent = "nobody"
        [servers.a__b]
        url = "http://127.0.0.1:1/"
        [servers.far]
        url = "http://far.example/mcp"
        token_env = "TOKEN"
        [endpoints.far]
        servers = ["far", "a__b", "absent"]
        [endpoints.none]
        [auth]
        issuer = "http://login.example"
        "#,
    )
    .expect_err("faults");
    insta::assert_snapshot!(faults, @r"
    auth.issuer: `http://login.example` is not an https:// URL; use https://
    auth.resource: it is missing; give the gateway's address as clients call it, like https://gate.example
    danger.anonymous_agent: there is no agent `nobody`; add a table [agents.nobody]
    endpoints.far.servers: `a__b` cannot be told from the name of its tool; use small letters, digits and `-`, and no two `_` in a row
    endpoints.far.servers: a server with a `url` has this name already; give the endpoint another name
    endpoints.far.servers: there is no server `absent` with a `url`; add [servers.NAME] with its url
    endpoints.none.servers: there is none; list the servers behind the endpoint
    servers.far.token_env: `http://far.example/mcp` is not encrypted; use https://, so that the token is not sent in clear
    ");
}

#[test]
fn providers_of_models_are_known_by_their_names() {
    let config = Config::parse(
        r#"
        [models.anthropic]
        key_env = "KEY"
        [models.llama]
        api = "openai"
        url = "http://127.0.0.1:8000"
        inside = true
        "#,
    )
    .expect("a configuration");
    let urls: Vec<&str> = config.models.values().map(|model| model.url.as_str()).collect();
    assert_eq!(urls, ["https://api.anthropic.com", "http://127.0.0.1:8000"]);
    let inside = |name: &str| config.settings.server(&name.parse().unwrap()).inside;
    assert!(!inside("anthropic") && inside("llama"));
}

#[test]
fn a_provider_that_cannot_be_used_is_a_fault() {
    let faults = Config::parse(
        r#"
        [servers.openai]
        inside = true
        [models.openai]
        [models.other]
        [models.plain]
        api = "openai"
        url = "http://models.example"
        [models.local]
        api = "openai"
        url = "http://127.0.0.1:8000"
        [models.llama]
        api = "openai"
        [models.secret]
        api = "openai"
        url = "https://user:password@models.example"
        [models.versioned]
        api = "openai"
        url = "https://models.example/v1/"
        [memory]
        files = ["a***b", ""]
        "#,
    )
    .expect_err("faults");
    let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    let of_models =
        ["llama.url", "local.api", "openai.api", "other.api", "plain.url", "secret.url"];
    let of_models = of_models.iter().chain(&["versioned.url"]).map(|key| format!("models.{key}"));
    let expected: Vec<String> = ["memory.files".to_owned()].into_iter().chain(of_models).collect();
    assert_eq!(keys, expected);
    assert!(!format!("{faults}").contains("password"), "{faults}");
}
