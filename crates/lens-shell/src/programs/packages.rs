//! Package managers and build tools.

use super::{Handler, options};
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "pip" | "pip3" | "uv" | "pipx" | "poetry" | "conda" => pip,
        "npm" | "yarn" | "pnpm" | "npx" | "bun" | "bunx" | "pnpx" => npm,
        "cargo" | "go" | "gem" | "bundle" | "composer" | "mvn" | "gradle" | "dotnet" | "rustup" => {
            registry
        }
        "apt" | "apt-get" | "aptitude" | "dpkg" | "yum" | "dnf" | "rpm" | "apk" | "pacman"
        | "brew" | "snap" | "zypper" => system_packages,
        "make" | "gmake" => make,
        _ => return None,
    })
}

pub(super) fn word<'a>(call: &'a Call<'_>) -> &'a str {
    let word = call.arguments.iter().find(|one| !one.text.starts_with(['-', '+']));
    word.map_or("", |word| word.text.as_str())
}

/// Index addresses that options give; whether one takes the place of the usual registry.
fn indexes(walk: &mut Walk<'_>, options: &options::Options, names: &[&str]) -> bool {
    let mut found = false;
    for index in options.values(names) {
        let host = hosts::of_loose_url(&index.text).unwrap_or_default();
        walk.reach(&host, index.taint);
        found = true;
    }
    found
}

/// What is installed: from an address, a local folder, or by name.
fn installed(walk: &mut Walk<'_>, names: &[Value]) {
    for name in names {
        if let Some(host) = hosts::of_url(&name.text) {
            walk.reach(&host, name.taint);
        } else if name.text.starts_with(['/', '.', '~']) {
            walk.touch(Act::Read, name);
        } else {
            walk.change("package:", name);
        }
    }
}

fn pip(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "r requirement c constraint i index-url extra-index-url f find-links t target e editable \
                 prefix d dest proxy cache-dir python n name";
    let options = options::read(call.arguments, takes);
    for file in options.values(&["r", "requirement", "c", "constraint", "e", "editable"]) {
        super::table::read(walk, file);
    }
    for folder in options.values(&["t", "target", "prefix", "d", "dest"]) {
        walk.touch(Act::Write, folder);
    }
    let own = indexes(walk, &options, &["i", "index-url"]);
    indexes(walk, &options, &["extra-index-url", "f", "find-links", "proxy"]);
    let verb = options.operands.iter().position(|one| {
        matches!(
            one.text.as_str(),
            "install" | "download" | "wheel" | "add" | "sync" | "update" | "search"
        )
    });
    if let Some(verb) = verb {
        if !own && !options.has(&["no-index"]) {
            walk.reach("pypi.org", Taint::default());
        }
        installed(walk, options.command(verb + 1));
    } else if word(call) == "run" {
        return walk.start(options.command(1), call.input);
    }
    Flow::unknown()
}

fn npm(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "registry prefix cwd C p package c call workspace w loglevel";
    let options = options::read_to_command(call.arguments, takes);
    let own = indexes(walk, &options, &["registry"]);
    let folder = options.value(&["prefix", "cwd", "C"]).cloned();
    for code in options.values(&["c", "call"]) {
        walk.shell(code, &[], &Flow::unknown());
    }
    let verb = options.operands.first().map_or("", |verb| verb.text.as_str());
    let names = options.command(1);
    let executes =
        matches!(call.name, "npx" | "bunx" | "pnpx") || matches!(verb, "exec" | "dlx" | "x");
    let talks = matches!(
        verb,
        "install"
            | "i"
            | "add"
            | "ci"
            | "update"
            | "upgrade"
            | "up"
            | "publish"
            | "audit"
            | "view"
            | "search"
            | "outdated"
            | "login"
            | "info"
            | "create"
            | "init"
            | "isntall"
            | "whoami"
    ) && !(verb == "init" && names.iter().any(|one| one.text == "-y"));
    let bare = call.name == "yarn" && verb.is_empty() && !options.has(&["version", "v", "help"]);
    if (talks || executes || bare) && !own {
        walk.reach("registry.npmjs.org", Taint::default());
    }
    walk.inside(folder.as_ref(), |walk| {
        if executes {
            let skip = usize::from(!matches!(call.name, "npx" | "bunx" | "pnpx"));
            return walk.start(options.command(skip), call.input);
        }
        npm_verb(walk, verb, names)
    })
}

fn npm_verb(walk: &mut Walk<'_>, verb: &str, names: &[Value]) -> Flow {
    let plain: Vec<Value> =
        names.iter().filter(|one| !one.text.starts_with('-')).cloned().collect();
    match verb {
        "install" | "i" | "add" | "ci" | "update" | "up" | "upgrade" => {
            walk.touch(Act::Write, &Value::known("node_modules"));
            installed(walk, &plain);
        }
        "run" | "run-script" | "test" | "t" | "start" | "stop" | "pack" | "ls" | "list" => {
            walk.touch(Act::Read, &Value::known("package.json"));
        }
        "config" | "set" if plain.len() > 1 => {
            let file = format!("{}/.npmrc", walk.home());
            walk.touch(Act::Write, &Value::known(file));
        }
        "init" | "version" if !plain.is_empty() || verb == "init" => {
            walk.touch(Act::Write, &Value::known("package.json"));
        }
        _ => {}
    }
    Flow::unknown()
}

