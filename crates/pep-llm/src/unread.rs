//! What a provider reads of a request beside the parts of the window: settings, names, marks.

use std::collections::BTreeSet;

use pathwarden_json::{Json, Kind};
use pathwarden_lens_llm::Request;

/// A shorter text holds no secret.
const TEXT_BYTES_MIN: usize = 8;

/// A longer text without a space, of the letters of base64, is an image or the like.
const CODED_BYTES_MIN: usize = 1 << 10;

/// How long a UUID is.
const UUID_BYTES: usize = 36;

/// Between two texts: more than any value that is searched for has between its characters, so that the
/// end of one mark and the beginning of the next are never an account number by chance.
const BETWEEN: &str = "\n\n\n\n";

/// Every text of the body that stands in no part and in no declaration of a tool, without UUIDs: agents
/// put a dozen new ones into each request, and one in some thousand has the check digits of an account
/// number. Nothing can be cut out here, so that the call would fail.
pub(crate) fn of(request: &Request) -> String {
    let parts = request.parts().iter().map(|part| part.pointer.as_str()).collect();
    let mut walk = Walk { parts, pointer: String::new(), texts: Vec::new() };
    if let Ok(body) = Json::parse(request.body()) {
        walk.value(body);
    }
    walk.texts.join(BETWEEN)
}

/// The words in a part that is JSON, without what is no text: of an image little is left.
pub(crate) fn words(json: &str) -> String {
    let mut texts = Vec::new();
    match Json::parse(json.as_bytes()) {
        Ok(value) => leaves(value, &mut texts),
        Err(_) => return json.to_owned(),
    }
    texts.join("\n")
}

/// How many calls of a provider's own tools the agent approves.
pub(crate) fn approvals(request: &Request) -> usize {
    let Ok(body) = Json::parse(request.body()) else { return 0 };
    let items = body.member("input").into_iter().flat_map(Json::items);
    let is_approval = |item: &Json<'_>| {
        let kind = item.member("type").and_then(Json::string);
        let approve = item.member("approve").map(Json::text);
        kind.as_deref() == Some("mcp_approval_response") && approve != Some("false")
    };
    items.filter(is_approval).count()
}

struct Walk<'a> {
    parts: BTreeSet<&'a str>,
    pointer: String,
    texts: Vec<String>,
}

impl Walk<'_> {
    fn value(&mut self, value: Json<'_>) {
        if self.is_read() {
            return;
        }
        match value.kind() {
            Kind::Object => {
                for (name, member) in value.members() {
                    self.keep(&name);
                    self.below(&name.replace('~', "~0").replace('/', "~1"), member);
                }
            }
            Kind::Array => {
                for (index, item) in value.items().enumerate() {
                    self.below(&index.to_string(), item);
                }
            }
            Kind::String => self.keep(&text(value)),
            Kind::Number | Kind::Boolean | Kind::Null => {}
        }
    }

    fn below(&mut self, step: &str, value: Json<'_>) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(step);
        self.value(value);
        self.pointer.truncate(length);
    }

    /// Whether all below here is a part, or the declarations of tools.
    fn is_read(&self) -> bool {
        let at = self.pointer.as_str();
        at == "/tools" || self.parts.contains(at)
    }

    fn keep(&mut self, text: &str) {
        if text.len() >= TEXT_BYTES_MIN {
            self.texts.push(without_uuids(text));
        }
    }
}

fn leaves(value: Json<'_>, texts: &mut Vec<String>) {
    match value.kind() {
        Kind::Object => {
            for (name, member) in value.members() {
                texts.push(name.into_owned());
                leaves(member, texts);
            }
        }
        Kind::Array => value.items().for_each(|item| leaves(item, texts)),
        Kind::String => {
            let text = text(value);
            if !is_coded(&text) {
                texts.push(text);
            }
        }
        Kind::Number | Kind::Boolean | Kind::Null => {}
    }
}

/// The string that a value is; one with half of a surrogate pair as it is spelled.
fn text(value: Json<'_>) -> String {
    value.string().map_or_else(|| value.text().to_owned(), std::borrow::Cow::into_owned)
}

