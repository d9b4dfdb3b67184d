//! `git`, which keeps files, talks to hosts, and runs what its configuration says.

use super::{Handler, options};
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk, joined};

pub(super) fn handler(name: &str) -> Option<Handler> {
    (name == "git").then_some(git)
}

fn git(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "C c exec-path git-dir work-tree namespace config-env super-prefix";
    let options = options::read_to_command(call.arguments, takes);
    for setting in options.values(&["c"]) {
        if let Some((name, value)) = setting.text.split_once('=') {
            configured(walk, name, &setting.derived(value));
        }
    }
    for folder in options.values(&["git-dir", "work-tree", "exec-path"]) {
        walk.touch(Act::Read, folder);
    }
    let Some((command, arguments)) = options.operands.split_first() else { return Flow::unknown() };
    let folder = options.values(&["C"]).fold(None::<Value>, |all, next| match all {
        Some(all) if !next.text.starts_with('/') => {
            Some(all.derived(format!("{}/{}", all.text, next.text)))
        }
        _ => Some(next.clone()),
    });
    let inner = Call { name: &command.text, arguments, input: call.input };
    walk.inside(folder.as_ref(), |walk| subcommand(walk, &inner))
}

fn subcommand(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    match call.name {
        "clone" => return clone(walk, call),
        "push" | "fetch" | "pull" | "ls-remote" | "send-pack" | "fetch-pack" | "archive" => {
            remote(walk, call);
        }
        "remote" => remotes(walk, call),
        "submodule" => submodule(walk, call),
        "config" => config(walk, call),
        "clean" => clean(walk, call),
        "rm" => each(walk, call, Act::Remove),
        "mv" => each(walk, call, Act::Change),
        "apply" | "am" | "mailsplit" => {
            each(walk, call, Act::Read);
            walk.touch(Act::Write, &Value::known("."));
        }
        "init" => {
            let options =
                options::read(call.arguments, "template b initial-branch separate-git-dir");
            let place = options.operands.first().cloned();
            walk.touch(Act::Write, &place.unwrap_or_else(|| Value::known(".git")));
        }
        "bisect" | "rebase" | "filter-branch" | "difftool" | "mergetool" | "stash" | "checkout"
        | "switch" | "restore" | "reset" | "merge" | "cherry-pick" | "revert" | "worktree" => {
            rewrites(walk, call);
        }
        "ls-files" | "ls-tree" => {
            walk.touch(Act::Read, &Value::known(".git"));
            return Flow { listing: vec!["*".to_owned()], ..Flow::unknown() };
        }
        "diff" | "log" | "show" | "status" | "blame" | "grep" | "rev-parse" | "describe"
        | "shortlog" | "cat-file" | "rev-list" | "reflog" | "whatchanged" | "branch" | "tag"
        | "check-ignore" | "fsck" | "var" | "version" | "help" | "name-rev" | "for-each-ref"
        | "show-ref" | "merge-base" | "count-objects" | "symbolic-ref" => return looks(walk, call),
        "commit" | "add" | "update-index" | "hash-object" | "notes" | "gc" | "prune" | "repack"
        | "bundle" | "format-patch" | "update-ref" | "commit-tree" | "write-tree" | "read-tree"
        | "sparse-checkout" => writes(walk, call),
        _ if call.name.starts_with('-') => {}
        // An alias, or a program of its own; which one, only the configuration knows.
        _ => walk.doubt(Doubt::Opaque),
    }
    Flow::unknown()
}

fn each(walk: &mut Walk<'_>, call: &Call<'_>, act: Act) {
    let options = options::read(call.arguments, "");
    options.operands.iter().for_each(|file| walk.touch(act, file));
    walk.touch(Act::Write, &Value::known(".git"));
}

fn looks(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.touch(Act::Read, &Value::known(".git"));
    let options = options::read(call.arguments, "O open-files-in-pager output format n S G");
    if let Some(code) = options.value(&["O", "open-files-in-pager"]).filter(|_| call.name == "grep")
    {
        walk.shell(code, &[], &Flow::unknown());
    }
    if let Some(file) = options.value(&["output"]) {
        walk.touch(Act::Write, file);
    }
    let outside = options.has(&["no-index"]);
    for operand in options.operands.iter().filter(|one| outside || one.text.starts_with('/')) {
        walk.touch(Act::Read, operand);
    }
    if options.has(&["name-only"]) {
        return Flow { listing: vec!["*".to_owned()], ..Flow::unknown() };
    }
    Flow::unknown()
}

