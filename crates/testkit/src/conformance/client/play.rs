//! The scenarios.

use anyhow::{Context, Result, bail};
use rmcp::model::{
    CallToolRequestParams, GetPromptRequestParams, JsonObject, ReadResourceRequestParams, Tool,
};
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};

use super::answers::Answers;

/// The server, seen from here. This is the SDK's service and not its peer, because only the service
/// answers what a result asks for.
type Server = RunningService<RoleClient, Answers>;

/// Plays the scenario of that name.
pub(super) async fn play(server: &Server, name: &str, context: &Value) -> Result<()> {
    match name {
        "initialize" | "request-metadata" | "json-schema-ref-no-deref" => {
            server.list_all_tools().await.context("list the tools")?;
            Ok(())
        }
        "tools_call" => {
            server.list_all_tools().await.context("list the tools")?;
            call(server, "add_numbers", json!({ "a": 5, "b": 3 })).await
        }
        "elicitation-sep1034-client-defaults" | "sse-retry" | "sep-2322-client-request-state" => {
            call_all(server, &|_| json!({})).await
        }
        "http-standard-headers" => everything(server).await,
        "http-custom-headers" => as_told(server, context).await,
        "http-invalid-tool-headers" => call_all(server, &named_arguments).await,
        "json-schema-2020-12-preservation" => echo_schema(server).await,
        _ => bail!("the scenario `{name}` is not played here"),
    }
}

async fn call(server: &Server, name: &str, arguments: Value) -> Result<()> {
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        _ => JsonObject::new(),
    };
    let call = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
    server.call_tool(call).await.with_context(|| format!("call the tool `{name}`"))?;
    Ok(())
}

/// Calls every tool that is listed.
async fn call_all(server: &Server, arguments: &(dyn Fn(&Tool) -> Value + Sync)) -> Result<()> {
    for tool in server.list_all_tools().await.context("list the tools")? {
        call(server, &tool.name, arguments(&tool)).await?;
    }
    Ok(())
}

/// A text for each argument that the tool requires.
fn named_arguments(tool: &Tool) -> Value {
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), json!("eu-north1"))).collect::<JsonObject>().into()
}

/// One request of each kind that names something.
async fn everything(server: &Server) -> Result<()> {
    call_all(server, &|_| json!({})).await?;
    for resource in server.list_all_resources().await.context("list the resources")? {
        let read = ReadResourceRequestParams::new(resource.uri);
        server.read_resource(read).await.context("read a resource")?;
    }
    for prompt in server.list_all_prompts().await.context("list the prompts")? {
        let get = GetPromptRequestParams::new(prompt.name);
        server.get_prompt(get).await.context("get a prompt")?;
    }
    Ok(())
}

/// Makes the calls that the suite asks for.
async fn as_told(server: &Server, context: &Value) -> Result<()> {
    server.list_all_tools().await.context("list the tools")?;
    let calls = context.get("toolCalls").and_then(Value::as_array).context("find the calls")?;
    for asked in calls {
        let name = asked.get("name").and_then(Value::as_str).context("find a call's tool")?;
        call(server, name, asked.get("arguments").cloned().unwrap_or_default()).await?;
    }
    Ok(())
}

/// Sends a tool's schema back as it arrived.
async fn echo_schema(server: &Server) -> Result<()> {
    let tools = server.list_all_tools().await.context("list the tools")?;
    let focal = tools
        .iter()
        .find(|tool| tool.name == "json_schema_2020_12_tool")
        .context("find the tool with the schema")?;
    call(server, "json_schema_echo", json!({ "schema": focal.input_schema })).await
}
