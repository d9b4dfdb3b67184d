//! What asks inside its result, since revision 2026-07-28, until it has all answers.

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams,
    ElicitRequest, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequest,
    InputRequests, InputRequiredResult, InputResponses, ListRootsRequest, SamplingMessage,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use super::ask::form;
use super::catalogue::ROUNDS;
use super::prompts;
use super::tools::{capabilities, done};

/// Tokens that the client's model may answer with.
const MAX_TOKENS: u32 = 100;

/// The states, as opaque to the client as any. A server with more than one client would seal them.
const STATE: &str = "conformance-state";
const AFTER_FIRST: &str = "conformance-round-1";
const AFTER_SECOND: &str = "conformance-round-2";

/// What a client sends with a retry.
struct Retry<'a> {
    answers: Option<&'a InputResponses>,
    state: Option<&'a str>,
}

pub(super) fn call(
    call: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let retry =
        Retry { answers: call.input_responses.as_ref(), state: call.request_state.as_deref() };
    let asked = match call.name.strip_prefix(ROUNDS).unwrap_or("elicitation") {
        "elicitation" => retry.ask(name_form("user_name")?),
        "sampling" => retry.ask(model("capital_question", "What is the capital of France?")),
        "list_roots" => retry.ask(roots("client_roots")),
        "request_state" | "tampered_state" => retry.ask_with(STATE, confirmation()?)?,
        "multiple_inputs" => retry.ask_with(STATE, everything()?)?,
        "multi_round" => retry.ask_twice()?,
        "capabilities" => {
            let able = capabilities(context);
            let mut requests = everything()?;
            requests.retain(|_, request| match request {
                InputRequest::CreateMessage(_) => able.sampling.is_some(),
                InputRequest::Elicitation(_) => able.elicitation.is_some(),
                _ => able.roots.is_some(),
            });
            retry.ask(requests)
        }
        _ => return Err(ErrorData::invalid_params("there is no such tool", None)),
    };
    Ok(match asked {
        Some(asked) => asked.into(),
        None => done(format!("state-ok: {}", json!(call.input_responses))).into(),
    })
}

pub(super) fn prompt(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let retry = Retry { answers: request.input_responses.as_ref(), state: None };
    let requests = user("user_context", "What context should the prompt use?", "context")?;
    Ok(match retry.ask(requests) {
        Some(asked) => asked.into(),
        None => {
            let text = format!("Use this context: {}", json!(request.input_responses));
            GetPromptResult::new(vec![prompts::text(text)]).into()
        }
    })
}

/// The question for the user's name that is put to a client which has not answered it well, or the
/// name that it answered with.
pub(super) fn name(
    call: &CallToolRequestParams,
) -> Result<Result<String, InputRequiredResult>, ErrorData> {
    const KEY: &str = "user_name";
    let retry = Retry { answers: call.input_responses.as_ref(), state: None };
    let asked = retry.ask(name_form(KEY)?);
    let answer = call.input_responses.as_ref().and_then(|answers| answers.get(KEY));
    let name = answer.and_then(|answer| answer.pointer("/content/name")?.as_str());
    Ok(asked.map_or_else(|| Ok(name.unwrap_or("nobody").to_owned()), Err))
}

impl Retry<'_> {
    /// Asks for what is not answered well.
    fn ask(&self, mut requests: InputRequests) -> Option<InputRequiredResult> {
        requests.retain(|key, request| {
            !self.answers.and_then(|answers| answers.get(key)).is_some_and(|it| fits(request, it))
        });
        (!requests.is_empty()).then(|| InputRequiredResult::from_input_requests(requests))
    }

    /// The same, with a state that must come back unchanged.
    fn ask_with(
        &self,
        state: &str,
        requests: InputRequests,
    ) -> Result<Option<InputRequiredResult>, ErrorData> {
        if self.answers.is_some() && self.state != Some(state) {
            return Err(changed());
        }
        Ok(self
            .ask(requests)
            .map(|asked| InputRequiredResult::new(asked.input_requests, Some(state.to_owned()))))
    }

    /// Two questions, one after the other; the state tells how far it is.
    fn ask_twice(&self) -> Result<Option<InputRequiredResult>, ErrorData> {
        let first = user("step1", "Step 1: What is your name?", "name")?;
        let second = || user("step2", "Step 2: What is your favorite color?", "color");
        match (self.answers, self.state) {
            (None, None) => self.ask_with(AFTER_FIRST, first),
            (Some(_), Some(AFTER_FIRST)) => match self.ask(first) {
                Some(_) => Err(ErrorData::invalid_params("the first step is not answered", None)),
                None => Ok(Some(InputRequiredResult::new(
                    Some(second()?),
                    Some(AFTER_SECOND.to_owned()),
                ))),
            },
            (Some(_), Some(AFTER_SECOND)) => self.ask_with(AFTER_SECOND, second()?),
            _ => Err(changed()),
        }
    }
}

fn changed() -> ErrorData {
    ErrorData::invalid_params("the request state did not come back unchanged", None)
}

/// Whether the answer has what an answer to the request has.
fn fits(request: &InputRequest, answer: &Value) -> bool {
    let key = match request {
        InputRequest::CreateMessage(_) => "content",
        InputRequest::Elicitation(_) => "action",
        _ => "roots",
    };
    answer.get(key).is_some()
}

fn everything() -> Result<InputRequests, ErrorData> {
    let mut requests = name_form("user_name")?;
    requests.extend(model("greeting", "Generate a greeting"));
    requests.extend(roots("client_roots"));
    Ok(requests)
}

fn confirmation() -> Result<InputRequests, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": { "ok": { "type": "boolean" } },
        "required": ["ok"],
    });
    elicitation("confirm", "Please confirm", schema)
}

fn name_form(key: &str) -> Result<InputRequests, ErrorData> {
    user(key, "What is your name?", "name")
}

fn user(key: &str, message: &str, field: &str) -> Result<InputRequests, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": { field: { "type": "string" } },
        "required": [field],
    });
    elicitation(key, message, schema)
}

fn elicitation(key: &str, message: &str, schema: Value) -> Result<InputRequests, ErrorData> {
    let request = InputRequest::Elicitation(ElicitRequest::new(form(message, schema)?));
    Ok(InputRequests::from([(key.to_owned(), request)]))
}

fn model(key: &str, question: &str) -> InputRequests {
    let messages = vec![SamplingMessage::user_text(question)];
    let request = CreateMessageRequest::new(CreateMessageRequestParams::new(messages, MAX_TOKENS));
    InputRequests::from([(key.to_owned(), InputRequest::CreateMessage(request))])
}

fn roots(key: &str) -> InputRequests {
    let request = InputRequest::ListRoots(ListRootsRequest::default());
    InputRequests::from([(key.to_owned(), request)])
}
