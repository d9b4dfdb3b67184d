//! What programs are: the fingerprint of each file that is run, taken once for each of its forms.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pathwarden_kernel_seccomp::{Errno, ExecFile, FileId, Form};
use pathwarden_places::Place;
use pathwarden_types::Digest;

use crate::terrain::NAMED;

/// The most forms whose fingerprint is remembered; with more, all are forgotten.
const KNOWN_MAX: usize = 4_096;

/// The longest program that is run, in bytes: whoever starts it waits while it is read.
const PROGRAM_BYTES_MAX: u64 = 2 << 30;

/// Fingerprints of programs.
pub(crate) struct Programs {
    known: Mutex<HashMap<Form, Digest>>,
    /// The file that this program runs from.
    own: Option<FileId>,
}

impl Programs {
    pub(crate) fn new() -> Self {
        let own = std::fs::metadata("/proc/self/exe").ok();
        let own = own.map(|about| FileId { dev: about.dev(), ino: about.ino() });
        Self { known: Mutex::default(), own }
    }

    /// Whether a program should be tomorrow what it is today, since it outlasts the session's own work. What
    /// the agent builds changes as it works, and what stands elsewhere is not run. That this very program is
    /// what it should be is not ours to say.
    pub(crate) fn should_last(&self, file: &ExecFile, place: &str) -> bool {
        let is_lasting =
            [Place::System.as_str(), Place::Toolchain.as_str(), NAMED].contains(&place);
        is_lasting && Some(file.id()) != self.own
    }

    /// The digest of a program's content, and the form of the file in which it has it.
    ///
    /// Fails when the file is changed meanwhile, or is longer than what is read.
    pub(crate) fn fingerprint(&self, file: &ExecFile) -> Result<Digest, Errno> {
        let form = file.object().form();
        if let Some(digest) = self.known().get(&form) {
            return Ok(*digest);
        }
        if form.bytes > PROGRAM_BYTES_MAX {
            return Err(Errno::NOEXEC);
        }
        let mut digesting = Digest::begin();
        file.object().read(|piece| digesting.update(piece))?;
        let digest = digesting.finish();
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(form, digest);
        Ok(digest)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Form, Digest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
