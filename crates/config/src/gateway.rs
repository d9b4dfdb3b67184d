//! What the gateway reaches, for whom, and who vouches for callers.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::Name;

use crate::Config;
use crate::section::Section;

/// One MCP server that the gateway reaches over HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upstream {
    /// Where.
    pub url: String,
    /// The environment variable whose value is sent to it as bearer token.
    pub token_env: Option<String>,
    /// Limits of calls of tools that have none of their own.
    pub calls: CallLimits,
    /// Limits of calls, by tool.
    pub tools: BTreeMap<String, CallLimits>,
}

/// Limits of calls of a tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallLimits {
    /// How long the server may take to begin its answer, in ms.
    pub answer_ms: u64,
    /// How many calls may be under way at once; one more is refused.
    pub concurrent_max: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { answer_ms: 600_000, concurrent_max: 256 }
    }
}

/// Who vouches for callers besides this node: an OAuth 2.1 authorization server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Auth {
    /// Its issuer identifier.
    pub issuer: String,
    /// The gateway as clients call it: scheme, host and port. Tokens are for it, or for an endpoint
    /// below it.
    pub resource: String,
    /// Its keys: an http(s) URL, or a file below the home; found through its metadata when absent.
    pub keys: Option<String>,
    /// The claim that says which agent it is.
    pub agent_claim: String,
    /// Agents by the value of that claim.
    pub agents: BTreeMap<String, Name>,
    /// Scopes that a token must have.
    pub scopes: BTreeSet<String>,
}

/// What separates the name of a server from the name of its tool at an endpoint of several servers; one of
/// those names must not hold it.
const SEPARATOR: &str = "__";

pub(crate) fn read_upstream(name: &Name, server: &mut Section<'_>, config: &mut Config) {
    let url = server.optional_text("url");
    let token_env = server.optional_text("token_env");
    let calls = read_calls(server, CallLimits::default());
    let mut tools = BTreeMap::new();
    server.each_text("limits", |tool, section| {
        tools.insert(tool, read_calls(section, calls));
    });
    let Some(url) = url else { return };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let message = format!("`{url}` is not an http:// or https:// URL");
        server.fault("url", &message, "give the address of the server's MCP endpoint");
        return;
    }
    if token_env.is_some() && url.starts_with("http://") && !is_loopback(&url) {
        let advice = "use https://, so that the token is not sent in clear";
        server.fault("token_env", &format!("`{url}` is not encrypted"), advice);
    }
    config.upstreams.insert(name.clone(), Upstream { url, token_env, calls, tools });
}

pub(crate) fn read_calls(section: &mut Section<'_>, default: CallLimits) -> CallLimits {
    let seconds = section.integer("answer_seconds", default.answer_ms / 1_000, 1..=86_400);
    let most = u64::try_from(default.concurrent_max).unwrap_or(u64::MAX);
    let concurrent = section.integer("concurrent", most, 1..=10_000);
    CallLimits {
        answer_ms: seconds.saturating_mul(1_000),
        concurrent_max: usize::try_from(concurrent).unwrap_or(usize::MAX),
    }
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Endpoints of several servers.
pub(crate) fn read_endpoints(root: &mut Section<'_>, config: &mut Config) {
    let mut endpoints = BTreeMap::new();
    let known: BTreeSet<Name> = config.upstreams.keys().cloned().collect();
    root.each("endpoints", |name, endpoint| {
        let mut servers = Vec::new();
        if known.contains(&name) {
            let message = "a server with a `url` has this name already";
            endpoint.fault("servers", message, "give the endpoint another name");
        }
        for text in endpoint.texts("servers") {
            match text.parse::<Name>().ok().filter(|server| known.contains(server)) {
                Some(server) if text.contains(SEPARATOR) || !is_plain(&text) => {
                    let message = format!("`{server}` cannot be told from the name of its tool");
                    let advice = "use small letters, digits and `-`, and no two `_` in a row";
                    endpoint.fault("servers", &message, advice);
                }
                Some(server) => servers.push(server),
                None => {
                    let message = format!("there is no server `{text}` with a `url`");
                    endpoint.fault("servers", &message, "add [servers.NAME] with its url");
                }
            }
        }
        let as_schemes: BTreeSet<String> =
            servers.iter().map(|server: &Name| server.as_str().replace('_', "-")).collect();
        if as_schemes.len() < servers.len() {
            let message = "two of them cannot be told apart";
            endpoint.fault("servers", message, "name each once; `_` and `-` count as one");
        }
        if servers.is_empty() {
            endpoint.fault("servers", "there is none", "list the servers behind the endpoint");
        }
        endpoints.insert(name, servers);
    });
    config.endpoints = endpoints;
}

/// Whether a name can stand before a tool's, for which models take letters, digits, `_` and `-`, and
/// before a URI, which begins with a letter.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('_')
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        })
}

pub(crate) fn read_auth(auth: &mut Section<'_>) -> Option<Auth> {
    let issuer = auth.optional_text("issuer");
    let resource = auth.optional_text("resource");
    let keys = auth.optional_text("keys");
    let agent_claim = auth.text("agent_claim", "client_id");
    let scopes = auth.texts("scopes").into_iter().collect();
    let agents = auth.section("agents", |agents| {
        let mut known = BTreeMap::new();
        for (value, agent) in agents.all_texts() {
            match agent.parse::<Name>() {
                Ok(name) => {
                    known.insert(value, name);
                }
                Err(source) => agents.fault(&value, &source.to_string(), "name an agent"),
            }
        }
        known
    });
    let Some(issuer) = issuer else {
        if resource.is_some() || keys.is_some() || !agents.is_empty() {
            auth.fault("issuer", "it is missing", "give the issuer of the tokens");
        }
        return None;
    };
    if !issuer.starts_with("https://") && !is_loopback(&issuer) {
        auth.fault("issuer", &format!("`{issuer}` is not an https:// URL"), "use https://");
    }
    let Some(resource) = resource else {
        let advice = "give the gateway's address as clients call it, like https://gate.example";
        auth.fault("resource", "it is missing", advice);
        return None;
    };
    if agents.is_empty() {
        let advice = "add [auth.agents] with the agent for each value of `agent_claim`";
        auth.fault("agents", "there is none, so nobody could come in", advice);
    }
    let resource = resource.trim_end_matches('/').to_owned();
    Some(Auth { issuer, resource, keys, agent_claim, agents, scopes })
}
