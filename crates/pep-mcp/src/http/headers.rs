//! Which headers are passed on.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pathwarden_lens_mcp::headers::{self as mirrored, Header};
use pathwarden_pep::only;

/// The session of the transport.
pub(super) const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Tells proxies between us and the client not to hold events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Headers of one connection, which mean nothing on the next (RFC 9110 section 7.6.1), and the length,
/// which is written anew.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
];

/// What the client shows to us and to nobody else, and what we answer for ourselves: we read bodies,
/// so they must not be compressed.
const OURS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::HOST,
    header::EXPECT,
    header::ACCEPT_ENCODING,
];

/// What a server tells the client beside a message. Nothing else of its headers is passed on: they could
/// lead the client elsewhere (`Location`, `Link`, `Refresh`, `Alt-Svc`), to another issuer
/// (`WWW-Authenticate`), or set what it sends to us (`Set-Cookie`).
const OF_ANSWERS: [HeaderName; 11] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::RETRY_AFTER,
    MCP_SESSION_ID,
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("traceresponse"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-correlation-id"),
];

/// The headers of a client's request that go to the server, but for those that repeat the body.
pub(super) fn to_server(headers: &HeaderMap) -> HeaderMap {
    let mut kept = without(headers, &OURS);
    let repeat: Vec<HeaderName> =
        kept.keys().filter(|name| mirrored::repeats(name.as_str())).cloned().collect();
    for name in repeat {
        kept.remove(name);
    }
    kept
}

/// The headers of a server's answer that go to the client.
pub(super) fn to_client(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| OF_ANSWERS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The status of a server's error as the client sees it: what would lead it elsewhere, or make it show
/// a credential, is a fault of the server.
pub(super) fn status_to_client(status: StatusCode) -> StatusCode {
    let leads_astray = status.is_informational()
        || status.is_redirection()
        || matches!(status.as_u16(), 401 | 403 | 407);
    if leads_astray { StatusCode::BAD_GATEWAY } else { status }
}

/// As [`to_client`], for a stream of events.
pub(super) fn to_client_stream(headers: &HeaderMap) -> HeaderMap {
    let mut headers = to_client(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    headers
}

fn without(headers: &HeaderMap, others: &[HeaderName]) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let dropped = HOP_BY_HOP.contains(name)
            || others.contains(name)
            || named.iter().any(|hop| hop == name.as_str());
        if !dropped {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// A header as the lens compares it with the body.
pub(super) fn carried<'a>(headers: &'a HeaderMap, name: &str) -> Header<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => value.to_str().map_or(Header::Unusable, Header::One),
        (Some(_), Some(_)) => Header::Unusable,
    }
}

/// Whether the content type is this one, whatever its parameters.
pub(super) fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = only(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case(wanted)
}

/// Whether the client can read a stream of events.
pub(super) fn accepts_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/event-stream"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::{status_to_client, to_client, to_server};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn credentials_and_headers_of_the_connection_stop_here() {
        let kept = to_server(&headers(&[
            ("authorization", "Bearer secret"),
            ("proxy-authorization", "Basic secret"),
            ("cookie", "secret"),
            ("host", "gateway"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("accept-encoding", "gzip"),
            ("traceparent", "00-1"),
            ("x-vendor", "a"),
            ("x-vendor", "b"),
        ]));
        let want = headers(&[("traceparent", "00-1"), ("x-vendor", "a"), ("x-vendor", "b")]);
        assert_eq!(kept, want);
    }

    #[test]
    fn what_would_lead_the_client_elsewhere_is_not_passed_on() {
        let answer = [
            ("mcp-session-id", "s"),
            ("x-request-id", "1"),
            ("set-cookie", "a"),
            ("location", "http://evil"),
            ("www-authenticate", "Bearer resource_metadata=\"http://evil\""),
            ("link", "<http://evil>"),
            ("access-control-allow-origin", "*"),
            ("x-accel-redirect", "/secret"),
        ];
        let want = headers(&[("mcp-session-id", "s"), ("x-request-id", "1")]);
        assert_eq!(to_client(&headers(&answer)), want);
        for (status, want) in [(307, 502), (401, 502), (404, 404), (503, 503), (202, 202)] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(status_to_client(status).as_u16(), want, "{status}");
        }
    }

    #[test]
    fn headers_that_repeat_the_body_are_not_copied() {
        let sent = [("mcp-method", "tools/call"), ("mcp-name", "a"), ("mcp-param-x", "y")];
        assert!(to_server(&headers(&sent)).is_empty());
    }
}
