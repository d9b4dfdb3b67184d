mod anthropic;
mod gemini;
mod laws;
mod openai;
mod responses;

use serde_json::Value;

use super::*;

fn read(api: Api, body: &Value) -> Request {
    Request::parse(api, body.to_string().into_bytes(), None).unwrap()
}

fn fault(api: Api, body: &str) -> RequestFault {
    let (bytes, fault) = Request::parse(api, body.as_bytes().to_vec(), None).unwrap_err();
    assert_eq!(bytes, body.as_bytes(), "the bytes come back");
    fault
}

/// Kind, pointer, text, call and name of each part.
type Row<'a> = (PartKind, &'a str, &'a str, &'a str, &'a str);

fn check(request: &Request, want: &[Row<'_>]) {
    let found: Vec<Row<'_>> = request
        .parts()
        .iter()
        .map(|part| {
            let call = part.call.as_deref().unwrap_or_default();
            let name = part.name.as_deref().unwrap_or_default();
            (part.kind, part.pointer.as_str(), part.text.as_str(), call, name)
        })
        .collect();
    assert_eq!(found, want);
}

/// Names of the tools that the agent runs, and kinds and names of those that the provider runs.
fn check_tools(request: &Request, own: &[(&str, CallKind)], server: &[(&str, &str)]) {
    let tools = request.tools().iter().map(|tool| (tool.name.as_str(), tool.kind));
    assert_eq!(tools.collect::<Vec<_>>(), own);
    let tools = request.server_tools().iter().map(|tool| (tool.kind.as_str(), tool.name.as_str()));
    assert_eq!(tools.collect::<Vec<_>>(), server);
}
