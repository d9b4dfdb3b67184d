//! Programs that start another one.

use super::{Handler, options};
use crate::plan::{Act, Doubt};
use crate::programs::environment;
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

/// One program that only changes how another one runs.
struct Wrapper {
    names: &'static str,
    /// Its options that take a value.
    takes: &'static str,
    /// How many operands stand in front of the command.
    behind: usize,
}

const fn wrapper(names: &'static str, takes: &'static str, behind: usize) -> Wrapper {
    Wrapper { names, takes, behind }
}

const WRAPPERS: &[Wrapper] = &[
    wrapper(
        "nohup setsid unbuffer catchsegv eatmydata dbus-run-session torsocks torify linux32 linux64 \
         nocache tsocks rlwrap",
        "",
        0,
    ),
    wrapper("fakeroot xvfb-run proxychains proxychains4", "f s n e i l", 0),
    wrapper("setarch", "", 1),
    wrapper("nice", "n adjustment", 0),
    wrapper("ionice", "c n p class classdata", 0),
    wrapper("timeout", "s k signal kill-after", 1),
    wrapper("stdbuf", "i o e input output error", 0),
    wrapper("taskset chrt", "p T P D", 1),
    wrapper("time", "f o format output", 0),
    wrapper("valgrind perf heaptrack hyperfine", "w m", 0),
    wrapper("systemd-run systemd-inhibit", "u p t M H E unit property setenv", 0),
    wrapper("prlimit cpulimit numactl", "p l e c", 0),
    wrapper("setpriv", "reuid regid groups inh-caps ambient-caps bounding-set securebits", 0),
    wrapper("ts chpst softlimit tini dumb-init gosu su-exec", "u", 1),
    wrapper("bwrap firejail proot", "bind ro-bind dev proc chdir", 0),
];

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "sudo" | "doas" | "pkexec" | "sudoedit" => privileged,
        "env" => env,
        "flock" => flock,
        "chroot" => chroot,
        "unshare" | "nsenter" => namespaces,
        "strace" | "ltrace" => tracer,
        "gdb" | "lldb" | "gdbserver" => debugger,
        "capsh" => capsh,
        "entr" | "inotifywait" => run_all,
        name if wrapped(name).is_some() => wrap,
        _ => return None,
    })
}

fn wrapped(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|one| one.names.split_whitespace().any(|known| known == name))
}

fn wrap(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let Some(wrapper) = wrapped(call.name) else { return Flow::unknown() };
    let options = options::read_to_command(call.arguments, wrapper.takes);
    for file in options.values(&["o", "output"]).filter(|_| call.name == "time") {
        walk.touch(Act::Write, file);
    }
    if call.name == "perf" {
        return walk.start(options.command(1), call.input);
    }
    walk.start(options.command(wrapper.behind), call.input)
}

fn run_all(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read_to_command(call.arguments, "e");
    walk.start(options.command(0), call.input)
}

fn privileged(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.doubt(Doubt::Privilege);
    let takes = "u g h p C r t T U D R user group host prompt chdir chroot role type";
    let options = options::read_to_command(call.arguments, takes);
    let edits = call.name == "sudoedit" || options.has(&["e", "edit"]);
    if edits {
        options.operands.iter().for_each(|file| walk.touch(Act::Write, file));
        return Flow::unknown();
    }
    let command = assignments(walk, options.command(0));
    walk.start(command, call.input)
}

/// Takes `NAME=value` words from the front of a command.
fn assignments<'a>(walk: &mut Walk<'_>, words: &'a [Value]) -> &'a [Value] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let Some((name, value)) = first.text.split_once('=') else { return rest };
        let value = first.derived(value);
        environment::set(walk, name, &value);
        walk.assign(name, vec![value]);
        rest = after;
    }
    rest
}

