//! The window of Anthropic Messages: `system` and `messages`.

use pathwarden_json::Kind;

use super::fields::{Fields, Spot};
use super::plain::without_credentials;
use super::reader::{Label, Reader};
use super::tools::{self, anthropic};
use super::{PartKind, RequestFault};

pub(super) fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    if let Some(thread) = fields.take("thread") {
        let mut thread = Fields::of(&thread)?;
        reader.continues = thread.string("previous_message_id")?;
        reader.rest(thread, PartKind::System, &Label::default())?;
    }
    if let Some(system) = fields.take("system") {
        content(reader, &system, PartKind::System, &Label::default())?;
    }
    for message in fields.need("messages", "an array of messages")?.items()? {
        read_message(reader, &message)?;
    }
    if let Some(list) = fields.take("tools") {
        reader.tools_at = Some(list.value.span());
        list.items()?.try_for_each(|tool| anthropic::tool(reader, &tool))?;
    }
    if let Some(servers) = fields.take("mcp_servers") {
        servers.items()?.try_for_each(|server| anthropic::mcp_server(reader, &server))?;
    }
    if let Some(container) = fields.take("container") {
        anthropic::container(reader, &container)?;
    }
    // The last two may say how the window is to be summarized.
    let told = ["output_config", "output_format", "compaction", "context_management"];
    tools::schemas(reader, fields, &told)
}

fn read_message(reader: &mut Reader, message: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(message)?;
    let kind = match fields.string("role")?.as_deref() {
        Some("system") => PartKind::System,
        Some("user") => PartKind::User,
        Some("assistant") => PartKind::Assistant,
        _ => return reader.media(message, &Label::default()),
    };
    if let Some(words) = fields.take("content") {
        content(reader, &words, kind, &Label::default())?;
    }
    reader.rest(fields, kind, &Label::default())
}

/// A string, or a list of blocks.
fn content(
    reader: &mut Reader,
    content: &Spot<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    match content.kind() {
        Kind::String => reader.part(kind, content, label),
        Kind::Array => content.items()?.try_for_each(|item| block(reader, &item, kind, label)),
        _ => Err(content.shape("a string or an array")),
    }
}

fn block(
    reader: &mut Reader,
    block: &Spot<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    let mut fields = Fields::of(block)?;
    let tag = fields.string("type")?.unwrap_or_default();
    match tag.as_str() {
        "text" => {
            reader.texts(&mut fields, &["text"], kind, label)?;
            reader.rest(fields, kind, label)
        }
        "thinking" => read_thinking(reader, fields),
        "document" => read_document(reader, fields, kind, label),
        "search_result" => read_search_result(reader, fields, kind, label),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => read_call(reader, block, fields),
        "tool_result" | "mcp_tool_result" => read_result(reader, fields),
        "compaction" => read_compaction(reader, block, fields),
        "tool_addition" | "tool_removal" => read_tool_change(reader, block, fields),
        "mcp_tool_listing" | "browser_state" => reader.part(PartKind::ToolResult, block, label),
        // What the provider's own tools gave back has a shape for each of them.
        _ if tag.ends_with("_tool_result") => read_server_result(reader, fields),
        _ => reader.media(block, label),
    }
}

fn read_thinking(reader: &mut Reader, mut fields: Fields<'_>) -> Result<(), RequestFault> {
    let label = Label::default();
    reader.texts(&mut fields, &["thinking"], PartKind::Reasoning, &label)?;
    // It holds the reasoning itself, encrypted.
    if let Some(signature) = fields.take("signature") {
        reader.media(&signature, &label)?;
    }
    reader.rest(fields, PartKind::Reasoning, &label)
}

/// What a tool gave back stays that, in whatever kind of block it stands.
const fn kind_within(kind: PartKind) -> PartKind {
    match kind {
        PartKind::ToolResult => PartKind::ToolResult,
        _ => PartKind::Document,
    }
}

