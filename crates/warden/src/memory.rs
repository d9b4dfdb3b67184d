//! What agents remember: followed through their calls, cut out where a person wants it, and explained.

mod person;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use pathwarden_decide::State;
use pathwarden_json::{Json, Kind};
use pathwarden_memory::{
    Entry, Memories, Needle, Reads, Removed, Stores, Uses, Version, Write, cut, found_in,
    still_holds, uses,
};
use pathwarden_types::{
    Action, ActionId, Digest, EntryId, Event, Finding, FindingKind, Integrity, MemoryEvent, Name,
    OperationKind, SessionId, VersionRef, WriteMode,
};
use pathwarden_wire::{Fault, FaultKind};

use crate::explain::unreadable;
use crate::live::Live;
use crate::{Warden, internal};

/// What stands in the place of an entry that a person has quarantined.
const NOTICE: &str = "[Pathwarden: an entry of memory was taken out by a person]";

/// A shorter text may stand in a window by chance, in bytes.
const OWN_WORDS_BYTES_MIN: usize = 40;

/// How much text of entries is kept at hand, in bytes; the rest is read from the ledger when it is needed.
const TEXTS_BYTES_MAX: usize = 32 << 20;

/// What is known of agents' memory, node-wide.
pub(crate) struct Remembered {
    stores: Stores,
    kept: Mutex<Kept>,
    /// Held while a person's wish is made durable: one at a time.
    pub(super) ruling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(super) struct Kept {
    pub(super) memories: Memories,
    texts: BTreeMap<Digest, Arc<str>>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, text: &str) {
        let content = Digest::of(text.as_bytes());
        if self.bytes.saturating_add(text.len()) <= TEXTS_BYTES_MAX
            && self.texts.insert(content, text.into()).is_none()
        {
            self.bytes = self.bytes.saturating_add(text.len());
        }
    }
}

/// What an answer holds of memory.
#[derive(Default)]
pub(crate) struct Read {
    /// Versions that stand in it.
    versions: Vec<VersionRef>,
    /// Whether outsiders may have shaped any of them.
    pub(crate) is_tainted: bool,
    /// The answer as the agent is to see it, where something was cut out.
    pub(crate) instead: Option<String>,
}

impl Remembered {
    pub(crate) fn new(stores: Stores, memories: Memories) -> Self {
        let kept = Mutex::new(Kept { memories, ..Kept::default() });
        Self { stores, kept, ruling: tokio::sync::Mutex::default() }
    }

    pub(super) fn kept(&self) -> Result<MutexGuard<'_, Kept>, Fault> {
        self.kept.lock().map_err(|_| internal())
    }

    /// What an action does to memory, if anything.
    pub(crate) fn uses_of(&self, action: &Action) -> Option<Uses> {
        if action.operation.kind != OperationKind::ToolCall {
            return None;
        }
        let arguments = Json::parse(action.arguments.as_bytes()).ok()?;
        uses(&self.stores, action.operation.server.as_str(), &action.operation.name, arguments)
    }
}

impl Warden {
    /// Whether what an action does to memory can be followed.
    pub(crate) fn can_follow(&self, action: &Action) -> Result<(), Fault> {
        if self.remembered.uses_of(action).is_some_and(|uses| uses.left_out > 0) {
            let message = format!("more than {} entries of memory in one call", Uses::PARTS_MAX);
            return Err(Fault::new(FaultKind::TooMuch, message, "write fewer in each call"));
        }
        Ok(())
    }

    /// The text of a version.
    pub(super) fn text_of(&self, kept: &Kept, content: &Digest) -> Result<Option<Arc<str>>, Fault> {
        if let Some(text) = kept.texts.get(content) {
            return Ok(Some(Arc::clone(text)));
        }
        Ok(self.history.text(content).map_err(unreadable)?.map(Arc::from))
    }

    /// Texts of a store that no agent is to see, each with what stands in its place. A text that is gone
    /// cannot be cut out.
    fn held(&self, kept: &Kept, store: &str) -> Result<Vec<(Arc<str>, String)>, Fault> {
        if kept.memories.has_lost(store) {
            return Err(withheld("entries of it were forgotten while they were held back"));
        }
        let mut needles = Vec::new();
        for held in kept.memories.held(store) {
            let Some(text) = self.text_of(kept, &held.content)? else {
                return Err(withheld("the text of an entry that is held back is gone"));
            };
            let instead = match held.instead {
                Some(version) => self.whole_text(kept, &version)?,
                None => NOTICE.to_owned(),
            };
            needles.push((text, instead));
        }
        Ok(needles)
    }

