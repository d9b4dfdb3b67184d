//! Where things stand on this machine, for this session.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pathwarden_places::{Map, MapFault, Place};
use pathwarden_types::{HostAct, HostVerb};

use crate::sockets;

/// What surrounds a session on its machine.
pub(crate) struct Terrain {
    map: Map,
    workspace: PathBuf,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    /// Addresses of the node itself.
    node: BTreeSet<SocketAddr>,
    /// Addresses that the operator named, as they resolve.
    named: Mutex<BTreeSet<SocketAddr>>,
    resolvers: BTreeSet<IpAddr>,
    /// Where a canary listens.
    canary: SocketAddr,
}

/// What a session is given to work with.
pub(crate) struct Grounds {
    pub(crate) workspace: PathBuf,
    pub(crate) home: PathBuf,
    /// Folders of the node, which nobody inside sees.
    pub(crate) warden: Vec<PathBuf>,
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
    pub(crate) node: BTreeSet<SocketAddr>,
    pub(crate) canary: SocketAddr,
}

/// The port of name servers.
const DOMAIN: u16 = 53;

impl Terrain {
    pub(crate) fn new(grounds: Grounds) -> Result<Self, MapFault> {
        let Grounds { workspace, home, warden, read, write, node, canary } = grounds;
        Ok(Self {
            map: Map::new(&workspace, &[home], &warden, &[])?,
            workspace,
            read,
            write,
            node,
            named: Mutex::default(),
            resolvers: sockets::resolvers(),
            canary,
        })
    }

    /// The folder that the agent works in.
    pub(crate) fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// Takes the addresses to which the names that the operator gave resolve now.
    pub(crate) fn name(&self, addresses: BTreeSet<SocketAddr>) {
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// What an act on a path is, in the words of policies. What is decided alike has one spelling.
    pub(crate) fn on_path(&self, verb: HostVerb, path: &Path) -> HostAct {
        let in_workspace = path.starts_with(&self.workspace);
        if let Some(what) = self.named_path(verb, path) {
            return HostAct { verb, place: NAMED.to_owned(), what, in_workspace };
        }
        // What stands at the root is everybody's to see.
        if verb == HostVerb::Read && path == Path::new("/") {
            let (place, what) = (Place::System.as_str().to_owned(), "/".to_owned());
            return HostAct { verb, place, what, in_workspace };
        }
        // The box has processes of its own, and no others to look at.
        if verb == HostVerb::Read && path.starts_with("/proc") {
            let (place, what) = (Place::Process.as_str().to_owned(), "/proc/**".to_owned());
            return HostAct { verb, place, what, in_workspace };
        }
        let is_change = !matches!(verb, HostVerb::Read | HostVerb::Run);
        let scope = self.map.scope(path);
        if is_change && scope.place == Place::Toolchain && runs_later(path) {
            let (place, what) =
                (Place::Persistence.as_str().to_owned(), path.display().to_string());
            return HostAct { verb, place, what, in_workspace };
        }
        HostAct { verb, place: scope.place.as_str().to_owned(), what: scope.pattern, in_workspace }
    }

    /// The same with the path itself, for what is measured.
    pub(crate) fn exactly(&self, verb: HostVerb, path: &Path) -> HostAct {
        HostAct { what: path.to_string_lossy().into_owned(), ..self.on_path(verb, path) }
    }

    /// Where a path stands.
    pub(crate) fn place(&self, path: &Path) -> Place {
        self.map.place(path)
    }

    /// A path that the operator named, as the pattern that they named.
    fn named_path(&self, verb: HostVerb, path: &Path) -> Option<String> {
        // The node's own folders are nobody's to give.
        if self.map.place(path) == Place::Warden {
            return None;
        }
        let is_look = matches!(verb, HostVerb::Read | HostVerb::Run);
        let read = self.read.iter().filter(|_| is_look);
        let root = read.chain(&self.write).find(|root| path.starts_with(root))?.as_path();
        Some(match root == path {
            true => root.display().to_string(),
            false => format!("{}/**", root.display()),
        })
    }

    /// What reaching an address is.
    pub(crate) fn on_address(&self, address: SocketAddr, is_own: impl Fn() -> bool) -> HostAct {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let named = || self.named.lock().unwrap_or_else(PoisonError::into_inner).contains(&address);
        let place = if address == self.canary {
            Place::Warden.as_str()
        } else if self.node.contains(&address) {
            "node"
        } else if named() {
            NAMED
        } else if address.port() == DOMAIN && self.resolvers.contains(&address.ip()) {
            "resolver"
        } else if !address.ip().is_loopback() && !address.ip().is_unspecified() {
            "outside"
        } else if is_own() {
            OWN
        } else {
            "loopback"
        };
        let what = address.to_string();
        HostAct { verb: HostVerb::Reach, place: place.to_owned(), what, in_workspace: false }
    }

    /// What reaching a socket by its path is.
    pub(crate) fn on_socket(&self, path: &Path, is_own: bool) -> HostAct {
        let place = match (is_own, self.map.place(path)) {
            (_, place @ (Place::Warden | Place::Control)) => place.as_str(),
            (true, _) => OWN,
            (false, _) => "loopback",
        };
        let what = format!("unix:{}", path.display());
        HostAct { verb: HostVerb::Reach, place: place.to_owned(), what, in_workspace: false }
    }

    /// Whether a process of the node could have reason to do this at any time, so that it tells nothing:
    /// programs load libraries, read settings and keep caches.
    pub(crate) fn is_ambient(act: &HostAct) -> bool {
        let place = act.place.as_str();
        match act.verb {
            HostVerb::Run => matches!(place, "system" | "toolchain"),
            HostVerb::Read => matches!(
                place,
                "workspace"
                    | "system"
                    | "toolchain"
                    | "device"
                    | "process"
                    | "temporary"
                    | "persistence"
                    | NAMED
            ),
            HostVerb::Write | HostVerb::Remove | HostVerb::Change => {
                matches!(place, "device" | "temporary" | "toolchain" | "process")
            }
            HostVerb::Reach => matches!(place, "node" | "resolver"),
        }
    }
}

/// Whether a file of a person's tools is run, or says what is run, outside of the box as well.
fn runs_later(path: &Path) -> bool {
    const FOLDERS: [&str; 4] = ["bin", "shims", "hooks", "templates"];
    const FILES: [&str; 9] = [
        ".gitconfig",
        "config",
        "config.toml",
        "env",
        "pip.conf",
        ".npmrc",
        ".yarnrc",
        "settings.xml",
        "init.gradle",
    ];
    path.iter().any(|part| FOLDERS.iter().any(|known| part == *known))
        || path.file_name().is_some_and(|file| FILES.iter().any(|known| file == *known))
}

/// What processes of the session listen on.
pub(crate) const OWN: &str = "own";

/// What the operator named.
pub(crate) const NAMED: &str = "named";
