//! The window of Gemini: `systemInstruction` and `contents`.
//!
//! Google reads each name in two spellings, and a field that repeats also where it stands once.

use pathwarden_json::Kind;

use super::fields::{Fields, Spot};
use super::reader::{Label, Reader};
use super::tools;
use super::{PartKind, RequestFault};

pub(super) fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    // Counting takes a whole request, or only its contents.
    if let Some(inner) = fields.either("generateContentRequest", "generate_content_request") {
        let mut inner = Fields::of(&inner)?;
        inner.take("model");
        read_window(reader, &mut inner)?;
        reader.rest(inner, PartKind::System, &Label::default())?;
        return match fields.take("contents") {
            Some(contents) => Err(contents.shape("one window")),
            None => Ok(()),
        };
    }
    read_window(reader, fields)
}

fn read_window(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    let cached = fields.either("cachedContent", "cached_content");
    reader.continues = cached.map(|cached| cached.string()).transpose()?;
    if let Some(system) = fields.either("systemInstruction", "system_instruction") {
        if system.kind() == Kind::String {
            reader.part(PartKind::System, &system, &Label::default())?;
        } else {
            read_content(reader, &system, Some(PartKind::System))?;
        }
    }
    for content in fields.need("contents", "an array of contents")?.many() {
        read_content(reader, &content, None)?;
    }
    if let Some(list) = fields.take("tools") {
        reader.tools_at = Some(list.value.span());
        list.many().iter().try_for_each(|tool| tools::gemini::tool(reader, tool))?;
    }
    let Some(config) = fields.either("generationConfig", "generation_config") else {
        return Ok(());
    };
    read_config(reader, &config)
}

fn read_content(
    reader: &mut Reader,
    content: &Spot<'_>,
    kind: Option<PartKind>,
) -> Result<(), RequestFault> {
    let mut fields = Fields::of(content)?;
    let kind = match (kind, fields.string("role")?.as_deref()) {
        (Some(kind), _) => kind,
        (None, None | Some("user")) => PartKind::User,
        (None, Some("model")) => PartKind::Assistant,
        // The role of results in older SDKs.
        (None, Some("function" | "tool")) => PartKind::ToolResult,
        (None, Some(_)) => return reader.media(content, &Label::default()),
    };
    if let Some(parts) = fields.take("parts") {
        parts.many().iter().try_for_each(|part| read_part(reader, part, kind))?;
    }
    reader.rest(fields, kind, &Label::default())
}

fn read_part(reader: &mut Reader, part: &Spot<'_>, kind: PartKind) -> Result<(), RequestFault> {
    let mut fields = Fields::of(part)?;
    let label = Label::default();
    let kind = if fields.flag("thought")? { PartKind::Reasoning } else { kind };
    reader.texts(&mut fields, &["text"], kind, &label)?;
    let media = [
        fields.either("inlineData", "inline_data"),
        fields.either("fileData", "file_data"),
        fields.either("thoughtSignature", "thought_signature"),
    ];
    media.into_iter().flatten().try_for_each(|media| read_media(reader, &media, &label))?;
    for (camel, snake) in [("functionCall", "function_call"), ("toolCall", "tool_call")] {
        if let Some(call) = fields.either(camel, snake) {
            read_call(reader, &call)?;
        }
    }
    for (camel, snake) in
        [("functionResponse", "function_response"), ("toolResponse", "tool_response")]
    {
        if let Some(response) = fields.either(camel, snake) {
            read_response(reader, &response)?;
        }
    }
    read_code(reader, &mut fields)?;
    reader.rest(fields, kind, &label)
}

/// Data, a file, or the encrypted reasoning.
fn read_media(reader: &mut Reader, media: &Spot<'_>, label: &Label) -> Result<(), RequestFault> {
    let names = ["displayName", "display_name"];
    let name = names.iter().find_map(|name| media.value.member(name)?.string());
    let name = name.map(std::borrow::Cow::into_owned).or_else(|| label.name.clone());
    reader.media(media, &Label { call: label.call.clone(), name })
}

/// The tool of a call or a result: by name, or by type where the provider ran it.
fn tool_of(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<Option<String>, RequestFault> {
    let name = reader.mark(fields, "name")?;
    let kind = reader.mark(fields, "toolType")?;
    Ok(name.or(kind).or(reader.mark(fields, "tool_type")?))
}

fn read_call(reader: &mut Reader, call: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(call)?;
    let id = reader.mark(&mut fields, "id")?;
    let name = tool_of(reader, &mut fields)?;
    let label = reader.call(id, name);
    match fields.take("args") {
        Some(arguments) => reader.part(PartKind::Call, &arguments, &label)?,
        None => reader.shown(PartKind::Call, call, &label, "{}".to_owned())?,
    }
    reader.rest(fields, PartKind::Call, &label)
}

fn read_response(reader: &mut Reader, response: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(response)?;
    let id = reader.mark(&mut fields, "id")?;
    let name = tool_of(reader, &mut fields)?;
    let label = reader.result(id, name);
    reader.texts(&mut fields, &["response"], PartKind::ToolResult, &label)?;
    if let Some(parts) = fields.take("parts") {
        parts.many().iter().try_for_each(|part| reader.media(part, &label))?;
    }
    reader.rest(fields, PartKind::ToolResult, &label)
}

/// Code that the provider ran, and what it printed.
fn read_code(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    let name = Some("codeExecution".to_owned());
    if let Some(code) = fields.either("executableCode", "executable_code") {
        let id = code.value.member("id").and_then(|id| id.string());
        let label = reader.call(id.map(std::borrow::Cow::into_owned), name.clone());
        reader.part(PartKind::Call, &code, &label)?;
    }
    if let Some(result) = fields.either("codeExecutionResult", "code_execution_result") {
        let mut inner = Fields::of(&result)?;
        let id = reader.mark(&mut inner, "id")?;
        let label = reader.result(id, name);
        reader.texts(&mut inner, &["output"], PartKind::ToolResult, &label)?;
        reader.rest(inner, PartKind::ToolResult, &label)?;
    }
    Ok(())
}

/// Of the settings, the model reads the schema that its answer must have.
fn read_config(reader: &mut Reader, config: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(config)?;
    let names = [
        ("responseSchema", "response_schema"),
        ("responseJsonSchema", "response_json_schema"),
        ("_responseJsonSchema", "_response_json_schema"),
        ("responseFormat", "response_format"),
    ];
    for (camel, snake) in names {
        if let Some(schema) = fields.either(camel, snake) {
            reader.part(PartKind::System, &schema, &Label::default())?;
        }
    }
    let _ = fields.either("stopSequences", "stop_sequences");
    reader.rest(fields, PartKind::System, &Label::default())
}
