//! Tools of Gemini.

use pathwarden_json::Json;

use super::super::fields::{Fields, Spot};
use super::super::reader::Reader;
use super::super::{RequestFault, ServerTool};
use super::{built_in, declared, server, string};
use crate::CallKind;

/// One entry of `tools`: functions, and a member for each tool of the provider's.
pub(in super::super) fn tool(reader: &mut Reader, tool: &Spot<'_>) -> Result<(), RequestFault> {
    let mut fields = Fields::of(tool)?;
    if let Some(functions) = fields.either("functionDeclarations", "function_declarations") {
        for function in functions.many() {
            reader.declare(declared(&function, function.value, CallKind::Function)?)?;
        }
    }
    // The agent moves the mouse: the calls of it come as functions.
    if let Some(computer) = fields.either("computerUse", "computer_use") {
        reader.declare(built_in(&computer, "computerUse"))?;
    }
    if let Some(servers) = fields.either("mcpServers", "mcp_servers") {
        servers.many().iter().try_for_each(|server| reader.serve(mcp(server)))?;
    }
    for (name, other) in fields.rest()? {
        let kind = camel(&name);
        let api = other.value.member("externalApi").or_else(|| other.value.member("external_api"));
        let server_url = api.and_then(|api| string(api, "endpoint"));
        reader.serve(ServerTool { server_url, ..server(&other, &kind) })?;
    }
    Ok(())
}

fn mcp(tool: &Spot<'_>) -> ServerTool {
    let names = ["streamableHttpTransport", "streamable_http_transport"];
    let transport = names.iter().find_map(|name| tool.value.member(name));
    let url = transport.and_then(|transport: Json<'_>| string(transport, "url"));
    ServerTool { server_url: url, ..server(tool, "mcp") }
}

/// The one spelling of a name that may come in two.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        out.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(characters.as_str());
    }
    out
}
