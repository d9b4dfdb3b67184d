//! A disk that fails when told to.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::disk::{Disk, DiskFile, OsDisk};

/// How often the armed fault strikes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Once,
    FromThenOn,
}

#[derive(Default)]
struct Plan {
    armed: AtomicBool,
    lasting: AtomicBool,
    left: AtomicI64,
    struck: AtomicBool,
    gate: Mutex<()>,
    at_gate: AtomicUsize,
}

impl Plan {
    fn step(&self) -> io::Result<()> {
        if !self.armed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left == 0 || left < 0 && self.lasting.load(Ordering::SeqCst) {
            self.struck.store(true, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// The real disk, with a fault at the n-th operation after it was armed.
#[derive(Clone, Default)]
pub(super) struct FaultyDisk(Arc<Plan>);

impl FaultyDisk {
    /// Lets `steps` operations pass, then fails.
    pub(super) fn arm(&self, steps: i64, fault: Fault) {
        self.0.left.store(steps, Ordering::SeqCst);
        self.0.lasting.store(fault == Fault::FromThenOn, Ordering::SeqCst);
        self.0.armed.store(true, Ordering::SeqCst);
    }

    /// Works again. Says whether anything failed.
    pub(super) fn disarm(&self) -> bool {
        self.0.armed.store(false, Ordering::SeqCst);
        self.0.struck.load(Ordering::SeqCst)
    }

    /// While the guard lives, no sync ends.
    pub(super) fn hold_syncs(&self) -> MutexGuard<'_, ()> {
        self.0.gate.lock().unwrap()
    }

    /// Waits until a sync has come to the gate, so that its batch has left the queue.
    pub(super) fn wait_for_held_sync(&self) {
        while self.0.at_gate.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }

    fn file(&self, file: io::Result<Box<dyn DiskFile>>) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile { file: file?, plan: Arc::clone(&self.0) }))
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.step()?;
        self.file(OsDisk.create(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.step()?;
        self.file(OsDisk.open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step()?;
        OsDisk.rename(from, to)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.step()?;
        OsDisk.create_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.step()?;
        OsDisk.sync_dir(path)
    }
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    plan: Arc<Plan>,
}

impl DiskFile for FaultyFile {
    /// A write that fails leaves the first half.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Err(error) = self.plan.step() {
            self.file.write_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        self.file.write_at(bytes, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.plan.step()?;
        self.file.allocate(len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.plan.step()?;
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.plan.at_gate.fetch_add(1, Ordering::SeqCst);
        drop(self.plan.gate.lock().unwrap());
        self.plan.at_gate.fetch_sub(1, Ordering::SeqCst);
        self.plan.step()?;
        self.file.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.plan.step()?;
        self.file.sync_all()
    }

    fn forget(&self) -> io::Result<()> {
        self.plan.step()?;
        self.file.forget()
    }
}