    /// The entry as it was at a version.
    pub(super) fn whole_text(&self, kept: &Kept, version: &VersionRef) -> Result<String, Fault> {
        let mut text = String::new();
        for piece in kept.memories.pieces(version) {
            let found = kept.memories.find(&piece).map(|found| found.content);
            let Some(content) = found else { continue };
            if let Some(piece) = self.text_of(kept, &content)? {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&piece);
            }
        }
        Ok(text)
    }

    /// What a person wants no agent to see of a store.
    fn held_back(&self, store: &str) -> Result<HeldBack, Fault> {
        let kept = self.remembered.kept()?;
        self.held(&kept, store).map(HeldBack)
    }

    /// What a person wants no agent to see of any store, as far as it can be told in a window. A store
    /// whose texts are gone stops those who read it, and nobody else.
    pub(crate) fn held_in_windows(&self) -> Result<HeldBack, Fault> {
        let kept = self.remembered.kept()?;
        let stores: BTreeSet<&str> =
            kept.memories.entries().map(|(id, _)| id.store.as_str()).collect();
        let all = stores.into_iter().filter_map(|store| self.held(&kept, store).ok()).flatten();
        let own_words = all.filter(|(text, _)| text.trim().len() >= OWN_WORDS_BYTES_MIN);
        Ok(HeldBack(own_words.collect()))
    }

    /// What the answer of a call holds of memory.
    pub(crate) fn read_memory(&self, uses: &Uses, result: &str) -> Result<Read, Fault> {
        if uses.reads == Reads::No {
            return Ok(Read::default());
        }
        let instead = self.held_back(&uses.store)?.cut_out_of(result)?;
        let result = instead.as_deref().unwrap_or(result);
        let kept = self.remembered.kept()?;
        let mut candidates = Vec::new();
        for (id, entry) in kept.memories.entries().filter(|(id, _)| id.store == uses.store) {
            let is_asked = match &uses.reads {
                Reads::Keys(keys) => keys.contains(&id.key),
                Reads::Any | Reads::No => true,
            };
            for version in entry.held_by_store().filter(|version| is_asked && !version.is_held()) {
                if let Some(text) = self.text_of(&kept, &version.content)? {
                    candidates.push((id.version(version.number), text));
                }
            }
        }
        let texts = candidates.iter().map(|(version, text)| (version, &**text));
        let versions = found_in(result, texts);
        let trust = |version| kept.memories.trust_of(version);
        let is_asked = |id: &EntryId| match &uses.reads {
            Reads::Keys(keys) => keys.contains(&id.key),
            Reads::Any | Reads::No => true,
        };
        let of_store = kept.memories.entries().filter(|(id, _)| id.store == uses.store);
        let mut asked = of_store.filter(|(id, _)| is_asked(id));
        // What was forgotten here its store may still hold.
        let is_doubtful = asked.any(|(_, entry)| entry.floor() == Integrity::Untrusted)
            || (versions.is_empty() && kept.memories.is_forgetful());
        let is_tainted =
            is_doubtful || versions.iter().any(|version| trust(version) == Integrity::Untrusted);
        Ok(Read { versions, is_tainted, instead })
    }

    /// Records what a call that came to its end did to memory.
    pub(crate) fn remember(
        &self,
        live: &mut Live,
        session: SessionId,
        (action, uses): (ActionId, &Uses),
        (read, content): (&Read, Digest),
    ) -> Result<(), Fault> {
        let mut events = Vec::new();
        let mut texts = Vec::new();
        if !read.versions.is_empty() {
            let versions = read.versions.clone();
            events.push(MemoryEvent::Consumed { versions, by: action, content });
        }
        for Write { key, text, mode } in &uses.writes {
            let entry = EntryId::new(uses.store.clone(), key.clone());
            events.push(self.written(&live.state, action, entry, text, *mode)?);
            texts.push(text.clone());
        }
        for Removed { key, text } in &uses.removes {
            let entry = EntryId::new(uses.store.clone(), key.clone());
            let content = text.as_ref().map(|text| Digest::of(text.as_bytes()));
            events.push(MemoryEvent::Removed { entry, content, by: action });
        }
        self.moved(action, uses, &mut events)?;
        for event in events {
            let payload = texts.iter().find(|text| is_content(&event, text));
            let payloads = payload.map(|text| text.clone().into_bytes()).into_iter().collect();
            let record = Event::Memory { event: event.clone() };
            let record = self.commit_apart(live, session, record, payloads, None)?;
            let mut kept = self.remembered.kept()?;
            kept.memories.apply(record.at, Some(session), &event);
            if let Some(text) = payload {
                kept.keep(text);
            }
        }
        Ok(())
    }

    /// A text that gets another key is a new version there, made from the one here. So is every text below a
    /// directory.
    fn moved(
        &self,
        action: ActionId,
        uses: &Uses,
        events: &mut Vec<MemoryEvent>,
    ) -> Result<(), Fault> {
        let kept = self.remembered.kept()?;
        let both = uses.moves.iter().map(|moved| (moved, true));
        let all = both.chain(uses.copies.iter().map(|copied| (copied, false)));
        let each = all.flat_map(|(moved, is_gone)| {
            let named = EntryId::new(uses.store.clone(), moved.from.clone());
            let entries: Vec<EntryId> = kept.memories.covered(&named).cloned().collect();
            let below = entries.into_iter().map(move |from| {
                let rest = from.key.get(named.key.len()..).unwrap_or_default();
                (format!("{}{rest}", moved.to), from)
            });
            below.map(move |(to, from)| (from, to, is_gone))
        });
        for (from, to, is_gone) in each {
            let versions = kept.memories.entry(&from).into_iter().flat_map(Entry::held_by_store);
            for Version { number, content, bytes, .. } in versions.cloned() {
                let parent = from.version(number);
                events.push(MemoryEvent::Written {
                    entry: EntryId::new(uses.store.clone(), to.clone()),
                    content,
                    bytes,
                    mode: WriteMode::Add,
                    by: action,
                    trust: kept.memories.trust_of(&parent),
                    derived_from: vec![parent],
                    sources: Vec::new(),
                });
            }
            if is_gone {
                events.push(MemoryEvent::Removed { entry: from, content: None, by: action });
            }
        }
        Ok(())
    }

    /// What is recorded of a text that an agent wrote: its trust is the least of whatever it was made
    /// from. Where that cannot be told, it is made from everything that the session has seen.
    fn written(
        &self,
        state: &State,
        by: ActionId,
        entry: EntryId,
        text: &str,
        mode: WriteMode,
    ) -> Result<MemoryEvent, Fault> {
        let traced = state.taken_from(text);
        let kept = self.remembered.kept()?;
        let mut consumed = Vec::new();
        for version in state.consumed() {
            let found = kept.memories.find(version).map(|found| found.content);
            if let Some(text) =
                found.map(|content| self.text_of(&kept, &content)).transpose()?.flatten()
            {
                consumed.push((version.clone(), text));
            }
        }
        let texts = consumed.iter().map(|(version, text)| (version, &**text));
        let mut derived: BTreeSet<VersionRef> = found_in(text, texts).into_iter().collect();
        let of_traced = traced.iter().flat_map(|(content, _)| state.consumed_in(content));
        derived.extend(of_traced.cloned());
        let is_tainted =
            |version: &&VersionRef| kept.memories.trust_of(version) == Integrity::Untrusted;
        derived.extend(state.consumed().filter(is_tainted).cloned());
        let assumed =
            if state.untrusted_seen() { Integrity::Untrusted } else { Integrity::FirstParty };
        let of_sources = traced.iter().map(|(_, integrity)| *integrity);
        let of_parents = derived.iter().map(|version| kept.memories.trust_of(version));
        let trust = of_sources.chain(of_parents).chain([assumed]).max().unwrap_or(assumed);
        derived.retain(|version| version.entry != entry || mode == WriteMode::Add);
        Ok(MemoryEvent::Written {
            entry,
            content: Digest::of(text.as_bytes()),
            bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            mode,
            by,
            trust,
            derived_from: derived.into_iter().take(Memories::DERIVED_FROM_MAX).collect(),
            sources: traced
                .into_iter()
                .map(|(content, _)| content)
                .take(Memories::SOURCES_MAX)
                .collect(),
        })
    }

    /// An entry that nobody was seen to write is known from its first read on.
    pub(crate) fn first_read(
        &self,
        live: &mut Live,
        session: SessionId,
        (action, uses): (ActionId, &Uses),
        result: &str,
        integrity: Integrity,
    ) -> Result<Option<VersionRef>, Fault> {
        let Reads::Keys(keys) = &uses.reads else { return Ok(None) };
        let [key] = keys.as_slice() else { return Ok(None) };
        let (entry, text) = (EntryId::new(uses.store.clone(), key.clone()), plain_text(result));
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let event = MemoryEvent::Written {
            entry: entry.clone(),
            content: Digest::of(text.as_bytes()),
            bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            mode: WriteMode::Replace,
            by: action,
            trust: integrity,
            derived_from: Vec::new(),
            sources: Vec::new(),
        };
        let next = self.remembered.kept()?.memories.next(&entry);
        let record = Event::Memory { event: event.clone() };
        let payloads = vec![text.clone().into_bytes()];
        let record = self.commit_apart(live, session, record, payloads, None)?;
        let mut kept = self.remembered.kept()?;
        kept.memories.apply(record.at, Some(session), &event);
        kept.keep(&text);
        Ok(Some(next))
    }

    /// Says what an answer held of memory that a person should know of.
    pub(crate) fn note_memory(
        &self,
        session: SessionId,
        server: &Name,
        action: ActionId,
        read: &Read,
    ) -> Result<(), Fault> {
        let tainted = read.is_tainted.then(|| {
            let of = read.versions.first().map(ToString::to_string).unwrap_or_default();
            (FindingKind::MemoryTainted, of, "outsiders may have shaped what was remembered")
        });
        let cut = read.instead.is_some().then(|| {
            (FindingKind::MemoryCut, server.to_string(), "a quarantined entry was cut out")
        });
        for (kind, subject, detail) in tainted.into_iter().chain(cut) {
            let (server, detail) = (Some(server.clone()), detail.to_owned());
            let finding = Finding { kind, server, subject, detail, action: Some(action) };
            self.note_finding(Some(session), finding)?;
        }
        Ok(())
    }
}

