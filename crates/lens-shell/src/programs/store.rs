//! Programs that remove, overwrite, copy blocks, or say who may do what with a file.

use super::{Handler, options, table};
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "rm" | "srm" | "rimraf" | "trash" | "trash-put" => rm,
        "shred" | "wipe" => shred,
        "chmod" => chmod,
        "chown" => chown,
        "setcap" => setcap,
        "dd" => dd,
        "install" | "ginstall" => install,
        "mv" | "cp" | "ln" => relocate,
        _ => return None,
    })
}

fn rm(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "");
    let deep = options.has(&["r", "R", "recursive"]) || call.name != "rm";
    for operand in &options.operands {
        if deep { walk.remove_tree(operand) } else { walk.touch(Act::Remove, operand) }
    }
    Flow::silent()
}

fn shred(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "n s iterations size random-source");
    for operand in &options.operands {
        walk.touch(Act::Write, operand);
        if options.has(&["u", "remove"])
            || options.value(&["remove"]).is_some()
            || call.name == "wipe"
        {
            walk.touch(Act::Remove, operand);
        }
    }
    Flow::silent()
}

fn chmod(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    // A mode may look like an option: `chmod -x file`.
    let is_mode = |one: &&Value| {
        one.text
            .strip_prefix('-')
            .is_none_or(|rest| rest.bytes().all(|byte| b"rwxstX".contains(&byte)))
    };
    let deep = call.arguments.iter().any(|one| matches!(one.text.as_str(), "-R" | "--recursive"));
    let mut words = call.arguments.iter().filter(is_mode).filter(|one| !one.text.starts_with("--"));
    let mode = words.next().map_or("", |mode| mode.text.as_str());
    if gives_owner_rights(mode) {
        walk.doubt(Doubt::Privilege);
    }
    for file in words {
        if deep { walk.change_tree(file) } else { walk.touch(Act::Change, file) }
    }
    Flow::silent()
}

/// Whether programs of this mode run with the rights of their owner or group.
fn gives_owner_rights(mode: &str) -> bool {
    let octal = mode.len() > 3 && mode.bytes().all(|byte| byte.is_ascii_digit());
    let special =
        mode.trim_start_matches('0').len() > 3 && !mode.trim_start_matches('0').starts_with('1');
    let letters = mode.contains(['+', '=']) && mode.contains('s');
    (octal && special) || letters
}

fn chown(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "from reference");
    let deep = options.has(&["R", "recursive"]);
    let skip = usize::from(options.value(&["reference"]).is_none());
    for file in options.operands.iter().skip(skip) {
        if deep { walk.change_tree(file) } else { walk.touch(Act::Change, file) }
    }
    Flow::silent()
}

fn setcap(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.doubt(Doubt::Privilege);
    call.arguments.iter().skip(1).for_each(|file| walk.touch(Act::Change, file));
    Flow::silent()
}

fn dd(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let mut flow = call.input.clone();
    let mut written = None;
    for operand in call.arguments {
        match operand.text.split_once('=') {
            Some(("if", file)) => flow = table::read(walk, &operand.derived(file)),
            Some(("of", file)) => written = Some(operand.derived(file)),
            _ => {}
        }
    }
    let Some(file) = written else { return Flow { given: true, ..flow } };
    walk.touch(Act::Write, &file);
    walk.remember(&file.text, &flow);
    Flow::silent()
}

fn install(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "m mode o owner g group t S");
    if options.value(&["m", "mode"]).is_some_and(|mode| gives_owner_rights(&mode.text)) {
        walk.doubt(Doubt::Privilege);
    }
    if options.has(&["d", "directory"]) {
        options.operands.iter().for_each(|folder| walk.touch(Act::Write, folder));
        return Flow::silent();
    }
    relocate(walk, call)
}

/// Copies, moves and links: the new name has what the old one had.
fn relocate(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let Some(row) = table::row_of(call.name) else { return Flow::silent() };
    row.apply(walk, call);
    let options = options::read(call.arguments, "t target-directory S suffix m o g");
    if let [from, to] = options.operands.as_slice()
        && walk.has_content(from)
    {
        let content = walk.content(from);
        walk.remember(&to.text, &content);
    }
    if let ([only], "ln") = (options.operands.as_slice(), call.name) {
        let base = only.text.rsplit('/').next().unwrap_or_default();
        walk.touch(Act::Write, &only.derived(base));
    }
    Flow::silent()
}