fn env(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read_to_command(call.arguments, "u unset C chdir S split-string argv0");
    if let Some(code) = options.value(&["S", "split-string"]) {
        let mut words: Vec<Value> =
            code.text.split_whitespace().map(|word| code.derived(word)).collect();
        words.extend_from_slice(options.command(0));
        return walk.subshell(|walk| {
            let command = assignments(walk, &words);
            walk.start(command, call.input)
        });
    }
    let folder = options.value(&["C", "chdir"]).cloned();
    walk.inside(folder.as_ref(), |walk| {
        walk.subshell(|walk| {
            let command = assignments(walk, options.command(0));
            if command.is_empty() { Flow::unknown() } else { walk.start(command, call.input) }
        })
    })
}

fn flock(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read_to_command(call.arguments, "w timeout E conflict-exit-code");
    let Some((file, rest)) = options.operands.split_first() else { return Flow::unknown() };
    if !file.text.bytes().all(|byte| byte.is_ascii_digit()) {
        walk.touch(Act::Write, file);
    }
    match rest {
        [option, code, ..] if matches!(option.text.as_str(), "-c" | "--command") => {
            walk.shell(code, &[], call.input)
        }
        rest => walk.start(rest, call.input),
    }
}

fn chroot(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read_to_command(call.arguments, "userspec groups");
    let Some((root, command)) = options.operands.split_first() else { return Flow::unknown() };
    walk.change("namespace:", &root.derived("root"));
    walk.touch(Act::Read, root);
    walk.inside(Some(root), |walk| walk.start(command, call.input))
}

fn namespaces(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "t target S setuid G setgid R root w wd map-user map-group propagation setgroups";
    let options = options::read_to_command(call.arguments, takes);
    let target = options.value(&["t", "target"]).map_or("new", |target| target.text.as_str());
    walk.add(Act::Change, format!("namespace:{target}"));
    for (name, value) in options.all_values() {
        // `--mount=FILE` enters a namespace by its file.
        if value.text.contains('/') && name != "R" && name != "root" {
            walk.touch(Act::Read, value);
        }
    }
    if options.has(&["r", "U", "map-root-user", "user"]) {
        walk.doubt(Doubt::Privilege);
    }
    walk.start(options.command(0), call.input)
}

/// Tracers look into a process, or start one.
fn tracer(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "p attach o output e expr s string-limit P trace-path u user E env a b I O S X";
    let options = options::read_to_command(call.arguments, takes);
    for process in options.values(&["p", "attach"]) {
        walk.change("process:", process);
    }
    for file in options.values(&["o", "output"]) {
        walk.touch(Act::Write, file);
    }
    walk.start(options.command(0), call.input)
}

/// Debuggers change what they look at, and run commands of their own.
fn debugger(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    // Their long options may be written with one dash.
    let long = |one: &Value| {
        let single = one.text.strip_prefix('-').filter(|rest| rest.len() > 1);
        match single.filter(|rest| !rest.starts_with('-')) {
            Some(rest) => one.derived(format!("--{rest}")),
            None => one.clone(),
        }
    };
    let arguments: Vec<Value> = call.arguments.iter().map(long).collect();
    let takes = "p pid attach-pid x command ex iex eval-command init-eval-command one-line c core s symbols d o";
    let options = options::read_to_command(&arguments, takes);
    for process in options.values(&["p", "pid", "attach-pid"]) {
        walk.change("process:", process);
    }
    for file in options.values(&["x", "command", "c", "core"]) {
        walk.touch(Act::Read, file);
    }
    for code in options.values(&["ex", "iex", "eval-command", "init-eval-command", "o", "one-line"])
    {
        let shell = code.text.strip_prefix("shell ").or_else(|| code.text.strip_prefix('!'));
        match shell.or_else(|| code.text.strip_prefix("platform shell ")) {
            Some(shell) => drop(walk.shell(&code.derived(shell), &[], &Flow::unknown())),
            None => crate::snippet::search(walk, crate::snippet::Language::Script, code),
        }
    }
    walk.start(options.command(0), call.input)
}

fn capsh(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let place = call.arguments.iter().position(|one| matches!(one.text.as_str(), "--" | "=="));
    let Some(rest) = place.and_then(|place| call.arguments.get(place + 1..)) else {
        return Flow::unknown();
    };
    let mut words = vec![Value::known("/bin/bash")];
    words.extend_from_slice(rest);
    walk.start(&words, call.input)
}
