//! The items of an answer of OpenAI's Responses API.

use std::borrow::Cow;
use std::ops::Range;

use pathwarden_json::{Json, Kind};

use crate::answer::{Call, CallKind, Ruling};
use crate::response::said::Said;
use crate::response::shape::{
    Shape, arguments, input, items, member, quoted, rebuild, strict_text, text, value_arguments,
    written, written_value,
};

/// Calls that the provider makes itself. A search for tools is the client's when it says so.
const SERVER: [&str; 6] = [
    "mcp_call",
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "tool_search_call",
];

/// Where calls of built-in tools have what the client is to do, the first that is there.
const ACTIONS: [&str; 5] = ["action", "operation", "actions", "arguments", "input"];

/// Who acts on an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ItemKind {
    /// The client makes a call.
    Call,
    /// The provider made one.
    Server,
    /// Nobody.
    Plain,
}

/// How an item says which it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Identity {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) call_id: String,
    pub(crate) name: String,
}

impl Identity {
    pub(crate) fn of(item: Json<'_>) -> Result<Self, Shape> {
        let kind = text(item, "type").ok_or(Shape("an item with a type"))?.into_owned();
        let id = strict_text(item, "id")?.unwrap_or_default().into_owned();
        let call_id = strict_text(item, "call_id")?.unwrap_or_default().into_owned();
        let name = strict_text(item, "name")?.unwrap_or_default().into_owned();
        Ok(Self { kind, id, call_id, name })
    }

    /// Is it the same item? By its id, or, when one of the two has none, by the id of its call.
    pub(crate) fn is(&self, other: &Self) -> bool {
        if self.id.is_empty() || other.id.is_empty() {
            !self.call_id.is_empty() && self.call_id == other.call_id
        } else {
            self.id == other.id
        }
    }
}

/// An item of a kind that is not known and is called some `_call` is one of the client's: the safe
/// reading.
pub(crate) fn kind(item: Json<'_>) -> Result<ItemKind, Shape> {
    let kind = text(item, "type").ok_or(Shape("an item with a type"))?;
    let client = text(item, "execution").as_deref() == Some("client");
    Ok(match kind.as_ref() {
        "program" => ItemKind::Server,
        kind if SERVER.contains(&kind) && !client => ItemKind::Server,
        kind if kind.ends_with("_call") => ItemKind::Call,
        _ => ItemKind::Plain,
    })
}

/// How an item spells its call.
pub(crate) fn call_kind(kind: &str) -> CallKind {
    match kind {
        "function_call" => CallKind::Function,
        "custom_tool_call" => CallKind::Custom,
        _ => CallKind::BuiltIn,
    }
}

/// The member that has the arguments as the model wrote them.
fn carrier(item: Json<'_>, kind: CallKind) -> Option<(&'static str, Json<'_>)> {
    let names: &[&'static str] = match kind {
        CallKind::Function => &["arguments"],
        CallKind::Custom => &["input"],
        CallKind::BuiltIn => &ACTIONS,
    };
    names.iter().find_map(|name| Some((*name, member(item, name)?)))
}

