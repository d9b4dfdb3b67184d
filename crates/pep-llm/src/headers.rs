//! Headers: whose credential a request brings, and what of it goes where.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pathwarden_lens_llm::Provider;
use pathwarden_pep::only;
use pathwarden_types::{ActionId, SessionId};

/// A token of ours beside a key of the provider's.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-pathwarden-token");

/// Where an answer says which model call it is the answer to.
pub(crate) const ACTION: HeaderName = HeaderName::from_static("x-pathwarden-action");

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What carries credentials at any provider.
const CREDENTIALS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    API_KEY,
    GOOG_API_KEY,
    HeaderName::from_static("api-key"),
    header::COOKIE,
    TOKEN,
];

/// What is between two hops and no further (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("keep-alive"),
];

/// The header that carries a key.
const fn key_header(provider: Provider) -> HeaderName {
    match provider {
        Provider::OpenAi => header::AUTHORIZATION,
        Provider::Anthropic => API_KEY,
        Provider::Gemini => GOOG_API_KEY,
    }
}

/// The value of the header that carries a key; `None` when no header can.
pub(crate) fn key(provider: Provider, key: &str) -> Option<HeaderValue> {
    let value = match provider {
        Provider::OpenAi => HeaderValue::from_str(&format!("Bearer {key}")),
        Provider::Anthropic | Provider::Gemini => HeaderValue::from_str(key),
    };
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whose credential a request brings.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Credential<'a> {
    /// None.
    None,
    /// A token of ours, in place of the provider's key.
    Token(&'a str),
    /// A token of ours, beside whatever the provider is to get.
    Beside(&'a str),
    /// More than one, or one that cannot be read.
    Unusable,
}

/// Reads the credential of a request. `key` is one that stands in the query, as Gemini allows.
pub(crate) fn credential<'a>(
    headers: &'a HeaderMap,
    provider: Provider,
    key: Option<&'a str>,
) -> Credential<'a> {
    if headers.contains_key(&TOKEN) {
        return only(headers, &TOKEN).map_or(Credential::Unusable, Credential::Beside);
    }
    let names: &[HeaderName] = match provider {
        Provider::OpenAi => &[header::AUTHORIZATION],
        Provider::Anthropic => &[API_KEY, header::AUTHORIZATION],
        Provider::Gemini => &[GOOG_API_KEY, header::AUTHORIZATION],
    };
    let mut found = key;
    for name in names.iter().filter(|name| headers.contains_key(*name)) {
        let value = only(headers, name).and_then(|value| {
            if *name == header::AUTHORIZATION { bearer(value) } else { Some(value.trim()) }
        });
        match (value, found) {
            (Some(value), None) => found = Some(value),
            (Some(value), Some(before)) if value == before => {}
            _ => return Credential::Unusable,
        }
    }
    found.map_or(Credential::None, Credential::Token)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Whether a token stands in any header but the one that is ours.
pub(crate) fn shows(headers: &HeaderMap, token: &str) -> bool {
    let others = headers.iter().filter(|(name, _)| **name != TOKEN);
    let mut values = others.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()));
    values.any(|value| value.contains(token))
}

/// Which credential goes to a provider.
pub(crate) enum Key<'a> {
    /// Ours.
    Ours(&'a HeaderValue),
    /// That of the agent, as it came.
    Theirs,
}

/// The headers that go to the provider.
pub(crate) fn to_provider(from: &HeaderMap, provider: Provider, key: &Key<'_>) -> HeaderMap {
    let mut headers = end_to_end(from);
    for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT, header::ORIGIN] {
        headers.remove(name);
    }
    // What is packed cannot be looked at piece by piece.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.remove(&TOKEN);
    if let Key::Ours(key) = key {
        for name in CREDENTIALS {
            headers.remove(name);
        }
        headers.insert(key_header(provider), (*key).clone());
    }
    headers
}

/// Says to a provider which model call this is (W3C Trace Context).
pub(crate) fn trace(headers: &mut HeaderMap, session: SessionId, action: ActionId) {
    if let Ok(value) = HeaderValue::from_str(&format!("00-{session}-{action}-01")) {
        headers.insert(TRACEPARENT, value);
    }
}

