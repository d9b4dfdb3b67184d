//! `curl` and `wget`: what they send, what they fetch, and where it goes.

use super::fetched;
use crate::hosts;
use crate::plan::Act;
use crate::programs::options::{self, Options};
use crate::value::{Flow, Value};
use crate::walk::{Call, Walk};

/// Options of `curl` that take a value and do nothing that matters here, and those below.
const CURL: &str = "A user-agent b cookie c cookie-jar C continue-at d data data-ascii data-binary \
    data-raw data-urlencode json D dump-header e referer E cert F form form-string H header K config \
    m max-time o output P ftp-port Q quote r range t telnet-option T upload-file u user U proxy-user \
    w write-out x proxy preproxy socks5 socks5-hostname socks4 X request y Y z url url-query cacert \
    capath key resolve connect-to unix-socket abstract-unix-socket connect-timeout retry retry-delay \
    output-dir interface netrc-file trace trace-ascii stderr dns-servers doh-url etag-save \
    etag-compare limit-rate max-redirs proto ciphers tls-max ssl-sessions alt-svc hsts crlfile";

pub(super) fn curl(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, CURL);
    sent(walk, call, &options);
    files(walk, &options);
    elsewhere(walk, &options);
    let addresses: Vec<&Value> = options.operands.iter().chain(options.values(&["url"])).collect();
    for address in &addresses {
        visit(walk, address);
    }
    let own_names = options.has(&["O", "remote-name", "remote-name-all"]);
    if own_names {
        for address in &addresses {
            keep(walk, &address.derived(last_name(&address.text)), &options);
        }
    }
    let outputs: Vec<&Value> = options.values(&["o", "output"]).collect();
    for output in &outputs {
        keep(walk, output, &options);
    }
    let shown = outputs.iter().any(|output| output.text == "-");
    if (outputs.is_empty() && !own_names) || shown {
        answer(walk, &addresses)
    } else {
        Flow::silent()
    }
}

fn visit(walk: &mut Walk<'_>, address: &Value) {
    if address.text.starts_with("file:") {
        let path = address.text.trim_start_matches("file:");
        walk.touch(Act::Read, &address.derived(format!("/{}", path.trim_start_matches('/'))));
    } else if let Some(host) = hosts::of_loose_url(&address.text) {
        walk.reach(&host, address.taint);
    }
}

/// A file read through `curl` is no download.
fn answer(walk: &Walk<'_>, addresses: &[&Value]) -> Flow {
    match addresses {
        [one] if one.text.starts_with("file:") => {
            walk.content(&one.derived(one.text.trim_start_matches("file://")))
        }
        _ => fetched(),
    }
}

fn keep(walk: &mut Walk<'_>, file: &Value, options: &Options) {
    let folder = options.value(&["output-dir", "P", "directory-prefix"]);
    let file = match folder {
        Some(folder) => file.derived(format!("{}/{}", folder.text, file.text)),
        None => file.clone(),
    };
    walk.touch(Act::Write, &file);
    walk.remember(&file.text, &fetched());
}

/// Data that goes out: text as it is, or files by `@`.
fn sent(walk: &mut Walk<'_>, call: &Call<'_>, options: &Options) {
    let by_name = [
        "d",
        "data",
        "data-ascii",
        "data-binary",
        "json",
        "H",
        "header",
        "data-urlencode",
        "url-query",
    ];
    for value in options.values(&by_name) {
        let file = value.text.split_once('@').filter(|(name, _)| {
            name.is_empty() || name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if let Some((_, file)) = file {
            send_file(walk, call, &value.derived(file));
        }
        walk.suspect(value.taint);
    }
    for value in options.values(&["F", "form"]) {
        let content = value.text.split_once('=').map_or("", |(_, content)| content);
        if let Some(file) = content.strip_prefix(['@', '<']) {
            let file = file.split(';').next().unwrap_or_default();
            send_file(walk, call, &value.derived(file));
        }
    }
    for value in options.values(&["T", "upload-file"]) {
        send_file(walk, call, value);
    }
}

fn send_file(walk: &mut Walk<'_>, _call: &Call<'_>, file: &Value) {
    walk.touch(Act::Read, file);
}

fn files(walk: &mut Walk<'_>, options: &Options) {
    for file in options.values(&["K", "config", "E", "cert", "cacert", "key", "netrc-file"]) {
        walk.touch(Act::Read, file);
    }
    for file in options.values(&["b", "cookie"]).filter(|value| !value.text.contains('=')) {
        walk.touch(Act::Read, file);
    }
    for file in
        options.values(&["c", "cookie-jar", "D", "dump-header", "trace", "trace-ascii", "stderr"])
    {
        walk.touch(Act::Write, file);
    }
    if options.has(&["n", "netrc", "netrc-optional"]) {
        let file = format!("{}/.netrc", walk.home());
        walk.touch(Act::Read, &Value::known(file));
    }
}

/// Hosts that are not in the address.
fn elsewhere(walk: &mut Walk<'_>, options: &Options) {
    for proxy in options.values(&[
        "x",
        "proxy",
        "preproxy",
        "socks5",
        "socks5-hostname",
        "socks4",
        "doh-url",
    ]) {
        let host = hosts::of_loose_url(&proxy.text).unwrap_or_default();
        walk.reach(&host, proxy.taint);
    }
    for socket in options.values(&["unix-socket", "abstract-unix-socket"]) {
        walk.reach(&format!("unix:{}", socket.text), socket.taint);
    }
    for mapping in options.values(&["resolve"]) {
        let address = mapping.text.splitn(3, ':').nth(2).unwrap_or_default();
        walk.reach(address, mapping.taint);
    }
    for mapping in options.values(&["connect-to"]) {
        let target = mapping.text.splitn(3, ':').nth(2).unwrap_or_default();
        walk.reach(target.trim_end_matches(':'), mapping.taint);
    }
}

fn last_name(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => name,
        _ => "index.html",
    }
}

pub(super) fn wget(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let takes = "O output-document o output-file a append-output P directory-prefix i input-file \
                 post-file body-file post-data body-data header U user-agent e execute T timeout t tries \
                 w wait Q quota A R D I X l level user password certificate private-key ca-certificate \
                 load-cookies save-cookies method referer use-askpass d dir out";
    let options = options::read(call.arguments, takes);
    for file in
        options.values(&["i", "input-file", "post-file", "body-file", "certificate", "private-key"])
    {
        walk.touch(Act::Read, file);
    }
    for file in options.values(&["o", "output-file", "a", "append-output", "save-cookies"]) {
        walk.touch(Act::Write, file);
    }
    for value in options.values(&["post-data", "body-data", "header"]) {
        walk.suspect(value.taint);
    }
    for setting in options.values(&["e", "execute"]) {
        hosts::urls(&setting.text).iter().for_each(|host| walk.reach(host, setting.taint));
    }
    for program in options.values(&["use-askpass"]) {
        walk.run(program);
    }
    options.operands.iter().for_each(|address| visit(walk, address));
    if !matches!(call.name, "wget" | "wget2" | "aria2c" | "axel") {
        return fetched();
    }
    let clustered = options.has(&["O-"]);
    match options.value(&["O", "output-document", "out"]) {
        Some(file) if file.text == "-" => return fetched(),
        _ if clustered => return fetched(),
        Some(file) => keep(walk, file, &options),
        None if options.has(&["spider"]) => {}
        None => {
            let names: Vec<Value> =
                options.operands.iter().map(|one| one.derived(last_name(&one.text))).collect();
            names.iter().for_each(|name| keep(walk, name, &options));
        }
    }
    Flow::silent()
}
