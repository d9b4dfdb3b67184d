//! Tools that ask the client back with a request of their own, as it was up to revision 2025-11-25.

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, CreateMessageRequestParams, ElicitRequestParams, ElicitationSchema,
    SamplingMessage,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use super::Server;
use super::catalogue::object;
use super::tools::{done, failed};

/// Tokens that the client's model may answer with.
const MAX_TOKENS: u32 = 100;

impl Server {
    pub(super) async fn ask_model(
        &self,
        prompt: &str,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let messages = vec![SamplingMessage::user_text(prompt)];
        let request = CreateMessageRequestParams::new(messages, MAX_TOKENS);
        match context.peer.create_message(request).await {
            Ok(answer) => {
                let content = json!(answer).get("content").cloned().unwrap_or_default();
                let text = content.get("text").and_then(Value::as_str).unwrap_or_default();
                done(format!("LLM response: {text}"))
            }
            Err(error) => failed(format!("the model did not answer: {error}")),
        }
    }

    pub(super) async fn ask_user(
        &self,
        message: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let schema = json!({
            "type": "object",
            "properties": {
                "username": { "type": "string", "description": "User's response" },
                "email": { "type": "string", "description": "User's email address" },
            },
            "required": ["username", "email"],
        });
        elicit(message, schema, "User response:", context).await
    }

    pub(super) async fn ask_with_defaults(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "default": "John Doe" },
                "age": { "type": "integer", "default": 30 },
                "score": { "type": "number", "default": 95.5 },
                "status": {
                    "type": "string",
                    "enum": ["active", "inactive", "pending"],
                    "default": "active",
                },
                "verified": { "type": "boolean", "default": true },
            },
        });
        elicit("Please check the defaults", schema, "Elicitation completed:", context).await
    }

    pub(super) async fn ask_with_choices(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let options = ["option1", "option2", "option3"];
        let titled = |word: &str| {
            json!([
                { "const": "value1", "title": format!("First {word}") },
                { "const": "value2", "title": format!("Second {word}") },
                { "const": "value3", "title": format!("Third {word}") },
            ])
        };
        let schema = json!({
            "type": "object",
            "properties": {
                "untitledSingle": { "type": "string", "enum": options },
                "titledSingle": { "type": "string", "oneOf": titled("Option") },
                "legacyEnum": {
                    "type": "string",
                    "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"],
                },
                "untitledMulti": {
                    "type": "array",
                    "items": { "type": "string", "enum": options },
                },
                "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
            },
        });
        elicit("Please choose", schema, "Elicitation completed:", context).await
    }
}

async fn elicit(
    message: &str,
    schema: Value,
    answered: &str,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResult, ErrorData> {
    let request = form(message, schema)?;
    Ok(match context.peer.create_elicitation(request).await {
        Ok(answer) => {
            let action = json!(answer.action);
            let action = action.as_str().unwrap_or_default();
            let content = answer.content.unwrap_or_default();
            done(format!("{answered} action={action}, content={content}"))
        }
        Err(error) => failed(format!("the user did not answer: {error}")),
    })
}

/// A form with the fields of `schema`.
pub(super) fn form(message: &str, schema: Value) -> Result<ElicitRequestParams, ErrorData> {
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: ElicitationSchema::from_json_schema(object(schema))
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?,
    })
}
