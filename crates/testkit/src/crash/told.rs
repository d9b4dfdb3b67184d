//! What the node promised, and what was done because of it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use pathwarden_types::{ActionId, ApprovalId, Choice, Mode, Receipt, SessionId};

/// What the node acknowledged since it was started last.
#[derive(Default)]
pub(crate) struct Told {
    /// Sessions that it said had started.
    pub(crate) sessions: Vec<SessionId>,
    /// Actions that it released.
    pub(crate) released: Vec<Released>,
    /// Answers to questions that it took.
    pub(crate) answered: Vec<(ApprovalId, Choice)>,
    /// When the latest request was sent that was answered with something durable. Records reach the
    /// disk in the order in which they were accepted: what was accepted before then is on disk.
    pub(crate) all_durable_before: Option<Instant>,
}

impl Told {
    /// A request that was sent then was answered with something durable.
    pub(crate) fn durable(&mut self, sent: Instant) {
        self.all_durable_before = self.all_durable_before.max(Some(sent));
    }
}

/// A permit as the enforcement point got it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Released {
    pub(crate) action: ActionId,
    pub(crate) receipt: Receipt,
    pub(crate) at: Instant,
}

/// Where clients note promises and do effects.
pub(crate) struct Notes {
    told: Mutex<Told>,
    effects: File,
}

impl Notes {
    /// Notes with this file for effects: one line per effect, appended in one write each.
    pub(crate) fn new(effects: &Path) -> Result<Self> {
        let effects = OpenOptions::new().create(true).append(true).open(effects);
        Ok(Self { told: Mutex::default(), effects: effects.context("open the effects file")? })
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was promised so far; from here on it is counted anew.
    pub(crate) fn take(&self) -> Told {
        std::mem::take(&mut self.told())
    }

    /// Does the effect of an action that was asked for then and released: it can never be taken back.
    pub(crate) fn effect(&self, released: Released, asked: Instant) -> Result<()> {
        {
            let mut told = self.told();
            told.released.push(released);
            if released.receipt.mode == Mode::Strict {
                told.durable(asked);
            }
        }
        let mode = if released.receipt.mode == Mode::Strict { "strict" } else { "batched" };
        let line = format!("{} {mode}\n", released.action);
        (&self.effects).write_all(line.as_bytes()).context("do an effect")
    }
}
