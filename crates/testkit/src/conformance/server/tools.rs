//! What the tools do, and which of them asks whom how.

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock,
    JsonObject, SamplingCapability,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use super::Server;
use super::catalogue::ROUNDS;
use super::content;
use super::rounds;

impl Server {
    pub(super) async fn call(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = call.arguments.clone().unwrap_or_default();
        let result = match call.name.as_ref() {
            "test_simple_text" => done("This is a simple text response for testing."),
            "test_image_content" => CallToolResult::success(vec![content::image()]),
            "test_audio_content" => CallToolResult::success(vec![content::audio()]),
            "test_embedded_resource" => CallToolResult::success(vec![content::embedded(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            )]),
            "test_multiple_content_types" => mixed(),
            "test_error_handling" => failed("This tool intentionally returns an error for testing"),
            "test_x_mcp_header" => done(text(&arguments, "region")),
            "json_schema_2020_12_tool" => done(Value::Object(arguments).to_string()),
            "greet" => done(format!("Hello, {}!", text(&arguments, "name"))),
            "test_tool_with_logging" => self.log_thrice(&context).await,
            "test_logging_tool" => self.log_once(&context).await,
            "test_tool_with_progress" => self.progress(&context).await,
            "test_reconnection" => self.cut(&context).await?,
            "test_trigger_tool_change" => self.tools_changed().await,
            "test_trigger_prompt_change" => self.prompts_changed().await,
            "test_sampling" => self.ask_model(text(&arguments, "prompt"), &context).await,
            "test_elicitation" => self.ask_user(text(&arguments, "message"), &context).await?,
            "test_elicitation_sep1034_defaults" => self.ask_with_defaults(&context).await?,
            "test_elicitation_sep1330_enums" => self.ask_with_choices(&context).await?,
            "test_missing_capability" => needs_a_model(&context)?,
            "test_streaming_elicitation" => return rounds::call(&call, &context),
            name if name.starts_with(ROUNDS) => return rounds::call(&call, &context),
            _ => return self.call_task(&call, &context).await,
        };
        Ok(result.into())
    }
}

fn mixed() -> CallToolResult {
    CallToolResult::success(vec![
        ContentBlock::text("Multiple content types test:"),
        content::image(),
        content::embedded(
            "test://mixed-content-resource",
            "application/json",
            r#"{"test":"data","value":123}"#,
        ),
    ])
}

fn needs_a_model(context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
    if capabilities(context).sampling.is_some() {
        return Ok(done("The client has a model."));
    }
    let required =
        ClientCapabilities::builder().enable_sampling_with(SamplingCapability::default()).build();
    Err(ErrorData::missing_required_client_capability(required))
}

/// What the client said it can do; nothing if it said nothing.
pub(super) fn capabilities(context: &RequestContext<RoleServer>) -> ClientCapabilities {
    context.client_capabilities().unwrap_or_default()
}

pub(super) fn done(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

pub(super) fn failed(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

pub(super) fn text<'a>(arguments: &'a JsonObject, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}
