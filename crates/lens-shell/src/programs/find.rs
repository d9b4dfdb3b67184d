//! Searches and listings: what they find, others are fed with.

use super::{Handler, options};
use crate::glob;
use crate::hosts;
use crate::plan::Act;
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "find" => find,
        "fd" | "fdfind" => fd,
        "ls" | "dir" | "vdir" | "exa" | "eza" => list,
        "locate" | "plocate" => locate,
        "grep" | "egrep" | "fgrep" | "rg" => grep,
        _ => return None,
    })
}

fn list(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "I T w ignore color sort format");
    let here = [Value::known(".")];
    let places = if options.operands.is_empty() { &here[..] } else { options.operands.as_slice() };
    let mut flow = Flow::unknown();
    for place in places {
        walk.touch(Act::Read, place);
        flow.taint = flow.taint.with(place.taint);
        let name = if place.text == "." { "*" } else { place.text.as_str() };
        flow.listing.push(name.to_owned());
    }
    flow
}

fn locate(_walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let listing = call.arguments.iter().map(|one| format!("/**/*{}*", one.text)).collect();
    Flow { listing, ..Flow::unknown() }
}

/// `grep` over trees reads what is here when it is told no place.
fn grep(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let Some(row) = super::table::row_of(call.name) else { return Flow::unknown() };
    let mut flow = row.apply(walk, call);
    let flags: Vec<&str> = call.arguments.iter().map(|one| one.text.as_str()).collect();
    let short = |letter| {
        flags
            .iter()
            .any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag.contains(letter))
    };
    let deep = short('r') || short('R') || flags.contains(&"--recursive") || call.name == "rg";
    let operands = flags.iter().filter(|flag| !flag.starts_with('-')).count();
    if deep && operands <= 1 && !call.input.given {
        walk.touch(Act::Read, &Value::known("."));
    }
    if short('l') {
        let files = flags.iter().filter(|flag| !flag.starts_with('-')).skip(1);
        flow.listing = files.map(|file| format!("{}/**", file.trim_end_matches('/'))).collect();
        if flow.listing.is_empty() {
            flow.listing.push("*".to_owned());
        }
    }
    flow
}

/// What one run of `find` finds.
struct Search<'a> {
    roots: Vec<&'a Value>,
    names: Vec<&'a str>,
}

impl Search<'_> {
    /// The found files as patterns; well-known ones among them by their names.
    fn found(&self, home: &str) -> Vec<String> {
        let mut all = Vec::new();
        for root in &self.roots {
            let base = root.text.trim_end_matches('/');
            if self.names.is_empty() {
                all.push(root.text.clone());
            }
            for name in &self.names {
                all.push(format!("{base}/**/{name}"));
                all.extend(glob::sensitive(home, |known| {
                    let below = known.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
                    below && known.rsplit('/').next().is_some_and(|last| glob::matches(name, last))
                }));
            }
        }
        all
    }

    fn values(&self, home: &str) -> Vec<Value> {
        let taint = self.roots.first().map(|root| root.taint).unwrap_or_default();
        self.found(home)
            .iter()
            .map(|name| Value { pattern: true, taint, ..Value::known(name.as_str()) })
            .collect()
    }
}

fn find(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let mut arguments = call.arguments;
    while let Some((first, rest)) = arguments.split_first() {
        match first.text.as_str() {
            "-H" | "-L" | "-P" => arguments = rest,
            "-D" => arguments = rest.get(1..).unwrap_or_default(),
            _ => break,
        }
    }
    let is_root = |one: &&Value| !one.text.starts_with(['-', '(', '!']);
    let here = Value::known(".");
    let mut roots: Vec<&Value> = arguments.iter().take_while(is_root).collect();
    let expression = arguments.get(roots.len()..).unwrap_or_default();
    if roots.is_empty() {
        roots.push(&here);
    }
    let search = Search { roots, names: names(expression) };
    for root in &search.roots {
        walk.touch(Act::Read, root);
    }
    let home = walk.home().to_owned();
    let found = search.values(&home);
    actions(walk, expression, &found);
    let listing = found.into_iter().map(|value| value.text).collect();
    Flow { listing, ..Flow::unknown() }
}

