//! Content of OpenAI: a string, or a list of blocks, in messages and in results of tools.

use pathwarden_json::Kind;

use super::fields::{Fields, Spot};
use super::reader::{Label, Reader};
use super::{PartKind, RequestFault};

/// The members of blocks that hold their words, in all kinds of block that have some.
const TEXTS: [&str; 5] = ["text", "refusal", "stdout", "stderr", "logs"];

pub(super) fn content(
    reader: &mut Reader,
    content: &Spot<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    match content.kind() {
        Kind::String => reader.part(kind, content, label),
        Kind::Array => content.items()?.try_for_each(|item| one(reader, &item, kind, label)),
        _ => Err(content.shape("a string or an array")),
    }
}

/// One block. Those of results are not all typed (shell), and one that has no words is kept whole.
pub(super) fn one(
    reader: &mut Reader,
    block: &Spot<'_>,
    kind: PartKind,
    label: &Label,
) -> Result<(), RequestFault> {
    if block.kind() == Kind::String {
        return reader.part(kind, block, label);
    }
    let mut fields = Fields::of(block)?;
    let tag = fields.string("type")?;
    let has_words = match tag.as_deref() {
        Some(
            "text" | "input_text" | "output_text" | "refusal" | "summary_text" | "reasoning_text"
            | "logs",
        ) => true,
        // Output of a shell, and what a search of files found.
        None => kind == PartKind::ToolResult,
        Some(_) => false,
    };
    if !has_words {
        let name = file_name(block);
        return reader.media(block, &Label { name: name.or(label.name.clone()), ..label.clone() });
    }
    reader.texts(&mut fields, &TEXTS, kind, label)?;
    reader.rest(fields, kind, label)
}

/// The name of a file, in the block (Responses) or one deeper (Chat Completions).
fn file_name(block: &Spot<'_>) -> Option<String> {
    let file = block.value.member("file").unwrap_or(block.value);
    file.member("filename")?.string().map(std::borrow::Cow::into_owned)
}
