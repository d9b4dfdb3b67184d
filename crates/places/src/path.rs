//! Paths as bytes, the way the kernel has them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

/// What the kernel appends to the path of a file that has no name any more. A living file of that name
/// cannot be told from it, so it counts as gone, too.
const DELETED: &[u8] = b" (deleted)";

/// How the kernel calls a file that never had a name.
const MEMORY: &[u8] = b"/memfd:";

/// The components of an absolute path that the kernel could have resolved, or nothing.
///
/// `/` has no components. `//`, `.`, `..`, a slash at the end, a zero byte, a deleted file and a file in
/// memory give nothing: a text that needs resolving says nothing about where it leads.
pub(crate) fn resolved(path: &Path) -> Option<&[u8]> {
    let bytes = path.as_os_str().as_bytes();
    let inside = bytes.strip_prefix(b"/")?;
    if bytes.ends_with(DELETED) || bytes.starts_with(MEMORY) || bytes.contains(&0) {
        return None;
    }
    let is_plain = |component: &[u8]| !matches!(component, b"" | b"." | b"..");
    (inside.is_empty() || components(inside).all(is_plain)).then_some(bytes)
}

/// The parts between slashes.
pub(crate) fn components(inside: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    inside.split(|byte| *byte == b'/')
}

/// The components of a path from a person's configuration, which may have needless slashes, or nothing
/// when it is not absolute or goes up.
pub(crate) fn configured(path: &Path) -> Option<Vec<&[u8]>> {
    let mut parts = path.components();
    if parts.next() != Some(Component::RootDir) {
        return None;
    }
    parts.map(normal).map(|part| part.map(OsStrExt::as_bytes)).collect()
}

fn normal(part: Component<'_>) -> Option<&OsStr> {
    match part {
        Component::Normal(name) => Some(name),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_could_have_resolved_is_a_path() {
        for good in ["/", "/a", "/a/b c", "/a/..b", "/..."] {
            assert!(resolved(Path::new(good)).is_some(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a/b",
            "/a/",
            "//",
            "//a",
            "/a//b",
            "/a/./b",
            "/a/.",
            "/a/../b",
            "/..",
            "/a (deleted)",
            "/memfd:x",
            "/memfd:x (deleted)",
            "pipe:[17]",
            "/a\0b",
        ] {
            assert!(resolved(Path::new(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_configured_path_may_be_spelled_with_needless_slashes() {
        assert_eq!(configured(Path::new("//a/./b/")), Some(vec![&b"a"[..], b"b"]));
        assert_eq!(configured(Path::new("/")), Some(vec![]));
        assert_eq!(configured(Path::new("a")), None);
        assert_eq!(configured(Path::new("/a/..")), None);
    }
}
