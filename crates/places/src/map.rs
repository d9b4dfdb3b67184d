//! The places of one session.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::path::{configured, resolved};
use crate::tables::{HOME, MACHINE, Names, Origin, Row};
use crate::tree::{Found, Hit, Tree};
use crate::{Place, Scope, names};

/// Where other people live. They have keys and start-up files, too, but what tools they use is no
/// concern of this session.
const HOMES: [&str; 2] = ["/home/*", "/root"];

/// Why a map cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MapFault {
    /// A path that leads somewhere only from somewhere.
    #[error(
        "`{path}` does not say where it is from the root on; give an absolute path without `..`",
        path = .0.display()
    )]
    NotAbsolute(PathBuf),
}

/// The places of one session. Cheap to ask, immutable.
#[derive(Clone, Debug)]
pub struct Map {
    tree: Tree,
}

impl Map {
    /// A map of this machine for one session.
    ///
    /// All paths must be resolved, as the kernel names them for the agent. `homes` are of those in whose
    /// name the agent works; people below `/home` and root have credentials even when they are not among
    /// them. `warden` are the folders of the node. `extra` names further roots, each with its place; one
    /// for a path of the tables replaces that row.
    ///
    /// The deepest root decides, with two exceptions. What is the node's own stays so, however deep,
    /// unless the workspace or an extra is deeper still. And a name that tells a credential or something
    /// that runs later (a key, `.env`, a git hook) counts also in the workspace.
    ///
    /// # Errors
    ///
    /// [`MapFault::NotAbsolute`], for any of the paths: a root that is left out would open what it guards.
    pub fn new(
        workspace: &Path,
        homes: &[PathBuf],
        warden: &[PathBuf],
        extra: &[(PathBuf, Place)],
    ) -> Result<Self, MapFault> {
        let mut map = Self { tree: Tree::new() };
        map.put_machine();
        for home in homes {
            map.put_home(home)?;
        }
        let given = extra.iter().map(|(path, place)| (path.as_path(), *place));
        for (path, place) in given.chain([(workspace, Place::Workspace)]) {
            map.put(path, Row { place, names: Names::Tell, origin: Origin::Given })?;
        }
        let own = Row { place: Place::Warden, names: Names::Tell, origin: Origin::Warden };
        warden.iter().try_for_each(|path| map.put(path, own))?;
        Ok(map)
    }

    /// The place of a path that the kernel resolved, in about a microsecond.
    ///
    /// Anything else (relative, with `.` or `..`, a deleted file, a file in memory) is
    /// [`Place::Elsewhere`].
    #[must_use]
    pub fn place(&self, path: &Path) -> Place {
        resolved(path).map_or(Place::Elsewhere, |bytes| self.look(bytes).0)
    }

    /// The place of a path, and the largest group of paths around it that is decided alike.
    ///
    /// For the workspace, the system, tools, temporary files, devices and processes that is the root that
    /// decided; for everything else, and for a root itself (such as `/dev/null`), just the path.
    #[must_use]
    pub fn scope(&self, path: &Path) -> Scope {
        let Some(bytes) = resolved(path) else {
            return Scope::exactly(Place::Elsewhere, path.as_os_str().as_bytes());
        };
        let (place, root) = self.look(bytes);
        match place {
            Place::Workspace
            | Place::System
            | Place::Toolchain
            | Place::Temporary
            | Place::Device
            | Place::Process
                if root.len() < bytes.len() =>
            {
                Scope::below(place, root)
            }
            Place::Workspace
            | Place::System
            | Place::Toolchain
            | Place::Temporary
            | Place::Device
            | Place::Process
            | Place::Home
            | Place::Credential
            | Place::Persistence
            | Place::Control
            | Place::Warden
            | Place::Elsewhere => Scope::exactly(place, bytes),
        }
    }

    /// The place, and the root of the row that decided.
    fn look<'a>(&self, path: &'a [u8]) -> (Place, &'a [u8]) {
        let Some(Hit { row, length }) = decisive(&self.tree.find(path)) else {
            return (names::tell(path, 0, Place::Elsewhere, Names::Tell), b"");
        };
        let root = path.get(..length).unwrap_or(path);
        (names::tell(path, length, row.place, row.names), root)
    }

    fn put_machine(&mut self) {
        for home in HOMES {
            for table in HOME.iter().filter(|table| is_everybodys(table.place)) {
                for path in table.paths {
                    self.put_row(&[home, "/", path].concat(), table.row());
                }
            }
        }
        for table in MACHINE {
            table.paths.iter().for_each(|path| self.put_row(path, table.row()));
        }
    }

    fn put_home(&mut self, home: &Path) -> Result<(), MapFault> {
        self.put(home, Row { place: Place::Home, names: Names::Tell, origin: Origin::Table })?;
        for table in HOME {
            for path in table.paths {
                self.put(&home.join(path), table.row())?;
            }
        }
        Ok(())
    }

    /// A row of the tables, wildcards included.
    fn put_row(&mut self, path: &str, row: Row) {
        let inside = path.strip_prefix('/').unwrap_or(path);
        self.tree.put_pattern(inside.split('/').map(str::as_bytes), row);
    }

    fn put(&mut self, path: &Path, row: Row) -> Result<(), MapFault> {
        let parts = configured(path).ok_or_else(|| MapFault::NotAbsolute(path.to_owned()))?;
        self.tree.put(&parts, row);
        Ok(())
    }
}

/// What counts below a home of somebody who is not of this session.
const fn is_everybodys(place: Place) -> bool {
    matches!(place, Place::Credential | Place::Persistence)
}

/// The row that decides: the deepest, but the node's own before all that is not given deeper.
fn decisive(found: &Found) -> Option<Hit> {
    let Some(own) = found.warden else { return found.row };
    match found.given {
        Some(given) if given.length > own.length => found.row,
        Some(_) | None => Some(own),
    }
}

#[cfg(test)]
mod tests;
