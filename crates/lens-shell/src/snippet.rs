//! Code in other languages, looked through for what it plainly names.
//!
//! This reads no grammar. It knows texts in quotes, calls with their arguments, and what a few functions
//! do with a text. Whoever passes code in another language has a [`Doubt::Opaque`] anyway; what is found
//! here tells where it leads at least.

mod effects;
mod tokens;

use crate::plan::Doubt;
use crate::value::{Flow, Value};
use crate::walk::Walk;
use effects::Kind;
use tokens::Token;

/// What is known of the language.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    /// Backticks run a command, where they mean anything.
    Script,
    /// Backticks are quotes.
    Templates,
    /// Only what leaves the filter matters.
    Awk,
}

/// The deepest nesting of calls that is followed; below it, arguments count for the call above.
const FRAMES_MAX: usize = 64;

/// The most texts that one call has.
const ARGUMENTS_MAX: usize = 64;

/// A call, or a list in one, while its arguments are read.
#[derive(Default)]
struct Frame {
    /// The function, in lower case, with what it is called on.
    callee: String,
    kind: Kind,
    is_list: bool,
    texts: Vec<Value>,
    number: Option<String>,
}

struct Search<'w, 'a> {
    walk: &'w mut Walk<'a>,
    language: Language,
    frames: Vec<Frame>,
    connects: bool,
    takes_descriptors: bool,
}

/// Takes down what the code names.
pub(crate) fn search(walk: &mut Walk<'_>, language: Language, code: &Value) {
    walk.suspect(code.taint);
    walk.spend(code.text.len());
    walk.deeper(|walk| {
        let tokens = tokens::of(code);
        let mut search = Search {
            walk,
            language,
            frames: vec![Frame::default()],
            connects: false,
            takes_descriptors: false,
        };
        search.all(&tokens);
        Flow::silent()
    });
}

