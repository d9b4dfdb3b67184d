//! The ledger as it stands on disk, read frame by frame beside the node.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use pathwarden_ledger::frame::{
    FRAME_HEADER_BYTES, FrameHeader, FrameKind, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use pathwarden_ledger::tree::leaf_hash;
use pathwarden_types::{
    ActionId, ApprovalId, Choice, Decided, Digest, Event, Outcome, Record, SessionId, Verdict,
};

/// What the ledger tells, as far as it was read.
pub(crate) struct View {
    segments: PathBuf,
    segment: u64,
    offset: u64,
    /// The leaf hashes, by index.
    pub(crate) leaves: Vec<Digest>,
    pub(crate) actions: BTreeMap<ActionId, Told>,
    pub(crate) sessions: BTreeSet<SessionId>,
    /// How each question was answered first.
    pub(crate) answers: BTreeMap<ApprovalId, Option<Choice>>,
    /// How often each approval let something through.
    pub(crate) uses: BTreeMap<ApprovalId, u32>,
    /// How often the node was started.
    pub(crate) starts: u32,
}

/// What the ledger tells of one action.
#[derive(Default)]
pub(crate) struct Told {
    /// Leaf hashes of the decisions that let it through, with their index.
    pub(crate) let_through: Vec<(u64, Digest)>,
    /// Whether it waited for a person at some time.
    pub(crate) held: bool,
    /// How it ended, each time that this was recorded.
    pub(crate) closed: Vec<Outcome>,
}

impl View {
    pub(crate) fn new(ledger: &Path) -> Self {
        Self {
            segments: ledger.join("segments"),
            segment: 0,
            offset: 0,
            leaves: Vec::new(),
            actions: BTreeMap::new(),
            sessions: BTreeSet::new(),
            answers: BTreeMap::new(),
            uses: BTreeMap::new(),
            starts: 0,
        }
    }

    /// Reads on to where the written part ends. Only while nothing is written: what stands there now
    /// must stand there for ever.
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        while self.read_segment()? {
            self.segment += 1;
            self.offset = 0;
        }
        Ok(())
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.segments.join(format!("{segment:020}.seg"))
    }

    /// Reads one segment to its end; says whether another follows.
    fn read_segment(&mut self) -> Result<bool> {
        let path = self.path(self.segment);
        let file = File::open(&path).with_context(|| format!("open `{}`", path.display()))?;
        if self.offset == 0 {
            let mut bytes = [0; SEGMENT_HEADER_BYTES];
            file.read_exact_at(&mut bytes, 0)?;
            let header = SegmentHeader::decode(&bytes)?;
            ensure!(header.number == self.segment, "`{}` has another number", path.display());
            self.offset = SEGMENT_HEADER_BYTES as u64;
        }
        let length = file.metadata()?.len();
        while self.offset + FRAME_HEADER_BYTES as u64 <= length {
            let mut bytes = [0; FRAME_HEADER_BYTES];
            file.read_exact_at(&mut bytes, self.offset)?;
            let Some(header) = FrameHeader::decode(&bytes)? else { break };
            let mut rest = vec![0; header.frame_bytes() - FRAME_HEADER_BYTES];
            file.read_exact_at(&mut rest, self.offset + FRAME_HEADER_BYTES as u64)?;
            let body = header.body(&rest)?;
            if header.kind == FrameKind::Entry {
                self.entry(header.seq, body)?;
            }
            self.offset += header.frame_bytes() as u64;
        }
        Ok(self.path(self.segment + 1).exists())
    }

    fn entry(&mut self, index: u64, entry: &[u8]) -> Result<()> {
        ensure!(index == self.leaves.len() as u64, "entry {index} is out of order");
        let leaf = leaf_hash(entry);
        self.leaves.push(leaf);
        let record = Record::from_bytes(entry).with_context(|| format!("entry {index}"))?;
        match record.event {
            Event::NodeStarted { .. } => self.starts += 1,
            Event::SessionStarted { .. } => self.sessions.extend(record.session),
            Event::Decided(decided) => self.decided(index, leaf, &decided),
            Event::Answered { approval, answer, .. } => {
                self.answers.entry(approval).or_insert(answer.map(|answer| answer.choice));
            }
            Event::Closed { action, effect } => {
                self.actions.entry(action).or_default().closed.push(effect.outcome);
            }
            _ => {}
        }
        Ok(())
    }

    fn decided(&mut self, index: u64, leaf: Digest, decided: &Decided) {
        let told = self.actions.entry(decided.action).or_default();
        told.held |= decided.verdict == Verdict::Hold;
        if !decided.verdict.lets_through() {
            return;
        }
        told.let_through.push((index, leaf));
        if let Some(approval) = &decided.approval {
            *self.uses.entry(approval.id).or_default() += 1;
        }
    }
}
