//! Programs that copy files between hosts.

use super::{Handler, find, options, shells};
use crate::hosts;
use crate::plan::Act;
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "scp" | "rsync" | "rclone" => copy,
        "sftp" => sftp,
        "aws" | "gsutil" | "gcloud" | "az" | "s3cmd" | "gh" | "glab" | "heroku" | "mc" => cloud,
        _ => return None,
    })
}

/// The last place is written, the ones before it are read; places with a host are reached.
fn copy(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "i F P p o S J c l D e rsh rsync-path files-from exclude-from include-from exclude \
                 include f filter password-file log-file port bwlimit timeout config temp-dir T";
    let options = options::read(call.arguments, takes);
    for file in
        options.values(&["i", "F", "files-from", "exclude-from", "include-from", "password-file"])
    {
        walk.touch(Act::Read, file);
    }
    for file in options.values(&["log-file"]) {
        walk.touch(Act::Write, file);
    }
    for option in options.values(&["o"]) {
        shells::ssh_option(walk, option);
    }
    for code in options.values(&["S", "e", "rsh", "rsync-path"]).filter(|code| code.text != "ssh") {
        walk.shell(code, &[], &Flow::unknown());
    }
    let skip = usize::from(call.name == "rclone");
    let places = options.operands.get(skip..).unwrap_or_default();
    let Some((last, first)) = places.split_last() else { return Flow::unknown() };
    for place in first {
        find::place(walk, Act::Read, place);
        if options.has(&["remove-source-files"]) && hosts::of_remote_path(&place.text).is_none() {
            walk.remove_tree(place);
        }
    }
    find::place(walk, Act::Write, last);
    if options.has(&["delete", "delete-after", "delete-before", "delete-excluded"]) {
        walk.remove_tree(last);
    }
    Flow::unknown()
}

fn sftp(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "b i F P o S J c l B D R s");
    for file in options.values(&["b", "i", "F"]) {
        walk.touch(Act::Read, file);
    }
    for option in options.values(&["o"]) {
        shells::ssh_option(walk, option);
    }
    if let Some(host) = options.operands.first() {
        let name = hosts::of_remote_path(&host.text).or_else(|| hosts::of_loose_url(&host.text));
        walk.reach(&name.unwrap_or_default(), host.taint);
    }
    Flow::unknown()
}

/// Clients of one provider: they reach it, and read or write the local places they name.
fn cloud(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let endpoint = call.arguments.windows(2).find(|pair| {
        pair.first().is_some_and(|one| one.text == "--endpoint-url" || one.text == "--endpoint")
    });
    match endpoint.and_then(|pair| pair.get(1)).and_then(|one| hosts::of_url(&one.text)) {
        Some(host) => walk.reach(&host, Taint::default()),
        None => walk.reach(provider(call), Taint::default()),
    }
    let copies = call.arguments.iter().position(|one| {
        matches!(one.text.as_str(), "cp" | "mv" | "sync" | "rsync" | "put" | "rm" | "mirror")
    });
    let Some(rest) = copies.and_then(|place| call.arguments.get(place + 1..)) else {
        return local_files(walk, call);
    };
    let options = options::read(rest, "exclude include region profile endpoint-url acl");
    let Some((last, first)) = options.operands.split_last() else { return Flow::unknown() };
    let local = |one: &&Value| !one.text.contains("://");
    first.iter().filter(local).for_each(|one| walk.touch(Act::Read, one));
    let act = if first.is_empty() { Act::Read } else { Act::Write };
    Some(last).filter(local).into_iter().for_each(|one| walk.touch(act, one));
    Flow::unknown()
}

fn local_files(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    for argument in call.arguments {
        let file =
            argument.text.split_once("file://").or_else(|| argument.text.split_once("fileb://"));
        if let Some((_, file)) = file {
            walk.touch(Act::Read, &argument.derived(file));
        }
    }
    Flow::unknown()
}

fn provider(call: &Call<'_>) -> &'static str {
    let service = |name: &str| call.arguments.iter().any(|one| one.text.starts_with(name));
    match call.name {
        "aws" if service("s3") => "s3.amazonaws.com",
        "s3cmd" | "mc" => "s3.amazonaws.com",
        "aws" => "amazonaws.com",
        "gsutil" => "storage.googleapis.com",
        "gcloud" => "googleapis.com",
        "az" => "management.azure.com",
        "gh" => "api.github.com",
        "glab" => "gitlab.com",
        _ => "api.heroku.com",
    }
}
