//! What functions of other languages do with a text.

use crate::decode;
use crate::glob;
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::Value;
use crate::walk::Walk;

/// What a function does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Kind {
    #[default]
    Other,
    /// Runs a command of a shell, or a program with its words.
    Shell,
    /// Runs code of its own language.
    Code,
    Open,
    Remove,
    Write,
    Change,
    Connect,
    Decode,
    /// Puts parts of a path together.
    Join,
}

/// What a function does, by its name in lower case; the last part counts most.
pub(super) fn kind(callee: &str) -> Kind {
    let last = callee.rsplit('.').next().unwrap_or_default();
    match last {
        "system" | "popen" | "popen2" | "popen3" | "execsync" | "execfile" | "execfilesync"
        | "getoutput" | "getstatusoutput" | "check_output" | "check_call" | "spawn"
        | "spawnsync" | "shell_exec" | "passthru" | "proc_open" | "execl" | "execlp" | "execle"
        | "execv" | "execvp" | "execve" | "execvpe" | "posix_spawn" | "posix_spawnp"
        | "spawnlp" | "spawnvp" | "qx" | "execute" | "capture2" | "capture3" | "startfile"
        | "doscript" => Kind::Shell,
        "run" | "call" if callee.contains("subprocess") || callee == last => Kind::Shell,
        // `exec` runs code in Python and a program elsewhere.
        "exec" if callee.contains("child_process") || callee.contains('.') => Kind::Shell,
        "exec" | "eval" | "compile" | "function" | "runinnewcontext" | "runinthiscontext" => {
            Kind::Code
        }
        "open" | "opensync" | "file" | "path" | "sysopen" | "fopen" | "io" => Kind::Open,
        "remove" | "unlink" | "rmtree" | "rmdir" | "removedirs" | "unlinksync" | "rmsync"
        | "rm" | "rmdirsync" | "rm_rf" | "rm_r" | "rm_f" | "delete" | "remove_tree" => Kind::Remove,
        "writefile" | "writefilesync" | "appendfile" | "appendfilesync" | "createwritestream"
        | "write_text" | "write_bytes" | "file_put_contents" | "mkdir" | "makedirs"
        | "mkdirsync" | "touch" | "truncate" | "truncatesync" | "copyfile" | "copyfilesync"
        | "symlink" | "symlinksync" | "link" | "linksync" | "mkfifo" | "mknod" => Kind::Write,
        "chmod" | "chown" | "lchown" | "rename" | "renames" | "replace" | "utime" | "chmodsync"
        | "chownsync" | "renamesync" | "setxattr" | "move" => Kind::Change,
        "connect" | "connect_ex" | "create_connection" | "createconnection" | "tcpsocket"
        | "fsockopen" | "httpconnection" | "httpsconnection" | "sockaddr_in"
        | "pack_sockaddr_in" | "sendto" | "getaddrinfo" | "gethostbyname" | "open_connection"
        | "lookup" | "resolve4" => Kind::Connect,
        "new" if callee.contains("socket") => Kind::Connect,
        "get" | "request" if callee.contains("http") => Kind::Connect,
        "b64decode" | "a2b_base64" | "atob" | "decode_base64" | "decode64"
        | "urlsafe_b64decode" | "standard_b64decode" | "strict_decode64" | "base64_decode"
        | "b32decode" | "fromhex" | "unhexlify" | "a2b_hex" | "hex2bin" => Kind::Decode,
        "from" if callee.contains("buffer") => Kind::Decode,
        "join" if callee.contains("path") || callee.contains("file") => Kind::Join,
        _ => Kind::Other,
    }
}

/// Whether a text looks like code rather than like a command of a shell.
pub(super) fn is_code(text: &str) -> bool {
    text.contains(['(', '=', '\n', ';']) || text.starts_with("import ")
}

/// Whether the list of words that such a function takes begins with the name of the program.
pub(super) fn counts_program(callee: &str) -> bool {
    let last = callee.rsplit('.').next().unwrap_or_default();
    last.starts_with("execv") || last.starts_with("posix_spawn") || last.starts_with("spawnv")
}

/// Takes down what a text that is given to such a function stands for.
pub(super) fn text(walk: &mut Walk<'_>, kind: Kind, value: &Value, first: bool) {
    let text = value.text.as_str();
    let urls = hosts::urls(text);
    for host in &urls {
        walk.reach(host, value.taint);
    }
    if let Some(code) = piped(text).filter(|_| kind == Kind::Open) {
        walk.shell(&value.derived(code), &[], &crate::value::Flow::unknown());
        return;
    }
    let (act, text) = opened(kind, text);
    // What a file is called is told apart from anything else by where it leads.
    let named = matches!(kind, Kind::Open | Kind::Remove | Kind::Write | Kind::Change);
    let leads = is_path(text) || (named && first && is_name(text));
    if urls.is_empty() && leads && !is_mode(text) {
        let path = value.derived(at_home(walk, text));
        walk.touch(act, &path);
        return;
    }
    well_known(walk, act, text);
}

