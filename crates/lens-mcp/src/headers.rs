//! Headers that repeat what a body says (2026-07-28, transports/streamable-http, «Request Metadata»).
//!
//! Decisions are taken on the body. Whoever stands behind may route by the header, so a request whose
//! two sides differ is two requests, and is refused.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pathwarden_json::{Json, Kind};

use crate::era::VERSION;
use crate::message::{Body, Message};

/// Carries the revision.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// Carries the method.
pub const METHOD: &str = "mcp-method";
/// Carries the tool, the prompt, the resource or the task.
pub const NAME: &str = "mcp-name";
/// What the names of headers for parameters begin with.
pub const PARAM_PREFIX: &str = "mcp-param-";

/// One header of a request, as far as it is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Header<'a> {
    /// Not there.
    Absent,
    /// There once, with this value.
    One(&'a str),
    /// There more than once, or with bytes that no value may have.
    Unusable,
}

/// Headers and body say different things.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("header mismatch: {0}")]
pub struct Mismatch(String);

/// A parameter of a tool that is repeated in a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Param {
    /// The way to it in the arguments.
    path: Vec<String>,
    /// The header, in lower case.
    pub header: String,
}

/// The most parameters of one tool that are repeated in headers.
pub const PARAMS_MAX: usize = 64;

/// Sees to it that the headers say what the body of a modern request says. `params` are those of the
/// tool, as far as they are known.
///
/// # Errors
///
/// [`Mismatch`], to be answered with the status 400 and the code -32020.
pub fn check<'a>(
    message: &Message,
    params: &[Param],
    header: &dyn Fn(&str) -> Header<'a>,
) -> Result<(), Mismatch> {
    let Body::Request { method, .. } = message.body() else { return Ok(()) };
    let version = message.param("_meta").and_then(|meta| meta.member(VERSION));
    let version = version.and_then(Json::string).unwrap_or_default();
    same(PROTOCOL_VERSION, header(PROTOCOL_VERSION), &version)?;
    same(METHOD, header(METHOD), method)?;
    if let Some((name, is_needed)) = named(message, method) {
        match header(NAME) {
            Header::Absent if !is_needed => {}
            found => same(NAME, decoded(NAME, found)?.as_header(), &name)?,
        }
    }
    params.iter().try_for_each(|param| check_param(message, param, header(&param.header)))
}

/// What the headers that repeat a message carry, made from its body. `params` are those of the tool, as
/// far as they are known.
pub fn repeated(message: &Message, params: &[Param]) -> Vec<(String, String)> {
    let (Body::Request { method, .. } | Body::Notification { method }) = message.body() else {
        return Vec::new();
    };
    let mut carried = vec![(METHOD.to_owned(), encode(method))];
    carried.extend(named(message, method).map(|(name, _)| (NAME.to_owned(), encode(&name))));
    carried.extend(
        params.iter().filter_map(|of| Some((of.header.clone(), of.header_value(message)?))),
    );
    carried
}

/// Whether a header repeats something of the body.
#[must_use]
pub fn repeats(name: &str) -> bool {
    name == METHOD || name == NAME || name.starts_with(PARAM_PREFIX)
}

/// What `Mcp-Name` repeats, and whether it must be there.
fn named(message: &Message, method: &str) -> Option<(String, bool)> {
    let (member, is_needed) = match method {
        "tools/call" | "prompts/get" => ("name", true),
        "resources/read" => ("uri", true),
        "tasks/get" | "tasks/update" | "tasks/cancel" => ("taskId", false),
        _ => return None,
    };
    Some((message.param(member)?.string()?.into_owned(), is_needed))
}

fn same(name: &str, header: Header<'_>, body: &str) -> Result<(), Mismatch> {
    match header {
        Header::One(value) if value == body => Ok(()),
        Header::One(value) => {
            Err(Mismatch(format!("`{name}` says `{value}`, and the body says `{body}`")))
        }
        Header::Absent => Err(Mismatch(format!("`{name}` is missing"))),
        Header::Unusable => Err(Mismatch(format!("`{name}` is there more than once, or not text"))),
    }
}

