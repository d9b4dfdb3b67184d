//! Patterns of file paths.

use std::fmt;
use std::str::FromStr;

/// A pattern of paths: `*` stands for anything within a component, `**` for any number of components,
/// also none. A pattern that does not begin with `/` fits at any depth, and so does one that begins
/// with `~/`, because who runs the tool is not known here. Letters fit in either case: file systems
/// differ, and to follow one file too many does no harm.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob {
    spelled: String,
    components: Vec<String>,
}

/// Why a text is not a pattern of paths.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobFault {
    /// Nothing, or nothing but `/`, `.` and `~`.
    #[error("it names no file")]
    Empty,
    /// Longer than [`Glob::BYTES_MAX`].
    #[error("it is longer than {} bytes", Glob::BYTES_MAX)]
    TooLong,
    /// Every file would be memory.
    #[error("it fits every file, name a folder")]
    Everything,
    /// As in `a**`.
    #[error("`**` stands for whole components, write it between `/`")]
    PartOfComponent,
}

impl Glob {
    /// The longest pattern, in bytes.
    pub const BYTES_MAX: usize = 1_024;

    /// As it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.spelled
    }

    /// Whether a path, as [`plain_path`] spells it, fits.
    pub(super) fn fits(&self, path: &str) -> bool {
        let found: Vec<String> = components(path).iter().map(|one| one.to_lowercase()).collect();
        let is_star = |pattern: &String| pattern == "**";
        wild(&self.components, &found, is_star, |pattern, one| fits_component(pattern, one))
    }
}

fn fits_component(pattern: &str, component: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let component: Vec<char> = component.chars().collect();
    wild(&pattern, &component, |one| *one == '*', |one, other| one == other)
}

/// Whether a sequence fits a pattern in which a star stands for any number of parts. Only the last star
/// is ever tried again, so that the time is at most the product of the lengths.
fn wild<P, T>(
    pattern: &[P],
    sequence: &[T],
    is_star: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut to) = (0, 0);
    let mut last_star = None;
    loop {
        match (pattern.get(at), sequence.get(to)) {
            (None, None) => return true,
            (Some(star), _) if is_star(star) => {
                at += 1;
                last_star = Some((at, to));
            }
            (Some(one), Some(other)) if fits(one, other) => {
                at += 1;
                to += 1;
            }
            _ => match last_star {
                Some((after, from)) if from < sequence.len() => {
                    last_star = Some((after, from + 1));
                    (at, to) = (after, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// A path in one spelling: `/` between components, none of them empty, `.` or `..`. An agent must not
/// get another entry by spelling a path in another way.
pub(super) fn plain_path(path: &str) -> String {
    let path = path.trim();
    let path = path.strip_prefix("file://").unwrap_or(path);
    let root = if path.starts_with(['/', '\\']) { "/" } else { "" };
    format!("{root}{}", components(path).join("/"))
}

fn components(path: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for component in path.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." => {
                found.pop();
            }
            name => found.push(name),
        }
    }
    found
}

impl FromStr for Glob {
    type Err = GlobFault;

    fn from_str(text: &str) -> Result<Self, GlobFault> {
        if text.len() > Self::BYTES_MAX {
            return Err(GlobFault::TooLong);
        }
        let (path, is_rooted) = match text.strip_prefix("~/") {
            Some(below) => (below, false),
            None => (text, text.starts_with('/')),
        };
        let named = components(path);
        if named.iter().all(|one| *one == "~") {
            return Err(GlobFault::Empty);
        }
        if named.iter().any(|one| one.contains("**") && *one != "**") {
            return Err(GlobFault::PartOfComponent);
        }
        if named.iter().all(|one| matches!(*one, "*" | "**")) {
            return Err(GlobFault::Everything);
        }
        let anywhere = (!is_rooted).then(|| "**".to_owned());
        let components = anywhere.into_iter().chain(named.iter().map(|one| one.to_lowercase()));
        Ok(Self { spelled: text.to_owned(), components: components.collect() })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Glob, GlobFault, plain_path};

    fn fits(pattern: &str, path: &str) -> bool {
        pattern.parse::<Glob>().unwrap().fits(&plain_path(path))
    }

    #[test]
    fn stars_stand_for_parts_and_components() {
        let cases = [
            ("/memory/*.md", "/memory/a.md", true),
            ("/memory/*.md", "/memory/sub/a.md", false),
            ("/memory/*.md", "/x/memory/a.md", false),
            ("/memory/**", "/memory/sub/a.md", true),
            ("/memory/**", "/memory", true),
            ("/memory/**", "/memory2/a.md", false),
            ("/a/**/b/*c*", "/a/x/b/y/b/1c2", true),
            ("/a/**/b/*c*", "/a/x/b/y/1c2", false),
            ("memory/**", "/home/u/project/memory/a.md", true),
            ("CLAUDE.md", "/home/u/CLAUDE.md", true),
            ("CLAUDE.md", "claude.md", true),
            ("~/.agent/*", "/home/u/.agent/notes", true),
            ("~/.agent/*", "~/.agent/notes", true),
        ];
        for (pattern, path, want) in cases {
            assert_eq!(fits(pattern, path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn another_spelling_of_a_path_is_no_way_around() {
        for path in ["/x/../memory/a.md", "//memory/./a.md", "/memory\\a.md", "file:///memory/a.md"]
        {
            assert_eq!(plain_path(path), "/memory/a.md", "{path}");
            assert!(fits("/memory/*", path), "{path}");
        }
    }

    #[test]
    fn patterns_that_mean_nothing_or_everything_are_refused() {
        let cases = [
            ("", GlobFault::Empty),
            ("/./", GlobFault::Empty),
            ("~", GlobFault::Empty),
            ("**/*", GlobFault::Everything),
            ("a**/b", GlobFault::PartOfComponent),
            (&"x".repeat(Glob::BYTES_MAX + 1), GlobFault::TooLong),
        ];
        for (pattern, want) in cases {
            assert_eq!(pattern.parse::<Glob>(), Err(want), "{pattern}");
        }
        assert!("x".repeat(Glob::BYTES_MAX).parse::<Glob>().is_ok());
    }

    proptest! {
        #[test]
        fn a_pattern_prints_what_it_parses(text in "[a*/~.]{0,12}", path in ".{0,40}") {
            if let Ok(glob) = text.parse::<Glob>() {
                prop_assert_eq!(glob.to_string().parse::<Glob>(), Ok(glob.clone()));
                let _ = glob.fits(&plain_path(&path));
            }
        }

        #[test]
        fn a_plain_path_is_plain(path in "[a./\\\\]{0,24}") {
            let plain = plain_path(&path);
            prop_assert_eq!(plain_path(&plain), plain.clone());
        }
    }
}
