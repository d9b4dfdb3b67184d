//! What an agent that `pathwarden run` starts may have, and what tools may do to the machine.

use std::collections::BTreeMap;

use pathwarden_behaviour::EffectContract;

use crate::section::Section;

/// What `pathwarden run` lets an agent have, beside its workspace and the system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// Hosts with ports that it may reach: `crates.io:443`, `10.0.0.5:5432`.
    pub reach: Vec<String>,
    /// Folders and files that it may read.
    pub read: Vec<String>,
    /// Folders and files that it may read and write.
    pub write: Vec<String>,
    /// The most processes that it may have at a time.
    pub processes_max: u64,
}

/// How many processes an agent may have where the operator says nothing.
const PROCESSES: u64 = 512;

impl Default for Run {
    fn default() -> Self {
        let none = Vec::new;
        Self { reach: none(), read: none(), write: none(), processes_max: PROCESSES }
    }
}

pub(crate) fn read(section: &mut Section<'_>) -> Run {
    let reach = section.texts("reach");
    for entry in &reach {
        if !is_host_and_port(entry) {
            let message = format!("`{entry}` is no host with a port");
            section.fault("reach", &message, "write it like `crates.io:443`");
        }
    }
    let mut paths = |key: &str| {
        let paths = section.texts(key);
        for path in paths.iter().filter(|path| !path.starts_with('/')) {
            let message = format!("`{path}` is no absolute path");
            section.fault(key, &message, "begin it with `/`");
        }
        paths
    };
    let (read, write) = (paths("read"), paths("write"));
    let processes_max = section.integer("processes_max", PROCESSES, 8..=32_768);
    Run { reach, read, write, processes_max }
}

/// Whether a text names a host and a port.
#[must_use]
pub fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
}

/// What each tool of a server may do to the machine.
pub(crate) fn read_effects(server: &mut Section<'_>) -> BTreeMap<String, EffectContract> {
    let mut contracts = BTreeMap::new();
    server.each("effects", |tool, section| {
        let mut of = |key: &str| {
            let entries = section.texts(key);
            if entries.len() > EffectContract::ENTRIES_MAX {
                let message = format!("more than {} entries", EffectContract::ENTRIES_MAX);
                section.fault(key, &message, "name folders like `/srv/data/**`");
            }
            entries
        };
        let contract = EffectContract {
            run: of("run"),
            read: of("read"),
            write: of("write"),
            remove: of("remove"),
            change: of("change"),
            reach: of("reach"),
        };
        contracts.insert(tool.to_string(), contract);
    });
    contracts
}
