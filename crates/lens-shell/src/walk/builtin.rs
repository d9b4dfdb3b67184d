//! What a shell does itself.

use super::Walk;
use super::command::Call;
use crate::parse::{assignment, is_variable};
use crate::plan::{Act, Doubt};
use crate::programs;
use crate::syntax::Part;
use crate::value::{Flow, Value};

/// All that [`Walk::builtin`] takes.
const BUILTINS: [&str; 60] = [
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
];

impl Walk<'_> {
    /// Runs what the shell has built in; `None` when it has nothing of this name.
    pub(super) fn builtin(
        &mut self,
        name: &Value,
        arguments: &[Value],
        input: &Flow,
    ) -> Option<Flow> {
        match name.text.as_str() {
            "echo" | "printf" | "pwd" | "test" | "[" | "true" | "false" | "kill" => {
                let call = Call { name: &name.text, arguments, input };
                Some(programs::call(self, &call))
            }
            "eval" => Some(self.evaluate(arguments, input)),
            "." | "source" => Some(self.source(arguments, input)),
            "exec" => Some(self.replace_shell(arguments, input)),
            "command" | "builtin" => Some(self.plainly(arguments, input)),
            "trap" => Some(self.on_signal(arguments, input)),
            other => self.state_builtin(other, arguments, input).then(Flow::silent),
        }
    }

    /// Those that only change the shell; whether it was one.
    fn state_builtin(&mut self, name: &str, arguments: &[Value], input: &Flow) -> bool {
        match name {
            "cd" => self.change_folder(arguments),
            "pushd" => self.push_folder(arguments),
            "popd" => self.leave_folder(arguments),
            "export" | "declare" | "typeset" | "local" | "readonly" => self.declare(arguments),
            "unset" => self.unset_all(arguments),
            "set" => self.set_options(arguments),
            "shift" => self.shift(arguments),
            "alias" => self.alias(arguments),
            "read" => self.read(arguments, input),
            "mapfile" | "readarray" => self.read_lines(arguments, input),
            "history" | "fc" => self.history(arguments),
            "let" | "getopts" | ":" | "return" | "exit" | "break" | "continue" | "wait"
            | "jobs" | "fg" | "bg" | "disown" | "ulimit" | "umask" | "type" | "hash" | "shopt"
            | "bind" | "complete" | "compgen" | "compopt" | "suspend" | "times" | "logout"
            | "dirs" | "caller" | "unalias" | "help" => {}
            // It loads code when it is asked to.
            "enable" => self.enable(arguments),
            _ => return false,
        }
        true
    }

    fn evaluate(&mut self, arguments: &[Value], input: &Flow) -> Flow {
        let code = joined(arguments);
        self.code(&code, input)
    }

    fn source(&mut self, arguments: &[Value], input: &Flow) -> Flow {
        let Some(file) = arguments.first() else { return Flow::silent() };
        self.touch(Act::Read, file);
        if !self.has_content(file) {
            return Flow::unknown();
        }
        let content = self.content(file);
        self.code(&content.value(""), input)
    }

    fn replace_shell(&mut self, arguments: &[Value], input: &Flow) -> Flow {
        let mut words = arguments;
        while let Some((first, rest)) = words.split_first() {
            match first.text.as_str() {
                "-a" => words = rest.get(1..).unwrap_or_default(),
                "-c" | "-l" | "-cl" | "-lc" | "--" => words = rest,
                _ => break,
            }
        }
        self.start(words, input)
    }

    /// `command x` and `builtin x` run `x` past functions; with `-v` they only look.
    fn plainly(&mut self, arguments: &[Value], input: &Flow) -> Flow {
        let mut words = arguments;
        while let Some((first, rest)) = words.split_first() {
            match first.text.as_str() {
                "-v" | "-V" => return Flow::unknown(),
                "-p" | "--" => words = rest,
                _ => break,
            }
        }
        let Some((name, rest)) = words.split_first() else { return Flow::silent() };
        if name.taint.unknown {
            return self.start(words, input);
        }
        if !BUILTINS.contains(&name.text.as_str()) {
            return self.program(words, input);
        }
        self.deeper(|walk| walk.builtin(name, rest, input).unwrap_or_else(Flow::unknown))
    }

    fn on_signal(&mut self, arguments: &[Value], input: &Flow) -> Flow {
        let code = arguments.iter().find(|argument| argument.text != "--");
        let Some(code) = code.filter(|code| !code.text.starts_with('-')) else {
            return Flow::silent();
        };
        if arguments.len() > 1 && !code.text.is_empty() {
            self.code(code, input);
        }
        Flow::silent()
    }

    pub(super) fn change_folder(&mut self, arguments: &[Value]) {
        let folder = arguments.iter().find(|one| !one.text.starts_with('-') || one.text == "-");
        match folder {
            None => {
                let home = self.home().to_owned();
                self.enter(&Value::known(if home.is_empty() { "~".to_owned() } else { home }));
            }
            Some(folder) if folder.text == "-" => self.enter(&Value::unknown("$OLDPWD")),
            Some(folder) => {
                // A search path would lead elsewhere.
                if !self.variable("CDPATH").unwrap_or_default().is_empty() {
                    self.doubt(Doubt::Opaque);
                }
                self.enter(folder);
            }
        }
    }

    fn declare(&mut self, arguments: &[Value]) {
        for argument in arguments {
            let word = vec![Part::Bare(argument.text.clone())];
            let Ok(mut found) = assignment(word, true) else { continue };
            // The value was expanded before; nothing in it means anything now.
            if let Some(Part::Bare(text)) = found.value.first() {
                let text = text.clone();
                found.value = vec![Part::Quoted(text)];
            }
            self.assignment(&found);
            if argument.taint != crate::value::Taint::default() {
                let text = argument.text.split_once('=').map_or("", |(_, text)| text);
                self.assign(&found.name, vec![argument.derived(text)]);
            }
        }
    }

    fn unset_all(&mut self, arguments: &[Value]) {
        for argument in arguments {
            if argument.text.starts_with("HIST") {
                self.doubt(Doubt::History);
            }
            self.unset(&argument.text);
            self.forget_function(&argument.text);
        }
    }

    fn set_options(&mut self, arguments: &[Value]) {
        let place = arguments.iter().position(|one| one.text == "--");
        let history = arguments.iter().any(|one| one.text == "history");
        if history && arguments.iter().any(|one| one.text == "+o") {
            self.doubt(Doubt::History);
        }
        let plain = arguments.first().is_some_and(|one| !one.text.starts_with(['-', '+']));
        let start = if plain { Some(0) } else { place.map(|place| place + 1) };
        if let Some(words) = start.and_then(|start| arguments.get(start..)) {
            let may = self.conditional > 0;
            self.set_arguments((!may).then(|| words.to_vec()));
        }
    }

    fn shift(&mut self, arguments: &[Value]) {
        let count = arguments.first().map_or(Some(1), |count| count.text.parse().ok());
        let rest = count.and_then(|count: usize| {
            let rest = self.arguments()?.get(count..)?.to_vec();
            (self.conditional == 0).then_some(rest)
        });
        self.set_arguments(rest);
    }

    fn alias(&mut self, arguments: &[Value]) {
        for argument in arguments {
            if let Some((name, code)) = argument.text.split_once('=') {
                self.aliases.insert(name.to_owned(), code.to_owned());
            }
        }
    }

    /// A line into variables, or each line for all turns of a loop.
    fn read(&mut self, arguments: &[Value], input: &Flow) {
        let names: Vec<&str> = arguments
            .iter()
            .map(|one| one.text.as_str())
            .filter(|name| is_variable(name))
            .collect();
        let names = if names.is_empty() { vec!["REPLY"] } else { names };
        let lines: Vec<String> = match &input.text {
            Some(text) => text.lines().take(super::CHOICES_MAX + 1).map(str::to_owned).collect(),
            None => input.listing.clone(),
        };
        for (place, name) in names.iter().enumerate() {
            let last = place + 1 == names.len();
            let choice = |line: &String| vec![self.field_of(line, place, last, input)];
            let choices: Vec<Vec<Value>> = lines.iter().map(choice).collect();
            if choices.is_empty() {
                self.set_choices(name, vec![vec![Value::unknown(format!("${name}"))]]);
            } else {
                self.set_choices(name, choices);
            }
        }
    }

    fn field_of(&self, line: &str, place: usize, last: bool, input: &Flow) -> Value {
        let set = self.variable("IFS").and_then(|all| all.first().map(|one| one.text.clone()));
        let separators = set.unwrap_or_default();
        let is_separator = |letter: char| match separators.is_empty() {
            true => letter.is_whitespace(),
            false => separators.contains(letter),
        };
        let mut rest = line.trim_matches(&is_separator);
        for _ in 0..place {
            rest = rest.split_once(is_separator).map_or("", |(_, rest)| rest);
        }
        let text = if last { rest } else { rest.split(&is_separator).next().unwrap_or_default() };
        crate::expand::listed(text, input.taint)
    }

    fn read_lines(&mut self, arguments: &[Value], input: &Flow) {
        let name = arguments.iter().rfind(|one| is_variable(&one.text));
        let name = name.map_or("MAPFILE", |name| name.text.as_str()).to_owned();
        let values = match &input.text {
            Some(text) => text.lines().map(|line| Value::known(line).derived(line)).collect(),
            None => vec![Value::unknown(format!("${name}"))],
        };
        self.spend(values.iter().map(|value: &Value| value.text.len() + 8).sum());
        self.assign(&name, values);
    }

    fn history(&mut self, arguments: &[Value]) {
        let clears = |one: &Value| one.text.starts_with('-') && one.text.contains(['c', 'd', 'w']);
        if arguments.iter().any(clears) {
            self.doubt(Doubt::History);
        }
    }

    fn enable(&mut self, arguments: &[Value]) {
        let mut all = arguments.iter();
        if all.any(|one| one.text == "-f")
            && let Some(library) = all.next()
        {
            self.touch(Act::Read, library);
            self.run(library);
        }
    }
}

/// Words with a space between them, as `eval` and `ssh` join them.
pub(crate) fn joined(words: &[Value]) -> Value {
    let mut all = Value::default();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            all.text.push(' ');
        }
        all.push(word);
    }
    all.pattern = false;
    all
}