fn check_param(message: &Message, param: &Param, header: Header<'_>) -> Result<(), Mismatch> {
    let name = &param.header;
    let value = param.value(message).filter(|value| value.kind() != Kind::Null);
    let (value, found) = match (value, decoded(name, header)?) {
        (None, Decoded::Absent) => return Ok(()),
        (None, _) => {
            return Err(Mismatch(format!("`{name}` is there, and its parameter is not")));
        }
        (Some(value), found) => (value, found),
    };
    let body = text_of(value).ok_or_else(|| {
        Mismatch(format!("the parameter of `{name}` is neither text, whole number nor boolean"))
    })?;
    match found.as_header() {
        Header::One(header) if value.kind() == Kind::Number && is_same_number(header, &body) => {
            Ok(())
        }
        found => same(name, found, &body),
    }
}

/// A header's value without its coding.
enum Decoded<'a> {
    Absent,
    Plain(&'a str),
    Coded(String),
    Unusable,
}

impl Decoded<'_> {
    fn as_header(&self) -> Header<'_> {
        match self {
            Self::Absent => Header::Absent,
            Self::Plain(text) => Header::One(text),
            Self::Coded(text) => Header::One(text),
            Self::Unusable => Header::Unusable,
        }
    }
}

fn decoded<'a>(name: &str, header: Header<'a>) -> Result<Decoded<'a>, Mismatch> {
    Ok(match header {
        Header::Absent => Decoded::Absent,
        Header::Unusable => Decoded::Unusable,
        Header::One(value) => {
            let coded = value.strip_prefix(CODED_PREFIX).and_then(|v| v.strip_suffix(CODED_SUFFIX));
            match coded {
                None => Decoded::Plain(value),
                Some(coded) => BASE64_STANDARD
                    .decode(coded)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .map(Decoded::Coded)
                    .ok_or_else(|| Mismatch(format!("`{name}` is not base64 of text")))?,
            }
        }
    })
}

const CODED_PREFIX: &str = "=?base64?";
const CODED_SUFFIX: &str = "?=";

/// A value as a header spells it, before it is coded.
fn text_of(value: Json<'_>) -> Option<String> {
    match value.kind() {
        Kind::String => value.string().map(std::borrow::Cow::into_owned),
        Kind::Number | Kind::Boolean => Some(value.text().to_owned()),
        Kind::Object | Kind::Array | Kind::Null => None,
    }
}

/// `42` and `42.0` are one number.
fn is_same_number(a: &str, b: &str) -> bool {
    let whole = |text: &str| {
        let digits = match text.split_once('.') {
            Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => {
                digits
            }
            Some(_) => return None,
            None => text,
        };
        digits.parse::<i64>().ok()
    };
    whole(a).is_some_and(|a| whole(b) == Some(a))
}

/// A value as a header carries it: plain where every reader reads it alike, else coded.
#[must_use]
pub fn encode(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
        && value.trim() == value
        && !(value.starts_with(CODED_PREFIX) && value.ends_with(CODED_SUFFIX));
    if is_plain {
        value.to_owned()
    } else {
        format!("{CODED_PREFIX}{}{CODED_SUFFIX}", BASE64_STANDARD.encode(value))
    }
}

impl Param {
    /// The parameters of a tool, as a server lists it, that are repeated in headers. What breaks the
    /// rules for annotations is left out: clients leave the whole tool out.
    #[must_use]
    pub fn all_of(tool: Json<'_>) -> Vec<Self> {
        let mut found = Vec::new();
        if let Some(schema) = tool.member("inputSchema") {
            collect(schema, &mut Vec::new(), &mut found);
        }
        found.truncate(PARAMS_MAX);
        found
    }

    fn value<'m>(&self, message: &'m Message) -> Option<Json<'m>> {
        let arguments = message.param("arguments")?;
        self.path.iter().try_fold(arguments, |value, step| value.member(step))
    }

    /// What its header must carry for this request; `None` when it must not be there.
    fn header_value(&self, message: &Message) -> Option<String> {
        self.value(message).and_then(text_of).map(|text| encode(&text))
    }
}

fn collect(schema: Json<'_>, path: &mut Vec<String>, found: &mut Vec<Param>) {
    let properties = schema.member("properties").into_iter().flat_map(Json::members);
    for (name, property) in properties {
        path.push(name.into_owned());
        let header = property.member("x-mcp-header").and_then(Json::string);
        if let Some(header) = header.filter(|header| is_token(header)) {
            let header = format!("{PARAM_PREFIX}{}", header.to_ascii_lowercase());
            found.push(Param { path: path.clone(), header });
        }
        collect(property, path, found);
        path.pop();
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
