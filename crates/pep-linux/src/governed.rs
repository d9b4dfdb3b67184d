//! A box whose calls and files are answered.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use pathwarden_kernel_bpf::{Destination, Protocol, Session};
use pathwarden_kernel_sandbox::{Cgroup, Filters, Launch, Spec, Streams, Tier};
use pathwarden_kernel_seccomp::{Listener, Scope, install_notify, install_refusals};
use pathwarden_lens_shell::Surroundings;
use pathwarden_types::Name;

use crate::asker::{CALL_DEADLINE, Said};
use crate::calls::Calls;
use crate::decider::Decider;
use crate::opens::Opens;
use crate::programs::Programs;
use crate::question::Actor;
use crate::tools::Tools;
use crate::watch::Watch;

/// The filters of a box.
pub(crate) const FILTERS: Filters = Filters { refuse, notify };

fn refuse() -> io::Result<()> {
    install_refusals().map_err(io::Error::other)
}

fn notify(tier: Tier) -> io::Result<OwnedFd> {
    // Without root nobody asks about files that are opened for reading but this filter.
    let scope = match tier {
        Tier::Kernel => Scope::Writes,
        Tier::Landlock => Scope::AllOpens,
    };
    install_notify(scope).map_err(io::Error::other)
}

/// What answers for all boxes of one session.
pub(crate) struct Governor {
    pub(crate) decider: Arc<Decider>,
    pub(crate) tools: Arc<Tools>,
    pub(crate) bpf: Option<Arc<Session>>,
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) opens: Option<Arc<Opens>>,
    pub(crate) cgroup: Option<Cgroup>,
    pub(crate) relay: PathBuf,
    pub(crate) surroundings: Surroundings,
    pub(crate) is_over: Arc<AtomicBool>,
}

/// A box that is governed, and not yet started.
pub(crate) struct Governed {
    pub(crate) launch: Launch,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl Governor {
    /// Builds a box and stands before it; its program starts with [`Launch::go`].
    pub(crate) fn govern(&self, spec: &Spec, streams: Streams) -> Result<Governed, String> {
        let mut launch = Launch::start(spec, self.cgroup.as_ref(), streams).map_err(words)?;
        if let Some(opens) = &self.opens {
            opens.stand_before(launch.pid)?;
        }
        let listener = take_listener(&mut launch)?;
        let cgroup = self.cgroup.clone();
        let descendants = launch.descendants();
        let processes = move || match &cgroup {
            Some(cgroup) => cgroup.processes().unwrap_or_default(),
            None => descendants.processes(),
        };
        let calls = Arc::new(Calls {
            listener: Arc::new(Listener::new(listener).map_err(words)?),
            decider: Arc::clone(&self.decider),
            tools: Arc::clone(&self.tools),
            bpf: self.bpf.clone(),
            watch: self.watch.clone(),
            programs: Programs::new(),
            relay: self.relay.clone(),
            surroundings: self.surroundings.clone(),
            processes: Box::new(processes),
            is_over: Arc::clone(&self.is_over),
            receiving: Mutex::default(),
            blocking: Arc::default(),
        });
        let threads = calls.answer();
        Ok(Governed { launch, threads })
    }
}

impl Governor {
    /// Asks about addresses that datagrams were sent to, so that the next one finds the answer.
    pub(crate) fn ask_about(&self, addresses: BTreeSet<(SocketAddr, Option<Name>)>) {
        let Some(bpf) = &self.bpf else { return };
        for (address, server) in addresses {
            let epoch = bpf.epoch();
            let act = self.decider.terrain.on_address(address, || false);
            let actor = Actor { program: String::new(), server };
            let tool = self.tools.cgroup_of(actor.server.as_ref());
            let said = self.decider.decide(act, &actor, CALL_DEADLINE);
            let (addr, port, protocol) = (address.ip(), address.port(), Protocol::Udp);
            let to = Destination { addr, port, protocol };
            if let Err(error) = bpf.judge(to, tool, said == Said::Allow, epoch) {
                tracing::warn!(%error, "an address stays unknown, and so refused");
            }
        }
    }
}

fn take_listener(launch: &mut Launch) -> Result<OwnedFd, String> {
    launch.listener.try_clone().map_err(words)
}

/// Files of a folder that have a name outside of it as well: whoever made that name may have meant to
/// reach what must not be reached. Bounded: what comes after so many files is not looked at.
pub(crate) fn strangers(folder: &Path) -> HashSet<(u64, u64)> {
    let mut found: std::collections::HashMap<(u64, u64), (u64, u64)> = Default::default();
    let (mut folders, mut looked) = (vec![folder.to_owned()], 0_usize);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            looked += 1;
            if looked > FILES_MAX {
                tracing::warn!("the workspace has too many files to look for other names of all");
                return others(found);
            }
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                folders.push(entry.path());
            } else if about.is_file() && about.nlink() > 1 {
                let key = (about.dev(), about.ino());
                found.entry(key).or_insert((about.nlink(), 0)).1 += 1;
            }
        }
    }
    others(found)
}

/// The most files of a workspace that are looked at.
const FILES_MAX: usize = 500_000;

fn others(found: std::collections::HashMap<(u64, u64), (u64, u64)>) -> HashSet<(u64, u64)> {
    found.into_iter().filter(|(_, (links, here))| here < links).map(|(file, _)| file).collect()
}

/// What an error says, causes included, once.
pub(crate) fn words(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::strangers;

    #[test]
    fn a_file_with_a_name_outside_is_a_stranger() {
        let root = std::env::temp_dir().join(format!("pathwarden-links-{}", std::process::id()));
        let inside = root.join("w/deep");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(root.join("secret"), "x").unwrap();
        std::fs::hard_link(root.join("secret"), inside.join("notes")).unwrap();
        std::fs::write(inside.join("a"), "x").unwrap();
        std::fs::hard_link(inside.join("a"), root.join("w/b")).unwrap();
        let found = strangers(&root.join("w"));
        let about = std::fs::metadata(root.join("secret")).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        use std::os::unix::fs::MetadataExt;
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(about.dev(), about.ino())]);
    }
}
