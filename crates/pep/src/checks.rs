//! Who may call: the checks before anything is read of a request's body.

use std::collections::BTreeSet;

use http::header::{self, HeaderMap, HeaderName};
use http::{Uri, uri::Authority};

/// Names of this machine to itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether a request is meant for us, and comes from a page that may call us: a page that has its own
/// name resolve to this machine shows that name as `Host` and `Origin` (DNS rebinding; MCP transports,
/// «Security Warning»).
///
/// # Errors
///
/// What is wrong, for whoever calls.
pub fn is_ours(
    uri: &Uri,
    headers: &HeaderMap,
    hosts: &BTreeSet<String>,
    origins: &BTreeSet<String>,
) -> Result<(), &'static str> {
    // HTTP/2 says it in the target alone.
    let of_target = uri.authority().map(Authority::as_str);
    let host =
        if headers.contains_key(header::HOST) { only(headers, &header::HOST) } else { of_target };
    let host = host.ok_or("exactly one `Host` is needed")?;
    if !is_host(host, hosts) {
        return Err("`Host` is not one of this gateway's names; an operator can add it");
    }
    // A target in absolute form would override the header for whoever reads it.
    if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
        return Err("the request's target names another host than its `Host`");
    }
    if !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    match only(headers, &header::ORIGIN) {
        Some(origin) if is_origin(origin, origins) => Ok(()),
        _ => Err("`Origin` may not call this gateway; an operator can add it"),
    }
}

fn is_host(host: &str, allowed: &BTreeSet<String>) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    // Nothing but a name and a port: no user name, which would hide the name from a careless reader.
    let plain = !host.contains('@');
    let name = authority.host().to_ascii_lowercase();
    plain
        && (LOOPBACK.contains(&name.as_str())
            || allowed.iter().any(|allowed| {
                allowed.eq_ignore_ascii_case(&name) || allowed.eq_ignore_ascii_case(host)
            }))
}

fn is_origin(origin: &str, allowed: &BTreeSet<String>) -> bool {
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|authority| is_host(authority, &BTreeSet::new()))
}

/// The token of a request that has exactly one (RFC 6750 section 2.1), or none at all; an error for
/// anything between.
///
/// # Errors
///
/// There is more than one credential, or one of another kind.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NotOneToken> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let value = only(headers, &header::AUTHORIZATION).ok_or(NotOneToken)?;
    let (scheme, token) = value.split_once(' ').ok_or(NotOneToken)?;
    let token = token.trim();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    is_bearer.then_some(Some(token)).ok_or(NotOneToken)
}

/// The credential of a request is not one bearer token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotOneToken;

/// The value of a header that is there exactly once and is text.
#[must_use]
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::HeaderMap;

    use super::{NotOneToken, bearer, is_ours};

    fn check(target: &str, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        let hosts = BTreeSet::from(["gate.example".to_owned(), "ported.example:81".to_owned()]);
        let origins = BTreeSet::from(["https://app.example".to_owned()]);
        is_ours(&target.parse().unwrap(), &headers, &hosts, &origins).is_ok()
    }

    #[test]
    fn our_names_pass() {
        for host in [
            "localhost",
            "LocalHost:80",
            "127.0.0.1:9",
            "[::1]:9",
            "gate.example:7",
            "ported.example:81",
        ] {
            assert!(check("/mcp/x", &[("host", host)]), "{host}");
        }
    }

    #[test]
    fn forged_hosts_are_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example@localhost",
            "127.0.0.1.nip.io",
            "ported.example:82",
            "gate.example.evil.example",
            "",
        ] {
            assert!(!check("/mcp/x", &[("host", host)]), "{host}");
        }
        assert!(!check("/mcp/x", &[]));
        assert!(!check("/mcp/x", &[("host", "localhost"), ("host", "evil.example")]));
        assert!(!check("http://evil.example/mcp/x", &[("host", "localhost")]));
        assert!(!check("http://evil.example/mcp/x", &[]));
    }

    #[test]
    fn forged_origins_are_refused() {
        let origin = |origin| check("/mcp/x", &[("host", "localhost"), ("origin", origin)]);
        for good in ["http://localhost:5173", "https://127.0.0.1", "https://app.example"] {
            assert!(origin(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://evil.example",
            "https://app.example.evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://app.example",
            "file://localhost",
        ] {
            assert!(!origin(bad), "{bad}");
        }
        let two = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "null")];
        assert!(!check("/mcp/x", &two));
    }

    #[test]
    fn a_token_is_taken_from_exactly_one_header() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("authorization", value.parse().unwrap());
            }
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        for one in ["Bearer abc", "bearer abc"] {
            assert_eq!(with(&[one]), Ok(Some("abc".to_owned())), "{one}");
        }
        assert_eq!(with(&[]), Ok(None));
        for wrong in [&["Basic abc"][..], &["Bearer"], &["Bearer "], &["Bearer a", "Bearer b"]] {
            assert_eq!(with(wrong), Err(NotOneToken), "{wrong:?}");
        }
    }
}
