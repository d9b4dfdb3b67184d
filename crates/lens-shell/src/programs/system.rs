//! Programs that change the system itself.

use super::{Handler, options};
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "systemctl" | "service" | "initctl" | "rc-service" | "update-rc.d" | "launchctl" => unit,
        "journalctl" => journal,
        "crontab" => crontab,
        "useradd" | "userdel" | "usermod" | "adduser" | "deluser" | "groupadd" | "groupdel"
        | "groupmod" | "passwd" | "chpasswd" | "chsh" | "chage" | "gpasswd" | "vipw" | "visudo" => {
            account
        }
        "insmod" | "modprobe" | "rmmod" | "kmod" => module,
        "mount" | "umount" | "swapon" | "swapoff" | "fusermount" | "pivot_root" => mount,
        "sysctl" => sysctl,
        "iptables" | "ip6tables" | "nft" | "ufw" | "firewall-cmd" | "ipset" | "ebtables"
        | "iptables-restore" => firewall,
        "ip" | "ifconfig" | "route" | "brctl" | "tc" | "nmcli" | "iw" | "ethtool" => network,
        "kill" | "pkill" | "killall" | "skill" | "xkill" => kill,
        "reboot" | "shutdown" | "halt" | "poweroff" | "init" | "telinit" => power,
        "dmesg" => dmesg,
        "hostnamectl"
        | "timedatectl"
        | "loginctl"
        | "localectl"
        | "update-alternatives"
        | "ldconfig"
        | "setenforce"
        | "aa-disable"
        | "auditctl"
        | "bpftool"
        | "kexec"
        | "logrotate"
        | "hwclock" => configuration,
        _ => return None,
    })
}

fn operands(call: &Call<'_>) -> Vec<Value> {
    options::read(call.arguments, "t H M p").operands
}

fn unit(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let operands = operands(call);
    let (verb, units) = match (call.name, operands.as_slice()) {
        ("systemctl" | "initctl" | "launchctl", [verb, units @ ..]) => (verb.text.as_str(), units),
        (_, [unit, verb, ..]) => (verb.text.as_str(), std::slice::from_ref(unit)),
        _ => return Flow::unknown(),
    };
    let looks = verb.starts_with("list")
        || verb.starts_with("is-")
        || matches!(verb, "status" | "show" | "cat" | "help" | "get-default" | "show-environment");
    if matches!(verb, "reboot" | "poweroff" | "halt" | "kexec" | "suspend" | "rescue" | "emergency")
    {
        walk.add(Act::Change, "power");
    } else if !looks {
        for unit in units {
            walk.change("unit:", unit);
            if unit.text.contains('/') {
                walk.touch(Act::Read, unit);
            }
        }
        if units.is_empty() {
            walk.add(Act::Change, "system");
        }
    }
    Flow::unknown()
}

fn journal(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let clears = |one: &Value| one.text.starts_with("--vacuum") || one.text == "--rotate";
    if call.arguments.iter().any(clears) {
        walk.doubt(Doubt::History);
    }
    walk.touch(Act::Read, &Value::known("/var/log/journal"));
    Flow::unknown()
}

fn crontab(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "u");
    if options.has(&["l"]) {
        walk.add(Act::Read, "crontab");
        return Flow::unknown();
    }
    walk.add(Act::Change, "crontab");
    if options.has(&["r"]) {
        walk.add(Act::Remove, "crontab");
        return Flow::silent();
    }
    let mut table = call.input.clone();
    if let Some(file) = options.operands.first().filter(|file| file.text != "-") {
        walk.touch(Act::Read, file);
        table = walk.content(file);
    }
    for line in table.text.unwrap_or_default().lines().take(16) {
        scheduled(walk, line);
    }
    Flow::silent()
}

/// The command of one line of a table: behind five fields, or behind one that begins with `@`.
fn scheduled(walk: &mut Walk<'_>, line: &str) {
    let fields = if line.trim_start().starts_with('@') { 1 } else { 5 };
    let mut rest = line.trim_start();
    for _ in 0..fields {
        rest = rest.split_once([' ', '\t']).map_or("", |(_, rest)| rest.trim_start());
    }
    if !rest.is_empty() && !line.trim_start().starts_with('#') {
        walk.shell(&Value::known(rest), &[], &Flow::unknown());
    }
}