fn read_document(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    let kind = kind_within(kind);
    let title = fields.take("title");
    let named = title.as_ref().map(Spot::string).transpose()?;
    let label = Label { call: label.call.clone(), name: named.or_else(|| label.name.clone()) };
    if let Some(title) = title {
        reader.part(kind, &title, &label)?;
    }
    reader.texts(&mut fields, &["context"], kind, &label)?;
    if let Some(source) = fields.take("source") {
        read_source(reader, &source, kind, &label)?;
    }
    reader.rest(fields, kind, &label)
}

fn read_source(
    reader: &mut Reader,
    source: &Spot<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    let mut fields = Fields::of(source)?;
    match fields.string("type")?.as_deref() {
        Some("text") => reader.texts(&mut fields, &["data"], kind, label)?,
        Some("content") => {
            let words = fields.need("content", "a string or an array")?;
            content(reader, &words, kind, label)?;
        }
        _ => return reader.media(source, label),
    }
    reader.rest(fields, kind, label)
}

fn read_search_result(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    let kind = kind_within(kind);
    reader.texts(&mut fields, &["title", "source"], kind, label)?;
    if let Some(words) = fields.take("content") {
        content(reader, &words, kind, label)?;
    }
    reader.rest(fields, kind, label)
}

fn read_call(
    reader: &mut Reader,
    block: &Spot<'_>,
    mut fields: Fields<'_>,
) -> Result<(), RequestFault> {
    let id = reader.mark(&mut fields, "id")?;
    let name = reader.mark(&mut fields, "name")?;
    reader.mark(&mut fields, "server_name")?;
    let label = reader.call(id, name);
    match fields.take("input") {
        Some(input) => reader.part(PartKind::Call, &input, &label)?,
        None => reader.shown(PartKind::Call, block, &label, "{}".to_owned())?,
    }
    reader.rest(fields, PartKind::Call, &label)
}

fn read_result(reader: &mut Reader, mut fields: Fields<'_>) -> Result<(), RequestFault> {
    let id = reader.mark(&mut fields, "tool_use_id")?;
    let label = reader.result(id, None);
    if let Some(words) = fields.take("content") {
        content(reader, &words, PartKind::ToolResult, &label)?;
    }
    reader.rest(fields, PartKind::ToolResult, &label)
}

fn read_server_result(reader: &mut Reader, mut fields: Fields<'_>) -> Result<(), RequestFault> {
    let id = reader.mark(&mut fields, "tool_use_id")?;
    let label = reader.result(id, None);
    reader.texts(&mut fields, &["content"], PartKind::ToolResult, &label)?;
    reader.rest(fields, PartKind::ToolResult, &label)
}

/// A summary. Where it is encrypted, or has no words, the block stands for it.
fn read_compaction(
    reader: &mut Reader,
    block: &Spot<'_>,
    mut fields: Fields<'_>,
) -> Result<(), RequestFault> {
    let label = Label::default();
    match fields.take("content") {
        Some(words) => reader.part(PartKind::Compaction, &words, &label)?,
        None => return reader.part(PartKind::Compaction, block, &label),
    }
    for member in ["encrypted_content", "signature"] {
        if let Some(encrypted) = fields.take(member) {
            reader.media(&encrypted, &label)?;
        }
    }
    if let Some(changes) = fields.take("tool_changes") {
        let mut changes = changes.items()?;
        changes.try_for_each(|change| read_tool_change(reader, &change, Fields::of(&change)?))?;
    }
    reader.rest(fields, PartKind::Compaction, &label)
}

/// A tool that comes, or goes, in the middle of a window.
fn read_tool_change(
    reader: &mut Reader,
    block: &Spot<'_>,
    mut fields: Fields<'_>,
) -> Result<(), RequestFault> {
    let text = without_credentials(block.value);
    reader.shown(PartKind::System, block, &Label::default(), text)?;
    let mut tool = Fields::of(&fields.need("tool", "a tool")?)?;
    let definition = tool.take("definition");
    tool.rest()?;
    fields.rest()?;
    definition.map_or(Ok(()), |definition| anthropic::tool(reader, &definition))
}
