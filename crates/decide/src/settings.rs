//! What the operator says of servers and limits, as far as decisions depend on it.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_behaviour::EffectContract;
use pathwarden_types::{Name, Ratio, SignalKind, ToolClass};
use serde::{Deserialize, Serialize};

/// The operator's facts that decisions rest on. Part of a [`Snapshot`](crate::Snapshot), and so of
/// the policy version that every decision names.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Mail and host domains of the operator's own organisation, lower case.
    pub inside_domains: BTreeSet<String>,
    /// The servers that the operator knows.
    pub servers: BTreeMap<Name, ServerSettings>,
    /// The longest a question to a person stands, in ms.
    pub approval_ms_max: u64,
    /// Whether an action that only reads may be released before its record is on disk.
    pub batched_reads: bool,
    /// How signals add up.
    #[serde(default)]
    pub risk: RiskSettings,
}

/// How signals add up, where the operator says otherwise.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RiskSettings {
    /// The weight of a signal; those that are absent have the shipped one.
    pub weights: BTreeMap<SignalKind, Ratio>,
    /// The scores at which the bands guarded, elevated, high and severe begin, in rising order.
    pub bands: [Ratio; 4],
}

impl Default for RiskSettings {
    fn default() -> Self {
        let bands = [2_000, 4_000, 6_000, 8_000].map(Ratio::of);
        Self { weights: BTreeMap::new(), bands }
    }
}

/// A server that nobody knows: every action on it is of an unknown class.
static STRANGER: ServerSettings = ServerSettings {
    inside: false,
    outside_content: true,
    classes: BTreeMap::new(),
    effects: BTreeMap::new(),
};

/// What the operator says of one server.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Whether the operator runs it and trusts what it names its tools.
    pub inside: bool,
    /// Whether what it returns was written by outsiders: a mailbox, tickets, web pages.
    pub outside_content: bool,
    /// Class of each tool, where the operator states it.
    pub classes: BTreeMap<String, ToolClass>,
    /// What each tool may do to the machine, where the operator states it; `*` is any other tool.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<String, EffectContract>,
}

impl Settings {
    /// What is known of a server.
    #[must_use]
    pub fn server(&self, name: &Name) -> &ServerSettings {
        self.servers.get(name).unwrap_or(&STRANGER)
    }

    /// Whether a lower-case domain is one of the operator's, or below one.
    #[must_use]
    pub fn is_inside(&self, domain: &str) -> bool {
        self.inside_domains.iter().any(|ours| {
            domain
                .strip_suffix(ours.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            inside_domains: BTreeSet::new(),
            servers: BTreeMap::new(),
            approval_ms_max: 15 * 60 * 1000,
            batched_reads: true,
            risk: RiskSettings::default(),
        }
    }
}

impl ServerSettings {
    /// What a tool may do to the machine; `None` where nobody said.
    #[must_use]
    pub fn contract(&self, tool: &str) -> Option<&EffectContract> {
        self.effects.get(tool).or_else(|| self.effects.get("*"))
    }

    /// What a tool does to the world: as the operator states it; else, on a server that the operator
    /// runs, as its words say (`inferred`); else unknown, which is treated as the most harmful.
    #[must_use]
    pub fn class_of(&self, name: &str, inferred: ToolClass) -> ToolClass {
        match self.classes.get(name) {
            Some(class) => *class,
            None if self.inside => inferred,
            None => ToolClass::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::ToolClass;

    use super::{ServerSettings, Settings};

    #[test]
    fn a_strangers_words_count_for_nothing() {
        let stranger = ServerSettings::default();
        assert_eq!(stranger.class_of("read_file", ToolClass::Read), ToolClass::Unknown);
        let ours = ServerSettings { inside: true, ..ServerSettings::default() };
        assert_eq!(ours.class_of("read_file", ToolClass::Read), ToolClass::Read);
        let classes = [("read_file".to_owned(), ToolClass::Delete)].into();
        let stated = ServerSettings { classes, ..ours };
        assert_eq!(stated.class_of("read_file", ToolClass::Read), ToolClass::Delete);
    }

    #[test]
    fn a_look_alike_domain_is_outside() {
        let settings =
            Settings { inside_domains: ["acme.example".to_owned()].into(), ..Settings::default() };
        assert!(settings.is_inside("acme.example"));
        assert!(settings.is_inside("mail.acme.example"));
        assert!(!settings.is_inside("notacme.example"));
        assert!(!settings.is_inside("acme.example.evil"));
    }
}