/// The last parts of the names that are searched for.
fn names(expression: &[Value]) -> Vec<&str> {
    let named = |pair: &&[Value]| {
        pair.first().is_some_and(|one| {
            matches!(one.text.as_str(), "-name" | "-iname" | "-path" | "-ipath" | "-wholename")
        })
    };
    expression
        .windows(2)
        .filter(named)
        .filter_map(|pair| pair.get(1)?.text.rsplit('/').next())
        .collect()
}

fn actions(walk: &mut Walk<'_>, expression: &[Value], found: &[Value]) {
    let mut rest = expression;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first.text.as_str() {
            "-delete" => found.iter().for_each(|one| walk.remove_tree(one)),
            "-exec" | "-execdir" | "-ok" | "-okdir" => {
                let end = rest.iter().position(|one| matches!(one.text.as_str(), ";" | "+"));
                let command = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                rest = rest.get(command.len()..).unwrap_or_default();
                start_with(walk, command, "{}", found);
            }
            "-fprint" | "-fprintf" | "-fls" | "-fprint0" => {
                rest.first().iter().for_each(|file| walk.touch(Act::Write, file));
            }
            "-newer" | "-samefile" | "-files0-from" => {
                rest.first().iter().for_each(|file| walk.touch(Act::Read, file));
            }
            _ => {}
        }
    }
}

/// Starts a command once with each of the values in the place of a mark.
pub(super) fn start_with(walk: &mut Walk<'_>, command: &[Value], mark: &str, values: &[Value]) {
    for value in values {
        let words: Vec<Value> = command.iter().map(|word| filled(word, mark, value)).collect();
        walk.start(&words, &Flow::unknown());
    }
}

fn filled(word: &Value, mark: &str, value: &Value) -> Value {
    if mark.is_empty() || !word.text.contains(mark) {
        return word.clone();
    }
    Value {
        text: word.text.replace(mark, &value.text),
        taint: word.taint.with(value.taint),
        pattern: word.pattern || value.pattern,
        source: None,
    }
}

fn fd(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let place = call
        .arguments
        .iter()
        .position(|one| matches!(one.text.as_str(), "-x" | "-X" | "--exec" | "--exec-batch"));
    let (own, command) = call.arguments.split_at(place.unwrap_or(call.arguments.len()));
    let options = options::read(own, "e extension t type E exclude d max-depth base-directory");
    let root = options.operands.get(1).cloned().unwrap_or_else(|| Value::known("."));
    walk.touch(Act::Read, &root);
    let found = Value { pattern: true, ..root.derived(format!("{}/**", root.text)) };
    if let Some(command) = command.get(1..) {
        let mut words = command.to_vec();
        if !words.iter().any(|word| word.text.contains("{}")) {
            words.push(Value::known("{}"));
        }
        start_with(walk, &words, "{}", std::slice::from_ref(&found));
    }
    Flow { listing: vec![found.text], ..Flow::unknown() }
}

/// What `xargs` and `parallel` take out of their input: names, when it is known to be such.
pub(super) fn items(flow: &Flow, by_line: bool) -> Vec<Value> {
    if !flow.listing.is_empty() {
        let pattern = |name: &String| crate::expand::listed(name, flow.taint);
        return flow.listing.iter().map(pattern).collect();
    }
    let Some(text) = &flow.text else { return vec![Value::unknown("$(…)")] };
    let value = |text: &str| Value { taint: flow.taint, ..Value::known(text) };
    if by_line {
        return text.lines().map(value).collect();
    }
    text.split_whitespace().map(|word| value(word.trim_matches(['"', '\'']))).collect()
}

/// An address or a path among the operands of a program that takes both.
pub(super) fn place(walk: &mut Walk<'_>, act: Act, value: &Value) {
    match hosts::of_remote_path(&value.text) {
        Some(host) => walk.reach(&host, value.taint),
        None => walk.touch(act, value),
    }
}
