//! What a path of a provider is for.
//!
//! Only spellings that every server reads alike are known. A path with escapes, dots as a segment or a
//! doubled slash is [`Endpoint::Unknown`], because two readers may see two paths in it.

use std::borrow::Cow;

use crate::Api;

/// Who serves a model API.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Provider {
    /// OpenAI, and what speaks as it does.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google: the Gemini API.
    Gemini,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Gemini];

    /// The name of it in configuration and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

/// How the answer of a model comes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Streams {
    /// Whole.
    No,
    /// As server-sent events.
    Events,
    /// As the body of the request says: `"stream": true` asks for events.
    Body,
    /// As one JSON array that grows (Gemini `streamGenerateContent` without `alt=sse`).
    Array,
}

/// What a method, a path and a query ask of a provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint<'a> {
    /// A call of a model.
    Generate {
        /// The shape of its request and answer.
        api: Api,
        /// The model, where the path names it (Gemini).
        model: Option<Cow<'a, str>>,
        /// How the answer comes.
        streams: Streams,
    },
    /// Counts the tokens of a window: the content goes to the provider, and no model answers.
    Count {
        /// The shape of its request.
        api: Api,
        /// The model, where the path names it (Gemini).
        model: Option<Cow<'a, str>>,
    },
    /// Reads about models, or whether the server is there, and changes nothing.
    About,
    /// Nothing that this code knows.
    Unknown,
}

/// The longest name of a model in a path, in bytes: several times the longest in use.
const MODEL_BYTES_MAX: usize = 128;

impl<'a> Endpoint<'a> {
    /// What a request asks for. Methods are case-sensitive (RFC 9110 section 9.1); `path` begins with a
    /// slash, and `query` is what follows the question mark.
    #[must_use]
    pub fn of(provider: Provider, method: &str, path: &'a str, query: Option<&str>) -> Self {
        if method == "HEAD" && path == "/" {
            return Self::About;
        }
        match provider {
            Provider::OpenAi => Self::of_openai(method, path),
            Provider::Anthropic => Self::of_anthropic(method, path),
            Provider::Gemini => Self::of_gemini(method, path, query.unwrap_or_default()),
        }
    }

    /// The base URL of some SDKs has the version, and that of others has not.
    fn of_openai(method: &str, path: &'a str) -> Self {
        let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        match (method, path) {
            ("POST", "/chat/completions") => Self::by_body(Api::ChatCompletions),
            ("POST", "/responses") => Self::by_body(Api::Responses),
            ("POST", "/responses/input_tokens") => Self::Count { api: Api::Responses, model: None },
            _ => Self::about(method, path),
        }
    }

    fn of_anthropic(method: &str, path: &'a str) -> Self {
        let Some(path) = path.strip_prefix("/v1") else { return Self::Unknown };
        match (method, path) {
            ("POST", "/messages") => Self::by_body(Api::Messages),
            ("POST", "/messages/count_tokens") => Self::Count { api: Api::Messages, model: None },
            _ => Self::about(method, path),
        }
    }

    fn of_gemini(method: &str, path: &'a str, query: &str) -> Self {
        let path = ["/v1beta", "/v1alpha", "/v1"].iter().find_map(|version| {
            path.strip_prefix(version).filter(|rest| rest.starts_with("/models"))
        });
        let (Some(path), Some(alt)) = (path, Alt::of(query)) else { return Self::Unknown };
        if !path.contains(':') {
            return Self::about(method, path);
        }
        let called = path.strip_prefix("/models/").and_then(|rest| rest.split_once(':'));
        let Some((model, verb)) = called.filter(|(model, _)| method == "POST" && is_model(model))
        else {
            return Self::Unknown;
        };
        let (api, model) = (Api::GenerateContent, Some(Cow::Borrowed(model)));
        match (verb, alt) {
            ("generateContent", Alt::Json) => Self::Generate { api, model, streams: Streams::No },
            ("streamGenerateContent", Alt::Json) => {
                Self::Generate { api, model, streams: Streams::Array }
            }
            ("streamGenerateContent", Alt::Events) => {
                Self::Generate { api, model, streams: Streams::Events }
            }
            ("countTokens", Alt::Json) => Self::Count { api, model },
            _ => Self::Unknown,
        }
    }

    const fn by_body(api: Api) -> Self {
        Self::Generate { api, model: None, streams: Streams::Body }
    }

    /// `GET /models` and `GET /models/ID`.
    fn about(method: &str, path: &str) -> Self {
        let is_list = path == "/models";
        let is_one = path.strip_prefix("/models/").is_some_and(is_model);
        if method == "GET" && (is_list || is_one) { Self::About } else { Self::Unknown }
    }
}

/// Whether a segment of a path is the id of a model as providers spell them. Colons stand in the ids of
/// fine-tuned models of OpenAI; where a colon separates a verb, the id is what stands before the first.
fn is_model(segment: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':');
    let starts = segment.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    starts
        && segment.len() <= MODEL_BYTES_MAX
        && !segment.contains("..")
        && segment.bytes().all(known)
}

/// The form of an answer that a query to Google asks for (`alt`, a system parameter).
#[derive(Clone, Copy)]
enum Alt {
    Json,
    Events,
}

impl Alt {
    /// The form, or nothing when the query may ask for another one: a name with an escape or a `$` is
    /// another spelling of a system parameter, and `callback` makes a script of the answer.
    fn of(query: &str) -> Option<Self> {
        let mut alt = None;
        for (name, value) in parameters(query) {
            match (name, value) {
                ("alt", _) if alt.is_some() => return None,
                ("alt", "json") => alt = Some(Self::Json),
                ("alt", "sse") => alt = Some(Self::Events),
                ("alt" | "callback", _) => return None,
                _ if name.contains(['%', '$', '+', ';']) => return None,
                _ => {}
            }
        }
        Some(alt.unwrap_or(Self::Json))
    }
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The query without the parameters that carry a credential of Google's (`key`, `access_token`), in any
/// spelling of their names. Everything else is kept byte for byte.
#[must_use]
pub fn without_key(query: &str) -> String {
    let is_credential = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        let name = unescape(name);
        let name = name.strip_prefix('$').unwrap_or(&name);
        ["key", "access_token"].iter().any(|credential| name.eq_ignore_ascii_case(credential))
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_credential(pair)).collect();
    kept.join("&")
}

/// A name with its escapes read (RFC 3986 section 2.1), for comparing only.
fn unescape(name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
