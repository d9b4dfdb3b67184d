//! Archives: what goes in, what comes out, and the commands they run on the way.

use super::{Handler, find, options};
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "tar" | "bsdtar" | "gtar" => tar,
        "zip" => zip,
        "unzip" | "7z" | "7za" | "unrar" | "unar" => unzip,
        "cpio" => cpio,
        "gpg" | "gpg2" | "age" => gpg,
        _ => return None,
    })
}

fn tar(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let arguments = dashed(call.arguments);
    let takes = "f file C directory I use-compress-program T files-from X exclude-from exclude \
                 checkpoint-action to-command rsh-command F info-script new-volume-script b g \
                 listed-incremental transform strip-components owner group mode N newer K V H format \
                 index-file warning checkpoint";
    let options = options::read(&arguments, takes);
    commands(walk, &options);
    for file in options.values(&["T", "files-from", "X", "exclude-from"]) {
        walk.touch(Act::Read, file);
    }
    let archive = options.value(&["f", "file"]).cloned();
    let folder = options.value(&["C", "directory"]).cloned();
    let packs = options.has(&["c", "r", "u", "A", "create", "append", "update", "concatenate"]);
    if let Some(archive) = &archive {
        find::place(walk, if packs { Act::Write } else { Act::Read }, archive);
    }
    if packs {
        let removes = options.has(&["remove-files"]);
        walk.inside(folder.as_ref(), |walk| {
            for member in &options.operands {
                walk.touch(Act::Read, member);
                if removes {
                    walk.remove_tree(member);
                }
            }
            Flow::silent()
        });
    } else if options.has(&["x", "extract", "get"]) && !options.has(&["O", "to-stdout"]) {
        walk.touch(Act::Write, &folder.unwrap_or_else(|| Value::known(".")));
    }
    let taint = archive.map(|archive| walk.content(&archive).taint).unwrap_or_default();
    call.input.blurred().tainted(taint)
}

/// The old way has no dash, and takes values in the order of the letters.
fn dashed(arguments: &[Value]) -> Vec<Value> {
    let Some((first, rest)) = arguments.split_first() else { return Vec::new() };
    if first.text.starts_with('-') || first.text.is_empty() {
        return arguments.to_vec();
    }
    let mut rest = rest.iter();
    let mut all = Vec::new();
    for letter in first.text.chars() {
        all.push(Value::known(format!("-{letter}")));
        if "fCITXFbgNKVH".contains(letter) {
            all.extend(rest.next().cloned());
        }
    }
    all.extend(rest.cloned());
    all
}

/// Options of `tar` that run something.
fn commands(walk: &mut Walk<'_>, options: &options::Options) {
    let actions = options.values(&["checkpoint-action"]).filter_map(|action| {
        let code = action.text.strip_prefix("exec=")?;
        Some(action.derived(code))
    });
    let direct = options
        .values(&[
            "I",
            "use-compress-program",
            "to-command",
            "rsh-command",
            "F",
            "info-script",
            "new-volume-script",
        ])
        .cloned();
    let all: Vec<Value> = actions.chain(direct).collect();
    for code in all {
        walk.shell(&code, &[], &Flow::unknown());
    }
}

fn zip(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options =
        options::read(call.arguments, "-TT unzip-command i x P b t n s -O o password out");
    for code in options.values(&["-TT", "unzip-command"]) {
        walk.shell(code, &[], &Flow::unknown());
    }
    let mut operands = options.operands.iter();
    operands.next().into_iter().for_each(|archive| walk.touch(Act::Write, archive));
    for member in operands {
        walk.touch(Act::Read, member);
        if options.has(&["m", "move"]) {
            walk.remove_tree(member);
        }
    }
    Flow::unknown()
}

fn unzip(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "d x P o");
    let shows = options.has(&["l", "t", "p", "Z", "v"]);
    let mut operands = options.operands.iter();
    if call.name.starts_with('7') {
        operands.next();
    }
    operands.next().into_iter().for_each(|archive| walk.touch(Act::Read, archive));
    if !shows {
        let folder = options.value(&["d"]).cloned().unwrap_or_else(|| Value::known("."));
        walk.touch(Act::Write, &folder);
    }
    call.input.blurred()
}

fn cpio(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "F file D directory H E I O");
    let packs = options.has(&["o", "create"]);
    for file in options.values(&["F", "file", "I", "O"]) {
        walk.touch(if packs { Act::Write } else { Act::Read }, file);
    }
    if packs || options.has(&["p"]) {
        for item in find::items(call.input, true) {
            walk.touch(Act::Read, &item);
        }
    }
    if options.has(&["i", "p", "extract"]) {
        let folder = options.operands.first().cloned().unwrap_or_else(|| Value::known("."));
        walk.touch(Act::Write, &folder);
    }
    Flow::unknown()
}

fn gpg(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "o output r recipient u local-user homedir keyserver passphrase passphrase-file \
                 default-key i identity R recipients-file status-fd";
    let options = options::read(call.arguments, takes);
    if let Some(file) = options.value(&["o", "output"]) {
        walk.touch(Act::Write, file);
    }
    for file in options.values(&["passphrase-file", "i", "identity", "homedir"]) {
        walk.touch(Act::Read, file);
    }
    let talks = options.has(&["recv-keys", "recv", "send-keys", "refresh-keys", "search-keys"]);
    if let Some(server) = options.value(&["keyserver"]) {
        let host = crate::hosts::of_loose_url(&server.text).unwrap_or_default();
        walk.reach(&host, server.taint);
    } else if talks {
        walk.reach("keys.openpgp.org", Taint::default());
    }
    if options.has(&["export-secret-keys", "export-secret-subkeys", "K", "list-secret-keys"]) {
        walk.touch(Act::Read, &Value::known(format!("{}/.gnupg", walk.home())));
    }
    if options.has(&["delete-key", "delete-keys", "delete-secret-key", "delete-secret-keys"]) {
        walk.touch(Act::Change, &Value::known(format!("{}/.gnupg", walk.home())));
        return Flow::unknown();
    }
    let mut flow = call.input.blurred();
    if options.has(&["d", "decrypt"]) {
        flow.taint.decoded = true;
    }
    if !talks {
        options.operands.iter().for_each(|file| walk.touch(Act::Read, file));
    }
    if walk.content(options.operands.first().unwrap_or(&Value::default())).taint.fetched {
        walk.doubt(Doubt::Opaque);
    }
    flow
}