fn account(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "G g s d u c p k e f a M");
    walk.doubt(Doubt::Privilege);
    match options.operands.last() {
        Some(name) => walk.change("account:", name),
        None => walk.change("account:", &Value::known("*")),
    }
    Flow::unknown()
}

fn module(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    walk.doubt(Doubt::Privilege);
    for module in operands(call) {
        walk.change("module:", &module);
        if module.text.contains('/') {
            walk.touch(Act::Read, &module);
        }
    }
    Flow::unknown()
}

fn mount(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "t types o options L U source target p");
    if options.operands.is_empty() {
        walk.touch(Act::Read, &Value::known("/proc/self/mounts"));
        return Flow::unknown();
    }
    let places = match options.operands.as_slice() {
        [source, places @ ..] if !places.is_empty() && call.name == "mount" => {
            if source.text.contains('/') {
                walk.touch(Act::Read, source);
            }
            places
        }
        places => places,
    };
    places.iter().for_each(|place| walk.touch(Act::Change, place));
    Flow::unknown()
}

fn sysctl(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "p load");
    options.values(&["p", "load"]).for_each(|file| walk.touch(Act::Read, file));
    for setting in &options.operands {
        if let Some((name, _)) = setting.text.split_once('=') {
            walk.change("sysctl:", &setting.derived(name));
        }
    }
    Flow::unknown()
}

fn firewall(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let looks = |one: &Value| {
        matches!(
            one.text.as_str(),
            "-L" | "-S" | "list" | "status" | "--list" | "--list-all" | "-nL"
        )
    };
    if !call.arguments.iter().any(looks) {
        walk.add(Act::Change, "firewall");
    }
    Flow::unknown()
}

fn network(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let changes = |one: &Value| {
        matches!(
            one.text.as_str(),
            "add"
                | "del"
                | "delete"
                | "set"
                | "up"
                | "down"
                | "change"
                | "replace"
                | "flush"
                | "addbr"
                | "connect"
                | "disconnect"
                | "-s"
        )
    };
    let words = operands(call);
    if let [netns, exec, _, command @ ..] = words.as_slice()
        && netns.text == "netns"
        && exec.text == "exec"
    {
        walk.add(Act::Change, "namespace:net");
        return walk.start(command, call.input);
    }
    if call.arguments.iter().any(changes) {
        walk.add(Act::Change, "network");
    }
    Flow::unknown()
}

fn kill(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let is_signal = |text: &str| {
        text.strip_prefix('-').is_some_and(|rest| {
            rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
    };
    let mut signal = None;
    let mut words = call.arguments.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-l" | "-L" | "--list" => return Flow::unknown(),
            "-s" | "-n" | "--signal" => signal = words.next().map(|one| one.text.as_str()),
            "-u" | "-U" | "-g" | "-G" | "-P" | "-t" => {
                words.next().into_iter().for_each(|one| walk.change("process:", one));
            }
            // Only the first one is a signal; `-1` behind it is everyone.
            text if signal.is_none() && is_signal(text) => signal = text.strip_prefix('-'),
            "-1" => {
                walk.doubt(Doubt::Wildcard);
                walk.add(Act::Change, "process:*");
            }
            text if text.starts_with('-') && text.len() > 1 && !is_signal(text) => {}
            _ if signal == Some("0") => {}
            _ => end_process(walk, call, word),
        }
    }
    Flow::silent()
}

fn end_process(walk: &mut Walk<'_>, call: &Call<'_>, word: &Value) {
    let matches_all = call.name == "pkill" && matches!(word.text.as_str(), "." | ".*" | "");
    if matches_all {
        walk.doubt(Doubt::Wildcard);
    }
    walk.change("process:", word);
}

fn power(walk: &mut Walk<'_>, _call: &Call<'_>) -> Flow {
    walk.add(Act::Change, "power");
    Flow::silent()
}

fn dmesg(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    if call.arguments.iter().any(|one| matches!(one.text.as_str(), "-C" | "-c" | "--clear")) {
        walk.doubt(Doubt::History);
    }
    walk.touch(Act::Read, &Value::known("/dev/kmsg"));
    Flow::unknown()
}

fn configuration(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    if !call.arguments.is_empty() || call.name == "ldconfig" {
        walk.add(Act::Change, "system");
    }
    super::unfamiliar(walk, call)
}
