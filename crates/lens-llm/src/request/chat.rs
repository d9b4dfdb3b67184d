//! The window of OpenAI Chat Completions: `messages`.

use pathwarden_json::Kind;

use super::blocks;
use super::fields::{Fields, Spot};
use super::reader::{Label, Reader};
use super::tools::{self, openai};
use super::{PartKind, RequestFault};

pub(super) fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    for message in fields.need("messages", "an array of messages")?.items()? {
        read_message(reader, &message)?;
    }
    if let Some(prediction) = fields.take("prediction") {
        read_prediction(reader, &prediction)?;
    }
    for member in ["tools", "functions"] {
        let Some(list) = fields.take(member) else { continue };
        reader.tools_at.get_or_insert(list.value.span());
        let is_bare = member == "functions";
        list.items()?.try_for_each(|tool| openai::chat(reader, &tool, is_bare))?;
    }
    if let Some(options) = fields.take("web_search_options") {
        reader.serve(tools::server(&options, "web_search"))?;
    }
    tools::schemas(reader, fields, &["response_format"])
}

fn read_message(reader: &mut Reader, message: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(message)?;
    let role = fields.string("role")?;
    let kind = match role.as_deref() {
        Some("system" | "developer") => PartKind::System,
        Some("user") => PartKind::User,
        Some("assistant") => PartKind::Assistant,
        Some("tool" | "function") => PartKind::ToolResult,
        _ => return reader.media(message, &Label::default()),
    };
    let name = reader.mark(&mut fields, "name")?;
    let label = if kind == PartKind::ToolResult {
        let call = reader.mark(&mut fields, "tool_call_id")?;
        reader.result(call, name)
    } else {
        Label::named(name)
    };
    reader.texts(&mut fields, &["reasoning", "reasoning_content"], PartKind::Reasoning, &label)?;
    if let Some(content) = fields.take("content") {
        blocks::content(reader, &content, kind, &label)?;
    }
    reader.texts(&mut fields, &["refusal"], kind, &label)?;
    if let Some(sound) = fields.take("audio") {
        reader.media(&sound, &label)?;
    }
    if let Some(calls) = fields.take("tool_calls") {
        calls.items()?.try_for_each(|call| read_call(reader, &call))?;
    }
    if let Some(call) = fields.take("function_call") {
        read_called(reader, &call, None, "arguments")?;
    }
    reader.rest(fields, kind, &label)
}

fn read_call(reader: &mut Reader, call: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(call)?;
    let id = reader.mark(&mut fields, "id")?;
    reader.mark(&mut fields, "type")?;
    if let Some(function) = fields.take("function") {
        read_called(reader, &function, id.clone(), "arguments")?;
    }
    if let Some(custom) = fields.take("custom") {
        read_called(reader, &custom, id.clone(), "input")?;
    }
    reader.rest(fields, PartKind::Call, &Label { call: id, name: None })
}

fn read_called(
    reader: &mut Reader,
    called: &Spot<'_>,
    id: Option<String>,
    member: &'static str,
) -> Result<(), RequestFault> {
    let mut fields = Fields::of(called)?;
    let name = reader.mark(&mut fields, "name")?;
    let label = reader.call(id, name);
    let arguments = fields.take(member);
    reader.part(PartKind::Call, arguments.as_ref().unwrap_or(called), &label)?;
    reader.rest(fields, PartKind::Call, &label)
}

/// What the developer expects the model to say: it is read as the beginning of an answer.
fn read_prediction(reader: &mut Reader, prediction: &Spot<'_>) -> Result<(), RequestFault> {
    let label = Label::default();
    if prediction.kind() != Kind::Object {
        return Err(prediction.shape("an object"));
    }
    let mut fields = Fields::of(prediction)?;
    if let Some(content) = fields.take("content") {
        blocks::content(reader, &content, PartKind::Assistant, &label)?;
    }
    reader.rest(fields, PartKind::Assistant, &label)
}
