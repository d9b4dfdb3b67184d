//! What a person sees of agents' memory, and wants done with it.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_memory::{Entry, Memories, Standing};
use pathwarden_store::Append;
use pathwarden_types::{
    Digest, EntryId, Event, Integrity, MemoryEvent, Millis, Name, SessionId, VersionRef,
};
use pathwarden_wire::{
    ConsumedBy, Fault, FaultKind, MemoryRow, MemoryShown, MemoryWish, RuleMemory, RuledMemory,
    VersionShown,
};

use crate::explain::unreadable;
use crate::{Warden, internal};

/// The longest note of a person, in bytes.
const NOTE_BYTES_MAX: usize = 4 << 10;

/// The most decisions that are shown of sessions that had read an entry.
const DECISIONS_MAX: usize = 1_000;

impl Warden {
    /// Every entry of memory that is known.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn memory(&self) -> Result<Vec<MemoryRow>, Fault> {
        let kept = self.remembered.kept()?;
        let entries = kept.memories.entries();
        Ok(entries.map(|(id, entry)| row(&kept.memories, id, entry)).collect())
    }

    /// Everything about one entry, with the decisions that may rest on it.
    ///
    /// # Errors
    ///
    /// A fault when it is not known, or the ledger cannot be read.
    pub fn memory_shown(&self, id: Digest) -> Result<MemoryShown, Fault> {
        let kept = self.remembered.kept()?;
        let memories = &kept.memories;
        let (entry_id, entry) =
            memories.entries().find(|(entry, _)| entry.id() == id).ok_or_else(no_entry)?;
        let mut versions = Vec::new();
        for version in entry.versions() {
            versions.push(VersionShown {
                number: version.number,
                at: version.at,
                session: version.session,
                by: version.by,
                mode: version.mode,
                standing: standing(version.standing()).to_owned(),
                trust: memories.trust_of(&entry_id.version(version.number)),
                derived_from: version.derived_from.iter().cloned().collect(),
                sources: version.sources.clone(),
                text: self.text_of(&kept, &version.content)?.map(|text| text.to_string()),
            });
        }
        let own: Vec<VersionRef> =
            entry.versions().map(|version| entry_id.version(version.number)).collect();
        let descendants: BTreeSet<VersionRef> =
            own.iter().flat_map(|version| memories.descendants(version)).collect();
        let read: Vec<(SessionId, Millis, Digest)> = entry
            .consumers()
            .filter_map(|read| Some((read.session?, read.at, read.content)))
            .collect();
        let row = row(memories, entry_id, entry);
        drop(kept);
        let descendants = descendants.into_iter().filter(|version| version.entry != row.entry);
        let descendants = descendants.collect();
        Ok(MemoryShown { row, versions, descendants, decisions: self.decisions_after(&read)? })
    }

    /// What was decided in sessions after they had read something.
    fn decisions_after(
        &self,
        read: &[(SessionId, Millis, Digest)],
    ) -> Result<Vec<ConsumedBy>, Fault> {
        let mut first: BTreeMap<SessionId, Millis> = BTreeMap::new();
        for (session, at, _) in read {
            let earliest = first.entry(*session).or_insert(*at);
            *earliest = (*earliest).min(*at);
        }
        let contents: BTreeSet<Digest> = read.iter().map(|(.., content)| *content).collect();
        let mut decisions = Vec::new();
        for (session, since) in first {
            for (_, record) in self.history.of_session(session).map_err(unreadable)? {
                let Event::Decided(decided) = &record.event else { continue };
                if record.at < since || decisions.len() >= DECISIONS_MAX {
                    continue;
                }
                let places = decided.origins.iter().filter_map(|origin| origin.place.as_ref());
                let is_matched = places.into_iter().any(|place| contents.contains(&place.content));
                decisions.push(ConsumedBy {
                    session,
                    action: decided.action,
                    operation: decided.operation.clone(),
                    verdict: decided.verdict,
                    is_matched,
                });
            }
        }
        Ok(decisions)
    }

    /// Does what a person wants done with an entry. It is on disk before anything follows from it.
    ///
    /// # Errors
    ///
    /// A fault when the entry or the version is not known, or the ledger takes no records.
    pub async fn rule_memory(&self, rule: RuleMemory) -> Result<RuledMemory, Fault> {
        let RuleMemory { entry, wish, by, note } = rule;
        if note.len() > NOTE_BYTES_MAX {
            let message = format!("a note of more than {NOTE_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooMuch, message, "say it in fewer words"));
        }
        let _one_at_a_time = self.remembered.ruling.lock().await;
        let events = self.wished(&entry, wish, &by, &note)?;
        let mut concerned = vec![entry.clone()];
        for event in events {
            concerned.extend(event.entry().filter(|other| **other != entry).cloned());
            let record = self.record(self.now(), None, Event::Memory { event: event.clone() });
            let bytes = record.to_bytes().map_err(|_| internal())?;
            self.append(Append { entry: bytes, payloads: Vec::new() }).await?;
            self.remembered.kept()?.memories.apply(record.at, None, &event);
        }
        let kept = self.remembered.kept()?;
        let rows = concerned.iter().filter_map(|id| Some((id, kept.memories.entry(id)?)));
        Ok(RuledMemory {
            entries: rows.map(|(id, entry)| row(&kept.memories, id, entry)).collect(),
        })
    }

    fn wished(
        &self,
        entry: &EntryId,
        wish: MemoryWish,
        by: &Name,
        note: &str,
    ) -> Result<Vec<MemoryEvent>, Fault> {
        let kept = self.remembered.kept()?;
        let known = kept.memories.entry(entry).ok_or_else(no_entry)?;
        let (by, note) = (by.clone(), note.to_owned());
        Ok(match wish {
            MemoryWish::Quarantine { from } => {
                let mut first: BTreeMap<EntryId, u64> = BTreeMap::new();
                for version in kept.memories.quarantine_set_from(&entry.version(from)) {
                    let lowest = first.entry(version.entry).or_insert(version.number);
                    *lowest = (*lowest).min(version.number);
                }
                let held = |(entry, from_version)| MemoryEvent::Quarantined {
                    entry,
                    from_version,
                    by: by.clone(),
                    note: note.clone(),
                };
                first.into_iter().map(held).collect()
            }
            MemoryWish::Release => {
                vec![MemoryEvent::Released { entry: entry.clone(), by, note }]
            }
            MemoryWish::RollBack { to } => {
                let target = known.version(to).filter(|version| !version.is_held());
                target.ok_or_else(|| no_version(to))?;
                vec![MemoryEvent::RolledBack { entry: entry.clone(), to_version: to, by, note }]
            }
        })
    }
}

fn row(memories: &Memories, id: &EntryId, entry: &Entry) -> MemoryRow {
    let latest = entry.versions().next_back();
    let now = entry.held_by_store().map(|version| version.standing()).max();
    MemoryRow {
        entry: id.clone(),
        latest: latest.map_or(0, |version| version.number),
        trust: latest
            .map_or(Integrity::Untrusted, |version| memories.trust_of(&id.version(version.number))),
        standing: standing(now.unwrap_or(Standing::Removed)).to_owned(),
        touched: latest.map_or(Millis(0), |version| version.at),
        reads: u64::try_from(entry.consumers().count()).unwrap_or(u64::MAX),
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Current => "current",
        Standing::Superseded => "superseded",
        Standing::Removed => "removed",
        Standing::RolledBack => "rolled_back",
        Standing::Quarantined => "quarantined",
    }
}

fn no_entry() -> Fault {
    let advice = "see `pathwarden memory list`; an entry is known from its first write or read on";
    Fault::new(FaultKind::NotFound, "no such entry of memory is known", advice)
}

fn no_version(number: u64) -> Fault {
    let message = format!("there is no version {number} that could be shown");
    Fault::new(FaultKind::NotFound, message, "see `pathwarden memory show`")
}
