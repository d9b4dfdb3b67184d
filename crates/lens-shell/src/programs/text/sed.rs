//! `sed`, which can read, write and run.

use crate::plan::{Act, Doubt};
use crate::programs::options;
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

/// Reads a call of `sed`.
pub(in crate::programs) fn sed(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "e expression f file l line-length");
    let mut files = options.operands.as_slice();
    let in_place = options.has(&["i", "in-place"]) || options.value(&["in-place"]).is_some();
    let mut scripted = false;
    for file in options.values(&["f", "file"]) {
        scripted = true;
        walk.touch(Act::Read, file);
    }
    for code in options.values(&["e", "expression"]) {
        scripted = true;
        script(walk, code);
    }
    if let Some((code, rest)) = files.split_first().filter(|_| !scripted) {
        script(walk, code);
        files = rest;
    }
    let flow = super::inputs(walk, call, files);
    if in_place {
        files.iter().for_each(|file| walk.touch(Act::Write, file));
    }
    flow.blurred()
}

fn script(walk: &mut Walk<'_>, code: &Value) {
    let mut reader = Reader { rest: code.text.as_str() };
    while let Some(command) = reader.command() {
        match command {
            Command::Files { name, file } => {
                let act = if matches!(name, 'r' | 'R') { Act::Read } else { Act::Write };
                walk.touch(act, &code.derived(file));
            }
            Command::Run("") => walk.doubt(Doubt::Opaque),
            Command::Run(text) => drop(walk.shell(&code.derived(text), &[], &Flow::unknown())),
            Command::Other => {}
        }
    }
}

enum Command<'a> {
    /// `r`, `R`, `w`, `W` and the flag `w`.
    Files {
        name: char,
        file: &'a str,
    },
    /// `e` and the flag `e`; empty when it runs what it finds.
    Run(&'a str),
    Other,
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn command(&mut self) -> Option<Command<'a>> {
        self.address();
        let mut letters = self.rest.chars();
        let name = letters.next()?;
        self.rest = letters.as_str();
        Some(match name {
            's' => self.substitution(),
            'y' => {
                self.delimited();
                self.delimited_again();
                Command::Other
            }
            'r' | 'R' | 'w' | 'W' => Command::Files { name, file: self.line().trim() },
            'e' => Command::Run(self.line().trim()),
            'a' | 'i' | 'c' | '#' | ':' | 'b' | 't' | 'T' => {
                self.line();
                Command::Other
            }
            _ => Command::Other,
        })
    }

    /// Numbers, patterns and what stands between them.
    fn address(&mut self) {
        loop {
            let rest = self.rest.trim_start_matches(|letter: char| {
                letter.is_whitespace() || letter.is_ascii_digit() || ";,!~$+{}".contains(letter)
            });
            self.rest = rest;
            let custom = rest.strip_prefix('\\');
            if custom.is_none() && !rest.starts_with('/') {
                return;
            }
            self.rest = custom.unwrap_or(rest);
            self.delimited();
            self.rest = self.rest.get(1..).unwrap_or_default();
            self.rest = self.rest.trim_start_matches(['I', 'M']);
        }
    }

    /// The text between a delimiter, which stands here, and the next one, which stays.
    fn delimited(&mut self) -> (char, &'a str) {
        let mut letters = self.rest.chars();
        let Some(delimiter) = letters.next() else { return ('/', "") };
        let body = letters.as_str();
        let mut escaped = false;
        let end = body.char_indices().find(|(_, letter)| {
            let ends = *letter == delimiter && !escaped;
            escaped = *letter == '\\' && !escaped;
            ends
        });
        let end = end.map_or(body.len(), |(at, _)| at);
        self.rest = body.get(end..).unwrap_or_default();
        (delimiter, body.get(..end).unwrap_or_default())
    }

    /// The text up to the next delimiter, and that.
    fn delimited_again(&mut self) -> &'a str {
        let (delimiter, text) = self.delimited();
        self.rest = self.rest.strip_prefix(delimiter).unwrap_or(self.rest);
        text
    }

    fn substitution(&mut self) -> Command<'a> {
        self.delimited();
        let with = self.delimited_again();
        let end = self.rest.find([';', '\n', '}']).unwrap_or(self.rest.len());
        let flags = self.rest.get(..end).unwrap_or_default();
        if let Some((_, file)) = flags.split_once('w') {
            return Command::Files {
                name: 'w',
                file: {
                    self.line();
                    file.trim()
                },
            };
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        match flags.contains('e') {
            true if with.contains(['&', '\\']) => Command::Run(""),
            true => Command::Run(with),
            false => Command::Other,
        }
    }

    fn line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        line
    }
}
