//! Programs that wait for a verdict before they start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pathwarden_kernel_bpf::{Changed, ExecApproval};
use pathwarden_kernel_seccomp::{Errno, Exec};
use pathwarden_lens_shell::{Act, Plan, of_argv};
use pathwarden_places::Place;
use pathwarden_types::{Digest, HostAct, HostAttempt, HostVerb, OperationKind, Verb};

use super::{Answer, Calls, Goes};
use crate::asker::{CALL_DEADLINE, Question, Said};
use crate::decider::FileId;
use crate::question::{self, Actor};

/// The longest arguments of a program whose meaning is read, in bytes: the kernel's limit of one argument.
const ARGUMENTS_BYTES_MAX: usize = 128 << 10;

impl Calls {
    /// Whether a program may start: its file, and what its arguments say that it would do.
    pub(super) fn exec(&self, tid: u32, exec: &Exec, actor: &Actor) -> Answer {
        if self.decider.is_taken(Verb::NoExec, actor.server.as_ref()) {
            self.note_refused("exec");
            return Err(Errno::PERM.into());
        }
        let argument_bytes: usize = exec.argv().iter().map(|one| one.len() + 1).sum();
        if argument_bytes > ARGUMENTS_BYTES_MAX {
            return Err(Errno::TOOBIG.into());
        }
        let question = self.exec_question(tid, exec, actor)?;
        if self.decider.exec(&question, CALL_DEADLINE) == Said::Refuse {
            self.note_refused("exec");
            return Err(Errno::PERM.into());
        }
        self.foresee(exec, actor);
        if let Some(bpf) = &self.bpf {
            let approval = approval(exec, &question.attempt.programs);
            bpf.approve_exec(tid, &approval).map_err(|_| Errno::PERM)?;
        }
        Ok(Goes::On)
    }

    /// Asks now what the kernel will ask when it loads the program, where waiting is short.
    fn foresee(&self, exec: &Exec, actor: &Actor) {
        for file in exec.files() {
            for verb in [HostVerb::Run, HostVerb::Read] {
                let act = self.decider.act(verb, file.path(), None);
                let _ = self.decider.decide(act, actor, CALL_DEADLINE);
            }
        }
    }

    fn exec_question(&self, tid: u32, exec: &Exec, actor: &Actor) -> Result<Question, Errno> {
        let mut acts: BTreeSet<HostAct> = BTreeSet::new();
        let mut programs = BTreeMap::new();
        for file in exec.files() {
            let id = file.id();
            let links = u64::from(file.object().links());
            let about = FileId { device: id.dev, inode: id.ino, links };
            let act = self.decider.act(HostVerb::Run, file.path(), Some(about));
            if self.programs.should_last(file, &act.place) {
                let path = file.path().to_string_lossy().into_owned();
                programs.insert(path, self.programs.fingerprint(file)?);
            }
            acts.insert(act);
        }
        let arguments: Vec<&[u8]> = exec.argv().iter().map(Vec::as_slice).collect();
        let Plan { would, doubts } = of_argv(&arguments, &self.surroundings);
        let folder = std::fs::read_link(format!("/proc/{tid}/cwd")).unwrap_or_default();
        for one in would {
            acts.extend(self.planned(&folder, one.act, &one.what));
        }
        let mut doubts: Vec<String> =
            doubts.into_iter().map(|one| one.as_str().to_owned()).collect();
        if acts.len() > HostAttempt::ACTS_MAX {
            doubts.push("too_long".to_owned());
        }
        if exec.file().object().links() == 0 {
            // A program without a name was made by whoever starts it, and cannot be looked at afterwards.
            doubts.push("nameless".to_owned());
        }
        let program = exec.file().path().to_string_lossy().into_owned();
        let program_place = self.decider.terrain.place(exec.file().path()).as_str().to_owned();
        let attempt = HostAttempt {
            program: program.clone(),
            program_place,
            acts: acts.into_iter().take(HostAttempt::ACTS_MAX).collect(),
            doubts,
            server: question::server(actor),
            tool: String::new(),
            programs,
        };
        Ok(Question { kind: OperationKind::Exec, name: program, attempt, parent: None })
    }

    /// What a command line would do, in the words of policies. Programs that it would start are asked about
    /// when it starts them.
    fn planned(&self, folder: &Path, act: Act, what: &str) -> Option<HostAct> {
        // Signals stay within the box whatever a command line says, and what a package manager does to files
        // is asked about when it does it.
        if what.starts_with("process:") || what.starts_with("package:") {
            return None;
        }
        let verb = match act {
            Act::Run => return None,
            Act::Read => HostVerb::Read,
            Act::Write => HostVerb::Write,
            Act::Remove => HostVerb::Remove,
            Act::Change => HostVerb::Change,
            Act::Reach => {
                let (place, what) = ("outside".to_owned(), what.to_owned());
                return Some(HostAct { verb: HostVerb::Reach, place, what, in_workspace: false });
            }
        };
        if is_no_file(what) {
            let (place, what) = (Place::Control.as_str().to_owned(), what.to_owned());
            return Some(HostAct { verb, place, what, in_workspace: false });
        }
        Some(self.decider.terrain.on_path(verb, &plain(&folder.join(what))))
    }
}

/// Whether what a command line changes is no file, but something else of the machine: `unit:ssh`, `firewall`.
fn is_no_file(what: &str) -> bool {
    const KINDS: [&str; 6] = ["unit:", "account:", "module:", "sysctl:", "namespace:", "system:"];
    const THINGS: [&str; 6] = ["crontab", "at", "firewall", "network", "power", "system"];
    KINDS.iter().any(|kind| what.starts_with(kind)) || THINGS.contains(&what)
}

/// A path without `.` and `..`, by its text alone: it need not be there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// What the kernel holds a program to when it has started it: this file, these arguments; and the content
/// that it had, where that was asked about.
fn approval(exec: &Exec, programs: &BTreeMap<String, Digest>) -> ExecApproval {
    let last = exec.files().last().unwrap_or(exec.file());
    let (id, tail) = (last.id(), exec.argument_tail());
    let approval = match exec.file().interpreter() {
        Some(_) => ExecApproval::tail(id.ino, Some(id.dev), &tail),
        None => ExecApproval::whole(id.ino, Some(id.dev), &tail),
    };
    let form = last.object().form();
    let changed = Changed { seconds: form.changed_seconds, nanoseconds: form.changed_nanoseconds };
    let is_fingerprinted = programs.contains_key(&*last.path().to_string_lossy());
    approval.unchanged_since(is_fingerprinted.then_some(changed))
}
