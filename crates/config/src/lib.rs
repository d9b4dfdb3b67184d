//! The configuration file of a node: text in, checked values out.
//!
//! **What it is for.** To turn `pathwarden.toml` into values that the rest can trust, or to name
//! every fault at once, each with its key and what to do about it.
//!
//! **What it never does.** It opens no file and no socket, and it never guesses: an unknown key is a
//! fault.
//!
//! **Where to start.** [`Config::parse`]; `section.rs` is the reader that collects faults.

mod gateway;
mod models;
mod risk;
mod run;
mod section;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use pathwarden_decide::{ServerSettings, Settings};
use pathwarden_memory::Stores;
use pathwarden_types::{Agent, Name, ToolClass};

pub use crate::gateway::{Auth, CallLimits, Upstream};
pub use crate::models::{ModelApi, ModelProvider};
pub use crate::run::{Run, is_host_and_port};

use crate::section::Section;

/// A checked configuration. Paths are as written: relative ones are below the home folder.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path of the Unix socket of the API.
    pub socket: String,
    /// TCP address of the API.
    pub api: SocketAddr,
    /// TCP address of the MCP gateway.
    pub mcp: SocketAddr,
    /// TCP address of the gateway before models.
    pub llm: SocketAddr,
    /// Folder of the policy.
    pub policy_dir: String,
    /// What decisions rest on besides the policy.
    pub settings: Settings,
    /// The agents that the operator knows.
    pub agents: BTreeMap<Name, Agent>,
    /// MCP servers that the gateway reaches over HTTP.
    pub upstreams: BTreeMap<Name, Upstream>,
    /// Endpoints of several servers, by name.
    pub endpoints: BTreeMap<Name, Vec<Name>>,
    /// Providers of models, by name.
    pub models: BTreeMap<Name, ModelProvider>,
    /// What is memory of agents.
    pub stores: Stores,
    /// Who vouches for callers besides this node.
    pub auth: Option<Auth>,
    /// The agent that callers without a token act as.
    pub anonymous_agent: Option<Name>,
    /// Agents whose client may answer for the person behind it.
    pub near: BTreeSet<Name>,
    /// How long an enforcement point keeps a client waiting for a person, in ms.
    pub hold_ms: u64,
    /// What `pathwarden run` lets an agent have.
    pub run: Run,
    /// Limits of the ledger.
    pub ledger: LedgerLimits,
    /// Names of hosts, besides loopback ones, that clients may call this node by.
    pub allowed_hosts: BTreeSet<String>,
    /// Origins of web pages, besides loopback ones, that may call the gateway.
    pub allowed_origins: BTreeSet<String>,
    /// What lowers security, in words, for the log at start.
    pub dangers: Vec<String>,
}

/// Limits of the ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LedgerLimits {
    /// How often new records are covered by a signed checkpoint, in ms.
    pub publish_every_ms: u64,
    /// Records that may wait for the disk; one more is a deny.
    pub queue_records_max: usize,
    /// How long a batched record may wait for the disk, in ms.
    pub batch_window_ms: u64,
    /// How long an action may stay without a reported effect before it is closed as unknown, in ms.
    pub effect_ms_max: u64,
}

/// One thing wrong with a configuration.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ConfigFault {
    /// Where: the path of the key.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.message, self.advice)
    }
}

/// Everything wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ConfigFaults(pub Vec<ConfigFault>);

