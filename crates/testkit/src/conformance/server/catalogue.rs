//! The tools, in the order in which they are listed. The suite calls the first one with no arguments
//! and expects it to answer.

use rmcp::model::{JsonObject, Tool};
use serde_json::{Value, json};

/// The prefix of tools that ask inside their result.
pub(super) const ROUNDS: &str = "test_input_required_result_";

/// Tools without arguments: name, description.
const BARE: [(&str, &str); 27] = [
    ("test_simple_text", "Returns a text."),
    ("test_image_content", "Returns an image."),
    ("test_audio_content", "Returns a sound."),
    ("test_embedded_resource", "Returns an embedded resource."),
    ("test_multiple_content_types", "Returns text, image and resource."),
    ("test_error_handling", "Always returns a tool error."),
    ("test_tool_with_logging", "Sends log notifications while it works."),
    ("test_logging_tool", "Sends a log notification to clients that want it."),
    ("test_tool_with_progress", "Reports progress while it works."),
    ("test_reconnection", "Closes its own stream before it answers."),
    ("test_elicitation_sep1034_defaults", "Asks the user with a default for each primitive type."),
    ("test_elicitation_sep1330_enums", "Asks the user with each kind of enumeration."),
    ("test_missing_capability", "Cannot do without the client's model."),
    ("test_streaming_elicitation", "Asks the user, inside the result."),
    ("test_trigger_tool_change", "Announces a change of the tools."),
    ("test_trigger_prompt_change", "Announces a change of the prompts."),
    ("test_input_required_result_elicitation", "Asks the user's name."),
    ("test_input_required_result_sampling", "Asks the client's model."),
    ("test_input_required_result_list_roots", "Asks for the client's roots."),
    ("test_input_required_result_request_state", "Asks, and wants its state back."),
    ("test_input_required_result_multiple_inputs", "Asks user, model and client at once."),
    ("test_input_required_result_multi_round", "Asks the user twice, one after the other."),
    ("test_input_required_result_tampered_state", "Asks, and refuses a changed state."),
    ("test_input_required_result_capabilities", "Asks only what the client can answer."),
    ("failing_job", "A task that ends in a tool error."),
    ("protocol_error_job", "A task that ends in a protocol error."),
    ("multi_input", "A task that asks the user two things at once."),
];

/// Tools with arguments that are texts: name, description, argument.
const TEXT: [(&str, &str, &str); 4] = [
    ("test_sampling", "Asks the client's model.", "prompt"),
    ("test_elicitation", "Asks the user.", "message"),
    ("greet", "Greets somebody.", "name"),
    ("confirm_delete", "A task that asks the user before it deletes nothing.", "filename"),
];

pub(super) fn tools() -> Vec<Tool> {
    let bare = BARE.into_iter().map(|(name, description)| {
        tool(name, description, json!({ "type": "object", "properties": {} }))
    });
    let text = TEXT.into_iter().map(|(name, description, argument)| {
        let schema = json!({
            "type": "object",
            "properties": { argument: { "type": "string" } },
            "required": [argument],
        });
        tool(name, description, schema)
    });
    bare.chain(text).chain(others()).collect()
}

fn others() -> [Tool; 4] {
    [
        tool(
            "slow_compute",
            "A task that takes `seconds`.",
            json!({
                "type": "object",
                "properties": {
                    "seconds": { "type": "integer", "minimum": 0 },
                    "label": { "type": "string" },
                },
                "required": ["seconds"],
            }),
        ),
        tool(
            "test_tool_with_task",
            "Asks the user's name, then goes on as a task.",
            json!({ "type": "object", "properties": {} }),
        ),
        tool(
            "test_x_mcp_header",
            "Has an argument that is mirrored in a header.",
            json!({
                "type": "object",
                "properties": { "region": { "type": "string", "x-mcp-header": "Region" } },
                "required": ["region"],
            }),
        ),
        tool("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", rich_schema()),
    ]
}

/// A schema with the keywords that an intermediary must not drop.
fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

fn tool(name: &'static str, description: &'static str, schema: Value) -> Tool {
    Tool::new(name, description, object(schema))
}

/// The object that a literal is; nothing for any other value.
pub(super) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