fn registry(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let host = match call.name {
        "cargo" => "crates.io",
        "go" => "proxy.golang.org",
        "gem" | "bundle" => "rubygems.org",
        "composer" => "packagist.org",
        "mvn" | "gradle" => "repo.maven.apache.org",
        "dotnet" => "api.nuget.org",
        _ => "static.rust-lang.org",
    };
    let takes = "C manifest-path config target-dir features p package git path registry index o bin \
                 source s root";
    let options = options::read(call.arguments, takes);
    let verb = word(call);
    for address in options.values(&["git", "index", "source", "s"]) {
        let name = hosts::of_url(&address.text).unwrap_or_default();
        walk.reach(&name, address.taint);
    }
    for place in options.values(&["manifest-path", "path"]) {
        walk.touch(Act::Read, place);
    }
    for place in options.values(&["target-dir", "o", "root"]) {
        walk.touch(Act::Write, place);
    }
    if matches!(
        verb,
        "add"
            | "install"
            | "publish"
            | "fetch"
            | "update"
            | "search"
            | "login"
            | "yank"
            | "get"
            | "require"
            | "restore"
            | "owner"
            | "self"
            | "vendor"
            | "download"
            | "toolchain"
            | "push"
    ) && !options.has(&["offline"])
    {
        walk.reach(host, Taint::default());
        installed(walk, &named(&options, verb));
    }
    if matches!(verb, "build" | "test" | "check" | "clippy" | "bench" | "doc" | "run") {
        let place = if call.name == "cargo" { "target" } else { "." };
        walk.touch(Act::Write, &Value::known(place));
    }
    match verb {
        "clean" if call.name == "cargo" => walk.remove_tree(&Value::known("target")),
        "exec" => return walk.start(options.command(1), call.input),
        "run" | "generate" if call.name == "go" => {
            options.command(1).iter().for_each(|file| walk.touch(Act::Read, file));
        }
        _ => {}
    }
    Flow::unknown()
}

/// The operands behind the verb.
fn named(options: &options::Options, verb: &str) -> Vec<Value> {
    let place = options.operands.iter().position(|one| one.text == verb);
    place.map(|place| options.command(place + 1).to_vec()).unwrap_or_default()
}

fn system_packages(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let host = match call.name {
        "apt" | "apt-get" | "aptitude" => "deb.debian.org",
        "yum" | "dnf" => "mirrors.fedoraproject.org",
        "apk" => "dl-cdn.alpinelinux.org",
        "pacman" => "geo.mirror.pkgbuild.com",
        "brew" => "formulae.brew.sh",
        "snap" => "api.snapcraft.io",
        "zypper" => "download.opensuse.org",
        _ => "",
    };
    let options = options::read(call.arguments, "o c t i root admindir");
    for setting in options.values(&["o"]) {
        // `APT::Update::Pre-Invoke::=cmd` and its like.
        if let Some((name, code)) = setting.text.split_once('=')
            && name.contains("Invoke")
        {
            walk.shell(&setting.derived(code), &[], &Flow::unknown());
        }
    }
    let changes = [
        "install",
        "remove",
        "purge",
        "add",
        "del",
        "upgrade",
        "update",
        "autoremove",
        "reinstall",
    ];
    let verb = options.operands.iter().position(|one| changes.contains(&one.text.as_str()));
    if let Some(verb) = verb {
        walk.reach(host, Taint::default());
        walk.add(Act::Change, "system");
        installed(walk, options.command(verb + 1));
    }
    for package in options.values(&["i"]) {
        walk.add(Act::Change, "system");
        walk.touch(Act::Read, package);
    }
    Flow::unknown()
}

fn make(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "C directory f file makefile I j jobs eval E o W l";
    let options = options::read(call.arguments, takes);
    let folder = options.value(&["C", "directory"]).cloned();
    for code in options.values(&["eval", "E"]) {
        // Its own language, with commands of a shell in it.
        walk.doubt(Doubt::Opaque);
        let shell = code.text.split_once("$(shell ").map(|(_, rest)| rest.trim_end_matches(')'));
        let recipe = code.text.split_once(':').map(|(_, rest)| rest.trim().trim_start_matches(';'));
        if let Some(text) = shell.or(recipe) {
            walk.shell(&code.derived(text), &[], &Flow::unknown());
        }
    }
    walk.inside(folder.as_ref(), |walk| {
        let file = options.value(&["f", "file", "makefile"]).cloned();
        let file = file.unwrap_or_else(|| Value::known("Makefile"));
        if file.text == "-" && call.input.given {
            walk.doubt(Doubt::Opaque);
        }
        walk.touch(Act::Read, &file);
        let recipe = walk.content(&file);
        if recipe.text.is_some() || recipe.taint.fetched {
            walk.doubt(Doubt::Opaque);
            let lines = recipe.value("").text;
            let commands: Vec<&str> =
                lines.lines().filter_map(|line| line.strip_prefix('\t')).collect();
            walk.shell(
                &Value { taint: recipe.taint, ..Value::known(commands.join("\n")) },
                &[],
                &Flow::unknown(),
            );
        }
        Flow::unknown()
    })
}
