//! Answers that an enforcement point writes itself.

use pathwarden_json::push_string;

use crate::Provider;

/// An answer, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// The status of HTTP.
    pub status: u16,
    /// The value of the header `content-type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// An error in the form of the provider, so that every SDK shows `words` to the one who called. `code` is
/// a stable name of the reason, for programs, and stands where the provider has a place for it.
///
/// SDKs retry on 408, 409, 429 and everything from 500 on, so a refusal is a 403 (`_should_retry` in
/// `openai` 3.57 and `anthropic` 2.14, `_RETRY_HTTP_STATUS_CODES` in `google-genai` 2.34).
#[must_use]
pub fn error(provider: Provider, status: u16, code: &str, words: &str) -> Written {
    let body = match provider {
        Provider::OpenAi => openai(status, code, words),
        Provider::Anthropic => anthropic(status, code, words),
        Provider::Gemini => gemini(status, code, words),
    };
    Written { status, content_type: "application/json", body: body.into_bytes() }
}

/// `ErrorObject` of OpenAI.
fn openai(status: u16, code: &str, words: &str) -> String {
    let kind = match status {
        429 => "rate_limit_exceeded",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let mut out = String::from("{\"error\":{\"message\":");
    push_string(&mut out, words);
    out.push_str(&format!(",\"type\":\"{kind}\",\"param\":null,\"code\":"));
    push_string(&mut out, code);
    out.push_str("}}");
    out
}

/// `ErrorResponse` of Anthropic; the code stands in `details`, where the SDK looks for one.
fn anthropic(status: u16, code: &str, words: &str) -> String {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let mut out = format!("{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":");
    push_string(&mut out, words);
    out.push_str(",\"details\":{\"error_code\":");
    push_string(&mut out, code);
    out.push_str("}}}");
    out
}

/// `google.rpc.Status` as JSON; the code is the reason of an `ErrorInfo` (AIP-193).
fn gemini(status: u16, code: &str, words: &str) -> String {
    let kind = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    let mut out = format!("{{\"error\":{{\"code\":{status},\"message\":");
    push_string(&mut out, words);
    out.push_str(&format!(
        ",\"status\":\"{kind}\",\"details\":[{{\"@type\":\
         \"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
    ));
    push_string(&mut out, code);
    out.push_str(",\"domain\":\"pathwarden\"}]}}");
    out
}

#[cfg(test)]
mod tests;