impl Search<'_, '_> {
    fn all(&mut self, tokens: &[Token]) {
        for (place, token) in tokens.iter().enumerate() {
            let before = tokens.get(..place).unwrap_or_default();
            let next = tokens.get(place + 1);
            match token {
                Token::Text { value, backticks } => self.text(value, *backticks, before, next),
                Token::Number(number) => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.number.get_or_insert_with(|| number.clone());
                    }
                }
                Token::Word(word) => self.word(word, next),
                Token::Mark('(') => self.open(tokens::callee(before), false),
                Token::Mark('[') => self.open(String::new(), true),
                Token::Mark('{') => self.open(String::new(), false),
                Token::Mark(')' | ']' | '}') => self.close(),
                Token::Mark(';' | '\n') if self.frames.len() == 1 => self.statement(),
                Token::Mark(_) => {}
            }
        }
        while self.frames.len() > 1 {
            self.close();
        }
        self.statement();
        if self.connects && self.takes_descriptors {
            self.walk.doubt(Doubt::Listens);
        }
    }

    fn word(&mut self, word: &str, next: Option<&Token>) {
        let calls = matches!(next, Some(Token::Text { .. } | Token::Word(_) | Token::Mark('$')));
        if let [frame] = self.frames.as_mut_slice()
            && calls
            && frame.kind == Kind::Other
        {
            // A call without parentheses lasts to the end of its statement.
            frame.callee = word.to_ascii_lowercase();
            frame.kind = effects::kind(&frame.callee);
        }
        match word {
            "listen" | "createServer" | "TCPServer" | "HTTPServer" => {
                self.walk.doubt(Doubt::Listens);
            }
            "dup2" | "pty" => self.takes_descriptors = true,
            _ => {}
        }
    }

    /// Ends a statement, and with it a call without parentheses.
    fn statement(&mut self) {
        let frame = self.frames.pop().unwrap_or_default();
        self.frames.push(Frame::default());
        if frame.kind != Kind::Other {
            self.finish(frame);
        }
    }

    fn open(&mut self, callee: String, is_list: bool) {
        if self.frames.len() >= FRAMES_MAX {
            return;
        }
        // A list or a group belongs to the call it stands in.
        let kind = match (callee.is_empty(), self.frames.last()) {
            (true, Some(parent)) => parent.kind,
            _ => effects::kind(&callee),
        };
        self.frames.push(Frame { callee, kind, is_list, ..Frame::default() });
    }

    fn close(&mut self) {
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        if frame.callee.is_empty() { self.close_group(frame) } else { self.finish(frame) }
    }

    /// Takes down what a call does, now that all its arguments are known.
    fn finish(&mut self, mut frame: Frame) {
        match frame.kind {
            Kind::Shell => self.run(&frame),
            Kind::Code => {
                for text in &frame.texts {
                    // `exec` runs code in Python and a command of a shell elsewhere.
                    if frame.callee == "exec" && !effects::is_code(&text.text) {
                        self.walk.shell(text, &[], &Flow::unknown());
                    } else {
                        search(self.walk, self.language, text);
                    }
                }
            }
            Kind::Connect => {
                self.connects |= effects::connect(self.walk, &frame.texts, frame.number.as_deref());
            }
            Kind::Decode => frame.texts = effects::decoded(self.walk, &frame.callee, &frame.texts),
            Kind::Join => frame.texts = effects::joined(self.walk, &frame.texts),
            Kind::Other | Kind::Open | Kind::Remove | Kind::Write | Kind::Change => {}
        }
        if !matches!(frame.kind, Kind::Shell | Kind::Code | Kind::Connect) {
            self.hand_up(frame);
        }
    }

    /// A list of words for a program, or something that only groups.
    fn close_group(&mut self, frame: Frame) {
        let starts = frame.is_list && frame.kind == Kind::Shell && !frame.texts.is_empty();
        if !starts {
            self.hand_up(frame);
            return;
        }
        let mut words = Vec::new();
        // `spawn("sh", ["-c", "…"])` names the program before the list.
        if let Some(parent) = self.frames.last_mut()
            && let Some(program) = parent.texts.pop()
        {
            if effects::counts_program(&parent.callee) {
                self.walk.run(&program);
            } else {
                words.push(program);
            }
        }
        words.extend(frame.texts);
        self.walk.start(&words, &Flow::unknown());
    }

    fn hand_up(&mut self, frame: Frame) {
        if let Some(parent) = self.frames.last_mut() {
            let room = ARGUMENTS_MAX.saturating_sub(parent.texts.len());
            parent.texts.extend(frame.texts.into_iter().take(room));
            parent.number = parent.number.take().or(frame.number);
        }
    }

    fn run(&mut self, frame: &Frame) {
        let is_mode =
            |one: &&Value| !matches!(one.text.as_str(), "r" | "w" | "rb" | "wb" | "rt" | "utf8");
        let texts: Vec<Value> = frame.texts.iter().filter(is_mode).cloned().collect();
        match texts.as_slice() {
            [] if self.language == Language::Awk => self.walk.doubt(Doubt::Opaque),
            [] => {}
            [one] => drop(self.walk.shell(one, &[], &Flow::unknown())),
            // `execl(path, name, …)` gives the name twice.
            all if frame.callee.contains("execl") => {
                let words = all.get(1..).unwrap_or_default();
                self.walk.start(words, &Flow::unknown());
            }
            all => drop(self.walk.start(all, &Flow::unknown())),
        }
    }

    fn text(&mut self, value: &Value, backticks: bool, before: &[Token], next: Option<&Token>) {
        if self.language == Language::Awk {
            return self.awk_text(value, before, next);
        }
        if backticks && self.language == Language::Script {
            self.walk.shell(value, &[], &Flow::unknown());
            return;
        }
        let inner = self.frames.last().map_or(Kind::Other, |frame| frame.kind);
        // `open(F, ">", file)`.
        let kind = if inner == Kind::Open && self.after_arrow() { Kind::Write } else { inner };
        let first = self.frames.last().is_none_or(|frame| frame.texts.is_empty());
        let named = matches!(before, [.., Token::Word(_), Token::Mark('=')]);
        if kind != Kind::Shell || named {
            effects::text(self.walk, kind, value, first);
        }
        if let Some(frame) = self.frames.last_mut()
            && frame.texts.len() < ARGUMENTS_MAX
            && !(named && kind == Kind::Shell)
        {
            frame.texts.push(value.clone());
        }
        self.mode(kind, value);
    }

    fn after_arrow(&self) -> bool {
        let last = self.frames.last().and_then(|frame| frame.texts.last());
        last.is_some_and(|last| matches!(last.text.as_str(), ">" | ">>" | "+>" | "+<"))
    }

    /// `open(file, "w")`: the file was taken for one that is read.
    fn mode(&mut self, kind: Kind, value: &Value) {
        let mode = value.text.as_str();
        let writes = kind == Kind::Open
            && (1..=3).contains(&mode.len())
            && mode.chars().all(|letter| "wax+bt>".contains(letter));
        let Some(frame) = self.frames.last().filter(|_| writes) else { return };
        if let Some(file) = frame.texts.first().filter(|file| file.text != mode).cloned() {
            effects::text(self.walk, Kind::Write, &file, true);
        }
    }

    fn awk_text(&mut self, value: &Value, before: &[Token], next: Option<&Token>) {
        let piped = matches!(before.last(), Some(Token::Mark('|')));
        let read_from = matches!(next, Some(Token::Mark('|')));
        if let Some(host) = effects::awk_connection(&value.text) {
            self.walk.reach(&host, value.taint);
        } else if piped || read_from {
            let input = if piped { Flow::unknown() } else { Flow::default() };
            self.walk.shell(value, &[], &input);
        } else if matches!(before.last(), Some(Token::Mark('>'))) {
            effects::text(self.walk, Kind::Write, value, true);
        } else if matches!(before.last(), Some(Token::Mark('<'))) {
            effects::text(self.walk, Kind::Open, value, true);
        }
        if let Some(frame) = self.frames.last_mut()
            && frame.texts.len() < ARGUMENTS_MAX
        {
            frame.texts.push(value.clone());
        }
    }
}
