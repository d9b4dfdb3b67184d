//! The window of OpenAI Responses: `instructions`, `prompt` and `input`.

use pathwarden_json::Kind;

use super::fields::{Fields, Spot};
use super::reader::{Label, Reader};
use super::tools::{self, openai};
use super::{PartKind, RequestFault, blocks, items};

pub(super) fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Result<(), RequestFault> {
    reader.continues = continues(fields)?;
    let label = Label::default();
    if let Some(instructions) = fields.take("instructions") {
        if instructions.kind() != Kind::String {
            return Err(instructions.shape("a string"));
        }
        reader.part(PartKind::System, &instructions, &label)?;
    }
    if let Some(prompt) = fields.take("prompt") {
        read_prompt(reader, &prompt)?;
    }
    match fields.take("input") {
        Some(input) if input.kind() == Kind::String => {
            reader.part(PartKind::User, &input, &label)?;
        }
        Some(input) => input.items()?.try_for_each(|item| items::read(reader, &item))?,
        None => {}
    }
    if let Some(list) = fields.take("tools") {
        reader.tools_at = Some(list.value.span());
        list.items()?.try_for_each(|tool| openai::responses(reader, &tool))?;
    }
    tools::schemas(reader, fields, &["text"])
}

/// An earlier answer, or a conversation: an id, or an object with one.
fn continues(fields: &mut Fields<'_>) -> Result<Option<String>, RequestFault> {
    let earlier = fields.string("previous_response_id")?;
    let Some(conversation) = fields.take("conversation") else { return Ok(earlier) };
    if conversation.kind() == Kind::String {
        return conversation.string().map(Some);
    }
    Fields::of(&conversation)?.need("id", "the id of a conversation")?.string().map(Some)
}

/// A template that the provider keeps, whose words cannot be read here, with what is put into it.
fn read_prompt(reader: &mut Reader, prompt: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(prompt)?;
    if let Some(id) = fields.take("id") {
        reader.media(&id, &Label::named(Some("prompt".to_owned())))?;
    }
    if let Some(variables) = fields.take("variables") {
        for (name, variable) in Fields::of(&variables)?.rest()? {
            blocks::one(reader, &variable, PartKind::User, &Label::named(Some(name)))?;
        }
    }
    reader.rest(fields, PartKind::User, &Label::default())
}
