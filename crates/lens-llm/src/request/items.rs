//! Items of the input of OpenAI Responses.

use pathwarden_json::Kind;

use super::fields::{Fields, Spot};
use super::plain::without_credentials;
use super::reader::{Label, Reader};
use super::tools::openai;
use super::{PartKind, RequestFault, blocks};

/// Items of calls and of results: their type, the members that say what was asked for, and those that say
/// what came back. What the provider runs itself has both in one item.
const CALLS: [(&str, &[&str], &[&str]); 20] = [
    ("apply_patch_call", &["operation"], &[]),
    ("apply_patch_call_output", &[], &["output"]),
    ("code_interpreter_call", &["code"], &["outputs"]),
    ("computer_call", &["action", "actions"], &[]),
    ("computer_call_output", &[], &["output"]),
    ("custom_tool_call", &["input"], &[]),
    ("custom_tool_call_output", &[], &["output"]),
    ("file_search_call", &["queries"], &["results"]),
    ("function_call", &["arguments"], &[]),
    ("function_call_output", &[], &["output"]),
    ("local_shell_call", &["action"], &[]),
    ("local_shell_call_output", &[], &["output"]),
    ("mcp_approval_request", &["arguments"], &[]),
    ("mcp_call", &["arguments"], &["output", "error"]),
    ("mcp_list_tools", &[], &["tools", "error"]),
    ("program", &["code"], &[]),
    ("program_output", &[], &["result"]),
    ("shell_call", &["action"], &[]),
    ("shell_call_output", &[], &["output"]),
    ("web_search_call", &["action"], &[]),
];

pub(super) fn read(reader: &mut Reader, item: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(item)?;
    let tag = fields.string("type")?;
    let label = Label::default();
    match tag.as_deref() {
        None | Some("message") => read_message(reader, item, fields),
        Some("reasoning") => read_reasoning(reader, fields),
        Some("compaction" | "compaction_summary") => {
            reader.part(PartKind::Compaction, item, &label)
        }
        Some("additional_tools") => read_tools(reader, item, fields, PartKind::System),
        Some("tool_search_output") => read_tools(reader, item, fields, PartKind::ToolResult),
        Some("tool_search_call") => read_call(reader, fields, "tool_search", &["arguments"], &[]),
        Some(tag) => match CALLS.iter().find(|(known, _, _)| *known == tag) {
            Some((_, asked, given)) => read_call(reader, fields, tag, asked, given),
            None => reader.media(item, &label),
        },
    }
}

/// A message, also in the short form without a type. What has no role is no message.
fn read_message(
    reader: &mut Reader,
    item: &Spot<'_>,
    mut fields: Fields<'_>,
) -> Result<(), RequestFault> {
    let label = Label::default();
    let kind = match fields.string("role")?.as_deref() {
        Some("system" | "developer") => PartKind::System,
        Some("user") => PartKind::User,
        Some("assistant") => PartKind::Assistant,
        _ => return reader.media(item, &label),
    };
    reader.mark(&mut fields, "id")?;
    if let Some(content) = fields.take("content") {
        blocks::content(reader, &content, kind, &label)?;
    }
    reader.rest(fields, kind, &label)
}

fn read_reasoning(reader: &mut Reader, mut fields: Fields<'_>) -> Result<(), RequestFault> {
    let label = Label::default();
    reader.mark(&mut fields, "id")?;
    for member in ["summary", "content"] {
        if let Some(words) = fields.take(member) {
            blocks::content(reader, &words, PartKind::Reasoning, &label)?;
        }
    }
    if let Some(encrypted) = fields.take("encrypted_content") {
        reader.media(&encrypted, &label)?;
    }
    reader.rest(fields, PartKind::Reasoning, &label)
}

fn read_call(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    tag: &str,
    asked: &[&'static str],
    given: &[&'static str],
) -> Result<(), RequestFault> {
    let id = reader.mark(&mut fields, "id")?;
    let call = reader.mark(&mut fields, "call_id")?.or(id);
    let server = reader.mark(&mut fields, "server_label")?;
    let name = reader.mark(&mut fields, "name")?;
    let is_result = asked.is_empty();
    let label = if is_result {
        reader.result(call, name.or(server))
    } else {
        let own = tag.strip_suffix("_call").unwrap_or(tag).to_owned();
        reader.call(call, Some(name.unwrap_or(own)))
    };
    reader.texts(&mut fields, asked, PartKind::Call, &label)?;
    for member in given {
        if let Some(output) = fields.take(member) {
            read_output(reader, &output, &label)?;
        }
    }
    reader.rest(fields, if is_result { PartKind::ToolResult } else { PartKind::Call }, &label)
}

/// What a tool gave back: words, blocks, or an object (a screenshot, the error of a server).
fn read_output(reader: &mut Reader, output: &Spot<'_>, label: &Label) -> Result<(), RequestFault> {
    match output.kind() {
        Kind::String | Kind::Array => blocks::content(reader, output, PartKind::ToolResult, label),
        _ if output.value.member("image_url").is_some() => reader.media(output, label),
        _ => reader.part(PartKind::ToolResult, output, label),
    }
}

/// Tools that come in the middle of a window.
fn read_tools(
    reader: &mut Reader,
    item: &Spot<'_>,
    mut fields: Fields<'_>,
    kind: PartKind,
) -> Result<(), RequestFault> {
    let id = reader.mark(&mut fields, "id")?;
    let call = reader.mark(&mut fields, "call_id")?.or(id);
    reader.shown(kind, item, &Label { call, name: None }, without_credentials(item.value))?;
    fields
        .need("tools", "an array of tools")?
        .items()?
        .try_for_each(|tool| openai::responses(reader, &tool))
}