fn writes(walk: &mut Walk<'_>, call: &Call<'_>) {
    walk.touch(Act::Write, &Value::known(".git"));
    let options = options::read(
        call.arguments,
        "F file m message t template author date C c o output-directory",
    );
    for file in options.values(&["F", "file", "t", "template"]) {
        walk.touch(Act::Read, file);
    }
    for operand in options.operands.iter().filter(|one| one.text.starts_with(['/', '~', '.'])) {
        walk.touch(Act::Read, operand);
    }
}

/// Commands that change the files of the work tree, and may run something for each step.
fn rewrites(walk: &mut Walk<'_>, call: &Call<'_>) {
    walk.touch(Act::Write, &Value::known(".git"));
    walk.touch(Act::Write, &Value::known("."));
    let takes = "x exec extcmd tree-filter index-filter msg-filter env-filter parent-filter \
                 commit-filter setup tag-name-filter b m s";
    let options = options::read(call.arguments, takes);
    let filters: Vec<Value> = options
        .values(&[
            "exec",
            "extcmd",
            "tree-filter",
            "index-filter",
            "msg-filter",
            "env-filter",
            "parent-filter",
            "commit-filter",
            "setup",
            "tag-name-filter",
        ])
        .chain(options.values(&["x"]).filter(|_| matches!(call.name, "rebase" | "difftool")))
        .cloned()
        .collect();
    for code in filters {
        walk.shell(&code, &[], &Flow::unknown());
    }
    if let [run, command @ ..] = options.operands.as_slice()
        && run.text == "run"
        && call.name == "bisect"
    {
        walk.start(command, &Flow::unknown());
    }
}

fn clone(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes =
        "b branch depth o origin u upload-pack c config template reference separate-git-dir j";
    let options = options::read(call.arguments, takes);
    for code in options.values(&["u", "upload-pack"]) {
        walk.shell(code, &[], &Flow::unknown());
    }
    for setting in options.values(&["c", "config"]) {
        if let Some((name, value)) = setting.text.split_once('=') {
            configured(walk, name, &setting.derived(value));
        }
    }
    let Some(source) = options.operands.first() else { return Flow::unknown() };
    repository(walk, source);
    let base = source.text.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let folder = source.derived(base.trim_end_matches(".git"));
    walk.touch(Act::Write, options.operands.get(1).unwrap_or(&folder));
    Flow::unknown()
}

/// Where a repository is: at a host, here, or behind a command.
fn repository(walk: &mut Walk<'_>, place: &Value) {
    if let Some(code) = place.text.strip_prefix("ext::") {
        walk.shell(&place.derived(code.replace("% ", " ")), &[], &Flow::unknown());
    } else if let Some(host) = hosts::of_remote_path(&place.text) {
        walk.reach(&host, place.taint);
    } else if let Some(url) = walk.remotes.remove(&place.text) {
        // It is away meanwhile: two remotes may be each other's address.
        repository(walk, &place.derived(url.as_str()));
        walk.remotes.insert(place.text.clone(), url);
    } else if place.text.contains('/') || place.text.starts_with(['.', '~']) {
        walk.touch(Act::Read, place);
        walk.touch(Act::Write, place);
    } else {
        walk.reach(&format!("git:{}", place.text), place.taint);
    }
}

fn remote(walk: &mut Walk<'_>, call: &Call<'_>) {
    let takes =
        "upload-pack receive-pack exec o push-option remote output format prefix depth repo";
    let options = options::read(call.arguments, takes);
    for code in options.values(&["upload-pack", "receive-pack", "exec"]) {
        walk.shell(code, &[], &Flow::unknown());
    }
    if let Some(file) = options.value(&["output"]) {
        walk.touch(Act::Write, file);
    }
    match options.value(&["remote", "repo"]).or(options.operands.first()) {
        _ if call.name == "archive" && options.value(&["remote"]).is_none() => {
            walk.touch(Act::Read, &Value::known(".git"));
        }
        Some(place) => repository(walk, place),
        None => repository(walk, &Value::known("origin")),
    }
    let act = if call.name == "push" { Act::Read } else { Act::Write };
    walk.touch(act, &Value::known(".git"));
    if call.name == "pull" {
        walk.touch(Act::Write, &Value::known("."));
    }
}

