//! What `$` begins.

use std::rc::Rc;

use super::Parser;
use super::command::is_name;
use super::word::{Place, push_bare, push_quoted};
use crate::plan::Doubt;
use crate::syntax::{Change, Parameter, Part, Word};

impl Parser<'_> {
    pub(super) fn dollar(&mut self, place: Place, word: &mut Word) {
        let start = self.at;
        self.at += 1;
        let quoted = place != Place::Bare;
        match self.peek() {
            Some(b'(') => self.command_or_arithmetic(quoted, word),
            Some(b'{') => self.braced(start, quoted, word),
            Some(b'\'') if !quoted => self.coded_quotes(word),
            Some(b'"') if !quoted => self.double_quotes(word),
            Some(b'[') => self.old_arithmetic(word),
            Some(byte) if is_name(byte) || is_special(byte) => {
                let name = self.name();
                let spelled = self.since(start).to_owned();
                push_parameter(word, quoted, name, None, Change::Plain, spelled);
            }
            _ if quoted => push_quoted(word, "$"),
            _ => push_bare(word, "$"),
        }
    }

    fn command_or_arithmetic(&mut self, quoted: bool, word: &mut Word) {
        if let Some(words) = self.double_parenthesis() {
            word.push(Part::Arithmetic(words));
            return;
        }
        self.at += 1;
        word.push(Part::Command { body: Rc::new(self.closed_list()), quoted });
    }

    /// `$[…]`.
    fn old_arithmetic(&mut self, word: &mut Word) {
        let rest = self.rest();
        let end = rest.bytes().take(256).position(|byte| byte == b']');
        let Some(end) = end else { return push_quoted(word, "$") };
        self.at += end + 1;
        let content = rest.get(1..end).unwrap_or_default();
        let words = self.inner(content, Word::new(), |parser| parser.here_word());
        word.push(Part::Arithmetic(words));
    }

    /// A name, or one special character.
    fn name(&mut self) -> String {
        let start = self.at;
        match self.peek() {
            Some(byte) if is_special(byte) || byte.is_ascii_digit() => self.at += 1,
            _ => {
                while self.peek().is_some_and(is_name) {
                    self.at += 1;
                }
            }
        }
        self.since(start).to_owned()
    }

    fn braced(&mut self, start: usize, quoted: bool, word: &mut Word) {
        self.at += 1;
        let (name, subscript, change) =
            self.deeper((String::new(), None, Change::Other), |parser| {
                let prefix = parser.prefix();
                let name = parser.braced_name();
                let subscript = parser.subscript();
                let change = parser.change();
                let change = match prefix {
                    Some(prefix) => prefix,
                    None => change,
                };
                parser.want("}");
                (name, subscript, change)
            });
        let spelled = self.since(start).to_owned();
        push_parameter(word, quoted, name, subscript, change, spelled);
    }

    /// `#` or `!` in front of a name.
    fn prefix(&mut self) -> Option<Change> {
        let follows =
            self.peek_at(1).is_some_and(|byte| is_name(byte) || matches!(byte, b'@' | b'*'));
        match self.peek() {
            Some(b'#') if follows => {
                self.at += 1;
                Some(Change::Length)
            }
            Some(b'!') if follows => {
                self.at += 1;
                Some(Change::Indirect)
            }
            _ => None,
        }
    }

    fn braced_name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        if self.at == start && self.peek().is_some_and(is_special) {
            self.at += 1;
        }
        self.since(start).to_owned()
    }

    fn subscript(&mut self) -> Option<String> {
        let rest = self.rest().strip_prefix('[')?;
        let end = rest.bytes().take(256).position(|byte| byte == b']')?;
        self.at += end + 2;
        rest.get(..end).map(str::to_owned)
    }

    fn change(&mut self) -> Change {
        let Some(byte) = self.peek() else { return Change::Other };
        self.at += 1;
        match byte {
            b'}' => {
                self.at -= 1;
                Change::Plain
            }
            b':' => self.colon(),
            b'-' | b'=' => Change::Default(self.until(b"}")),
            b'+' => Change::Alternate(self.until(b"}")),
            b'#' | b'%' => {
                let longest = self.peek() == Some(byte);
                self.at += usize::from(longest);
                Change::Strip { end: byte == b'%', longest, pattern: self.until(b"}") }
            }
            b'/' => self.replace(),
            b'^' => self.recase(Change::Upper),
            b',' => self.recase(Change::Lower),
            b'?' | b'@' => {
                self.until(b"}");
                Change::Other
            }
            _ => {
                self.fault(Doubt::Unparsable);
                self.until(b"}");
                Change::Other
            }
        }
    }

    fn recase(&mut self, change: Change) -> Change {
        self.until(b"}");
        change
    }

    fn colon(&mut self) -> Change {
        match self.peek() {
            Some(b'-' | b'=') => {
                self.at += 1;
                Change::Default(self.until(b"}"))
            }
            Some(b'+') => {
                self.at += 1;
                Change::Alternate(self.until(b"}"))
            }
            Some(b'?') => {
                self.until(b"}");
                Change::Plain
            }
            _ => {
                let offset = self.until(b":}");
                let length = self.take(":").then(|| self.until(b"}"));
                Change::Slice { offset, length }
            }
        }
    }

    fn replace(&mut self) -> Change {
        let all = self.take("/");
        let _ = all || self.take("#") || self.take("%");
        let mut pattern = Word::new();
        // A slash right here is the pattern itself: `${x///_}` replaces slashes.
        if all && self.peek() == Some(b'/') {
            self.at += 1;
            push_bare(&mut pattern, "/");
        }
        pattern.extend(self.until(b"/}"));
        let with = if self.take("/") { self.until(b"}") } else { Word::new() };
        Change::Replace { all, pattern, with }
    }

    /// Parts until one of the bytes; the byte stays.
    fn until(&mut self, ends: &[u8]) -> Word {
        let mut word = Word::new();
        loop {
            match self.peek() {
                None => return word,
                Some(byte) if ends.contains(&byte) => return word,
                // White space and operators are text here.
                Some(byte) if super::command::ends_word(byte) => {
                    self.at += 1;
                    push_bare(&mut word, self.since(self.at - 1));
                }
                Some(_) => self.part(Place::Bare, &mut word),
            }
        }
    }
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

fn push_parameter(
    word: &mut Word,
    quoted: bool,
    name: String,
    subscript: Option<String>,
    change: Change,
    spelled: String,
) {
    let parameter = Box::new(Parameter { name, subscript, change, spelled });
    word.push(Part::Parameter { parameter, quoted });
}
