//! Text of a shell as a tree, in one pass.
//!
//! What is not the grammar is a doubt, and reading goes on behind it: the plan of a broken line still
//! holds what a lenient shell would do with its parts.

mod command;
mod compound;
mod dollar;
mod word;

pub(crate) use command::{assignment, is_variable};

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::plan::Doubt;
use crate::syntax::{Node, Word};

/// The deepest nesting of commands in commands: no hand-written line comes near, and recursion over the
/// tree stays within a small stack.
pub const DEPTH_MAX: usize = 16;

/// A tree, and what was doubtful about the text.
pub(crate) struct Parsed {
    pub(crate) node: Node,
    pub(crate) doubts: BTreeSet<Doubt>,
}

/// Reads a script that itself lies `depth` deep in others.
pub(crate) fn parse(text: &str, depth: usize) -> Parsed {
    let mut parser = Parser::new(text, depth);
    let node = parser.script();
    Parsed { node, doubts: parser.doubts }
}

/// A here-document whose body has not come yet.
struct Pending {
    delimiter: String,
    strip_tabs: bool,
    verbatim: bool,
    body: Rc<OnceCell<Word>>,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    doubts: BTreeSet<Doubt>,
    pending: Vec<Pending>,
    /// A `((` was found open to the end; no later one is looked for its end again.
    open_ended: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth, doubts: BTreeSet::new(), pending: Vec::new(), open_ended: false }
    }

    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The next character, taken.
    fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes `text` if it stands here.
    fn take(&mut self, text: &str) -> bool {
        let here = self.rest().starts_with(text);
        if here {
            self.at += text.len();
        }
        here
    }

    fn fault(&mut self, doubt: Doubt) {
        self.doubts.insert(doubt);
    }

    /// Wants `text` here; without it the text is no shell's.
    fn want(&mut self, text: &str) {
        if !self.take(text) {
            self.fault(Doubt::Unparsable);
        }
    }

    /// Reads one level deeper; past the limit, reading ends.
    fn deeper<T>(&mut self, empty: T, read: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEPTH_MAX {
            self.fault(Doubt::TooDeep);
            self.at = self.text.len();
            return empty;
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    /// Reads another text, one level deeper than this one.
    fn inner<T>(&mut self, text: &str, empty: T, read: impl FnOnce(&mut Parser<'_>) -> T) -> T {
        if self.depth >= DEPTH_MAX {
            self.fault(Doubt::TooDeep);
            return empty;
        }
        let mut parser = Parser::new(text, self.depth + 1);
        let found = read(&mut parser);
        self.doubts.append(&mut parser.doubts);
        found
    }

    /// Spaces, tabs and joined lines.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => self.at += 2,
                _ => return,
            }
        }
    }

    /// Blanks, comments and ends of lines, with the here-documents behind them.
    fn lines(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'#') => self.comment(),
                Some(b'\n') => {
                    self.at += 1;
                    self.here_documents();
                }
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn here_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let body = self.here_body(&pending);
            let word = if pending.verbatim {
                vec![crate::syntax::Part::Quoted(body)]
            } else {
                self.inner(&body, Word::new(), |parser| parser.here_word())
            };
            // It was made for this body and has none yet.
            let _ = pending.body.set(word);
        }
    }

    fn here_body(&mut self, pending: &Pending) -> String {
        let mut body = String::new();
        while self.at < self.text.len() {
            let line = self.rest().split('\n').next().unwrap_or_default();
            self.at = (self.at + line.len() + 1).min(self.text.len());
            let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { line };
            if line == pending.delimiter {
                return body;
            }
            body.push_str(line);
            body.push('\n');
        }
        // A shell only warns when the delimiter does not come.
        body
    }

    fn script(&mut self) -> Node {
        let mut steps = Vec::new();
        loop {
            steps.extend(self.list(&[]));
            if self.at >= self.text.len() {
                return Node::List(steps);
            }
            // Something stands here that ends nothing: a stray `)`, `;;` or the like.
            self.fault(Doubt::Unparsable);
            self.next();
        }
    }
}