fn remotes(walk: &mut Walk<'_>, call: &Call<'_>) {
    let options = options::read(call.arguments, "t m f");
    match options.operands.as_slice() {
        [verb, name, url, ..] if matches!(verb.text.as_str(), "add" | "set-url") => {
            walk.remotes.insert(name.text.clone(), url.text.clone());
            walk.touch(Act::Write, &Value::known(".git/config"));
        }
        [verb, place, ..] if matches!(verb.text.as_str(), "update" | "show" | "prune") => {
            repository(walk, place);
        }
        [] => walk.touch(Act::Read, &Value::known(".git")),
        _ => walk.touch(Act::Write, &Value::known(".git/config")),
    }
}

fn submodule(walk: &mut Walk<'_>, call: &Call<'_>) {
    let options = options::read_to_command(call.arguments, "b name reference");
    match options.operands.split_first() {
        Some((verb, rest)) if verb.text == "foreach" => {
            let command: Vec<Value> =
                rest.iter().filter(|one| !one.text.starts_with("--")).cloned().collect();
            walk.shell(&joined(&command), &[], &Flow::unknown());
        }
        Some((verb, rest)) if verb.text == "add" => {
            let place = rest.iter().find(|one| !one.text.starts_with('-'));
            place.into_iter().for_each(|place| repository(walk, place));
        }
        Some((verb, _)) if verb.text == "update" => walk.reach("git:submodules", Taint::default()),
        _ => {}
    }
    walk.touch(Act::Write, &Value::known(".git"));
}

fn clean(walk: &mut Walk<'_>, call: &Call<'_>) {
    let options = options::read(call.arguments, "e exclude");
    if options.has(&["n", "dry-run"]) {
        return;
    }
    walk.doubt(Doubt::Wildcard);
    if options.operands.is_empty() {
        walk.touch(Act::Remove, &Value::known("."));
    }
    options.operands.iter().for_each(|place| walk.remove_tree(place));
}

fn config(walk: &mut Walk<'_>, call: &Call<'_>) {
    let options = options::read(call.arguments, "f file t type blob default");
    let operands = match options.operands.as_slice() {
        [verb, rest @ ..] if matches!(verb.text.as_str(), "set" | "get" | "list" | "unset") => rest,
        all => all,
    };
    let home = walk.home().to_owned();
    let file = match options.value(&["f", "file"]) {
        Some(file) => file.clone(),
        None if options.has(&["global"]) => Value::known(format!("{home}/.gitconfig")),
        None if options.has(&["system"]) => Value::known("/etc/gitconfig"),
        None => Value::known(".git/config"),
    };
    let asks = options.has(&["l", "list", "get", "get-all", "get-regexp", "show-origin"]);
    match operands {
        [name, value, ..] if !asks => {
            walk.touch(Act::Write, &file);
            configured(walk, &name.text, value);
        }
        _ if options.has(&["unset", "unset-all", "e", "edit", "remove-section"]) => {
            walk.touch(Act::Write, &file);
        }
        _ => walk.touch(Act::Read, &file),
    }
}

/// Settings whose value `git` runs, now or later.
fn configured(walk: &mut Walk<'_>, name: &str, value: &Value) {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let runs = matches!(
        last,
        "pager"
            | "sshcommand"
            | "editor"
            | "askpass"
            | "fsmonitor"
            | "gitproxy"
            | "external"
            | "cmd"
            | "textconv"
            | "helper"
            | "clean"
            | "smudge"
            | "process"
            | "driver"
            | "program"
            | "uploadpack"
            | "receivepack"
    );
    let plain = matches!(value.text.as_str(), "true" | "false" | "cat" | "" | "store" | "cache");
    if last == "hookspath" || last == "path" || last == "excludesfile" {
        walk.touch(Act::Read, value);
    }
    if let Some(code) = value.text.strip_prefix('!') {
        walk.shell(&value.derived(code), &[], &Flow::unknown());
    } else if runs && !plain {
        walk.shell(value, &[], &Flow::unknown());
    } else if last == "url" || last == "proxy" {
        repository(walk, value);
    }
}
