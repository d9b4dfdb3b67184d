//! What runs that were killed have left behind.

use std::fs;
use std::io;
use std::path::Path;

use pathwarden_kernel_sandbox::Tree;

/// The file in a session's folder that says whose it is.
const OWNER: &str = "owner";

/// Makes a session's folder, ours.
pub(super) fn own(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(OWNER), format!("{} {}", std::process::id(), started("self")))
}

/// Removes what sessions have left beside this one whose owner is gone.
pub(super) fn clear(folder: &Path) {
    let Some(beside) = folder.parent() else { return };
    for entry in fs::read_dir(beside).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(owner) = fs::read_to_string(path.join(OWNER)) else { continue };
        let Some((process, began)) = owner.split_once(' ') else { continue };
        if path == folder || started(process) == began {
            continue;
        }
        let session = entry.file_name().to_string_lossy().into_owned();
        if let Ok(cgroup) = Tree::find().and_then(|tree| tree.open(&session)) {
            let _ = cgroup.kill();
            let _ = cgroup.remove();
        }
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(%error, session, "what a killed run left is still there");
        }
    }
}

/// When a process started, as proc(5) has it: the 22nd field; the name in parentheses may hold spaces.
fn started(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(19).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{OWNER, clear, own};

    #[test]
    fn what_a_gone_owner_left_is_removed_and_nothing_else() {
        let root = std::env::temp_dir().join(format!("pathwarden-left-{}", std::process::id()));
        let (ours, gone, strange) = (root.join("ours"), root.join("gone"), root.join("strange"));
        own(&ours).unwrap();
        own(&gone).unwrap();
        std::fs::write(gone.join(OWNER), "1 0").unwrap();
        std::fs::create_dir_all(&strange).unwrap();
        clear(&root.join("new"));
        let left = [ours.exists(), gone.exists(), strange.exists()];
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(left, [true, false, true]);
    }
}
