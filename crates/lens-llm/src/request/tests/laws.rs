use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Api, Request, RequestFault, RewriteFault};

const APIS: [Api; 4] = [Api::ChatCompletions, Api::Responses, Api::Messages, Api::GenerateContent];

/// The shortest string that has to be seen, in bytes.
const SEEN_BYTES_MIN: usize = 25;

/// The names that readers look for, so that arbitrary bodies are not all of unknown kinds.
const NAMES: [&str; 40] = [
    "type",
    "role",
    "text",
    "content",
    "input",
    "output",
    "name",
    "id",
    "call_id",
    "tool_use_id",
    "tool_calls",
    "function",
    "arguments",
    "summary",
    "source",
    "data",
    "title",
    "parts",
    "functionCall",
    "functionResponse",
    "response",
    "args",
    "thought",
    "tools",
    "tool",
    "refusal",
    "signature",
    "thinking",
    "action",
    "stdout",
    "results",
    "file",
    "filename",
    "context",
    "inlineData",
    "inline_data",
    "encrypted_content",
    "executableCode",
    "output_text",
    "definition",
];

/// The kinds of block and the roles that they look for.
const TAGS: [&str; 28] = [
    "text",
    "input_text",
    "output_text",
    "message",
    "function_call",
    "function_call_output",
    "mcp_call",
    "reasoning",
    "tool_use",
    "tool_result",
    "thinking",
    "document",
    "image",
    "search_result",
    "compaction",
    "user",
    "assistant",
    "system",
    "tool",
    "model",
    "base64",
    "web_search_tool_result",
    "shell_call_output",
    "content",
    "additional_tools",
    "tool_addition",
    "file_search_call",
    "developer",
];

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(&NAMES).prop_map(str::to_owned),
        1 => "[a-z ~/é]{0,30}",
    ]
}

fn any_tag() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(&TAGS).prop_map(str::to_owned),
        1 => "[a-z_\"\\\\é ]{0,40}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any_tag().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            any_object(inner),
        ]
    })
}

fn any_object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(any_name(), inner, 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// A block that says what it is, with members of any kind.
fn any_block() -> impl Strategy<Value = Value> {
    (any_tag(), any_tag(), any_object(any_value())).prop_map(|(tag, role, mut block)| {
        block["type"] = tag.into();
        block["role"] = role.into();
        block
    })
}

fn any_message() -> impl Strategy<Value = Value> {
    let role = prop::sample::select(&["system", "user", "assistant", "tool", "model"]);
    let content = prop_oneof![
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any_block(), 0..4).prop_map(Value::from),
    ];
    let member = prop::sample::select(&["content", "parts"]);
    (role, member, content, any_value()).prop_map(
        |(role, member, content, aside)| json!({"role": role, member: content, "aside": aside}),
    )
}

/// A body of each API around any messages.
fn any_body() -> impl Strategy<Value = (Api, Value)> {
    let item = prop_oneof![any_message(), any_message(), any_block()];
    let window = prop::collection::vec(item, 0..4);
    (prop::sample::select(APIS.to_vec()), window, any::<String>(), any_value()).prop_map(
        |(api, window, words, other)| {
            let (list, told) = match api {
                Api::ChatCompletions => ("messages", "words"),
                Api::Responses => ("input", "instructions"),
                Api::Messages => ("messages", "system"),
                Api::GenerateContent => ("contents", "systemInstruction"),
            };
            (api, json!({"model": "m", list: window, told: words, "other": other}))
        },
    )
}

/// Every string of a value, the names of members included.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(string) => out.push(string.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            out.push(name.clone());
            strings(member, out);
        }),
        _ => {}
    }
}

fn is_seen(string: &str, request: &Request) -> bool {
    let quoted = Value::from(string).to_string();
    request.parts().iter().any(|part| {
        part.text.contains(string)
            || part.text.contains(&quoted)
            || [&part.call, &part.name].iter().any(|mark| mark.as_deref() == Some(string))
    })
}

