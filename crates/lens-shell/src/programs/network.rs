//! Programs that talk to hosts.

mod curl;

use super::{Handler, options};
use crate::decode;
use crate::hosts;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "curl" | "xh" | "http" | "https" | "curlie" => curl::curl,
        "wget" | "wget2" | "aria2c" | "axel" | "lynx" | "w3m" | "links" | "elinks" => curl::wget,
        "nc" | "ncat" | "netcat" | "nc.traditional" | "nc.openbsd" => netcat,
        "socat" => socat,
        "telnet" | "ftp" | "lftp" | "tftp" | "ncftp" | "rlogin" | "rsh" => host_port,
        "dig" | "drill" | "kdig" | "resolvectl" => dig,
        "openssl" => openssl,
        "psql" | "mysql" | "mariadb" | "redis-cli" | "mongo" | "mongosh" | "pg_dump"
        | "mysqldump" | "cqlsh" | "clickhouse-client" => database,
        "sqlite3" => sqlite,
        _ => return None,
    })
}

/// What comes from a host.
pub(super) fn fetched() -> Flow {
    Flow::unknown().tainted(Taint { fetched: true, ..Taint::default() })
}

fn netcat(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "p s w q i X x e c exec sh-exec o m k-file T V g G I O proxy ssl-cert ssl-key";
    let options = options::read(call.arguments, takes);
    if options.has(&["l", "listen"]) || call.input.taint.answered {
        walk.doubt(Doubt::Listens);
    }
    for code in options.values(&["e", "c", "exec", "sh-exec"]) {
        walk.doubt(Doubt::Listens);
        walk.shell(code, &[], &Flow::unknown());
    }
    for proxy in options.values(&["x", "proxy"]) {
        walk.reach(&proxy.text, proxy.taint);
    }
    if options.has(&["U", "unixsock"])
        && let Some(path) = options.operands.first()
    {
        walk.reach(&format!("unix:{}", path.text), path.taint);
        return fetched();
    }
    match options.operands.as_slice() {
        [host, port, ..] => {
            let taint = host.taint.with(port.taint);
            walk.reach(&hosts::pair(&host.text, &port.text), taint);
        }
        [host] if !options.has(&["l", "listen"]) => walk.reach(&host.text, host.taint),
        _ => {}
    }
    fetched()
}

fn socat(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    for address in call.arguments.iter().filter(|one| one.text == "-" || !one.text.starts_with('-'))
    {
        for half in address.text.split("!!") {
            socat_address(walk, &address.derived(half));
        }
    }
    fetched()
}

fn socat_address(walk: &mut Walk<'_>, address: &Value) {
    let (kind, rest) = address.text.split_once(':').unwrap_or((&address.text, ""));
    let plain = rest.split(',').next().unwrap_or_default();
    let kind = kind.to_ascii_uppercase();
    let is = |start: &str| kind.starts_with(start);
    if kind.contains("LISTEN") || kind.ends_with("-L") || is("PTY") {
        walk.doubt(Doubt::Listens);
    } else if is("EXEC") || is("SYSTEM") || is("SHELL") {
        walk.doubt(Doubt::Listens);
        walk.shell(&address.derived(plain), &[], &Flow::unknown());
    } else if is("UNIX") || is("ABSTRACT") {
        walk.reach(&format!("unix:{plain}"), address.taint);
    } else if is("TCP")
        || is("UDP")
        || is("OPENSSL")
        || is("SSL")
        || is("SOCKS")
        || is("PROXY")
        || is("SCTP")
    {
        let (host, port) = plain.split_once(':').unwrap_or((plain, ""));
        walk.reach(&hosts::pair(host, port), address.taint);
    } else if is("OPEN") || is("FILE") || is("CREATE") || is("GOPEN") {
        let writes = is("CREATE") || rest.contains("wronly") || rest.contains("creat");
        let act = if writes { Act::Write } else { Act::Read };
        walk.touch(act, &address.derived(plain));
    } else if kind.contains('/') {
        walk.touch(Act::Read, &address.derived(plain_path(&address.text)));
    }
}

fn plain_path(text: &str) -> &str {
    text.split(',').next().unwrap_or_default()
}

fn host_port(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "l e p c u b n");
    if call.input.taint.answered {
        walk.doubt(Doubt::Listens);
    }
    for code in options.values(&["e", "c"]).filter(|_| call.name == "lftp") {
        hosts::urls(&code.text).iter().for_each(|host| walk.reach(host, code.taint));
    }
    if let Some(host) = options.operands.first() {
        let name = hosts::of_loose_url(&host.text).unwrap_or_default();
        let port = options.operands.get(1).map_or("", |port| port.text.as_str());
        let number = port.bytes().all(|byte| byte.is_ascii_digit());
        walk.reach(&hosts::pair(&name, if number { port } else { "" }), host.taint);
    }
    fetched()
}

fn dig(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "p f k t c b y q x");
    options.values(&["f", "k"]).for_each(|file| walk.touch(Act::Read, file));
    for operand in options.operands.iter().chain(options.values(&["q", "x"])) {
        let text = operand.text.strip_prefix('@').unwrap_or(&operand.text);
        let name = text.contains('.') || text.contains(':') || text == "localhost";
        if name || operand.taint.unknown {
            let port = options.value(&["p"]).filter(|_| operand.text.starts_with('@'));
            let port = port.map_or("", |port| port.text.as_str());
            walk.reach(&hosts::pair(text, port), operand.taint);
        }
    }
    fetched()
}

