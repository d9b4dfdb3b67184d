//! Declarations of tools: who runs each, and what the model is told about it.

use std::borrow::Cow;

use pathwarden_json::Json;

use super::fields::{Fields, Spot};
use super::plain::{is_quiet, plain, without_credentials};
use super::reader::{Label, Reader};
use super::{Declared, PartKind, RequestFault, ServerTool};
use crate::CallKind;

pub(super) mod anthropic;
pub(super) mod gemini;
pub(super) mod openai;

/// Names by which it is told who runs a tool.
const NAMES: [&str; 15] = [
    "connector_id",
    "custom",
    "description",
    "environment",
    "execution",
    "function",
    "mcp_server_name",
    "name",
    "require_approval",
    "server_label",
    "server_url",
    "tools",
    "tunnel_id",
    "type",
    "url",
];

/// Refuses a declaration that another reader may take for that of another tool.
fn check(tool: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(tool)?;
    for name in NAMES {
        fields.take(name);
    }
    fields.rest().map(|_| ())
}

/// The string under a name.
fn string(value: Json<'_>, name: &str) -> Option<String> {
    value.member(name).and_then(Json::string).map(Cow::into_owned)
}

/// A tool that the agent runs. `described` is where its name and description stand.
fn declared(
    tool: &Spot<'_>,
    described: Json<'_>,
    kind: CallKind,
) -> Result<Declared, RequestFault> {
    let name = string(described, "name").filter(|name| !name.is_empty());
    Ok(Declared {
        name: name.ok_or_else(|| tool.shape("a tool with a name"))?,
        description: string(described, "description").unwrap_or_default(),
        kind,
        text: plain(tool.value.text()),
    })
}

/// A tool that the provider defines and the agent runs.
fn built_in(tool: &Spot<'_>, name: &str) -> Declared {
    Declared {
        name: string(tool.value, "name").unwrap_or_else(|| name.to_owned()),
        description: string(tool.value, "description").unwrap_or_default(),
        kind: CallKind::BuiltIn,
        text: plain(tool.value.text()),
    }
}

/// A tool that the provider runs.
pub(super) fn server(tool: &Spot<'_>, kind: &str) -> ServerTool {
    let named = ["server_label", "mcp_server_name", "name"];
    let name = named.iter().find_map(|name| string(tool.value, name));
    ServerTool {
        kind: kind.to_owned(),
        name: name.unwrap_or_else(|| kind.to_owned()),
        server_url: string(tool.value, "server_url").or_else(|| string(tool.value, "url")),
        approval: tool.value.member("require_approval").map(|rule| plain(rule.text())),
        text: without_credentials(tool.value),
    }
}

/// Members that say how the answer must look: the model reads the words in a schema.
pub(super) fn schemas(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    members: &[&'static str],
) -> Result<(), RequestFault> {
    let spots: Vec<_> = members.iter().filter_map(|member| fields.take(member)).collect();
    let read = spots.iter().filter(|spot| !is_quiet(spot.value));
    read.into_iter().try_for_each(|spot| reader.part(PartKind::System, spot, &Label::default()))
}
