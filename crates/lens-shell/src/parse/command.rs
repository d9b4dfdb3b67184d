//! Lists, pipelines, simple commands and redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use super::{Parser, Pending};
use crate::plan::Doubt;
use crate::syntax::{Assignment, Join, Node, Part, Redirect, RedirectKind, Simple, Step, Word};

impl Parser<'_> {
    /// Commands until one of the words `stops`, a closing parenthesis, `;;`, or the end.
    pub(super) fn list(&mut self, stops: &[&str]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut join = Join::Always;
        loop {
            self.lines();
            if self.at >= self.text.len() || self.ends_list(stops) {
                return steps;
            }
            let before = self.at;
            let node = self.pipeline();
            steps.push(Step { join, node });
            self.blanks();
            join = self.join();
            if join == Join::Always
                && !self.rest().starts_with(";;")
                && !self.rest().starts_with(";&")
            {
                let _ = self.take(";") || self.take("&");
            }
            if self.at == before {
                self.fault(Doubt::Unparsable);
                self.next();
            }
        }
    }

    fn join(&mut self) -> Join {
        if self.take("&&") {
            Join::Then
        } else if self.take("||") {
            Join::Else
        } else {
            Join::Always
        }
    }

    fn ends_list(&self, stops: &[&str]) -> bool {
        self.rest().starts_with([')'])
            || self.rest().starts_with(";;")
            || self.rest().starts_with(";&")
            || self.keyword().is_some_and(|word| stops.contains(&word))
    }

    /// The bare word that stands here, if it could be a reserved one.
    pub(super) fn keyword(&self) -> Option<&str> {
        let rest = self.rest();
        // No reserved word is longer; a long run of letters is none.
        let end = rest
            .bytes()
            .take(10)
            .position(ends_word)
            .or_else(|| (rest.len() <= 10).then_some(rest.len()))?;
        rest.get(..end).filter(|word| !word.is_empty())
    }

    fn pipeline(&mut self) -> Node {
        let mut stages = Vec::new();
        let mut negated = false;
        loop {
            self.lines();
            while self.keyword() == Some("!") {
                self.at += 1;
                negated = !negated;
                self.lines();
            }
            stages.push(self.command());
            self.blanks();
            let or = self.rest().starts_with("||");
            if or || !(self.take("|&") || self.take("|")) {
                break;
            }
        }
        match stages.pop() {
            Some(only) if stages.is_empty() && negated => Node::Not(Box::new(only)),
            Some(only) if stages.is_empty() => only,
            Some(last) => {
                stages.push(last);
                Node::Pipe(stages)
            }
            None => Node::List(Vec::new()),
        }
    }

    fn command(&mut self) -> Node {
        let compound = self.compound();
        let Some(body) = compound else { return self.simple() };
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect() {
                Some(redirect) => redirects.push(redirect),
                None if redirects.is_empty() => return body,
                None => return Node::Group { body: Box::new(body), subshell: false, redirects },
            }
        }
    }

    pub(super) fn simple(&mut self) -> Node {
        let mut simple = Simple::default();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect() {
                simple.redirects.push(redirect);
                continue;
            }
            let before = self.at;
            let Some(word) = self.word() else { break };
            if let Some(node) = self.function_after(&simple, &word) {
                return node;
            }
            match assignment(word, simple.words.is_empty()) {
                Ok(assignment) => simple.assignments.push(assignment),
                Err(word) => simple.words.push(word),
            }
            if self.at == before {
                break;
            }
        }
        Node::Simple(simple)
    }

    /// The definition that `name ()` begins.
    fn function_after(&mut self, simple: &Simple, word: &Word) -> Option<Node> {
        if !simple.words.is_empty() || !simple.assignments.is_empty() {
            return None;
        }
        let [Part::Bare(name)] = word.as_slice() else { return None };
        let before = self.at;
        self.blanks();
        if self.take("(") {
            self.blanks();
            if self.take(")") {
                return Some(self.function_body(name.clone()));
            }
        }
        self.at = before;
        None
    }

    pub(super) fn redirect(&mut self) -> Option<Redirect> {
        let before = self.at;
        let descriptor = self.descriptor();
        let kind = self.redirect_kind();
        if kind.is_none() {
            self.at = before;
        }
        Some(Redirect { descriptor, kind: kind? })
    }

    /// Digits or `{name}` in front of `<` or `>`.
    fn descriptor(&mut self) -> Option<u32> {
        let rest = self.rest();
        let digits = rest.bytes().take(9).take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let number = rest.get(..digits)?.parse().ok()?;
            self.at += digits;
            return Some(number);
        }
        if rest.starts_with('{') {
            let name = rest.bytes().skip(1).take(64).take_while(|byte| is_name(*byte)).count();
            let after = rest.get(1 + name..)?;
            if name > 0 && (after.starts_with("}<") || after.starts_with("}>")) {
                self.at += name + 2;
                return Some(u32::MAX);
            }
        }
        None
    }

    fn redirect_kind(&mut self) -> Option<RedirectKind> {
        if !matches!(self.peek(), Some(b'<' | b'>' | b'&')) || self.is_process() {
            return None;
        }
        let kind: fn(Word) -> RedirectKind = if self.take("&>>") || self.take("&>") {
            RedirectKind::Both
        } else if self.take("<<<") {
            RedirectKind::HereString
        } else if self.take("<<-") {
            return Some(self.here_document(true));
        } else if self.take("<<") {
            return Some(self.here_document(false));
        } else if self.take("<>") {
            RedirectKind::ReadWrite
        } else if self.take(">&") || self.take("<&") {
            RedirectKind::Duplicate
        } else if self.take(">>") || self.take(">|") || self.take(">") {
            RedirectKind::Write
        } else if self.take("<") {
            RedirectKind::Read
        } else {
            return None;
        };
        self.blanks();
        let word = self.word();
        if word.is_none() {
            self.fault(Doubt::Unparsable);
        }
        Some(kind(word.unwrap_or_default()))
    }

    /// Whether `<(` or `>(` stands here.
    pub(super) fn is_process(&self) -> bool {
        matches!(self.peek(), Some(b'<' | b'>')) && self.peek_at(1) == Some(b'(')
    }

    fn here_document(&mut self, strip_tabs: bool) -> RedirectKind {
        self.blanks();
        let start = self.at;
        let word = self.word().unwrap_or_default();
        let verbatim = self.since(start).contains(['\'', '"', '\\']);
        let delimiter = word.iter().map(plain).collect();
        let body = Rc::new(OnceCell::new());
        self.pending.push(Pending { delimiter, strip_tabs, verbatim, body: Rc::clone(&body) });
        RedirectKind::HereDocument(body)
    }
}

