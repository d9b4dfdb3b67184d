use serde_json::{Value, json};

use super::*;

fn written(provider: Provider, status: u16) -> Value {
    let written = error(provider, status, "policy_denied", "no: \"x\"\n");
    assert_eq!((written.status, written.content_type), (status, "application/json"));
    serde_json::from_slice(&written.body).unwrap()
}

#[test]
fn a_refusal_has_the_form_of_the_provider() {
    assert_eq!(
        written(Provider::OpenAi, 403),
        json!({"error": {"message": "no: \"x\"\n", "type": "invalid_request_error",
            "param": null, "code": "policy_denied"}})
    );
    assert_eq!(
        written(Provider::Anthropic, 403),
        json!({"type": "error", "error": {"type": "permission_error", "message": "no: \"x\"\n",
            "details": {"error_code": "policy_denied"}}})
    );
    assert_eq!(
        written(Provider::Gemini, 403),
        json!({"error": {"code": 403, "message": "no: \"x\"\n", "status": "PERMISSION_DENIED",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "policy_denied", "domain": "pathwarden"}]}})
    );
}

#[test]
fn every_status_has_the_type_of_the_provider() {
    let cases = [
        (400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
        (401, "invalid_request_error", "authentication_error", "UNAUTHENTICATED"),
        (403, "invalid_request_error", "permission_error", "PERMISSION_DENIED"),
        (404, "invalid_request_error", "not_found_error", "NOT_FOUND"),
        (413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"),
        (429, "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"),
        (500, "server_error", "api_error", "INTERNAL"),
        (502, "server_error", "api_error", "UNAVAILABLE"),
        (503, "server_error", "overloaded_error", "UNAVAILABLE"),
        (504, "server_error", "timeout_error", "DEADLINE_EXCEEDED"),
    ];
    for (status, openai, anthropic, gemini) in cases {
        assert_eq!(written(Provider::OpenAi, status)["error"]["type"], openai, "{status}");
        assert_eq!(written(Provider::Anthropic, status)["error"]["type"], anthropic, "{status}");
        assert_eq!(written(Provider::Gemini, status)["error"]["status"], gemini, "{status}");
    }
}
