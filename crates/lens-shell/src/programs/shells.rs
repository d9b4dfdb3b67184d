//! Shells, and programs that pass a text on to one.

use super::{Handler, find, options};
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk, joined};

/// The most items that `xargs` and `parallel` are followed for.
const ITEMS_MAX: usize = 32;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "sh" | "bash" | "dash" | "zsh" | "ksh" | "mksh" | "ash" | "rbash" | "fish" | "csh"
        | "tcsh" | "bash5" | "rksh" => shell,
        "su" | "runuser" => su,
        "ssh" | "autossh" | "dbclient" => ssh,
        "watch" => watch,
        "script" => script,
        "xargs" => xargs,
        "parallel" => parallel,
        "busybox" | "toybox" => busybox,
        "at" | "batch" => at,
        "vim" | "vi" | "nvim" | "view" | "rvim" | "gvim" | "ex" | "ed" => editor,
        "expect" => expect,
        _ => return None,
    })
}

/// What the options of a shell say: the text of `-c`, the files it starts with, and the rest.
struct Start<'a> {
    takes_text: bool,
    reads_input: bool,
    interactive: bool,
    rest: &'a [Value],
}

fn shell(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let start = start(walk, call.arguments);
    if start.interactive && call.input.taint.fetched {
        walk.doubt(Doubt::Listens);
    }
    if start.takes_text {
        let Some((code, arguments)) = start.rest.split_first() else { return Flow::unknown() };
        // The first one is the name of the shell.
        return walk.shell(code, arguments.get(1..).unwrap_or_default(), call.input);
    }
    match start.rest.split_first() {
        Some((file, arguments)) if !start.reads_input => {
            if file.text == "-" || file.text == "/dev/stdin" {
                return walk.run_flow(call.input, arguments);
            }
            script_file(walk, file, arguments)
        }
        _ if call.input.given => {
            let mut flow = walk.run_flow(call.input, start.rest);
            flow.taint.answered = call.input.text.is_none();
            flow
        }
        _ => Flow::unknown(),
    }
}

fn start<'a>(walk: &mut Walk<'_>, arguments: &'a [Value]) -> Start<'a> {
    let mut start =
        Start { takes_text: false, reads_input: false, interactive: false, rest: arguments };
    while let Some((first, rest)) = start.rest.split_first() {
        let text = first.text.as_str();
        if !text.starts_with(['-', '+']) || text == "-" {
            break;
        }
        start.rest = rest;
        let mut takes_next = false;
        match text.strip_prefix("--") {
            Some("") => break,
            Some("rcfile" | "init-file") => {
                rest.first().iter().for_each(|file| walk.touch(Act::Read, file));
                takes_next = true;
            }
            Some(long) => start.takes_text |= long == "command",
            None => {
                start.takes_text |= text.contains('c');
                start.reads_input |= text.contains('s');
                start.interactive |= text.contains('i');
                takes_next = text.ends_with(['o', 'O']);
            }
        }
        if takes_next {
            start.rest = rest.get(1..).unwrap_or_default();
        }
    }
    start
}

/// A script by its name; one that this line wrote, or that comes from a command, is read.
fn script_file(walk: &mut Walk<'_>, file: &Value, arguments: &[Value]) -> Flow {
    walk.touch(Act::Read, file);
    if walk.has_content(file) {
        let content = walk.content(file);
        return walk.run_flow(&content, arguments);
    }
    Flow::unknown()
}

fn su(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.doubt(Doubt::Privilege);
    let options = options::read(call.arguments, "c command s shell u user g group G w");
    let mut flow = Flow::unknown();
    for code in options.values(&["c", "command"]) {
        flow = walk.shell(code, &[], call.input);
    }
    if options.value(&["u", "user"]).is_some() {
        let options =
            options::read_to_command(call.arguments, "c command s shell u user g group G w");
        flow = walk.start(options.command(0), call.input);
    } else if options.value(&["c", "command"]).is_none() && call.input.given {
        flow = walk.run_flow(call.input, &[]);
    }
    flow
}

