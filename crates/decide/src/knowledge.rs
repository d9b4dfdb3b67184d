//! What an operator brings besides rules: contracts, lists of threats, baselines of behaviour.

use pathwarden_behaviour::{Baseline, ContractFaults, ContractSpec, Contracts};
use pathwarden_intel::{Feed, FeedError, Indicator, Snapshot, SnapshotError};
use pathwarden_types::{Digest, Millis, Name};
use serde::{Deserialize, Serialize};

/// What an operator brings, as files hold it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// What agents, tasks and tools may do in which order and how often.
    pub contracts: Vec<ContractSpec>,
    /// Lists of threats.
    pub feeds: Vec<FeedFile>,
    /// What agents usually do.
    pub baselines: Vec<Baseline>,
}

/// A list of threats, as its file holds it.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedFile {
    /// What it is called in records.
    pub name: Name,
    /// Its text.
    pub text: String,
}

/// What an operator brings, ready for use.
#[derive(Clone, Debug)]
pub struct Knowledge {
    files: Files,
    contracts: Contracts,
    intel: Snapshot,
}

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnowledgeError {
    /// A contract has faults.
    #[error("the contracts have faults")]
    Contracts(#[source] ContractFaults),
    /// A list of threats cannot be read.
    #[error("a list of threats cannot be read")]
    Feed(#[source] FeedError),
    /// The lists are too long together.
    #[error("the lists of threats are too long")]
    Intel(#[source] SnapshotError),
}

impl Knowledge {
    pub(crate) fn of(files: Files) -> Result<Self, KnowledgeError> {
        let contracts =
            Contracts::compile(files.contracts.clone()).map_err(KnowledgeError::Contracts)?;
        let parse = |file: &FeedFile| Feed::parse(&file.name, file.text.as_bytes());
        let feeds: Result<Vec<Feed>, FeedError> = files.feeds.iter().map(parse).collect();
        let intel =
            Snapshot::build(feeds.map_err(KnowledgeError::Feed)?).map_err(KnowledgeError::Intel)?;
        Ok(Self { files, contracts, intel })
    }

    /// What it was made of.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }

    pub(crate) const fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The newest baseline of an agent at a type of task.
    pub(crate) fn baseline(&self, agent: &Name, task: &str) -> Option<&Baseline> {
        let of_agent = |known: &&Baseline| known.agent == agent.as_str() && known.task == task;
        self.files.baselines.iter().filter(of_agent).max_by_key(|known| known.version)
    }

    /// Whether any list of threats is loaded, and which version of all of them.
    #[must_use]
    pub fn intel(&self) -> Option<Digest> {
        (self.intel.entries() > 0).then(|| self.intel.id())
    }

    /// The listing of any of these targets that counts most.
    pub(crate) fn listed<'a>(
        &self,
        targets: impl Iterator<Item = &'a str>,
        now: Millis,
    ) -> Option<pathwarden_intel::Hit> {
        let hits = targets.filter_map(|target| {
            // A link may have been written without its scheme.
            let link = || format!("http://{}", target.trim_start_matches('/'));
            match target.rsplit_once('@') {
                _ if target.contains("://") => self.intel.look_up(Indicator::Url(target), now),
                Some((_, host)) => self.intel.look_up(Indicator::Domain(host), now),
                None => self.intel.look_up(Indicator::Url(&link()), now),
            }
        });
        hits.max_by_key(|hit| hit.confidence)
    }
}
