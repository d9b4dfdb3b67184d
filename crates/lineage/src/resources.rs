//! Labels on stored things: what is written with tainted content is tainted when it is read again,
//! in whatever session.

use std::collections::BTreeMap;

use pathwarden_types::{Digest, Label, Name};

/// A file, note, row, channel or the like at one server.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct StoredThing {
    server: Name,
    id: String,
}

impl StoredThing {
    /// The longest id that is kept as it is, in bytes; of a longer one, the digest.
    pub const ID_BYTES_MAX: usize = 512;

    /// A thing by what its server calls it. `a//b/./c/../d` and `a/b/d` are one thing.
    #[must_use]
    pub fn new(server: Name, id: &str) -> Self {
        let id = canonical(id.trim());
        let id =
            if id.len() > Self::ID_BYTES_MAX { Digest::of(id.as_bytes()).to_string() } else { id };
        Self { server, id }
    }
}

fn canonical(id: &str) -> String {
    if id.contains("://") || !id.contains('/') {
        return id.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in id.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if id.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// How a thing was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writing {
    /// All of it is new.
    Overwrite,
    /// What was there is still there; also when nobody knows.
    Append,
}

/// The labels of stored things.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resources {
    labels: BTreeMap<StoredThing, Label>,
    /// The label of all that did not fit.
    rest: Option<Label>,
}

impl Resources {
    /// The most things that have a label of their own.
    pub const MAX: usize = 65_536;
    /// The most origins of one label; they explain and decide nothing.
    pub const ORIGINS_MAX: usize = 64;

    /// Remembers that a thing was written with content of this label. When there is no room, every
    /// thing without a label of its own has the join of what did not fit.
    pub fn record_write(&mut self, thing: StoredThing, label: &Label, writing: Writing) {
        if let Some(known) = self.labels.get_mut(&thing) {
            *known = bounded(match writing {
                Writing::Overwrite => label.clone(),
                Writing::Append => known.join(label),
            });
        } else if self.labels.len() < Self::MAX {
            self.labels.insert(thing, bounded(label.clone()));
        } else {
            let rest = self.rest.as_ref().map_or_else(|| label.clone(), |rest| rest.join(label));
            self.rest = Some(bounded(rest));
        }
    }

    /// The label of what a thing holds, as far as it was written here.
    #[must_use]
    pub fn label_of(&self, thing: &StoredThing) -> Option<&Label> {
        self.labels.get(thing).or(self.rest.as_ref())
    }

    /// Whether some things share a label because there was no room.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.rest.is_some()
    }
}

fn bounded(mut label: Label) -> Label {
    while label.origins.len() > Resources::ORIGINS_MAX {
        label.origins.pop_last();
    }
    label
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Integrity, Label};

    use super::{Resources, StoredThing, Writing};
    use crate::lowest;

    fn thing(id: &str) -> StoredThing {
        StoredThing::new("files".parse().unwrap(), id)
    }

    fn tainted() -> Label {
        Label { integrity: Integrity::Untrusted, origins: ["web".into()].into(), ..lowest() }
    }

    #[test]
    fn a_note_carries_its_taint_until_it_is_overwritten() {
        let mut all = Resources::default();
        all.record_write(thing("/notes//a/../todo.md"), &tainted(), Writing::Overwrite);
        all.record_write(thing("/notes/todo.md"), &lowest(), Writing::Append);
        assert_eq!(all.label_of(&thing("/notes/./todo.md")), Some(&tainted()));
        all.record_write(thing("/notes/todo.md"), &lowest(), Writing::Overwrite);
        assert_eq!(all.label_of(&thing("/notes/todo.md")), Some(&lowest()));
        assert_eq!(all.label_of(&thing("/notes/other.md")), None);
    }

    #[test]
    fn one_more_thing_than_the_limit_taints_all_unknown_things() {
        let mut all = Resources::default();
        for number in 0..Resources::MAX {
            all.record_write(thing(&number.to_string()), &lowest(), Writing::Overwrite);
        }
        assert!(!all.is_full());
        all.record_write(thing("one more"), &tainted(), Writing::Overwrite);
        assert!(all.is_full());
        assert_eq!(all.label_of(&thing("unknown")), Some(&tainted()));
        assert_eq!(all.label_of(&thing("7")), Some(&lowest()));
    }
}