fn ssh(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "B b c D E e F I i J L l m O o p Q R S W w";
    let options = options::read_to_command(call.arguments, takes);
    for file in options.values(&["i", "F"]) {
        walk.touch(Act::Read, file);
    }
    if ["L", "R", "D", "W"].iter().any(|name| options.value(&[name]).is_some()) {
        walk.doubt(Doubt::Listens);
    }
    for jump in options.values(&["J"]) {
        reach_host(walk, jump, "");
    }
    for option in options.values(&["o"]) {
        ssh_option(walk, option);
    }
    let Some((host, command)) = options.operands.split_first() else { return Flow::unknown() };
    let port = options.value(&["p"]).map_or("", |port| port.text.as_str());
    reach_host(walk, host, port);
    let skip = command.iter().take_while(|one| one.text.starts_with('-')).count();
    let code = joined(command.get(skip..).unwrap_or_default());
    // What runs there is read as if it ran here: the same words do the same to another machine.
    if code.text.is_empty() {
        if call.input.given {
            walk.run_flow(call.input, &[]);
        }
        return Flow::unknown();
    }
    walk.shell(&code, &[], call.input).blurred()
}

/// Options with which `ssh`, `scp` and `sftp` run something here.
pub(super) fn ssh_option(walk: &mut Walk<'_>, option: &Value) {
    let Some((name, value)) = option.text.split_once(['=', ' ']) else { return };
    let value = option.derived(value.trim());
    match name.trim().to_ascii_lowercase().as_str() {
        "proxycommand" | "localcommand" | "knownhostscommand" => {
            walk.shell(&value, &[], &Flow::unknown());
        }
        "proxyjump" | "hostname" => reach_host(walk, &value, ""),
        "identityfile" | "userknownhostsfile" => walk.touch(Act::Read, &value),
        _ => {}
    }
}

fn reach_host(walk: &mut Walk<'_>, host: &Value, port: &str) {
    if let Some(name) = hosts::of_loose_url(&host.text) {
        walk.reach(&hosts::pair(&name, port), host.taint);
    }
}

fn watch(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read_to_command(call.arguments, "n interval q equexit");
    let code = joined(options.command(0));
    walk.shell(&code, &[], call.input)
}

fn script(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "c command E echo I log-in O log-out B log-io T log-timing m o output-limit";
    let options = options::read(call.arguments, takes);
    for file in options.values(&["I", "log-in", "O", "log-out", "B", "log-io", "T", "log-timing"]) {
        walk.touch(Act::Write, file);
    }
    match options.operands.first() {
        Some(file) => walk.touch(Act::Write, file),
        None => walk.touch(Act::Write, &Value::known("typescript")),
    }
    let mut flow = Flow::unknown();
    for code in options.values(&["c", "command"]) {
        flow = walk.shell(code, &[], call.input);
    }
    flow
}

fn xargs(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "a arg-file d delimiter E I L max-lines n max-args P max-procs s max-chars";
    let options = options::read_to_command(call.arguments, takes);
    let mut input = call.input.clone();
    if let Some(file) = options.value(&["a", "arg-file"]) {
        walk.touch(Act::Read, file);
        input = walk.content(file);
    }
    let echo = [Value::known("echo")];
    let command = if options.operands.is_empty() { &echo[..] } else { options.command(0) };
    let mark = options.value(&["I"]).map(|mark| mark.text.as_str());
    let mut items = find::items(&input, mark.is_some() || options.value(&["d", "L"]).is_some());
    if items.len() > ITEMS_MAX {
        items.truncate(ITEMS_MAX);
        walk.doubt(Doubt::TooLong);
    }
    if let Some(mark) = mark {
        find::start_with(walk, command, mark, &items);
        return Flow::unknown();
    }
    let mut words = command.to_vec();
    words.append(&mut items);
    walk.start(&words, &Flow::unknown())
}

