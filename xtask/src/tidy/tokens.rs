//! Rust source as a flat list of tokens with line numbers, groups knowing where they end.

use std::ops::Range;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A file's tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens(Vec<Token>);

/// An identifier, literal, punctuation mark, or one end of a group.
#[derive(Debug)]
pub(super) struct Token {
    /// The token as written; `::` is one token.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// For the opening end of a group, the place of the closing end; for all others, their own.
    end: usize,
}

impl Tokens {
    /// Splits a file, or says why it is not Rust.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let stream: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
        let mut tokens = Self::default();
        tokens.append(stream);
        Ok(tokens)
    }

    fn append(&mut self, stream: TokenStream) {
        for tree in stream {
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = ends(group.delimiter());
                    let place = self.0.len();
                    self.add(open.to_owned(), group.span_open().start().line);
                    self.append(group.stream());
                    let end = self.0.len();
                    self.add(close.to_owned(), group.span_close().end().line);
                    if let Some(token) = self.0.get_mut(place) {
                        token.end = end;
                    }
                }
                TokenTree::Punct(punct) => {
                    let line = punct.span().start().line;
                    let joins = self.0.last().is_some_and(|last| last.text == ":+");
                    match (punct.as_char(), joins) {
                        (':', true) => {
                            self.0.pop();
                            self.add("::".to_owned(), line);
                        }
                        (':', false) if punct.spacing() == Spacing::Joint => {
                            self.add(":+".to_owned(), line);
                        }
                        (other, _) => self.add(other.to_string(), line),
                    }
                }
                TokenTree::Ident(word) => self.add(word.to_string(), word.span().start().line),
                TokenTree::Literal(literal) => {
                    self.add(literal.to_string(), literal.span().start().line);
                }
            }
        }
    }

    fn add(&mut self, text: String, line: usize) {
        let end = self.0.len();
        self.0.push(Token { text, line, end });
    }

    /// The token at a place; past the end there is only emptiness.
    fn text(&self, place: usize) -> &str {
        self.0.get(place).map_or("", |token| token.text.as_str())
    }

    fn line(&self, place: usize) -> usize {
        self.0.get(place).map_or(0, |token| token.line)
    }

    fn end(&self, place: usize) -> usize {
        self.0.get(place).map_or(place, |token| token.end)
    }

    /// Whether these tokens stand at a place.
    fn stands(&self, place: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.text(place + offset) == *text)
    }

    /// Lines of code that exist only in tests: items under `#[cfg(test)]` and `#[test]`, and names
    /// of modules in files of their own that do.
    pub(super) fn test_code(&self) -> TestCode {
        let mut found = TestCode::default();
        let mut place = 0;
        while place < self.0.len() {
            if self.stands(place, &["#", "!", "["]) && self.is_test_attribute(place + 2) {
                found.lines.push(1..usize::MAX);
            }
            let marked = self.stands(place, &["#", "["]) && self.is_test_attribute(place + 1);
            if !marked {
                place += 1;
                continue;
            }
            let (start, end) = (place, self.end_of_item(place));
            if let Some(name) = self.module_elsewhere(start, end) {
                found.modules.push(name);
            }
            found.lines.push(self.line(start)..self.line(end) + 1);
            place = end + 1;
        }
        found
    }

    /// Whether the attribute whose bracket opens here is `test`, or a `cfg` that asks for it.
    fn is_test_attribute(&self, bracket: usize) -> bool {
        let words = || (bracket + 1..self.end(bracket)).map(|place| self.text(place));
        let is_cfg = self.text(bracket + 1) == "cfg";
        let is_test = words().next_back() == Some("test") && !is_cfg;
        is_test || (is_cfg && words().any(|word| word == "test") && !words().any(|w| w == "not"))
    }

    /// Where the item ends whose first attribute stands here: at its closing brace or semicolon.
    fn end_of_item(&self, mut place: usize) -> usize {
        while place < self.0.len() {
            match self.text(place) {
                ";" => return place,
                "{" => return self.end(place),
                _ => place = self.end(place) + 1,
            }
        }
        self.0.len().saturating_sub(1)
    }

    fn module_elsewhere(&self, start: usize, end: usize) -> Option<String> {
        let is_declared = self.text(end) == ";" && self.text(end.checked_sub(2)?) == "mod";
        (is_declared && end > start).then(|| self.text(end - 1).to_owned())
    }

    /// Every function with a body: its name, first line and last line.
    pub(super) fn functions(&self) -> Vec<Function> {
        let starts = (0..self.0.len()).filter(|place| self.text(*place) == "fn");
        starts
            .filter_map(|place| {
                let name = self.text(place + 1);
                let named = is_word(name);
                let end = self.end_of_item(place);
                (named && self.text(end) == "}").then(|| Function {
                    name: name.to_owned(),
                    first: self.line(place),
                    last: self.line(end),
                })
            })
            .collect()
    }

    /// Every path of two names or more, `use` trees spelled out: `std::fs::read`, and its line.
    pub(super) fn paths(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        let mut place = 0;
        while place < self.0.len() {
            let is_start = self.text(place + 1) == "::" && is_word(self.text(place));
            place = if is_start { self.path(place, "", &mut found) } else { place + 1 };
        }
        found
    }

    /// Reads one path, or a group of them, and returns the place behind it.
    fn path(&self, mut place: usize, prefix: &str, found: &mut Vec<(String, usize)>) -> usize {
        let line = self.line(place);
        let mut path = prefix.to_owned();
        loop {
            if self.text(place) == "{" {
                let end = self.end(place);
                let mut inside = place + 1;
                while inside < end {
                    let is_word = !matches!(self.text(inside), "," | "::");
                    inside = if is_word { self.path(inside, &path, found) } else { inside + 1 };
                }
                return end + 1;
            }
            path.push_str(self.text(place));
            if self.text(place + 1) != "::" {
                break;
            }
            path.push_str("::");
            place += 2;
        }
        found.push((path, line));
        place + 1
    }

    /// The lines of `#[ignore]` and `#[ignore = "…"]`.
    pub(super) fn ignored_tests(&self) -> Vec<usize> {
        let places = (0..self.0.len()).filter(|place| self.stands(*place, &["#", "[", "ignore"]));
        places.map(|place| self.line(place)).collect()
    }
}

