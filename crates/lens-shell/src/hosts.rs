//! Hosts in what programs are given: addresses, remote paths, pairs of host and port.

/// The host, with its port where one is written, of `scheme://…`.
pub(crate) fn of_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme || scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let end = rest.find(['/', '?', '#', ' ', '\n', '"', '\'', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority.rsplit('@').next().unwrap_or(authority);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The host of an address as tools take it: with a scheme or without one.
pub(crate) fn of_loose_url(text: &str) -> Option<String> {
    if text.contains("://") {
        return of_url(text);
    }
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let host = text.get(..end)?.rsplit('@').next()?;
    (!host.is_empty() && !host.contains(' ')).then(|| host.to_ascii_lowercase())
}

/// The host of `user@host:path`, as `scp`, `rsync` and `git` read it.
pub(crate) fn of_remote_path(text: &str) -> Option<String> {
    if text.contains("://") {
        return of_url(text);
    }
    let (host, _) = text.split_once(':')?;
    let host = host.rsplit('@').next()?;
    let is_host = !host.is_empty() && !host.contains(['/', ' ', '\\']);
    is_host.then(|| host.to_ascii_lowercase())
}

/// `host` and `port` together; a port that is none is left out.
pub(crate) fn pair(host: &str, port: &str) -> String {
    if port.is_empty() { host.to_owned() } else { format!("{host}:{port}") }
}

/// The first address in a longer text, and what follows its scheme.
pub(crate) fn urls(text: &str) -> Vec<String> {
    text.match_indices("://")
        .take(URLS_MAX)
        .filter_map(|(at, _)| {
            let scheme = text.get(..at)?;
            let start = scheme
                .rfind(|letter: char| !letter.is_ascii_alphanumeric() && !"+-.".contains(letter))
                .map_or(0, |found| found + 1);
            of_url(text.get(start..)?)
        })
        .collect()
}

/// The most addresses that are taken out of one text.
const URLS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{of_loose_url, of_remote_path, of_url, urls};

    #[test]
    fn hosts_are_found() {
        assert_eq!(
            of_url("https://u:p@Evil.example:8443/x?y").as_deref(),
            Some("evil.example:8443")
        );
        assert_eq!(of_url("file:///etc/passwd"), None);
        assert_eq!(of_url("no url"), None);
        assert_eq!(of_loose_url("evil.example/x").as_deref(), Some("evil.example"));
        assert_eq!(of_remote_path("git@host.example:a/b").as_deref(), Some("host.example"));
        assert_eq!(of_remote_path("./a:b"), None);
        assert_eq!(urls("x http://a.example/ 'http://b:1'"), ["a.example", "b:1"]);
    }
}
