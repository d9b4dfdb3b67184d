use std::borrow::Cow;

use super::*;

fn check(provider: Provider, asked: &str, want: &Endpoint<'_>) {
    let (method, target) = asked.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    assert_eq!(&Endpoint::of(provider, method, path, query), want, "{asked}");
}

const fn by_body(api: Api) -> Endpoint<'static> {
    Endpoint::Generate { api, model: None, streams: Streams::Body }
}

fn gemini(model: &str, streams: Streams) -> Endpoint<'_> {
    Endpoint::Generate { api: Api::GenerateContent, model: Some(Cow::Borrowed(model)), streams }
}

#[test]
fn openai_has_the_version_or_not() {
    for prefix in ["/v1", ""] {
        let check = |asked: &str, want| {
            let (method, path) = asked.split_once(' ').unwrap();
            check(Provider::OpenAi, &format!("{method} {prefix}{path}"), &want);
        };
        check("POST /chat/completions", by_body(Api::ChatCompletions));
        check("POST /responses", by_body(Api::Responses));
        let count = Endpoint::Count { api: Api::Responses, model: None };
        check("POST /responses/input_tokens", count);
        check("GET /models", Endpoint::About);
        check("GET /models/ft:gpt-4o:acme::abc123", Endpoint::About);
        check("DELETE /models/ft:gpt-4o:acme::abc123", Endpoint::Unknown);
        check("GET /chat/completions", Endpoint::Unknown);
        check("GET /responses/resp_1", Endpoint::Unknown);
        check("POST /embeddings", Endpoint::Unknown);
    }
    check(Provider::OpenAi, "HEAD /", &Endpoint::About);
    check(Provider::OpenAi, "POST /v1chat/completions", &Endpoint::Unknown);
}

#[test]
fn anthropic_takes_the_mark_of_a_beta() {
    let count = Endpoint::Count { api: Api::Messages, model: None };
    check(Provider::Anthropic, "POST /v1/messages", &by_body(Api::Messages));
    check(Provider::Anthropic, "POST /v1/messages?beta=true", &by_body(Api::Messages));
    check(Provider::Anthropic, "POST /v1/messages/count_tokens?beta=true", &count);
    check(Provider::Anthropic, "GET /v1/models?limit=1000", &Endpoint::About);
    check(Provider::Anthropic, "HEAD /", &Endpoint::About);
    check(Provider::Anthropic, "POST /messages", &Endpoint::Unknown);
    check(Provider::Anthropic, "POST /v1/messages/batches", &Endpoint::Unknown);
}

#[test]
fn gemini_names_the_model_and_the_stream_in_the_target() {
    let model = "gemini-2.5-flash";
    let count = Endpoint::Count { api: Api::GenerateContent, model: Some(Cow::Borrowed(model)) };
    for version in ["v1", "v1beta", "v1alpha"] {
        let check = |asked: &str, want: Endpoint<'_>| {
            let (method, target) = asked.split_once(' ').unwrap();
            check(Provider::Gemini, &format!("{method} /{version}/models{target}"), &want);
        };
        check("POST /gemini-2.5-flash:generateContent", gemini(model, Streams::No));
        check("POST /gemini-2.5-flash:generateContent?key=k", gemini(model, Streams::No));
        check("POST /gemini-2.5-flash:streamGenerateContent", gemini(model, Streams::Array));
        check(
            "POST /gemini-2.5-flash:streamGenerateContent?alt=json",
            gemini(model, Streams::Array),
        );
        let events = "POST /gemini-2.5-flash:streamGenerateContent?key=k&alt=sse";
        check(events, gemini(model, Streams::Events));
        check("POST /gemini-2.5-flash:countTokens", count.clone());
        check("GET ", Endpoint::About);
        check("GET /gemini-2.5-flash", Endpoint::About);
        check("POST /gemini-2.5-flash:embedContent", Endpoint::Unknown);
        check("GET /gemini-2.5-flash:generateContent", Endpoint::Unknown);
    }
}

#[test]
fn a_query_that_may_ask_for_another_form_is_unknown() {
    for query in ["alt=proto", "alt=sse&alt=json", "$alt=sse", "%61lt=sse", "callback=f", "alt"] {
        let asked = format!("POST /v1beta/models/gemini:streamGenerateContent?{query}");
        check(Provider::Gemini, &asked, &Endpoint::Unknown);
    }
    check(Provider::Gemini, "POST /v1beta/models/m:generateContent?alt=sse", &Endpoint::Unknown);
}

#[test]
fn tricks_in_a_path_lead_nowhere() {
    for path in [
        "/v1//messages",
        "/v1/messages/",
        "/v1/./messages",
        "/v1/models/../messages",
        "/v1/%6dessages",
        "/v1/messages;x=1",
        "/V1/messages",
        "/v1\\messages",
        "messages",
        "",
    ] {
        for provider in Provider::ALL {
            check(provider, &format!("POST {path}"), &Endpoint::Unknown);
        }
    }
    for segment in ["..", "a..b", ".a", "a/b", "a%2Fb", "a b", "", "ä", &"m".repeat(129)] {
        for verb in ["GET", "POST"] {
            let end = if verb == "POST" { ":generateContent" } else { "" };
            let path = format!("/v1beta/models/{segment}{end}");
            assert_eq!(
                Endpoint::of(Provider::Gemini, verb, &path, None),
                Endpoint::Unknown,
                "{path}"
            );
        }
    }
    let longest = "m".repeat(128);
    let path = format!("/v1/models/{longest}:generateContent");
    let found = Endpoint::of(Provider::Gemini, "POST", &path, None);
    assert_eq!(found, gemini(&longest, Streams::No));
}

#[test]
fn a_query_loses_its_key_and_nothing_else() {
    let cases = [
        ("", ""),
        ("key=secret", ""),
        ("key=secret&alt=sse", "alt=sse"),
        ("alt=sse&key=secret&x=%20y&&z", "alt=sse&x=%20y&&z"),
        ("%6Bey=secret&a=1", "a=1"),
        ("KEY=secret&$key=secret&key&access_token=t", ""),
        ("monkey=1&keys=2&a=key=3&%zz=1&%", "monkey=1&keys=2&a=key=3&%zz=1&%"),
    ];
    for (query, want) in cases {
        assert_eq!(without_key(query), want, "{query}");
    }
}
