//! Rows by path: the deepest one that a path is at or below.

use crate::path::components;
use crate::tables::{Origin, Row};

/// In a table, any one component.
const ANY: &[u8] = b"*";

/// A tree of path components, each of which may have a row.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Sorted by name.
    children: Vec<(Box<[u8]>, usize)>,
    any: Option<usize>,
    row: Option<Row>,
}

/// Rows that a path is at or below.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// The deepest row.
    pub(crate) row: Option<Hit>,
    /// The deepest row of the node's own.
    pub(crate) warden: Option<Hit>,
    /// The deepest row that a person gave: workspace or extra.
    pub(crate) given: Option<Hit>,
}

/// One row, and how many bytes of the path lead to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) row: Row,
    pub(crate) length: usize,
}

impl Tree {
    /// A tree without rows.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Puts a row, in the place of one for the same path. `*` is a wildcard.
    pub(crate) fn put_pattern<'a>(&mut self, path: impl Iterator<Item = &'a [u8]>, row: Row) {
        let mut at = 0;
        for name in path {
            at = if name == ANY { self.any_child(at) } else { self.child(at, name) };
        }
        self.set(at, row);
    }

    /// Puts a row for exactly these components.
    pub(crate) fn put(&mut self, path: &[&[u8]], row: Row) {
        let at = path.iter().fold(0, |at, name| self.child(at, name));
        self.set(at, row);
    }

    /// What `path`, absolute and resolved, is at or below.
    pub(crate) fn find(&self, path: &[u8]) -> Found {
        let mut found = Found::default();
        self.descend(0, path, 0, &mut found);
        found
    }

    /// A name that stands in the tree and a wildcard are both followed; at equal depth the name wins.
    fn descend(&self, at: usize, path: &[u8], length: usize, found: &mut Found) {
        let Some(node) = self.nodes.get(at) else { return };
        if let Some(row) = node.row {
            found.meet(Hit { row, length });
        }
        let Some(name) = path
            .get(length + 1..)
            .and_then(|rest| components(rest).next())
            .filter(|n| !n.is_empty())
        else {
            return;
        };
        let deeper = length + 1 + name.len();
        if let Some(next) = node.named(name) {
            self.descend(next, path, deeper, found);
        }
        if let Some(next) = node.any {
            self.descend(next, path, deeper, found);
        }
    }

    fn child(&mut self, at: usize, name: &[u8]) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        match node.children.binary_search_by(|(known, _)| known.as_ref().cmp(name)) {
            Ok(place) => node.children.get(place).map_or(at, |(_, next)| *next),
            Err(place) => {
                node.children.insert(place, (name.into(), fresh));
                self.nodes.push(Node::default());
                fresh
            }
        }
    }

    fn any_child(&mut self, at: usize) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        if let Some(next) = node.any {
            return next;
        }
        node.any = Some(fresh);
        self.nodes.push(Node::default());
        fresh
    }

    fn set(&mut self, at: usize, row: Row) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.row = Some(row);
        }
    }
}

impl Node {
    fn named(&self, name: &[u8]) -> Option<usize> {
        let place = self.children.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
        self.children.get(place).map(|(_, next)| *next)
    }
}

impl Found {
    fn meet(&mut self, hit: Hit) {
        keep_deepest(&mut self.row, hit);
        match hit.row.origin {
            Origin::Table => {}
            Origin::Given => keep_deepest(&mut self.given, hit),
            Origin::Warden => keep_deepest(&mut self.warden, hit),
        }
    }
}

fn keep_deepest(kept: &mut Option<Hit>, hit: Hit) {
    if kept.is_none_or(|kept| kept.length < hit.length) {
        *kept = Some(hit);
    }
}