/// What would lead a client to somebody else, or belongs to one that comes by another way.
const AWAY: [HeaderName; 4] =
    [header::LOCATION, header::WWW_AUTHENTICATE, header::ALT_SVC, header::SET_COOKIE];

/// The headers of an answer that go to the client. The length may change, and packing is undone.
pub(crate) fn to_client(from: &HeaderMap, action: Option<ActionId>) -> HeaderMap {
    let mut headers = end_to_end(from);
    for name in AWAY.into_iter().chain([header::CONTENT_LENGTH, header::CONTENT_ENCODING]) {
        headers.remove(name);
    }
    let value = action.and_then(|action| HeaderValue::from_str(&action.to_string()).ok());
    if let Some(value) = value {
        headers.insert(ACTION, value);
    }
    headers
}

fn end_to_end(from: &HeaderMap) -> HeaderMap {
    let named = from.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> = named
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut headers = from.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    for name in named {
        headers.remove(name);
    }
    headers
}

/// The action that caused a request, as its client says (W3C Trace Context).
pub(crate) fn parent(headers: &HeaderMap) -> Option<ActionId> {
    only(headers, &TRACEPARENT)?.split('-').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::HeaderName;
    use pathwarden_lens_llm::Provider;

    use super::{Credential, Key, credential, key, to_client, to_provider};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_found_where_the_sdk_of_the_provider_puts_its_key() {
        let (open, anthropic, gemini) = (Provider::OpenAi, Provider::Anthropic, Provider::Gemini);
        for (provider, pairs) in [
            (open, &[("authorization", "Bearer t")][..]),
            (anthropic, &[("x-api-key", "t")]),
            (anthropic, &[("authorization", "bearer t")]),
            (anthropic, &[("authorization", "Bearer t"), ("x-api-key", "t")]),
            (gemini, &[("x-goog-api-key", "t")]),
        ] {
            let headers = headers(pairs);
            assert_eq!(credential(&headers, provider, None), Credential::Token("t"), "{pairs:?}");
        }
        assert_eq!(credential(&headers(&[]), gemini, Some("t")), Credential::Token("t"));
        let beside = headers(&[("x-pathwarden-token", "t"), ("authorization", "Bearer sk")]);
        assert_eq!(credential(&beside, open, None), Credential::Beside("t"));
    }

    #[test]
    fn two_credentials_are_none() {
        for pairs in [
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")][..],
            &[("authorization", "Bearer a"), ("x-api-key", "b")],
            &[("authorization", "Basic a")],
            &[("authorization", "Bearer ")],
            &[("x-pathwarden-token", "a"), ("x-pathwarden-token", "b")],
        ] {
            let headers = headers(pairs);
            let found = credential(&headers, Provider::Anthropic, None);
            assert_eq!(found, Credential::Unusable, "{pairs:?}");
        }
    }

    #[test]
    fn no_credential_of_the_agent_goes_to_the_provider_beside_ours() {
        let from = headers(&[
            ("authorization", "Bearer theirs"),
            ("x-api-key", "theirs"),
            ("api-key", "theirs"),
            ("x-pathwarden-token", "theirs"),
            ("cookie", "theirs"),
            ("connection", "x-secret"),
            ("x-secret", "theirs"),
            ("anthropic-version", "2023-06-01"),
        ]);
        let ours = key(Provider::Anthropic, "ours").unwrap();
        let sent = to_provider(&from, Provider::Anthropic, &Key::Ours(&ours));
        assert!(!format!("{sent:?}").contains("theirs"), "{sent:?}");
        assert_eq!(sent["x-api-key"], "ours");
        assert_eq!(sent["anthropic-version"], "2023-06-01");
        assert!(!format!("{sent:?}").contains("ours"), "a key is not shown");
    }

    #[test]
    fn an_answer_keeps_what_sdks_look_at() {
        let from = headers(&[("request-id", "r"), ("retry-after", "3"), ("content-length", "9")]);
        let to = to_client(&from, None);
        assert_eq!(
            (&to["request-id"], &to["retry-after"]),
            (&"r".parse().unwrap(), &"3".parse().unwrap())
        );
        assert!(!to.contains_key("content-length"));
    }
}
