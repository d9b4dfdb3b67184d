//! Tools of OpenAI.

use pathwarden_json::Json;

use super::super::fields::{Fields, Spot};
use super::super::reader::Reader;
use super::super::{RequestFault, ServerTool};
use super::{built_in, check, declared, server, string};
use crate::CallKind;

/// A tool of Chat Completions; a bare one stands in `functions`, the form before tools.
pub(in super::super) fn chat(
    reader: &mut Reader,
    tool: &Spot<'_>,
    is_bare: bool,
) -> Result<(), RequestFault> {
    check(tool)?;
    if is_bare {
        return reader.declare(declared(tool, tool.value, CallKind::Function)?);
    }
    let tag = string(tool.value, "type").ok_or_else(|| tool.shape("a tool with a type"))?;
    let kind = match tag.as_str() {
        "function" => CallKind::Function,
        "custom" => CallKind::Custom,
        _ => return reader.serve(server(tool, &tag)),
    };
    let described = tool.value.member(&tag).unwrap_or(tool.value);
    reader.declare(declared(tool, described, kind)?)
}

/// A tool of Responses.
pub(in super::super) fn responses(
    reader: &mut Reader,
    tool: &Spot<'_>,
) -> Result<(), RequestFault> {
    check(tool)?;
    let tag = string(tool.value, "type").ok_or_else(|| tool.shape("a tool with a type"))?;
    match tag.as_str() {
        "function" => reader.declare(declared(tool, tool.value, CallKind::Function)?),
        "custom" => reader.declare(declared(tool, tool.value, CallKind::Custom)?),
        "namespace" => read_namespace(reader, tool),
        "local_shell"
        | "apply_patch"
        | "computer"
        | "computer_use_preview"
        | "computer-preview" => reader.declare(built_in(tool, &tag)),
        "shell" if is_local(tool.value) => reader.declare(built_in(tool, &tag)),
        "tool_search" if string(tool.value, "execution").as_deref() == Some("client") => {
            reader.declare(built_in(tool, &tag))
        }
        "mcp" => reader.serve(mcp(tool)),
        // What this code does not know is taken for something that nobody here can stop.
        _ => reader.serve(server(tool, &tag)),
    }
}

/// A shell runs with the agent only if the request says so: a container is one of the provider's.
fn is_local(tool: Json<'_>) -> bool {
    let place = tool.member("environment").and_then(|environment| string(environment, "type"));
    place.as_deref() == Some("local")
}

fn mcp(tool: &Spot<'_>) -> ServerTool {
    let named = server(tool, "mcp");
    // A connector is a server of the provider's own, and a tunnel one that it reaches by itself.
    let url = named.server_url.clone();
    let url = url.or_else(|| string(tool.value, "connector_id"));
    ServerTool { server_url: url.or_else(|| string(tool.value, "tunnel_id")), ..named }
}

/// Tools under a heading. The model reads the heading, so it is declared as well.
fn read_namespace(reader: &mut Reader, tool: &Spot<'_>) -> Result<(), RequestFault> {
    reader.declare(declared(tool, tool.value, CallKind::Function)?)?;
    let mut fields = Fields::of(tool)?;
    let inner = fields.need("tools", "an array of tools")?;
    let mut inner = inner.items()?;
    inner.try_for_each(|inner| {
        check(&inner)?;
        let kind = match string(inner.value, "type").as_deref() {
            Some("custom") => CallKind::Custom,
            _ => CallKind::Function,
        };
        reader.declare(declared(&inner, inner.value, kind)?)
    })
}
