//! Programs that say what they are told.

use super::Handler;
use crate::escape::{self, Dialect};
use crate::plan::Act;
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk, joined};

/// The longest output of `printf` that is followed, in bytes.
const PRINTED_MAX_BYTES: usize = 64 << 10;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "echo" => echo,
        "printf" => printf,
        "pwd" => pwd,
        "test" | "[" => test,
        "true" | "false" => quiet,
        _ => return None,
    })
}

fn quiet(_walk: &mut Walk<'_>, _call: &Call<'_>) -> Flow {
    Flow::silent()
}

fn pwd(walk: &mut Walk<'_>, _call: &Call<'_>) -> Flow {
    Flow::text(walk.folder())
}

/// A test looks at files, but shows nothing of them.
fn test(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    for pair in call.arguments.windows(2) {
        if let [operator, file] = pair
            && matches!(operator.text.as_str(), "-e" | "-f" | "-d" | "-r" | "-s" | "-x" | "-w")
            && !file.taint.unknown
        {
            walk.touch(Act::Read, file);
        }
    }
    Flow::silent()
}

fn echo(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let is_option = |one: &&Value| {
        one.text.strip_prefix('-').is_some_and(|letters| {
            !letters.is_empty() && letters.chars().all(|letter| "neE".contains(letter))
        })
    };
    let options: Vec<&Value> = call.arguments.iter().take_while(is_option).collect();
    let words = call.arguments.get(options.len()..).unwrap_or_default();
    let mut value = joined(words);
    if options.iter().any(|one| one.text.contains('e')) {
        let written = escape::decode(&value.text, Dialect::Echo);
        value.taint.decoded |= written.coded;
        value.text = written.text;
    }
    if !options.iter().any(|one| one.text.contains('n')) {
        value.text.push('\n');
    }
    said(walk, value, words)
}

/// What is not known of a text leaves the rest of it readable; names stay names.
fn said(walk: &mut Walk<'_>, value: Value, words: &[Value]) -> Flow {
    walk.spend(value.text.len());
    let mut flow = Flow::text(value.text).tainted(value.taint);
    if words.iter().any(|word| word.pattern) {
        flow.listing = words.iter().map(|word| word.text.clone()).collect();
    }
    flow
}

fn printf(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let (target, rest) = match call.arguments {
        [option, name, rest @ ..] if option.text == "-v" => (Some(name), rest),
        [option, rest @ ..] if option.text == "--" => (None, rest),
        rest => (None, rest),
    };
    let Some((format, arguments)) = rest.split_first() else { return Flow::silent() };
    let value = formatted(format, arguments);
    walk.spend(value.text.len());
    match target {
        Some(name) => {
            walk.assign(&name.text, vec![value]);
            Flow::silent()
        }
        None => said(walk, value, arguments),
    }
}

/// The format, again and again until all arguments are used.
fn formatted(format: &Value, arguments: &[Value]) -> Value {
    let mut out = Value { taint: format.taint, ..Value::default() };
    let mut left = arguments.iter();
    loop {
        let before = left.len();
        let starts = escape::decode(&format.text, Dialect::Quotes);
        out.taint.decoded |= starts.coded;
        fill(&starts.text, &mut left, &mut out);
        if left.len() == 0 || left.len() == before || out.text.len() > PRINTED_MAX_BYTES {
            return out;
        }
    }
}

fn fill(format: &str, left: &mut std::slice::Iter<'_, Value>, out: &mut Value) {
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        out.text.push_str(text);
        let width = |letter: char| letter.is_ascii_digit() || "-+ #.*'".contains(letter);
        let after = after.trim_start_matches(width);
        let mut letters = after.chars();
        match letters.next() {
            Some('%') => out.text.push('%'),
            Some(kind) => {
                let argument = left.next().cloned().unwrap_or_default();
                convert(kind, &argument, out);
            }
            None => out.text.push('%'),
        }
        rest = letters.as_str();
    }
    out.text.push_str(rest);
}

fn convert(kind: char, argument: &Value, out: &mut Value) {
    let text = argument.text.as_str();
    let number = crate::arithmetic::evaluated(text).unwrap_or_default();
    let (text, coded) = match kind {
        'b' => {
            let written = escape::decode(text, Dialect::Echo);
            (written.text, written.coded)
        }
        'o' => (format!("{number:o}"), false),
        'x' => (format!("{number:x}"), false),
        'X' => (format!("{number:X}"), false),
        'c' => (text.chars().take(1).collect(), false),
        _ => (text.to_owned(), false),
    };
    let taint = argument.taint.with(Taint { decoded: coded, ..Taint::default() });
    out.push(&Value { taint, ..Value::known(text) });
}
