//! JSON text for readers that look for words in it.

use std::ops::Range;

use pathwarden_json::edit::splice;
use pathwarden_json::{Json, Kind, push_string};

/// Names of members whose values are credentials, in the spellings of all providers.
const CREDENTIALS: [&str; 9] = [
    "authorization",
    "authorization_token",
    "headers",
    "apiKey",
    "api_key",
    "apiKeyString",
    "api_key_string",
    "domain_secrets",
    "password",
];

/// Members that hold schemas of arguments, where the same names are no credentials but words.
const SCHEMAS: [&str; 4] = ["parameters", "input_schema", "output_schema", "functionDeclarations"];

/// The longest member that may be left out of the window unread, in bytes: enough for the marks that
/// providers put on blocks, and too little for a message that is cut into pieces.
const QUIET_BYTES_MAX: usize = 96;

/// The longest string in such a member, in bytes.
const MARK_BYTES_MAX: usize = 24;

/// A text with every string escaped as little as it can be, and otherwise as it is, so that no escape
/// hides a word.
pub(super) fn plain(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
        let (token, after) = from.split_at_checked(string_length(from)).unwrap_or((from, ""));
        out.push_str(before);
        push_token(&mut out, token);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn push_token(out: &mut String, token: &str) {
    let json = token.contains('\\').then(|| Json::parse(token.as_bytes()).ok()).flatten();
    match json.and_then(Json::string) {
        Some(string) => push_string(out, &string),
        None => out.push_str(token),
    }
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// As [`plain`], with `…` in the place of every credential.
pub(super) fn without_credentials(value: Json<'_>) -> String {
    let mut hidden = Vec::new();
    find_credentials(value, &mut hidden);
    let base = value.span().start;
    let parts = hidden.into_iter().map(|span| (span.start - base..span.end - base, "\"…\"".into()));
    let text = splice(value.text(), parts.collect());
    plain(&String::from_utf8_lossy(&text))
}

fn find_credentials(value: Json<'_>, hidden: &mut Vec<Range<usize>>) {
    for (name, member) in value.members() {
        if CREDENTIALS.contains(&name.as_ref()) {
            hidden.push(member.span());
        } else if !SCHEMAS.contains(&name.as_ref()) {
            find_credentials(member, hidden);
        }
    }
    value.items().for_each(|item| find_credentials(item, hidden));
}

/// Whether a string is an id, a name or a state as providers make them, and no words.
pub(super) fn is_mark(string: &str, bytes_max: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:|/".contains(&byte);
    string.len() <= bytes_max && string.bytes().all(known)
}

/// Whether a value holds nothing but marks, numbers and switches, and few of them.
pub(super) fn is_quiet(value: Json<'_>) -> bool {
    value.text().len() <= QUIET_BYTES_MAX && has_marks_only(value)
}

fn has_marks_only(value: Json<'_>) -> bool {
    match value.kind() {
        Kind::String => value.string().is_some_and(|string| is_mark(&string, MARK_BYTES_MAX)),
        Kind::Object => value
            .members()
            .all(|(name, member)| is_mark(&name, MARK_BYTES_MAX) && has_marks_only(member)),
        Kind::Array => value.items().all(has_marks_only),
        Kind::Number | Kind::Boolean | Kind::Null => true,
    }
}