fn openssl(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "-connect -in -out -inkey -key -cert -CAfile -kfile -pass -passin -passout -k -K -iv \
                 -config -accept -port -subj -days -newkey -keyout -proxy -host -signature -engine \
                 -servername -md -S -provider -provider-path -sign -verify";
    let Some((command, rest)) = call.arguments.split_first() else { return Flow::unknown() };
    let options = options::read(rest, takes);
    for host in options.values(&["-connect", "-proxy", "-host"]) {
        walk.reach(&host.text, host.taint);
    }
    let answers = call.input.taint.answered && command.text == "s_client";
    if options.value(&["-accept"]).is_some() || command.text == "s_server" || answers {
        walk.doubt(Doubt::Listens);
    }
    let mut flow = call.input.clone();
    for file in options.values(&["-in"]) {
        flow = super::table::read(walk, file);
    }
    for file in
        options.values(&["-inkey", "-key", "-cert", "-CAfile", "-kfile", "-config", "-sign"])
    {
        walk.touch(Act::Read, file);
    }
    for library in options.values(&["-engine", "-provider-path"]) {
        walk.run(library);
        walk.touch(Act::Read, library);
    }
    if matches!(command.text.as_str(), "dgst" | "sha256" | "md5" | "sha1" | "pkeyutl" | "rsautl") {
        options.operands.iter().for_each(|file| walk.touch(Act::Read, file));
    }
    let flow = openssl_output(walk, command, rest, &flow);
    for file in options.values(&["-out", "-keyout"]) {
        walk.touch(Act::Write, file);
        walk.remember(&file.text, &flow);
    }
    flow
}

fn openssl_output(walk: &mut Walk<'_>, command: &Value, rest: &[Value], flow: &Flow) -> Flow {
    let has = |name: &str| rest.iter().any(|one| one.text == name);
    let codes = matches!(command.text.as_str(), "enc" | "base64");
    let only_base64 = command.text == "base64" || has("-base64") || has("-a");
    let ciphers =
        rest.iter().any(|one| one.text.starts_with("-aes") || one.text.starts_with("-des"));
    match (codes, has("-d")) {
        (true, true) if only_base64 && !ciphers => super::text::decoded(walk, flow, decode::base64),
        (true, true) => flow.blurred().tainted(Taint { decoded: true, ..Taint::default() }),
        _ if command.text == "s_client" => fetched(),
        _ => flow.blurred(),
    }
}

fn database(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes =
        "h host p port P U u user d dbname D database c command e execute eval f file n a o output";
    let options = options::read(call.arguments, takes);
    let port = match call.name {
        "mysql" | "mariadb" | "mysqldump" => options.value(&["P", "port"]),
        _ => options.value(&["p", "port"]),
    };
    let port = port.map_or("", |port| port.text.as_str());
    for host in options.values(&["h", "host"]) {
        walk.reach(&hosts::pair(&host.text, port), host.taint);
    }
    for operand in options.operands.iter().chain(options.values(&["u", "d", "dbname"])) {
        if let Some(host) = hosts::of_url(&operand.text) {
            walk.reach(&host, operand.taint);
        }
    }
    for file in options.values(&["f", "file"]) {
        walk.touch(Act::Read, file);
    }
    for file in options.values(&["o", "output"]) {
        walk.touch(Act::Write, file);
    }
    for code in options.values(&["c", "command", "e", "execute"]) {
        client_command(walk, code);
    }
    Flow::unknown()
}

/// Clients of databases run programs: `\! cmd`, `system cmd`, `.shell cmd`, `… PROGRAM 'cmd'`.
fn client_command(walk: &mut Walk<'_>, code: &Value) {
    const STARTS: [&str; 5] = ["\\!", "system ", ".shell ", ".system ", "PROGRAM '"];
    for start in STARTS {
        if let Some((_, command)) = code.text.split_once(start) {
            let command = command.trim_end_matches([';', '\'']);
            walk.shell(&code.derived(command.trim()), &[], &Flow::unknown());
        }
    }
}

fn sqlite(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "-init -cmd -separator");
    let mut operands = options.operands.iter();
    operands.next().into_iter().filter(|file| file.text != ":memory:").for_each(|file| {
        walk.touch(Act::Write, file);
    });
    for file in options.values(&["-init"]) {
        walk.touch(Act::Read, file);
    }
    let codes: Vec<Value> = operands.chain(options.values(&["-cmd"])).cloned().collect();
    for code in codes {
        client_command(walk, &code);
        match code.text.trim().split_once(' ') {
            Some((".read" | ".import" | ".open" | ".restore", file)) => {
                walk.touch(Act::Read, &code.derived(file.trim()));
            }
            Some((".output" | ".once" | ".backup" | ".dump" | ".log" | ".save", file)) => {
                walk.touch(Act::Write, &code.derived(file.trim()));
            }
            _ => {}
        }
        file_functions(walk, &code);
    }
    Flow::unknown()
}

/// `readfile('…')`, `writefile('…', …)` and `attach '…'`.
fn file_functions(walk: &mut Walk<'_>, code: &Value) {
    for (start, act) in [
        ("readfile('", Act::Read),
        ("writefile('", Act::Write),
        ("attach '", Act::Write),
        ("ATTACH '", Act::Write),
    ] {
        if let Some((_, rest)) = code.text.split_once(start) {
            let file = rest.split('\'').next().unwrap_or_default();
            walk.touch(act, &code.derived(file));
        }
    }
}
