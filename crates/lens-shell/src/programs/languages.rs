//! Interpreters of other languages.

use super::{Handler, options};
use crate::plan::{Act, Doubt};
use crate::snippet::{self, Language};
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    let family = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    Some(match family {
        "python" | "pypy" | "ipython" => python,
        "perl" => perl,
        "ruby" | "node" | "nodejs" | "deno" | "php" | "lua" | "luajit" | "Rscript" | "R"
        | "tclsh" | "osascript" | "julia" | "guile" | "irb" | "swift" | "scala" | "groovy"
        | "elixir" | "ts-node" | "tsx" | "pwsh" | "raku" => other,
        _ => return None,
    })
}

/// Text in another language that this line holds or makes.
fn code(walk: &mut Walk<'_>, language: Language, code: &Value) {
    walk.doubt(Doubt::Opaque);
    if code.taint.fetched {
        walk.doubt(Doubt::FetchedCode);
    }
    if code.taint.decoded {
        walk.doubt(Doubt::Decoded);
        walk.doubt(Doubt::DecodedCode);
    }
    snippet::search(walk, language, code);
}

fn language_of(name: &str) -> Language {
    const TEMPLATES: [&str; 6] = ["node", "nodejs", "deno", "tsx", "ts-node", "bun"];
    if TEMPLATES.contains(&name) { Language::Templates } else { Language::Script }
}

/// A program in a file or from a pipe.
fn file(walk: &mut Walk<'_>, language: Language, file: &Value) {
    walk.touch(Act::Read, file);
    if walk.has_content(file) {
        let content = walk.content(file);
        code(walk, language, &content.value(""));
    }
}

fn piped(walk: &mut Walk<'_>, call: &Call<'_>) {
    if call.input.given {
        code(walk, language_of(call.name), &call.input.value(""));
    }
}

fn python(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let mut rest = call.arguments;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let Some(letters) = first.text.strip_prefix('-').filter(|letters| !letters.is_empty())
        else {
            if first.text == "-" {
                piped(walk, call);
            } else {
                file(walk, Language::Script, first);
                look_through(walk, after);
            }
            return Flow::unknown();
        };
        if first.text.starts_with("--") {
            continue;
        }
        let takes = letters.find(['c', 'm', 'W', 'X']);
        let Some(place) = takes else { continue };
        let inline = letters.get(place + 1..).unwrap_or_default();
        let value = match after.first() {
            _ if !inline.is_empty() => first.derived(inline),
            Some(next) => next.clone(),
            None => return Flow::unknown(),
        };
        rest = if inline.is_empty() { after.get(1..).unwrap_or_default() } else { after };
        match letters.get(place..place + 1) {
            Some("c") => {
                code(walk, Language::Script, &value);
                look_through(walk, rest);
                return Flow::unknown();
            }
            Some("m") => return module(walk, &value, rest, call),
            _ => {}
        }
    }
    if !call.arguments.iter().any(|one| matches!(one.text.as_str(), "-V" | "--version" | "-h")) {
        piped(walk, call);
    }
    Flow::unknown()
}

/// Arguments of a program in a language that we do not read: paths among them are read.
fn look_through(walk: &mut Walk<'_>, arguments: &[Value]) {
    let input = Flow::unknown();
    super::unfamiliar(walk, &Call { name: "", arguments, input: &input });
}

/// `python -m`: modules that do more than compute.
fn module(walk: &mut Walk<'_>, name: &Value, arguments: &[Value], call: &Call<'_>) -> Flow {
    match name.text.as_str() {
        "http.server" | "SimpleHTTPServer" | "pyftpdlib" => walk.doubt(Doubt::Listens),
        "pip" => {
            let inner = Call { name: "pip", arguments, input: call.input };
            return super::call(walk, &inner);
        }
        "venv" | "virtualenv" => {
            arguments.iter().for_each(|one| walk.touch(Act::Write, one));
        }
        "zipfile" | "tarfile" => {
            arguments.iter().filter(|one| !one.text.starts_with('-')).for_each(|one| {
                walk.touch(Act::Read, one);
            });
        }
        "base64" if arguments.iter().any(|one| one.text == "-d") => {
            return super::text::decoded(walk, call.input, crate::decode::base64);
        }
        _ => look_through(walk, arguments),
    }
    Flow::unknown()
}

fn perl(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let mut scripted = false;
    let mut in_place = false;
    let mut rest = call.arguments;
    while let Some((first, after)) = rest.split_first() {
        let Some(letters) = first.text.strip_prefix('-').filter(|letters| !letters.is_empty())
        else {
            break;
        };
        rest = after;
        if letters == "-" {
            break;
        }
        in_place |= letters.contains('i');
        if letters.ends_with(['e', 'E'])
            && !letters.starts_with(['M', 'I', 'm'])
            && let Some((text, after)) = after.split_first()
        {
            code(walk, Language::Script, text);
            scripted = true;
            rest = after;
        } else if letters == "I" {
            rest = after.get(1..).unwrap_or_default();
        }
    }
    let files = if scripted {
        rest
    } else {
        match rest.split_first() {
            Some((script, more)) if script.text != "-" => {
                file(walk, Language::Script, script);
                more
            }
            _ => {
                if !call.arguments.iter().any(|one| matches!(one.text.as_str(), "-v" | "--version"))
                {
                    piped(walk, call);
                }
                return Flow::unknown();
            }
        }
    };
    for operand in files.iter().filter(|_| scripted) {
        walk.touch(if in_place { Act::Write } else { Act::Read }, operand);
    }
    if !scripted {
        look_through(walk, files);
    }
    call.input.blurred()
}

fn other(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "e E eval r p print require c import loader l f F command experimental-loader";
    let php = call.name.starts_with("php");
    let options = options::read_to_command(call.arguments, takes);
    let names = if php {
        vec!["r", "B", "R", "E"]
    } else {
        vec!["e", "E", "eval", "p", "print", "c", "command"]
    };
    let mut scripted = false;
    for text in options.values(&names) {
        code(walk, language_of(call.name), text);
        scripted = true;
    }
    let loads = options.values(&["r", "require", "import", "loader", "experimental-loader"]);
    for module in loads.filter(|one| !php && one.text.contains('/')) {
        walk.touch(Act::Read, module);
        walk.doubt(Doubt::Opaque);
    }
    if php && options.has(&["S"]) || options.has(&["inspect", "inspect-brk"]) {
        walk.doubt(Doubt::Listens);
    }
    let rest = match options.operands.split_first() {
        Some((script, rest)) if !scripted && script.text != "-" => {
            let script = if call.name == "deno" { rest.first().unwrap_or(script) } else { script };
            file(walk, language_of(call.name), script);
            rest
        }
        _ => options.operands.as_slice(),
    };
    look_through(walk, rest);
    let asks = options.has(&["v", "version", "help", "h", "check"]);
    if !scripted && !asks && rest.len() == options.operands.len() {
        piped(walk, call);
    }
    Flow::unknown()
}