/// What the model wrote as arguments, where that is text.
pub(crate) fn written_text(item: Json<'_>) -> Result<Option<Cow<'_, str>>, Shape> {
    match text(item, "type").as_deref() {
        Some("function_call") => strict_text(item, "arguments"),
        Some("custom_tool_call") => strict_text(item, "input"),
        _ => Ok(None),
    }
}

/// The call of an item, given an id where it has none.
pub(crate) fn call(item: Json<'_>, said: &mut Said) -> Result<Call, Shape> {
    let Identity { kind: spelled, id, call_id, name } = Identity::of(item)?;
    let kind = call_kind(&spelled);
    let name = match kind {
        // A request declares a built-in tool by its type, and an item adds `_call` to it.
        CallKind::BuiltIn if name.is_empty() => {
            spelled.strip_suffix("_call").unwrap_or(&spelled).to_owned()
        }
        CallKind::Function | CallKind::Custom if name.is_empty() => {
            return Err(Shape("a call with a name"));
        }
        CallKind::Function | CallKind::Custom | CallKind::BuiltIn => name,
    };
    let text = written_text(item)?;
    let arguments = match kind {
        CallKind::Function => arguments(&text.unwrap_or_default()),
        CallKind::Custom => input(&text.unwrap_or_default()),
        CallKind::BuiltIn => {
            carrier(item, kind).map_or("{}".to_owned(), |(_, value)| value_arguments(value))
        }
    };
    let id = said.call_id(if call_id.is_empty() { &id } else { &call_id }, &name);
    Ok(Call { id, name, arguments, kind })
}

/// Reads an item that is no call of the client's. `text_too` where its text was not read before.
pub(crate) fn read(item: Json<'_>, text_too: bool, said: &mut Said) -> Result<(), Shape> {
    match text(item, "type").as_deref() {
        Some("message") => {
            for part in items(item, "content")? {
                if text_too {
                    said.text(text(part, "text").or_else(|| text(part, "refusal")));
                }
                said.tokens(member(part, "logprobs"));
            }
        }
        Some("reasoning") if text_too => {
            for part in [items(item, "summary")?, items(item, "content")?].concat() {
                said.reasoning(text(part, "text"));
            }
        }
        Some(spelled) if kind(item)? == ItemKind::Server => server(item, spelled, said),
        _ => {}
    }
    Ok(())
}

fn server(item: Json<'_>, spelled: &str, said: &mut Said) {
    let name = text(item, "name");
    let name = name.as_deref().unwrap_or(spelled.strip_suffix("_call").unwrap_or(spelled));
    let names = ["arguments", "action", "queries", "code", "input"];
    let arguments = names.iter().find_map(|name| Some((*name, member(item, name)?)));
    let arguments = match arguments {
        // OpenAI writes the arguments as text that is JSON again.
        Some(("arguments", value)) if value.kind() == Kind::String => {
            value.string().unwrap_or_default()
        }
        Some((_, value)) => Cow::Borrowed(value.text()),
        None => Cow::Borrowed(""),
    };
    said.server_call(spelled, name, &arguments);
}

/// The id of the item that stands for a call that was refused.
pub(crate) fn message_id(call: &Call) -> String {
    quoted(&format!("msg_{}", call.id))
}

/// The part of a message that has these words.
pub(crate) fn text_part(words: &str) -> String {
    let words = quoted(words);
    format!("{{\"type\":\"output_text\",\"text\":{words},\"annotations\":[],\"logprobs\":[]}}")
}

/// The item that stands for a call that was refused; without words, as it begins.
pub(crate) fn message(call: &Call, words: Option<&str>) -> String {
    let (id, content) = (message_id(call), words.map(text_part).unwrap_or_default());
    let status = if words.is_some() { "completed" } else { "in_progress" };
    format!(
        "{{\"id\":{id},\"type\":\"message\",\"status\":\"{status}\",\"role\":\"assistant\",\
         \"content\":[{content}]}}"
    )
}

/// The change of an item that carries its ruling out.
pub(crate) fn ruled(
    item: Json<'_>,
    call: &Call,
    ruling: &Ruling,
) -> Option<(Range<usize>, String)> {
    match ruling {
        Ruling::Release => None,
        Ruling::Instead(words) => Some((item.span(), message(call, Some(words)))),
        Ruling::Rewrite(new) => Some(rewritten(item, call.kind, new)),
    }
}

/// The change of an item that gives it new arguments.
pub(crate) fn rewritten(item: Json<'_>, kind: CallKind, new: &str) -> (Range<usize>, String) {
    let Some((_, old)) = carrier(item, kind) else {
        let name = if kind == CallKind::BuiltIn { "action" } else { "arguments" };
        let value = if kind == CallKind::BuiltIn { new.to_owned() } else { quoted(new) };
        return (item.span(), rebuild(item, &[(name, Some(value))]));
    };
    let new = match kind {
        CallKind::BuiltIn => written_value(old, new),
        CallKind::Function | CallKind::Custom => {
            quoted(&written(kind, &old.string().unwrap_or_default(), new))
        }
    };
    (old.span(), new)
}