/// The act of a function on a file; two-argument `open` has the direction in front of the name.
fn opened(kind: Kind, text: &str) -> (Act, &str) {
    match kind {
        Kind::Remove => (Act::Remove, text),
        Kind::Write => (Act::Write, text),
        Kind::Change => (Act::Change, text),
        Kind::Open if text.len() > 1 && text.starts_with('>') => {
            (Act::Write, text.trim_start_matches(['>', ' ']))
        }
        Kind::Open if text.len() > 1 && text.starts_with('<') => {
            (Act::Read, text.trim_start_matches(['<', ' ']))
        }
        Kind::Other
        | Kind::Shell
        | Kind::Code
        | Kind::Open
        | Kind::Connect
        | Kind::Decode
        | Kind::Join => (Act::Read, text),
    }
}

/// The command of `open(F, "cmd|")`.
fn piped(text: &str) -> Option<&str> {
    text.strip_prefix('|').or_else(|| text.strip_suffix('|')).filter(|code| code.len() > 1)
}

fn is_path(text: &str) -> bool {
    let leads = ["/", "~/", "./", "../"].iter().any(|start| text.starts_with(start));
    leads && text.len() > 1 && text.len() < 512 && !text.contains(['\n', ' ', '<'])
}

fn is_name(text: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || "._-/@".contains(letter);
    !text.is_empty() && text.len() < 256 && text.chars().all(plain)
}

fn is_mode(text: &str) -> bool {
    text.len() <= 3 && text.chars().all(|letter| "rwaxbt+>".contains(letter))
}

fn at_home(walk: &Walk<'_>, text: &str) -> String {
    match text.strip_prefix("~/") {
        Some(rest) if !walk.home().is_empty() => format!("{}/{rest}", walk.home()),
        _ => text.to_owned(),
    }
}

/// `.ssh/id_rsa` and its like, put together with a home by the code.
fn well_known(walk: &mut Walk<'_>, act: Act, text: &str) {
    if text.len() < 4 || text.len() > 64 || !(text.starts_with('.') || text.starts_with("id_")) {
        return;
    }
    let home = walk.home().to_owned();
    walk.spend(64);
    let ending = format!("/{text}");
    for name in glob::sensitive(&home, |name| name.ends_with(&ending)) {
        walk.add(act, name);
    }
}

/// A host and a port among the arguments of a function that connects; whether there is one.
pub(super) fn connect(walk: &mut Walk<'_>, texts: &[Value], number: Option<&str>) -> bool {
    let mut hosts = texts.iter().filter(|one| is_host(&one.text) && !one.text.contains("://"));
    let Some(host) = hosts.next() else {
        if let Some(path) = texts.iter().find(|one| one.text.starts_with('/')) {
            walk.reach(&format!("unix:{}", path.text), path.taint);
        }
        return !texts.is_empty();
    };
    let port = hosts.find(|one| one.text.bytes().all(|byte| byte.is_ascii_digit()));
    let port = port.map_or(number.unwrap_or_default(), |port| port.text.as_str());
    let port = if host.text.contains(':') { "" } else { port };
    walk.reach(&hosts::pair(&host.text, port), host.taint);
    true
}

fn is_host(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:_".contains(letter);
    !text.is_empty() && text.len() < 256 && text.chars().all(plain)
}

/// What decoding the arguments gives.
pub(super) fn decoded(walk: &mut Walk<'_>, callee: &str, texts: &[Value]) -> Vec<Value> {
    let sixteen = callee.contains("hex") || texts.iter().any(|one| one.text == "hex");
    let mut all = Vec::new();
    for text in texts.iter().filter(|one| !matches!(one.text.as_str(), "hex" | "base64" | "utf8")) {
        let plain = match () {
            () if sixteen => decode::hex(&text.text),
            () if callee.contains("b32") => decode::base32(&text.text),
            () => decode::base64(&text.text),
        };
        let Some(plain) = plain.filter(|plain| !plain.is_empty()) else { continue };
        walk.doubt(Doubt::Decoded);
        walk.spend(plain.len());
        let mut value = text.derived(plain);
        value.taint.decoded = true;
        self::text(walk, Kind::Other, &value, true);
        all.push(value);
    }
    all
}

/// Parts of a path as one.
pub(super) fn joined(walk: &mut Walk<'_>, texts: &[Value]) -> Vec<Value> {
    let Some((first, rest)) = texts.split_first() else { return Vec::new() };
    let mut path = first.clone();
    for part in rest {
        path.text.push('/');
        path.push(part);
    }
    text(walk, Kind::Other, &path, true);
    vec![path]
}

/// `/inet/tcp/0/host/port`.
pub(super) fn awk_connection(text: &str) -> Option<String> {
    let rest = text.strip_prefix("/inet")?.trim_start_matches(['4', '6']);
    let mut parts = rest.trim_start_matches('/').split('/').skip(2);
    Some(hosts::pair(parts.next()?, parts.next().unwrap_or_default()))
}