fn parallel(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let is_source = |one: &Value| matches!(one.text.as_str(), ":::" | "::::" | ":::+");
    let place = call.arguments.iter().position(is_source).unwrap_or(call.arguments.len());
    let (own, sources) = call.arguments.split_at(place);
    let takes = "j jobs a arg-file I S sshlogin N n colsep results joblog delay timeout";
    let options = options::read_to_command(own, takes);
    let mut items: Vec<Value> = sources.iter().filter(|one| !is_source(one)).cloned().collect();
    if items.is_empty() {
        items = find::items(call.input, true);
    }
    items.truncate(ITEMS_MAX);
    for item in &items {
        let mut code = joined(options.command(0));
        if code.text.is_empty() {
            code = item.clone();
        } else if code.text.contains("{}") {
            code.text = code.text.replace("{}", &item.text);
        } else {
            code.text.push(' ');
            code.push(item);
        }
        walk.shell(&code, &[], &Flow::unknown());
    }
    Flow::unknown()
}

fn busybox(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.start(call.arguments, call.input)
}

fn at(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "f q t");
    if options.has(&["l", "c", "V"]) {
        walk.add(Act::Read, "at");
        return Flow::unknown();
    }
    walk.add(Act::Change, "at");
    match options.value(&["f"]) {
        Some(file) => script_file(walk, file, &[]),
        None if call.input.given => walk.run_flow(call.input, &[]),
        None => Flow::unknown(),
    }
}

/// Editors that run commands: `-c`, `+cmd`, or lines of their input.
fn editor(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "c cmd S u T t w W s -c p");
    for code in options.values(&["c", "cmd"]) {
        editor_command(walk, code);
    }
    for file in options.values(&["S", "u"]) {
        walk.touch(Act::Read, file);
    }
    for operand in &options.operands {
        match operand.text.strip_prefix('+') {
            Some(code) => editor_command(walk, &operand.derived(code)),
            None => walk.touch(Act::Write, operand),
        }
    }
    if matches!(call.name, "ed" | "ex")
        && let Some(text) = &call.input.text
    {
        for line in text.lines().take(ITEMS_MAX) {
            editor_command(walk, &Value { taint: call.input.taint, ..Value::known(line) });
        }
    }
    Flow::unknown()
}

fn editor_command(walk: &mut Walk<'_>, code: &Value) {
    for part in code.text.split('|').take(ITEMS_MAX) {
        let part = part.trim().trim_start_matches([':', '%', ',', '$', '.']);
        if let Some((before, shell)) = part.split_once('!')
            && before.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .,$%".contains(&byte))
        {
            // The bar belongs to the shell then.
            let whole = code.text.split_once('!').map_or(shell, |(_, whole)| whole);
            walk.shell(&code.derived(whole), &[], &Flow::unknown());
            return;
        }
        match part.split_once(' ') {
            Some(("w" | "w!" | "write" | "sav" | "saveas" | "W", file)) => {
                walk.touch(Act::Write, &code.derived(file.trim()));
            }
            Some(("r" | "read" | "e" | "e!" | "edit" | "source" | "so", file)) => {
                walk.touch(Act::Read, &code.derived(file.trim()));
            }
            Some(("py" | "py3" | "python" | "python3" | "lua" | "perl" | "ruby" | "call", _)) => {
                crate::snippet::search(walk, crate::snippet::Language::Script, &code.derived(part));
            }
            _ => {}
        }
    }
}

fn expect(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "c");
    for code in options.values(&["c"]) {
        let spawned = code.text.trim_start().strip_prefix("spawn ").unwrap_or(&code.text);
        walk.doubt(Doubt::Opaque);
        walk.shell(&code.derived(spawned), &[], &Flow::unknown());
    }
    options.operands.iter().take(1).for_each(|file| walk.touch(Act::Read, file));
    Flow::unknown()
}