/// A text without the UUIDs in it (RFC 9562: of version 1 to 8 and variant 10).
fn without_uuids(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let is_within = before.is_some_and(char::is_alphanumeric);
        let uuid = rest.get(..UUID_BYTES).filter(|uuid| !is_within && is_uuid(uuid));
        let ends = |rest: &str| !rest.starts_with(char::is_alphanumeric);
        match uuid.and(rest.get(UUID_BYTES..)).filter(|rest| ends(rest)) {
            Some(after) => {
                kept.push_str("UUID");
                (before, rest) = (None, after);
            }
            None => {
                kept.push(first);
                (before, rest) = (Some(first), rest.get(first.len_utf8()..).unwrap_or_default());
            }
        }
    }
    kept
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => matches!(byte, b'1'..=b'8'),
        19 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
        _ => byte.is_ascii_hexdigit(),
    })
}

fn is_coded(text: &str) -> bool {
    let data = text.rsplit_once(',').map_or(text, |(_, data)| data);
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    data.len() >= CODED_BYTES_MIN && data.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use pathwarden_lens_llm::{Api, Request};

    use super::{approvals, of, without_uuids, words};

    fn request(api: Api, body: &str) -> Request {
        Request::parse(api, body.as_bytes().to_vec(), None).unwrap()
    }

    #[test]
    fn a_secret_in_a_setting_or_a_name_is_read() {
        let body = r#"{"model":"m","user":"secret-of-user","metadata":{"secret-key":"secret-value"},
            "messages":[{"role":"user","name":"secret-name","content":"said in a part"}]}"#;
        let unread = of(&request(Api::ChatCompletions, body));
        for secret in ["secret-of-user", "secret-key", "secret-value", "secret-name"] {
            assert!(unread.contains(secret), "{secret} in {unread}");
        }
        assert!(!unread.contains("said in a part"), "{unread}");
    }

    /// Seen: `ba29-cbb9dea584a9` and the beginning of the next mark are an account number of Bosnia.
    #[test]
    fn marks_are_no_account_numbers() {
        let body = r#"{"model":"m","messages":[],"metadata":{
            "installation":"226a889e-10f5-4498-ba29-cbb9dea584a9",
            "turn":"{\"id\":\"01a21a85-cc72-7063-82f0-b15044bce4f4\",\"of\":\"DE89370400440532013000\"}"}}"#;
        let unread = of(&request(Api::ChatCompletions, body));
        for mark in ["ba29", "cbb9dea584a9", "01a21a85"] {
            assert!(!unread.contains(mark), "{unread}");
        }
        assert!(unread.contains("DE89370400440532013000"), "{unread}");
        assert!(unread.contains("installation\n\n\n\nUUID"), "{unread}");
    }

    #[test]
    fn what_only_resembles_a_uuid_is_kept() {
        for text in [
            "de893704-0044-0532-0130-00ffffffffff",
            "x226a889e-10f5-4498-ba29-cbb9dea584a9",
            "226a889e-10f5-4498-ba29-cbb9dea584a9f",
            "226a889e 10f5 4498 ba29 cbb9dea584a9",
            "é26a889e-10f5-4498-ba29-cbb9dea584aé",
        ] {
            assert_eq!(without_uuids(text), text);
        }
    }

    #[test]
    fn words_beside_an_image_are_read_and_the_image_is_not() {
        let image = "A".repeat(2_000);
        let json =
            format!(r#"{{"type":"new","text":"a secret","data":"data:image/png;base64,{image}"}}"#);
        let words = words(&json);
        assert!(words.contains("a secret") && !words.contains(&image), "{words}");
    }

    #[test]
    fn approvals_of_the_agent_are_counted() {
        let body = r#"{"model":"m","input":[
            {"type":"mcp_approval_response","approval_request_id":"a","approve":true},
            {"type":"mcp_approval_response","approval_request_id":"b","approve":false}]}"#;
        assert_eq!(approvals(&request(Api::Responses, body)), 1);
    }
}