/// The text of a part that has no expansion.
fn plain(part: &Part) -> &str {
    match part {
        Part::Bare(text) | Part::Quoted(text) | Part::Coded(text) => text,
        Part::Parameter { .. }
        | Part::Command { .. }
        | Part::Process { .. }
        | Part::Arithmetic(_)
        | Part::Array(_) => "",
    }
}

/// Reads a word as `name=value`, `name+=value` or `name[i]=value`; gives it back when it is none.
pub(crate) fn assignment(mut word: Word, may: bool) -> Result<Assignment, Word> {
    let Some(Part::Bare(first)) = word.first().filter(|_| may) else { return Err(word) };
    let Some((left, right)) = first.split_once('=') else { return Err(word) };
    let append = left.ends_with('+');
    let left = left.strip_suffix('+').unwrap_or(left);
    let name = left.split('[').next().unwrap_or_default().to_owned();
    if !is_variable(&name) || (left.len() > name.len() && !left.ends_with(']')) {
        return Err(word);
    }
    let right = right.to_owned();
    match word.first_mut() {
        Some(first) if !right.is_empty() => *first = Part::Bare(right),
        _ => drop(word.remove(0)),
    }
    Ok(Assignment { name, append, value: word })
}

pub(crate) fn is_variable(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) && name.bytes().all(is_name)
}

pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a bare word ends in front of this byte.
pub(super) const fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}
