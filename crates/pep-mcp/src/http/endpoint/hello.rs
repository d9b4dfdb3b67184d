//! What an endpoint of several servers says of itself.

use std::collections::BTreeSet;

use http::{HeaderValue, Response, StatusCode};
use pathwarden_json::{Json, push_string};
use pathwarden_lens_mcp::{FIRST_MODERN, Id, Message, Root, SPOKEN, compose, rewrite};
use pathwarden_types::Name;

use super::{Fetched, Several, fetch, sessions};
use crate::http::answer;
use crate::http::headers::MCP_SESSION_ID;
use pathwarden_pep::{Answer, only};

/// Capabilities that an endpoint has when one of its servers has them. Tasks are not among them: their
/// ids could not be told apart.
const CAPABILITIES: [&str; 5] = ["completions", "logging", "prompts", "resources", "tools"];

/// Begins with each server, all in one revision.
pub(super) async fn legacy(several: &Several, message: &Message, id: &Id) -> Response<Answer> {
    let asked = message.text().as_bytes();
    let mut begun = several.fetch_each(asked).await;
    begun.retain(|(server, fetched)| {
        let is_good = version(fetched).is_some();
        if !is_good {
            tracing::warn!(%server, "a server is left out of an endpoint: it has no sessions");
        }
        is_good
    });
    // Where they differ, all take the oldest.
    let Some(oldest) = begun.iter().filter_map(|(_, fetched)| version(fetched)).min() else {
        let words = "none of the servers of this endpoint can be reached";
        let error = compose::error(Some(id), compose::SERVER_BROKEN, words);
        return answer::json(StatusCode::OK, error);
    };
    if let Ok(again) = rewrite(message, Root::Params, "/protocolVersion", &oldest) {
        for (server, fetched) in &mut begun {
            if version(fetched).as_ref() != Some(&oldest)
                && let Ok(call) = several.call(server).await
                && let Ok(agreed) = fetch(&call, again.clone()).await
            {
                *fetched = agreed;
            }
        }
    }
    begun.retain(|(_, fetched)| version(fetched).as_ref() == Some(&oldest));
    let mut result = String::from("{\"protocolVersion\":");
    push_string(&mut result, &oldest);
    push_rest(&mut result, &begun);
    result.push_str(",\"serverInfo\":");
    result.push_str(&server_info());
    result.push('}');
    let mut response = answer::json(StatusCode::OK, answered(id, &result));
    let of_each: Vec<(&Name, &str)> = begun
        .iter()
        .filter_map(|(server, fetched)| Some((server, only(&fetched.headers, &MCP_SESSION_ID)?)))
        .collect();
    let session = sessions::joined(of_each.into_iter());
    if let Some(value) =
        Some(session).filter(|s| !s.is_empty()).and_then(|s| HeaderValue::from_str(&s).ok())
    {
        response.headers_mut().insert(MCP_SESSION_ID, value);
    }
    response
}

/// Says what the servers together can do, in the modern era.
pub(super) async fn modern(several: &Several, message: &Message, id: &Id) -> Response<Answer> {
    let known = several.fetch_each(message.text().as_bytes()).await;
    let modern = SPOKEN.iter().filter(|version| **version >= FIRST_MODERN);
    let versions: Vec<String> = modern.map(|version| format!("\"{version}\"")).collect();
    let mut result =
        format!("{{\"resultType\":\"complete\",\"supportedVersions\":[{}]", versions.join(","));
    push_rest(&mut result, &known);
    result.push_str(",\"ttlMs\":0,\"cacheScope\":\"private\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":");
    result.push_str(&server_info());
    result.push_str("}}");
    answer::json(StatusCode::OK, answered(id, &result))
}

/// Asks whether a server speaks the modern era, in the words of this request.
pub(super) fn probe(message: &Message) -> Vec<u8> {
    let meta = message.param("_meta").map_or("{}", Json::text);
    let start = "{\"jsonrpc\":\"2.0\",\"id\":\"pathwarden\",\"method\":\"server/discover\",\"params\":{\"_meta\":";
    format!("{start}{meta}}}}}").into_bytes()
}

/// Whether a server that answered speaks the modern era.
pub(super) fn is_modern(fetched: &Fetched) -> bool {
    let result = fetched.message.member("result");
    let versions = result.and_then(|result| result.member("supportedVersions"));
    let mut spoken = versions.into_iter().flat_map(Json::items).filter_map(Json::string);
    spoken.any(|version| SPOKEN.contains(&version.as_ref()) && version.as_ref() >= FIRST_MODERN)
}

fn version(fetched: &Fetched) -> Option<String> {
    let version = fetched.message.member("result")?.member("protocolVersion")?.string()?;
    Some(version.into_owned())
}

/// What the servers can do, and what they tell the model, each under its name.
fn push_rest(out: &mut String, begun: &[(Name, Fetched)]) {
    let results =
        || begun.iter().filter_map(|(server, f)| Some((server, f.message.member("result")?)));
    let has = |name: &str| {
        results()
            .any(|(_, r)| r.member("capabilities").is_some_and(|all| all.member(name).is_some()))
    };
    let names: BTreeSet<&str> = CAPABILITIES.into_iter().filter(|name| has(name)).collect();
    let each: Vec<String> = names
        .into_iter()
        .map(|name| match name {
            "prompts" | "resources" | "tools" => format!("\"{name}\":{{\"listChanged\":true}}"),
            name => format!("\"{name}\":{{}}"),
        })
        .collect();
    out.push_str(",\"capabilities\":{");
    out.push_str(&each.join(","));
    out.push('}');
    let told = results().filter_map(|(server, result)| {
        let text = result.member("instructions")?.string()?;
        (!text.is_empty()).then(|| format!("{server}: {text}"))
    });
    let told: Vec<String> = told.collect();
    if !told.is_empty() {
        out.push_str(",\"instructions\":");
        push_string(out, &told.join("\n\n"));
    }
}

fn server_info() -> String {
    format!("{{\"name\":\"pathwarden\",\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"))
}

fn answered(id: &Id, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", id.text())
}
