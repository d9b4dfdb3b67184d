//! Tools of Anthropic.

use pathwarden_json::Kind;

use super::super::fields::{Fields, Spot};
use super::super::reader::Reader;
use super::super::{RequestFault, ServerTool};
use super::{built_in, check, declared, server, string};
use crate::CallKind;

/// Tools that Anthropic defines and the agent runs. What follows is the date of the version.
const BUILT_IN: [&str; 6] =
    ["bash_", "browser_toolset_", "computer_", "computer_toolset_", "memory_", "text_editor_"];

/// A tool of `tools`, or one that is added in the middle of a window.
pub(in super::super) fn tool(reader: &mut Reader, tool: &Spot<'_>) -> Result<(), RequestFault> {
    check(tool)?;
    let tag = string(tool.value, "type");
    match tag.as_deref() {
        None | Some("custom") => reader.declare(declared(tool, tool.value, CallKind::Function)?),
        Some(tag) => match BUILT_IN.iter().find(|prefix| is_version_of(tag, prefix)) {
            Some(prefix) => reader.declare(built_in(tool, prefix.trim_end_matches('_'))),
            // What this code does not know is taken for something that nobody here can stop.
            None => reader.serve(server(tool, tag)),
        },
    }
}

/// `bash_20250124` is a version of `bash_`; `bash_code_execution_20250825` is another tool.
fn is_version_of(tag: &str, prefix: &str) -> bool {
    let date = tag.strip_prefix(prefix);
    date.is_some_and(|date| !date.is_empty() && date.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A server that Anthropic calls (`mcp_servers`).
pub(in super::super) fn mcp_server(
    reader: &mut Reader,
    tool: &Spot<'_>,
) -> Result<(), RequestFault> {
    check(tool)?;
    reader.serve(server(tool, "mcp"))
}

/// A container, by its id or with the skills that are loaded into it: the provider runs code in it.
pub(in super::super) fn container(
    reader: &mut Reader,
    container: &Spot<'_>,
) -> Result<(), RequestFault> {
    if container.kind() == Kind::String {
        let name = container.string()?;
        return reader.serve(ServerTool { name, ..server(container, "container") });
    }
    let mut fields = Fields::of(container)?;
    let name = fields.string("id")?.unwrap_or_else(|| "container".to_owned());
    reader.serve(ServerTool { name, ..server(container, "container") })?;
    let Some(skills) = fields.take("skills") else { return Ok(()) };
    skills.items()?.try_for_each(|skill| {
        let name = string(skill.value, "skill_id");
        let name = name.ok_or_else(|| skill.shape("a skill with an id"))?;
        reader.serve(ServerTool { name, ..server(&skill, "skill") })
    })
}
