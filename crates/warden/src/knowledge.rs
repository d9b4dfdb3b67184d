//! What stands beside the rules of a snapshot, for a person.

use pathwarden_behaviour::Baseline;
use pathwarden_decide::{FeedFile, Files, Snapshot};
use pathwarden_intel::Feed;
use pathwarden_wire::{BaselineRow, FeedRow, KnowledgeStatus};

/// What stands beside the rules of a snapshot. Reads the lists of threats again.
#[must_use]
pub fn knowledge(snapshot: &Snapshot) -> KnowledgeStatus {
    let Files { contracts, feeds, baselines } = snapshot.knowledge().files();
    KnowledgeStatus {
        contracts: contracts.iter().map(|contract| contract.name.clone()).collect(),
        intel: snapshot.knowledge().intel(),
        feeds: feeds.iter().filter_map(feed).collect(),
        baselines: baselines.iter().map(baseline).collect(),
    }
}

/// A list that cannot be read is in no snapshot.
fn feed(file: &FeedFile) -> Option<FeedRow> {
    let feed = Feed::parse(&file.name, file.text.as_bytes()).ok()?;
    Some(FeedRow {
        name: feed.name,
        format: feed.format.to_string(),
        entries: u64::try_from(feed.entries.len()).unwrap_or(u64::MAX),
        unmatched: feed.unmatched.count,
        examples: feed.unmatched.examples,
    })
}

fn baseline(known: &Baseline) -> BaselineRow {
    let (agent, task) = (known.agent.clone(), known.task.clone());
    BaselineRow { agent, task, version: known.version, sessions: known.sessions }
}