/// Texts that no agent is to see, each with what stands in its place.
pub(crate) struct HeldBack(Vec<(Arc<str>, String)>);

impl HeldBack {
    /// A text of a window without any of them; `None` when there is nothing of them in it. Content of which
    /// something is left is left out as a whole.
    pub(crate) fn cut_or_replace(&self, text: &str, is_content: bool) -> Option<String> {
        match self.cut_out_of(text) {
            Ok(shown) => shown,
            Err(_) if is_content => Some(NOTICE.to_owned()),
            Err(_) => None,
        }
    }

    /// A text without any of them; `None` when there is nothing of them in it.
    pub(crate) fn cut_out_of(&self, text: &str) -> Result<Option<String>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let needles: Vec<Needle<'_>> =
            self.0.iter().map(|(text, replacement)| Needle { text, replacement }).collect();
        let shown = cut(text, &needles);
        if still_holds(&shown.text, &needles) {
            return Err(withheld("parts of it cannot be cut out"));
        }
        Ok((shown.replaced > 0).then_some(shown.text))
    }
}

impl Read {
    /// Whether anything that is known stands in the answer.
    pub(crate) fn is_known(&self) -> bool {
        !self.versions.is_empty() || self.instead.is_some()
    }

    pub(crate) fn add(&mut self, version: VersionRef) {
        self.versions.push(version);
    }
}

fn is_content(event: &MemoryEvent, text: &str) -> bool {
    matches!(event, MemoryEvent::Written { content, .. } if *content == Digest::of(text.as_bytes()))
}

/// The text of an answer: of an MCP result its text blocks, else the text itself.
fn plain_text(result: &str) -> Option<String> {
    let Ok(value) = Json::parse(result.as_bytes()) else { return Some(result.to_owned()) };
    if value.kind() != Kind::Object {
        return Some(result.to_owned());
    }
    let blocks = value.member("content")?.items();
    let texts = blocks.filter_map(|block| Some(block.member("text")?.string()?.into_owned()));
    Some(texts.collect::<Vec<_>>().join("\n"))
}

fn withheld(why: &str) -> Fault {
    let message = format!("the answer holds memory that a person has quarantined: {why}");
    Fault::new(FaultKind::Forbidden, message, "go on without what was remembered")
}
