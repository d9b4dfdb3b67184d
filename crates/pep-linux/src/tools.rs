//! The tool servers of a session, each in a cgroup of its own inside the session's.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pathwarden_kernel_sandbox::{Cgroup, cgroup_of};
use pathwarden_types::Name;

/// The most tool servers of one session.
const SERVERS_MAX: usize = 64;

/// The tool servers of a session.
pub(crate) struct Tools {
    /// `None` where there are no cgroups to put them in.
    session: Option<Cgroup>,
    servers: Mutex<BTreeMap<Name, Cgroup>>,
}

impl Tools {
    pub(crate) fn new(session: Option<Cgroup>) -> Self {
        Self { session, servers: Mutex::default() }
    }

    /// Moves a process, and so all that it will start, to the place of a server.
    pub(crate) fn enter(&self, server: &Name, process: u32) -> io::Result<()> {
        // Without cgroups nobody can tell them apart, and nothing is measured.
        let Some(session) = &self.session else { return Ok(()) };
        if !session.contains(process) {
            return Err(io::Error::other("the process is not one of the session's"));
        }
        // What is in a server's place stays there: what was taken from that server is taken from it.
        if self.of_process(process).is_some() {
            return Err(io::Error::other("the process is in the place of a server already"));
        }
        let mut servers = self.servers();
        if servers.len() >= SERVERS_MAX && !servers.contains_key(server) {
            return Err(io::Error::other(format!("{SERVERS_MAX} tool servers run in the session")));
        }
        if !servers.contains_key(server) {
            let place = session.child(&folder(servers.len())).map_err(io::Error::other)?;
            servers.insert(server.clone(), place);
        }
        match servers.get(server) {
            Some(place) => place.add(process).map_err(io::Error::other),
            None => Err(io::Error::other("the server has no place")),
        }
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.servers().is_empty()
    }

    /// The server to which a process belongs; `None` for the agent's own.
    pub(crate) fn of_process(&self, process: u32) -> Option<Name> {
        let servers = self.servers();
        if servers.is_empty() {
            return None;
        }
        // From the root of the hierarchy, wherever that is mounted.
        let of = cgroup_of(process)?;
        let of = of.strip_prefix("/").unwrap_or(&of);
        let mut all = servers.iter();
        all.find(|(_, place)| place.path().ends_with(of)).map(|(server, _)| server.clone())
    }

    /// The server whose cgroup this is; `None` for the session's own.
    pub(crate) fn of_cgroup(&self, cgroup: u64) -> Option<Name> {
        let servers = self.servers();
        servers.iter().find(|(_, place)| place.id() == cgroup).map(|(server, _)| server.clone())
    }

    /// The cgroup of a server, while it runs.
    pub(crate) fn place(&self, server: &Name) -> Option<Cgroup> {
        self.servers().get(server).cloned()
    }

    /// The id of the cgroup in which a server's processes are; `None` for the agent's own.
    pub(crate) fn cgroup_of(&self, server: Option<&Name>) -> Option<u64> {
        self.servers().get(server?).map(Cgroup::id)
    }

    /// Every server with its cgroup.
    pub(crate) fn all(&self) -> Vec<(Name, Cgroup)> {
        self.servers().iter().map(|(server, place)| (server.clone(), place.clone())).collect()
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<Name, Cgroup>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of the n-th server: its name may hold what a folder's may not.
fn folder(number: usize) -> String {
    format!("tool-{number}")
}
