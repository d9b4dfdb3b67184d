//! Commands with their words: what the words become, and who takes them.

use super::emit::{blanked, shortened};
use super::scope::merge;
use super::{CHOICES_MAX, Walk};
use crate::glob;
use crate::plan::Doubt;
use crate::programs;
use crate::syntax::{Assignment, Part, Simple};
use crate::value::{Flow, Value};

/// Programs that a pattern is tried on.
const LIKELY: [&str; 40] = [
    "cat", "curl", "wget", "bash", "sh", "nc", "rm", "cp", "mv", "dd", "ls", "tar", "ssh", "scp",
    "python3", "python", "perl", "node", "base64", "chmod", "chown", "tee", "head", "tail", "less",
    "more", "grep", "sed", "awk", "find", "xxd", "od", "rev", "nl", "tac", "env", "sudo", "git",
    "openssl", "kill",
];

/// How many of them one pattern is taken for.
const LIKELY_MAX: usize = 4;

/// A program and what it is given.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Its name without a folder.
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a [Value],
    pub(crate) input: &'a Flow,
}

impl Walk<'_> {
    pub(super) fn simple(&mut self, simple: &Simple, input: &Flow) -> Flow {
        let outer = (self.choice, self.choices);
        self.choice = 0;
        let mut flow: Option<Flow> = None;
        let start = self.folders().to_vec();
        let mut ends: Vec<String> = Vec::new();
        loop {
            self.choices = 1;
            self.take_folders(start.clone());
            let next = self.chosen(simple, input);
            merge(&mut ends, self.folders().to_vec());
            flow = Some(match flow {
                Some(flow) => flow.then(next),
                None => next,
            });
            self.choice += 1;
            if self.choice >= self.choices.min(CHOICES_MAX) || !self.step() {
                break;
            }
        }
        self.take_folders(ends);
        (self.choice, self.choices) = outer;
        flow.unwrap_or_else(Flow::silent)
    }

    fn chosen(&mut self, simple: &Simple, input: &Flow) -> Flow {
        let values: Vec<Value> = simple.words.iter().flat_map(|word| self.fields(word)).collect();
        self.redirected(&simple.redirects, input, |walk, input| {
            if values.is_empty() {
                simple.assignments.iter().for_each(|one| walk.assignment(one));
                return Flow::silent();
            }
            if simple.assignments.is_empty() {
                return walk.command(&values, input);
            }
            walk.for_a_while(|walk| {
                simple.assignments.iter().for_each(|one| walk.assignment(one));
                walk.command(&values, input)
            })
        })
    }

    pub(super) fn assignment(&mut self, assignment: &Assignment) {
        if self.is_spent() {
            return;
        }
        let name = assignment.name.as_str();
        let mut values = match assignment.value.as_slice() {
            [Part::Array(words)] => words.iter().flat_map(|word| self.fields(word)).collect(),
            _ => vec![self.single(&assignment.value)],
        };
        if assignment.append {
            values = appended(self.variable(name).unwrap_or_default(), values);
        }
        self.spend(values.iter().map(|value| value.text.len()).sum());
        if let Some(value) = values.first() {
            programs::environment::set(self, name, value);
        }
        self.assign(name, values);
    }

    /// Runs the words of a command.
    pub(crate) fn command(&mut self, words: &[Value], input: &Flow) -> Flow {
        self.spend(words.iter().map(|word| word.text.len()).sum());
        let Some((name, arguments)) = words.split_first() else { return Flow::silent() };
        if name.text.is_empty() || name.text == "…" {
            return Flow::silent();
        }
        if name.taint.unknown {
            return self.unknown_command(name, arguments, input);
        }
        if name.pattern {
            return self.pattern_command(name, arguments, input);
        }
        let before = self.folders().to_vec();
        let mut flow = self.replaced(name, arguments, input);
        let function = self.functions.get(&name.text).cloned();
        if let Some(function) = function {
            let outer = self.arguments.replace(arguments.into());
            let called = self.deeper(|walk| walk.node(&function.body, input));
            self.arguments = outer;
            if function.sure {
                return called;
            }
            flow = Some(called);
        }
        let between = self.folders().to_vec();
        let own = match self.builtin(name, arguments, input) {
            Some(flow) => flow,
            None => self.program(words, input),
        };
        match flow {
            Some(flow) => {
                // Which of the two was meant, so which of them moved, is not known.
                self.or_in(between);
                self.or_in(before);
                flow.then(own).blurred()
            }
            None => own,
        }
    }

    /// A name that has to be looked up at run time; with its variables empty it may be a known one.
    fn unknown_command(&mut self, name: &Value, arguments: &[Value], input: &Flow) -> Flow {
        self.run(name);
        let blank = blanked(&name.text);
        if blank == name.text || blank.is_empty() || blank.contains('…') {
            let call = Call { name: "", arguments, input };
            programs::unfamiliar(self, &call);
            return input.blurred();
        }
        let mut words = vec![Value::known(blank)];
        words.extend_from_slice(arguments);
        self.deeper(|walk| walk.command(&words, input)).blurred()
    }

    /// A name with a pattern: which program it is, the files of the system say.
    fn pattern_command(&mut self, name: &Value, arguments: &[Value], input: &Flow) -> Flow {
        self.run(name);
        self.doubt(Doubt::Opaque);
        let pattern = name.text.rsplit('/').next().unwrap_or_default();
        let meant = LIKELY.iter().filter(|known| glob::matches(pattern, known)).take(LIKELY_MAX);
        for known in meant {
            let mut words = vec![Value::known(*known)];
            words.extend_from_slice(arguments);
            self.program(&words, input);
        }
        input.blurred()
    }

    /// An alias; the program of its name may be meant all the same.
    fn replaced(&mut self, name: &Value, arguments: &[Value], input: &Flow) -> Option<Flow> {
        let mut code = Value::known(self.aliases.get(&name.text)?.clone());
        for argument in arguments {
            code.text.push(' ');
            code.push(argument);
        }
        let alias = self.aliases.remove(&name.text)?;
        let flow = self.code(&code, input);
        self.aliases.insert(name.text.clone(), alias);
        Some(flow)
    }

    /// Runs a program, past functions and what the shell has built in.
    pub(crate) fn program(&mut self, words: &[Value], input: &Flow) -> Flow {
        let Some((name, arguments)) = words.split_first() else { return Flow::silent() };
        if !self.step() {
            return Flow::unknown();
        }
        self.run(name);
        let short = shortened(&name.text);
        if short.contains('/') {
            return self.run_file(name, arguments, input);
        }
        let call = Call { name: short, arguments, input };
        self.deeper(|walk| programs::call(walk, &call))
    }

    /// A program by its path: one that this line wrote is read as a script.
    fn run_file(&mut self, name: &Value, arguments: &[Value], input: &Flow) -> Flow {
        if self.has_content(name) {
            let content = self.content(name);
            return self.run_flow(&content, arguments);
        }
        let base = name.text.rsplit('/').next().unwrap_or_default();
        if base == "…" || name.taint.unknown {
            self.doubt(Doubt::Opaque);
        }
        let call = Call { name: base, arguments, input };
        self.deeper(|walk| programs::call(walk, &call))
    }

    /// Runs words that another program starts.
    pub(crate) fn start(&mut self, words: &[Value], input: &Flow) -> Flow {
        match words.first() {
            Some(name) if name.taint.unknown => {
                self.unknown_command(name, words.get(1..).unwrap_or_default(), input)
            }
            Some(_) => {
                self.spend(words.iter().map(|word| word.text.len()).sum());
                self.program(words, input)
            }
            None => Flow::silent(),
        }
    }
}

fn appended(mut values: Vec<Value>, more: Vec<Value>) -> Vec<Value> {
    match (values.as_mut_slice(), more.as_slice()) {
        ([one], [next]) => {
            one.push(next);
            values
        }
        _ => {
            values.extend(more);
            values
        }
    }
}
