//! The prompts.

use rmcp::ErrorData;
use rmcp::model::{
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, Prompt, PromptArgument,
    PromptMessage, Role,
};

use super::content;
use super::rounds;

/// The prompt that asks inside its result.
const ASKING: &str = "test_input_required_result_prompt";

/// Name, description, arguments.
const PROMPTS: [(&str, &str, &[&str]); 5] = [
    ("test_simple_prompt", "A prompt without arguments.", &[]),
    ("test_prompt_with_arguments", "A prompt with arguments.", &["arg1", "arg2"]),
    ("test_prompt_with_embedded_resource", "A prompt with a resource.", &["resourceUri"]),
    ("test_prompt_with_image", "A prompt with an image.", &[]),
    (ASKING, "A prompt that asks the user first.", &[]),
];

pub(super) fn list() -> Vec<Prompt> {
    PROMPTS
        .iter()
        .map(|(name, description, arguments)| prompt(name, description, arguments))
        .collect()
}

fn prompt(name: &str, description: &str, arguments: &[&str]) -> Prompt {
    let arguments: Vec<_> =
        arguments.iter().map(|name| PromptArgument::new(*name).with_required(true)).collect();
    Prompt::new(name, Some(description), Some(arguments).filter(|list| !list.is_empty()))
}

pub(super) fn get(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let (first, second) = (argument(request, "arg1")?, argument(request, "arg2")?);
            vec![text(format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = argument(request, "resourceUri")?;
            let resource =
                content::embedded(uri, "text/plain", "Embedded resource content for testing.");
            vec![
                PromptMessage::new(Role::User, resource),
                text("Please process the embedded resource above."),
            ]
        }
        "test_prompt_with_image" => vec![
            PromptMessage::new(Role::User, content::image()),
            text("Please analyze the image above."),
        ],
        ASKING => return rounds::prompt(request),
        _ => return Err(ErrorData::invalid_params("there is no such prompt", None)),
    };
    Ok(GetPromptResult::new(messages).into())
}

pub(super) fn text(text: impl Into<String>) -> PromptMessage {
    PromptMessage::new_text(Role::User, text)
}

fn argument<'a>(request: &'a GetPromptRequestParams, name: &str) -> Result<&'a str, ErrorData> {
    request
        .arguments
        .as_ref()
        .and_then(|arguments| arguments.get(name)?.as_str())
        .ok_or_else(|| ErrorData::invalid_params(format!("`{name}` is missing"), None))
}