fn lines(faults: &[ConfigFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigFaults`] with every fault found.
    pub fn parse(text: &str) -> Result<Self, ConfigFaults> {
        let table: toml::Table = text.parse().map_err(|source: toml::de::Error| {
            ConfigFaults(vec![ConfigFault {
                key: "(file)".to_owned(),
                message: source.to_string().trim_end().replace('\n', "\n  "),
                advice: "mend the TOML syntax".to_owned(),
            }])
        })?;
        let mut faults = Vec::new();
        let mut root = Section::new(String::new(), Some(table), &mut faults);
        let config = read(&mut root);
        root.finish();
        if faults.is_empty() {
            Ok(config)
        } else {
            faults.sort();
            Err(ConfigFaults(faults))
        }
    }
}

/// What holds where the operator says nothing.
fn defaults() -> Config {
    Config {
        socket: String::new(),
        api: SocketAddr::from(([127, 0, 0, 1], 7717)),
        mcp: SocketAddr::from(([127, 0, 0, 1], 7718)),
        llm: SocketAddr::from(([127, 0, 0, 1], 7719)),
        policy_dir: String::new(),
        settings: Settings::default(),
        agents: BTreeMap::new(),
        upstreams: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        models: BTreeMap::new(),
        stores: Stores::default(),
        auth: None,
        anonymous_agent: None,
        near: BTreeSet::new(),
        hold_ms: HOLD_SECONDS * 1_000,
        run: Run::default(),
        ledger: LedgerLimits {
            publish_every_ms: 1_000,
            queue_records_max: 4_096,
            batch_window_ms: 20,
            effect_ms_max: 10 * 60 * 1_000,
        },
        allowed_hosts: BTreeSet::new(),
        allowed_origins: BTreeSet::new(),
        dangers: Vec::new(),
    }
}

fn read(root: &mut Section<'_>) -> Config {
    let mut config = defaults();
    let beyond_loopback = root.section("danger", |danger| read_danger(danger, &mut config));
    root.section("listen", |listen| read_listen(listen, &mut config, beyond_loopback));
    root.section("policy", |policy| config.policy_dir = policy.text("dir", "policies"));
    root.section("organisation", |organisation| {
        let domains = organisation.texts("domains");
        config.settings.inside_domains = domains.iter().map(|d| d.to_ascii_lowercase()).collect();
    });
    root.section("approvals", |approvals| {
        let minutes = approvals.integer("minutes_max", 15, 1..=7 * 24 * 60);
        config.settings.approval_ms_max = minutes.saturating_mul(60_000);
        let wait = approvals.integer("wait_seconds", HOLD_SECONDS, 0..=86_400);
        config.hold_ms = wait.saturating_mul(1_000);
    });
    root.section("run", |section| config.run = run::read(section));
    root.section("ledger", |ledger| read_ledger(ledger, &mut config));
    root.section("risk", |risk| risk::read(risk, &mut config));
    root.each("agents", |name, agent| {
        let known = Agent {
            name: name.clone(),
            owner: agent.text("owner", ""),
            role: agent.text("role", ""),
            purpose: agent.text("purpose", ""),
        };
        if agent.flag("person_answers_in_client", false) {
            config.near.insert(name.clone());
        }
        config.agents.insert(name, known);
    });
    read_servers(root, &mut config);
    gateway::read_endpoints(root, &mut config);
    models::read(root, &mut config);
    config.auth = root.section("auth", gateway::read_auth);
    check_agents(root, &config);
    config
}

/// The server of tools that agents run themselves.
const LOCAL: &str = "local";

/// How long an enforcement point keeps a client waiting for a person where the operator says nothing,
/// in seconds.
const HOLD_SECONDS: u64 = 300;

/// Agents that are spoken of must be there.
fn check_agents(root: &mut Section<'_>, config: &Config) {
    let vouched = config.auth.iter().flat_map(|auth| auth.agents.values());
    let named = config.anonymous_agent.iter().map(|name| ("danger.anonymous_agent", name));
    for (key, name) in vouched.map(|name| ("auth.agents", name)).chain(named) {
        if !config.agents.contains_key(name) {
            let advice = format!("add a table [agents.{name}]");
            root.fault(key, &format!("there is no agent `{name}`"), &advice);
        }
    }
}

fn read_listen(listen: &mut Section<'_>, config: &mut Config, beyond_loopback: bool) {
    config.socket = listen.text("socket", "run/pathwarden.sock");
    config.api = listen.address("api", config.api, beyond_loopback);
    config.mcp = listen.address("mcp", config.mcp, beyond_loopback);
    config.llm = listen.address("models", config.llm, beyond_loopback);
    config.allowed_hosts = listen.texts("allowed_hosts").into_iter().collect();
    config.allowed_origins = listen.texts("allowed_origins").into_iter().collect();
}

fn read_danger(danger: &mut Section<'_>, config: &mut Config) -> bool {
    let beyond = danger.flag("listen_beyond_loopback", false);
    if beyond {
        config.dangers.push(
            "danger.listen_beyond_loopback: tokens cross the network without encryption".to_owned(),
        );
    }
    if let Some(agent) = danger.optional_text("anonymous_agent") {
        match agent.parse::<Name>() {
            Ok(name) => config.anonymous_agent = Some(name),
            Err(source) => danger.fault("anonymous_agent", &source.to_string(), "name an agent"),
        }
        config.dangers.push(format!(
            "danger.anonymous_agent: whoever reaches the gateway without a token acts as `{agent}`"
        ));
    }
    beyond
}

fn read_ledger(ledger: &mut Section<'_>, config: &mut Config) {
    let limits = &mut config.ledger;
    limits.publish_every_ms = ledger.integer("publish_every_ms", 1_000, 10..=60_000);
    limits.batch_window_ms = ledger.integer("batch_window_ms", 20, 1..=10_000);
    limits.effect_ms_max = ledger.integer("effect_ms_max", 600_000, 1_000..=86_400_000);
    let queue = ledger.integer("queue_records_max", 4_096, 1..=1_000_000);
    limits.queue_records_max = usize::try_from(queue).unwrap_or(usize::MAX);
    config.settings.batched_reads = ledger.flag("batched_reads", true);
}

/// The servers, and what of theirs is memory of agents.
fn read_servers(root: &mut Section<'_>, config: &mut Config) {
    let mut remembering = Vec::new();
    root.each("servers", |name, server| {
        if server.flag("memory", false) {
            remembering.push(name.to_string());
        }
        read_server(name, server, config);
    });
    root.section("memory", |memory| {
        let files = memory.texts("files");
        match Stores::new(remembering, files.iter().map(String::as_str)) {
            Ok(stores) => config.stores = stores,
            Err(fault) => {
                let advice = "name files like `notes/*.md` or `**/MEMORY.md`";
                memory.fault("files", &fault.to_string(), advice);
            }
        }
    });
}

fn read_server(name: Name, server: &mut Section<'_>, config: &mut Config) {
    let inside = server.flag("inside", false);
    // What a tool of the agent's own returns is what the agent says that it returned.
    let outside_content = server.flag("outside_content", !inside || name.as_str() == LOCAL);
    gateway::read_upstream(&name, server, config);
    let mut classes = BTreeMap::new();
    server.section("tools", |tools| {
        for (tool, class) in tools.all_texts() {
            match class_named(&class) {
                Some(class) => {
                    classes.insert(tool, class);
                }
                None => {
                    let advice = "use read, write, send, configure, delete, pay or execute";
                    tools.fault(&tool, &format!("`{class}` is no class of tool"), advice);
                }
            }
        }
    });
    let effects = run::read_effects(server);
    let settings = ServerSettings { inside, outside_content, classes, effects };
    config.settings.servers.insert(name, settings);
}

fn class_named(name: &str) -> Option<ToolClass> {
    Some(match name {
        "read" => ToolClass::Read,
        "write" => ToolClass::Write,
        "send" => ToolClass::Send,
        "configure" => ToolClass::Configure,
        "delete" => ToolClass::Delete,
        "pay" => ToolClass::Pay,
        "execute" => ToolClass::Execute,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