/// Where a file's test code is.
#[derive(Debug, Default)]
pub(super) struct TestCode {
    /// Ranges of lines.
    pub(super) lines: Vec<Range<usize>>,
    /// Modules declared here under `#[cfg(test)]` whose code is in files of their own.
    pub(super) modules: Vec<String>,
}

impl TestCode {
    /// Whether a line belongs to test code.
    pub(super) fn holds(&self, line: usize) -> bool {
        self.lines.iter().any(|range| range.contains(&line))
    }
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// The line of `fn`.
    pub(super) first: usize,
    /// The line of the closing brace.
    pub(super) last: usize,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn ends(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens {
        Tokens::parse(text).unwrap_or_default()
    }

    #[test]
    fn paths_are_spelled_out() {
        let check = |text: &str, want: &[&str]| {
            let found: Vec<_> = tokens(text).paths().into_iter().map(|(path, _)| path).collect();
            assert_eq!(found, want, "{text}");
        };
        check(
            "use std::{fs, io::{self, Read}, net::*};",
            &["std::fs", "std::io::self", "std::io::Read", "std::net::*"],
        );
        check(
            "fn f() { let x: a::B = std::fs::read(c); y::<Z>::new() }",
            &["a::B", "std::fs::read", "y::<"],
        );
        check("proptest! { #[test] fn t() { std::thread::sleep(d) } }", &["std::thread::sleep"]);
        check("struct A { b: c, d: e } // std::fs", &[]);
    }

    #[test]
    fn functions_are_measured_from_name_to_brace() {
        let text = "fn a() {}\nfn b(\n  x: [u8; 3],\n) -> T\nwhere T: X {\n  one();\n}\n\
            trait T { fn c(); }\ntype F = fn(u8);\nm! { fn d() {\n} }";
        let found: Vec<_> = tokens(text)
            .functions()
            .into_iter()
            .map(|function| (function.name, function.last - function.first + 1))
            .collect();
        let want = [("a", 1), ("b", 6), ("d", 2)];
        assert_eq!(found, want.map(|(name, lines)| (name.to_owned(), lines)));
    }

    #[test]
    fn test_code_is_told_from_shipped_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n}\nfn b() {}\n#[cfg(test)]\n#[x]\nmod more;\n\
            #[cfg(not(test))]\nfn c() {}\n#[tokio::test]\nasync fn d() {\n}\n#[cfg_attr(test, x)]\nfn e() {}";
        let code = tokens(text).test_code();
        let lines: Vec<_> = (1..16).filter(|line| code.holds(*line)).collect();
        assert_eq!(lines, [2, 3, 4, 6, 7, 8, 11, 12, 13]);
        assert_eq!(code.modules, ["more"]);
        assert!(tokens("#![cfg(test)]\nfn a() {}").test_code().holds(2));
    }

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(
            tokens("#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"b\"]").ignored_tests(),
            [2, 4]
        );
    }
}
