//! Which headers are passed on.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pathwarden_lens_mcp::headers::Header;

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

/// The headers of a client's request that go to the server.
pub(super) fn to_server(headers: &HeaderMap) -> HeaderMap {
    without(headers, &OURS)
}

/// The headers of a server's answer that go to the client.
pub(super) fn to_client(headers: &HeaderMap) -> HeaderMap {
    without(headers, &[])
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

/// The one value of a header; `None` when there is none, or more than one.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
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
    use http::HeaderMap;

    use super::{to_client, to_server};

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
    fn no_other_header_of_an_answer_is_lost() {
        let answer = [("mcp-session-id", "s"), ("set-cookie", "a"), ("set-cookie", "b")];
        assert_eq!(to_client(&headers(&answer)), headers(&answer));
    }
}
