//! Groups, branches, loops and functions.

use std::rc::Rc;

use super::Parser;
use crate::plan::Doubt;
use crate::syntax::{Join, Node, Part, Step, Word};

impl Parser<'_> {
    /// The compound command that begins here.
    pub(super) fn compound(&mut self) -> Option<Node> {
        if self.peek() == Some(b'(') {
            return Some(self.parenthesis());
        }
        let read: fn(&mut Self) -> Node = match self.keyword()? {
            "{" => Self::braces,
            "if" => Self::branches,
            "while" => |parser| parser.repeats(Join::Then),
            "until" => |parser| parser.repeats(Join::Else),
            "for" | "select" => Self::each,
            "case" => Self::case,
            "function" => Self::function,
            "[[" => Self::test,
            "time" => Self::timed,
            "coproc" => Self::coprocess,
            _ => return None,
        };
        let word = self.keyword()?.len();
        self.at += word;
        Some(self.deeper(Node::List(Vec::new()), read))
    }

    fn parenthesis(&mut self) -> Node {
        if let Some(words) = self.double_parenthesis() {
            return Node::Words(vec![words]);
        }
        self.at += 1;
        let body = self.closed_list();
        Node::Group { body: Box::new(body), subshell: true, redirects: Vec::new() }
    }

    /// The commands up to a closing parenthesis, and it.
    pub(super) fn closed_list(&mut self) -> Node {
        self.deeper(Node::List(Vec::new()), |parser| {
            let steps = parser.list(&[]);
            parser.skip_to_parenthesis();
            Node::List(steps)
        })
    }

    fn skip_to_parenthesis(&mut self) {
        if !self.take(")") {
            self.fault(Doubt::Unparsable);
            self.next();
        }
    }

    /// `((…))`, when the parenthesis that closes the inner one is followed by another.
    pub(super) fn double_parenthesis(&mut self) -> Option<Word> {
        if !self.rest().starts_with("((") || self.open_ended {
            return None;
        }
        let content = self.rest().get(2..)?;
        let Some(end) = closing(content) else {
            self.open_ended = true;
            return None;
        };
        if !content.get(end + 1..)?.starts_with(')') {
            return None;
        }
        self.at += end + 4;
        let content = content.get(..end)?;
        Some(self.inner(content, Word::new(), |parser| parser.here_word()))
    }

    fn braces(&mut self) -> Node {
        let steps = self.list(&["}"]);
        self.close("}");
        // Kept as a group, so that a redirection behind it belongs to all of it.
        Node::List(steps)
    }

    /// Wants a reserved word here.
    fn close(&mut self, word: &str) {
        self.lines();
        if self.keyword() == Some(word) {
            self.at += word.len();
        } else {
            self.fault(Doubt::Unparsable);
        }
    }

    fn branches(&mut self) -> Node {
        let mut all = Vec::new();
        loop {
            all.push(Node::List(self.list(&["then", "fi"])));
            self.close("then");
            all.push(Node::List(self.list(&["elif", "else", "fi"])));
            if self.keyword() != Some("elif") {
                break;
            }
            self.at += "elif".len();
        }
        if self.keyword() == Some("else") {
            self.at += "else".len();
            all.push(Node::List(self.list(&["fi"])));
        }
        self.close("fi");
        Node::Branches(all)
    }

    /// The body hangs on the condition as `join` says.
    fn repeats(&mut self, join: Join) -> Node {
        let mut steps = self.list(&["do", "done"]);
        let body = self.body();
        steps.push(Step { join, node: body });
        Node::Loop(Box::new(Node::List(steps)))
    }

    /// `do … done`, or braces.
    fn body(&mut self) -> Node {
        self.lines();
        let _ = self.take(";");
        self.lines();
        if self.keyword() == Some("{") {
            self.at += 1;
            return self.braces();
        }
        self.close("do");
        let steps = self.list(&["done"]);
        self.close("done");
        Node::List(steps)
    }

    fn each(&mut self) -> Node {
        self.blanks();
        if let Some(words) = self.double_parenthesis() {
            let body = self.body();
            let steps = vec![
                Step { join: Join::Always, node: Node::Words(vec![words]) },
                Step { join: Join::Then, node: body },
            ];
            return Node::Loop(Box::new(Node::List(steps)));
        }
        let name = self.plain_word();
        self.lines();
        let mut words = None;
        if self.keyword() == Some("in") {
            self.at += 2;
            words = Some(self.words());
        }
        let body = Box::new(self.body());
        Node::For { name, words, body }
    }

    /// Words to the end of the line or `;`.
    fn words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.word() {
                Some(word) => words.push(word),
                None => return words,
            }
        }
    }

    /// A bare word as text; empty when it is more than that.
    fn plain_word(&mut self) -> String {
        match self.word().as_deref() {
            Some([Part::Bare(text)]) => text.clone(),
            _ => {
                self.fault(Doubt::Unparsable);
                String::new()
            }
        }
    }

    fn case(&mut self) -> Node {
        self.blanks();
        let mut branches = vec![Node::Words(self.word().into_iter().collect())];
        self.close("in");
        loop {
            self.lines();
            if self.at >= self.text.len() || self.keyword() == Some("esac") {
                break;
            }
            let before = self.at;
            branches.push(self.arm());
            if self.at == before {
                self.fault(Doubt::Unparsable);
                self.next();
            }
        }
        self.close("esac");
        Node::Branches(branches)
    }

    fn arm(&mut self) -> Node {
        let _ = self.take("(");
        let mut patterns = Vec::new();
        loop {
            self.blanks();
            patterns.extend(self.word());
            self.blanks();
            if !self.take("|") {
                break;
            }
        }
        self.want(")");
        let mut steps = vec![Step { join: Join::Always, node: Node::Words(patterns) }];
        steps.extend(self.list(&["esac"]));
        let _ = self.take(";;&") || self.take(";;") || self.take(";&");
        Node::List(steps)
    }

    fn function(&mut self) -> Node {
        self.blanks();
        let name = self.plain_word();
        self.blanks();
        if self.take("(") {
            self.blanks();
            self.want(")");
        }
        self.function_body(name)
    }

    pub(super) fn function_body(&mut self, name: String) -> Node {
        self.lines();
        let body = self.deeper(Node::List(Vec::new()), |parser| {
            let steps = parser.compound_or_nothing();
            Node::List(steps)
        });
        Node::Function { name, body: Rc::new(body) }
    }

    fn compound_or_nothing(&mut self) -> Vec<Step> {
        let Some(node) = self.compound() else {
            self.fault(Doubt::Unparsable);
            return Vec::new();
        };
        vec![Step { join: Join::Always, node }]
    }

    /// `[[ … ]]`: words between operators.
    fn test(&mut self) -> Node {
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.keyword() == Some("]]") {
                self.at += 2;
                return Node::Words(words);
            }
            match self.word() {
                Some(word) => words.push(word),
                // An operator that would end a command elsewhere.
                None if self.next().is_some() => {}
                None => {
                    self.fault(Doubt::Unparsable);
                    return Node::Words(words);
                }
            }
        }
    }

    fn timed(&mut self) -> Node {
        self.blanks();
        if self.keyword() == Some("-p") {
            self.at += 2;
        }
        self.blanks();
        if self.peek().is_none_or(|byte| matches!(byte, b'\n' | b';' | b'|' | b'&' | b')')) {
            return Node::List(Vec::new());
        }
        let inner = self.compound();
        inner.unwrap_or_else(|| self.simple())
    }

    fn coprocess(&mut self) -> Node {
        self.blanks();
        let before = self.at;
        // `coproc NAME { … }` or `coproc command`.
        let named = self.word();
        self.blanks();
        if let Some(node) = named.and_then(|_| self.compound()) {
            return node;
        }
        self.at = before;
        let inner = self.compound();
        inner.unwrap_or_else(|| self.simple())
    }
}

/// Where the parenthesis closes that was open before `text`; quotes and escapes hide some.
pub(super) fn closing(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(b'\''), b'\'') | (Some(b'"'), b'"') => quote = None,
            (Some(b'\''), _) => {}
            (_, b'\\') => drop(bytes.next()),
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => open += 1,
            (None, b')') => open -= 1,
            (None, _) => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}
