//! Acts and the doubts that come with their objects.

use super::Walk;
use super::scope::join;
use crate::glob;
use crate::plan::{Act, Doubt, WOULD_MAX, Would};
use crate::value::{Taint, Value};

/// Places where programs of the system lie: there, the name says all.
const PROGRAM_FOLDERS: [&str; 6] =
    ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// Names below a home in which shells keep what was typed.
const HISTORIES: [&str; 6] = [
    ".ash_history",
    ".bash_history",
    ".histfile",
    ".python_history",
    ".sh_history",
    ".zsh_history",
];

impl Walk<'_> {
    /// Takes an act down as it is.
    pub(crate) fn add(&mut self, act: Act, what: impl Into<String>) {
        let would = Would { act, what: what.into() };
        if self.plan.would.len() < WOULD_MAX || self.plan.would.contains(&would) {
            self.plan.would.insert(would);
        } else {
            self.doubt(Doubt::TooLong);
        }
    }

    /// An act on something that is no file.
    pub(crate) fn change(&mut self, prefix: &str, value: &Value) {
        self.suspect(value.taint);
        self.add(Act::Change, format!("{prefix}{}", value.text));
    }

    /// Starts a program.
    pub(crate) fn run(&mut self, name: &Value) {
        if name.taint.unknown {
            self.doubt(Doubt::Opaque);
        }
        if name.taint.fetched {
            self.doubt(Doubt::FetchedCode);
        }
        if name.taint.decoded {
            self.doubt(Doubt::Decoded);
            self.doubt(Doubt::DecodedCode);
        }
        let spelled = shortened(&name.text);
        if spelled.contains('/') {
            let paths: Vec<String> =
                self.folders().iter().map(|folder| join(folder, &name.text)).collect();
            for path in paths {
                let path = if path.contains('/') { path } else { spelled.to_owned() };
                self.add(Act::Run, path);
            }
        } else {
            self.add(Act::Run, spelled);
        }
    }

    /// An act on a file.
    pub(crate) fn touch(&mut self, act: Act, value: &Value) {
        let text = value.text.strip_prefix("file://").unwrap_or(&value.text);
        if let Some(host) = connection(text) {
            return self.add(Act::Reach, host);
        }
        if value.source.is_some() || is_nothing(text) {
            return;
        }
        self.suspect(value.taint);
        let paths: Vec<String> = self.folders().iter().map(|folder| join(folder, text)).collect();
        for path in paths {
            self.spend(path.len());
            self.touch_path(act, path, value);
        }
    }

    fn touch_path(&mut self, act: Act, path: String, value: &Value) {
        let takes = matches!(act, Act::Remove | Act::Change);
        if takes && value.pattern {
            self.doubt(Doubt::Wildcard);
        }
        if matches!(act, Act::Remove | Act::Change | Act::Write) && keeps_traces(&path) {
            self.doubt(Doubt::History);
        }
        if matches!(act, Act::Change | Act::Write) && gives_rights(&path) {
            self.doubt(Doubt::Privilege);
        }
        for name in self.meant(&path, value) {
            self.add(act, name);
        }
        self.add(act, path);
    }

    /// Well-known files that a pattern, or a name with an empty variable in it, stands for.
    fn meant(&mut self, path: &str, value: &Value) -> Vec<String> {
        // All of them are absolute, or below a home that is not known.
        if !path.starts_with(['/', '~', '$']) && !self.home().is_empty() {
            return Vec::new();
        }
        if value.pattern && path.len() <= glob::PATTERN_MAX_BYTES {
            self.spend(64);
            let home = self.home().to_owned();
            let slashes = path.matches('/').count();
            return glob::sensitive(&home, |name| {
                name.matches('/').count() == slashes && glob::matches_path(path, name)
            });
        }
        if value.taint.unknown && path.contains('$') {
            self.spend(64);
            let blank = blanked(path);
            let home = self.home().to_owned();
            return glob::sensitive(&home, |name| name == blank);
        }
        Vec::new()
    }

    /// Removes a whole tree.
    pub(crate) fn remove_tree(&mut self, value: &Value) {
        self.touch(Act::Remove, value);
        self.doubt_root(value);
    }

    /// Changes a whole tree.
    pub(crate) fn change_tree(&mut self, value: &Value) {
        self.touch(Act::Change, value);
        self.doubt_root(value);
    }

    /// Near the root, a whole tree is nearly everything.
    fn doubt_root(&mut self, value: &Value) {
        let place = join(&self.folder(), &value.text);
        let place = place.trim_end_matches(['*', '.', '/']);
        let home = self.home().trim_end_matches('/');
        let shallow = place.strip_prefix('/').is_some_and(|rest| !rest.contains('/'));
        let at_home = !home.is_empty() && (place == home || home.starts_with(&format!("{place}/")));
        if place.is_empty() || shallow || at_home || place == "~" {
            self.doubt(Doubt::Wildcard);
        }
    }

    /// Talks to a host.
    pub(crate) fn reach(&mut self, host: &str, taint: Taint) {
        self.suspect(taint);
        if !host.is_empty() {
            self.add(Act::Reach, host.trim_matches(['\'', '"']));
        }
    }

    /// Takes down what is doubtful about something that is used.
    pub(crate) fn suspect(&mut self, taint: Taint) {
        if taint.unknown {
            self.doubt(Doubt::Opaque);
        }
        if taint.decoded {
            self.doubt(Doubt::Decoded);
        }
    }

    pub(super) fn is_connection(&self, path: &str) -> bool {
        connection(path).is_some()
    }
}

/// The name of a program without its folder, where that is a usual one.
pub(crate) fn shortened(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((folder, base)) if PROGRAM_FOLDERS.contains(&folder) => base,
        _ => name,
    }
}

/// The host that a path in `/dev/tcp` or `/dev/udp` is a connection to.
fn connection(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/dev/tcp/").or_else(|| path.strip_prefix("/dev/udp/"))?;
    Some(match rest.split_once('/') {
        Some((host, port)) => format!("{host}:{port}"),
        None => rest.to_owned(),
    })
}

/// Names that stand for the terminal, for a pipe or for nothing at all.
fn is_nothing(path: &str) -> bool {
    matches!(
        path,
        "" | "-"
            | "/dev/null"
            | "/dev/stdin"
            | "/dev/stdout"
            | "/dev/stderr"
            | "/dev/tty"
            | "/dev/zero"
            | "/dev/full"
            | "/dev/random"
            | "/dev/urandom"
    ) || path.starts_with("/dev/fd/")
}

fn keeps_traces(path: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    HISTORIES.contains(&base)
        || path.starts_with("/var/log/")
        || path == "/var/log"
        || matches!(path, "/var/run/utmp" | "/run/utmp")
}

/// Files that say who may do what.
fn gives_rights(path: &str) -> bool {
    path.starts_with("/etc/sudoers")
        || path.starts_with("/etc/pam.d")
        || matches!(path, "/etc/passwd" | "/etc/shadow" | "/etc/group" | "/etc/ld.so.preload")
}

/// A text without the variables in it, as when none of them is set.
pub(super) fn blanked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((start, after)) = rest.split_once('$') {
        out.push_str(start);
        rest = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').map_or("", |(_, rest)| rest),
            None => {
                let name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let kept = after.trim_start_matches(name);
                let special = kept.len() == after.len() && after.starts_with(['@', '*']);
                if special { after.get(1..).unwrap_or_default() } else { kept }
            }
        };
    }
    out.push_str(rest);
    out
}
