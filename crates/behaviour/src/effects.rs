//! What a tool may do to the machine that its server runs on.

use pathwarden_types::{HostAct, HostVerb};
use serde::{Deserialize, Serialize};

/// What a tool may do to the machine: for each verb, places (`workspace`) or paths (`/srv/data/**`,
/// `/etc/hosts`, `127.0.0.1:5432`). What is not listed is a deviation.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EffectContract {
    /// Programs that it starts.
    pub run: Vec<String>,
    /// Files that it reads.
    pub read: Vec<String>,
    /// Files that it creates or writes.
    pub write: Vec<String>,
    /// Files that it removes.
    pub remove: Vec<String>,
    /// Files that it renames, links, or changes the rights of.
    pub change: Vec<String>,
    /// Addresses that it reaches.
    pub reach: Vec<String>,
}

impl EffectContract {
    /// The most entries of one verb.
    pub const ENTRIES_MAX: usize = 256;

    /// Whether the tool may do this.
    #[must_use]
    pub fn allows(&self, act: &HostAct) -> bool {
        self.of(act.verb).iter().any(|entry| covers(entry, act))
    }

    /// Notes that the tool did this: how a contract is learned.
    pub fn learn(&mut self, act: &HostAct) {
        if self.allows(act) {
            return;
        }
        let entry = if is_wide(&act.place) { act.place.clone() } else { act.what.clone() };
        let entries = self.of_mut(act.verb);
        if entries.len() < Self::ENTRIES_MAX {
            entries.push(entry);
            entries.sort();
        }
    }

    /// What is listed of one verb.
    #[must_use]
    pub fn of(&self, verb: HostVerb) -> &[String] {
        match verb {
            HostVerb::Run => &self.run,
            HostVerb::Read => &self.read,
            HostVerb::Write => &self.write,
            HostVerb::Remove => &self.remove,
            HostVerb::Change => &self.change,
            HostVerb::Reach => &self.reach,
        }
    }

    const fn of_mut(&mut self, verb: HostVerb) -> &mut Vec<String> {
        match verb {
            HostVerb::Run => &mut self.run,
            HostVerb::Read => &mut self.read,
            HostVerb::Write => &mut self.write,
            HostVerb::Remove => &mut self.remove,
            HostVerb::Change => &mut self.change,
            HostVerb::Reach => &mut self.reach,
        }
    }
}

/// Places in which one file is like another, so that a learned contract names the place.
fn is_wide(place: &str) -> bool {
    matches!(
        place,
        "workspace" | "system" | "toolchain" | "temporary" | "device" | "process" | "node"
    )
}

fn covers(entry: &str, act: &HostAct) -> bool {
    match entry.strip_suffix("/**") {
        Some(folder) => act.what.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        None => entry == act.place || entry == act.what,
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{HostAct, HostVerb};

    use super::EffectContract;

    fn act(verb: HostVerb, place: &str, what: &str) -> HostAct {
        HostAct { verb, place: place.to_owned(), what: what.to_owned(), in_workspace: false }
    }

    #[test]
    fn what_is_not_listed_is_a_deviation() {
        let read = vec!["workspace".to_owned(), "/srv/data/**".to_owned()];
        let contract = EffectContract { read, ..EffectContract::default() };
        for (doing, want) in [
            (act(HostVerb::Read, "workspace", "/w/**"), true),
            (act(HostVerb::Read, "elsewhere", "/srv/data/a"), true),
            (act(HostVerb::Read, "elsewhere", "/srv/data"), false),
            (act(HostVerb::Read, "elsewhere", "/srv/database/a"), false),
            (act(HostVerb::Read, "credential", "/w/id_rsa"), false),
            (act(HostVerb::Write, "workspace", "/w/**"), false),
            (act(HostVerb::Reach, "outside", "203.0.113.7:443"), false),
        ] {
            assert_eq!(contract.allows(&doing), want, "{doing:?}");
        }
    }

    #[test]
    fn what_was_learned_is_allowed() {
        let mut contract = EffectContract::default();
        let seen = [
            act(HostVerb::Read, "workspace", "/w/**"),
            act(HostVerb::Reach, "loopback", "127.0.0.1:5432"),
        ];
        for doing in &seen {
            contract.learn(doing);
            contract.learn(doing);
            assert!(contract.allows(doing));
        }
        assert_eq!(contract.read, ["workspace"]);
        assert_eq!(contract.reach, ["127.0.0.1:5432"]);
    }
}