fn parse(api: Api, body: Vec<u8>) -> Result<Request, RequestFault> {
    Request::parse(api, body, None).map_err(|(_, fault)| fault)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        for api in APIS {
            if let Err((back, _)) = Request::parse(api, bytes.clone(), Some("m")) {
                prop_assert_eq!(&back, &bytes);
            }
        }
    }

    #[test]
    fn no_text_is_unseen((api, body) in any_body()) {
        if let Ok(request) = parse(api, body.to_string().into_bytes()) {
            let mut all = Vec::new();
            strings(&body, &mut all);
            for string in all.iter().filter(|string| string.len() >= SEEN_BYTES_MIN) {
                prop_assert!(is_seen(string, &request), "{string:?} of {body} in {:?}", request.parts());
            }
        }
    }

    #[test]
    fn a_part_leads_to_what_it_says((api, body) in any_body()) {
        if let Ok(request) = parse(api, body.to_string().into_bytes()) {
            for part in request.parts() {
                let found = body.pointer(&part.pointer).unwrap();
                let is_text = found.as_str() == Some(part.text.as_str());
                prop_assert!(!part.is_string || is_text, "{part:?}");
                let is_json = part.text == "{}" || part.text.contains(&found.to_string());
                prop_assert!(part.is_string || is_json, "{part:?}");
            }
        }
    }

    #[test]
    fn a_rewrite_changes_one_text_and_no_other((api, body) in any_body(), new: String, at: prop::sample::Index) {
        let Ok(request) = parse(api, body.to_string().into_bytes()) else { return Ok(()) };
        let own: Vec<_> = request.parts().iter().filter(|part| part.is_string).collect();
        prop_assume!(!own.is_empty());
        // Never a mark, which may be no part.
        let new = format!("é {new}");
        let target = at.get(&own).pointer.clone();
        let changed = request.rewrite(&[(target.clone(), new.clone())]).unwrap();
        let again = parse(api, changed.clone()).unwrap();
        prop_assert_eq!(again.rewrite(&[]).unwrap(), changed);
        prop_assert_eq!(again.parts().len(), request.parts().len());
        for (before, after) in request.parts().iter().zip(again.parts()) {
            let is_target = before.pointer == target;
            prop_assert_eq!(&after.text, if is_target { &new } else { &before.text });
            prop_assert_eq!((before.kind, &before.pointer), (after.kind, &after.pointer));
        }
    }
}

#[test]
fn a_rewrite_keeps_every_other_byte() {
    let body = |words: &str| {
        format!(
            " {{ \"model\" :\"m\",\"messages\":[ {{\"role\":\"user\",\"content\":{words} }}],\"n\":1.0e0}}\n"
        )
    };
    let request = parse(Api::ChatCompletions, body("\"\\u0061 b\"").into()).unwrap();
    assert_eq!(request.parts()[0].text, "a b");
    assert_eq!(request.body(), body("\"\\u0061 b\"").as_bytes());
    assert_eq!(request.rewrite(&[]).unwrap(), request.body());
    let change = ("/messages/0/content".to_owned(), "c\n\"d".to_owned());
    let changed = request.rewrite(std::slice::from_ref(&change)).unwrap();
    assert_eq!(String::from_utf8(changed).unwrap(), body("\"c\\n\\\"d\""));
    let model = request.rewrite(&[("/model".to_owned(), "n".to_owned()), change.clone()]).unwrap();
    assert_eq!(parse(Api::ChatCompletions, model).unwrap().model(), "n");
    assert!(matches!(request.rewrite(&[change.clone(), change]), Err(RewriteFault::Twice(_))));
}

#[test]
fn only_strings_can_be_rewritten() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"novel"}]}]}"#;
    let request = parse(Api::ChatCompletions, body.into()).unwrap();
    let rewrite =
        |pointer: &str| request.rewrite(&[(pointer.to_owned(), String::new())]).unwrap_err();
    assert!(matches!(rewrite("/messages/0/content/0"), RewriteFault::NotAString(_)));
    assert!(matches!(rewrite("/messages"), RewriteFault::NotAString(_)));
    assert!(matches!(rewrite("/messages/1"), RewriteFault::Missing(_)));
    assert!(matches!(rewrite("messages"), RewriteFault::Pointer { .. }));
}

#[test]
fn limits_hold_at_and_not_one_past() {
    let parts = |count: usize| {
        let messages = vec![json!({"role": "user", "content": "x"}); count];
        let body = json!({"model": "m", "messages": messages}).to_string();
        parse(Api::Messages, body.into_bytes()).map(|request| request.parts().len())
    };
    assert_eq!(parts(Request::PARTS_MAX), Ok(Request::PARTS_MAX));
    let fault = RequestFault::TooMany { what: "parts", max: Request::PARTS_MAX };
    assert_eq!(parts(Request::PARTS_MAX + 1), Err(fault));

    let tools = |own: usize| {
        let mut tools = vec![json!({"type": "function", "name": "f"}); own];
        tools.push(json!({"type": "web_search"}));
        let body = json!({"model": "m", "tools": tools}).to_string();
        parse(Api::Responses, body.into_bytes()).map(|request| request.tools().len())
    };
    assert_eq!(tools(Request::TOOLS_MAX - 1), Ok(Request::TOOLS_MAX - 1));
    let fault = RequestFault::TooMany { what: "tools", max: Request::TOOLS_MAX };
    assert_eq!(tools(Request::TOOLS_MAX), Err(fault));
}
