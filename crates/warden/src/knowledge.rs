//! What stands beside the rules of a snapshot, read back from its payload.

use pathwarden_behaviour::Baseline;
use pathwarden_decide::{FeedFile, Files, Snapshot};
use pathwarden_intel::Feed;
use pathwarden_wire::{BaselineRow, FeedRow, KnowledgeStatus};
use serde::Deserialize;

/// The part of a snapshot's payload that is of interest here.
#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    files: Files,
}

fn files(snapshot: &Snapshot) -> serde_json::Result<Files> {
    serde_json::from_slice::<Payload>(snapshot.to_bytes()).map(|payload| payload.files)
}

/// What stands beside the rules of a snapshot, for a person. Reads all of it again.
///
/// # Errors
///
/// When the payload is not a snapshot's.
pub fn knowledge(snapshot: &Snapshot) -> serde_json::Result<KnowledgeStatus> {
    let Files { contracts, feeds, baselines } = files(snapshot)?;
    Ok(KnowledgeStatus {
        contracts: contracts.into_iter().map(|contract| contract.name).collect(),
        intel: snapshot.knowledge().intel(),
        feeds: feeds.iter().filter_map(feed).collect(),
        baselines: baselines.into_iter().map(baseline).collect(),
    })
}

/// The baselines of a snapshot.
///
/// # Errors
///
/// When the payload is not a snapshot's.
pub fn baselines(snapshot: &Snapshot) -> serde_json::Result<Vec<Baseline>> {
    files(snapshot).map(|files| files.baselines)
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

fn baseline(baseline: Baseline) -> BaselineRow {
    let Baseline { agent, task, version, sessions, .. } = baseline;
    BaselineRow { agent, task, version, sessions }
}
