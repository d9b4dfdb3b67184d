//! What a provider reads of a request beside the parts of the window: settings, names, marks.

use std::collections::BTreeSet;

use pathwarden_json::{Json, Kind};
use pathwarden_lens_llm::Request;

/// A shorter text holds no secret.
const TEXT_BYTES_MIN: usize = 8;

/// A longer text without a space, of the letters of base64, is an image or the like.
const CODED_BYTES_MIN: usize = 1 << 10;

/// Every text of the body that stands in no part and in no declaration of a tool.
pub(crate) fn of(request: &Request) -> String {
    let parts = request.parts().iter().map(|part| part.pointer.as_str()).collect();
    let mut walk = Walk { parts, pointer: String::new(), texts: Vec::new() };
    if let Ok(body) = Json::parse(request.body()) {
        walk.value(body);
    }
    walk.texts.join("\n")
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
            self.texts.push(text.to_owned());
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

fn is_coded(text: &str) -> bool {
    let data = text.rsplit_once(',').map_or(text, |(_, data)| data);
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    data.len() >= CODED_BYTES_MIN && data.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use pathwarden_lens_llm::{Api, Request};

    use super::{approvals, of, words};

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
