//! Groups of paths that share one decision.

use std::fmt::Write;

use crate::Place;

/// The largest group of paths that are decided alike.
///
/// Two paths with the same pattern are in the same place.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope {
    /// The place of all of them.
    pub place: Place,
    /// A root and `/**` for everything below it *that is in this place*, or one path exactly. `*` and `\`
    /// in the path itself have a `\` before them, and a byte that is not UTF-8 is `\xNN`, so that no two
    /// paths are written alike.
    pub pattern: String,
}

impl Scope {
    /// One path and nothing else.
    pub(crate) fn exactly(place: Place, path: &[u8]) -> Self {
        let mut pattern = String::with_capacity(path.len());
        push_escaped(&mut pattern, path);
        Self { place, pattern }
    }

    /// What is below a root, itself not included; `/` is given as no bytes.
    pub(crate) fn below(place: Place, root: &[u8]) -> Self {
        let mut scope = Self::exactly(place, root);
        scope.pattern.push_str("/**");
        scope
    }
}

fn push_escaped(pattern: &mut String, path: &[u8]) {
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if matches!(letter, '*' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(pattern, "\\x{byte:02x}");
        }
    }
}
