//! What programs are: the fingerprint of each file that is run, taken once for each of its forms.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pathwarden_kernel_seccomp::{Errno, ExecFile, Form};
use pathwarden_places::Place;
use pathwarden_types::Digest;

use crate::terrain::NAMED;

/// The most forms whose fingerprint is remembered; with more, all are forgotten.
const KNOWN_MAX: usize = 4_096;

/// The longest program that is run, in bytes: whoever starts it waits while it is read.
const PROGRAM_BYTES_MAX: u64 = 2 << 30;

/// Fingerprints of programs.
#[derive(Default)]
pub(crate) struct Programs {
    known: Mutex<HashMap<Form, Digest>>,
}

impl Programs {
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

/// Whether a program of this place outlasts the session's own work, so that it should be tomorrow what it is
/// today. What the agent builds changes as it works; what stands elsewhere is not run.
pub(crate) fn is_lasting(place: &str) -> bool {
    [Place::System.as_str(), Place::Toolchain.as_str(), NAMED].contains(&place)
}
