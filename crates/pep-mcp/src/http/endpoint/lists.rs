//! One list of what several servers offer.

use http::{Response, StatusCode};
use pathwarden_json::{Json, Kind};
use pathwarden_lens_mcp::mount::{Mounts, page};
use pathwarden_lens_mcp::{Era, Id, Message};
use tokio::task::JoinSet;

use super::{Several, fetch};
use crate::http::answer;
use crate::http::call::Call;
use pathwarden_pep::Answer;

/// The most pages that are read of one server's list; what comes after them is left out.
const PAGES_MAX: usize = 64;

/// The most bytes that are read of one server's list, as messages; what comes after them is left out.
const LIST_BYTES_MAX: usize = 8 << 20;

/// What one server offers.
#[derive(Default)]
struct Part {
    items: Vec<String>,
    /// The shortest that one of its pages may be kept, in ms.
    ttl_ms: Option<u64>,
}

/// The whole list, all pages of all servers in one. A server that gives none is left out.
pub(super) async fn merged(
    several: &Several,
    message: &Message,
    id: &Id,
    member: &'static str,
) -> Response<Answer> {
    let mut reading = JoinSet::new();
    for (index, server) in several.mounts.servers().iter().enumerate() {
        let Ok(call) = several.call(server).await else { continue };
        let first = message.clone();
        reading.spawn(async move { (index, pages(&call, &first, member).await) });
    }
    let mut parts: Vec<(usize, Part)> = Vec::new();
    while let Some(done) = reading.join_next().await {
        parts.extend(done.ok());
    }
    parts.sort_by_key(|(index, _)| *index);
    let ttl_ms = parts.iter().filter_map(|(_, part)| part.ttl_ms).min().unwrap_or(0);
    let items: Vec<String> = parts.into_iter().flat_map(|(_, part)| part.items).collect();
    let (start, end) = match message.era() {
        Era::Modern => (
            "\"resultType\":\"complete\",",
            format!(",\"ttlMs\":{ttl_ms},\"cacheScope\":\"private\""),
        ),
        Era::Legacy => ("", String::new()),
    };
    let text = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{{start}\"{member}\":[{}]{end}}}}}",
        id.text(),
        items.join(",")
    );
    answer::json(StatusCode::OK, text)
}

async fn pages(call: &Call, message: &Message, member: &str) -> Part {
    let mut part = Part::default();
    let mut cursor: Option<String> = None;
    let mut bytes = 0;
    for _ in 0..PAGES_MAX {
        let Ok(fetched) = fetch(call, page(message, cursor.as_deref())).await else { break };
        bytes += fetched.message.text().len();
        if bytes > LIST_BYTES_MAX {
            tracing::warn!(server = %call.exchange.server_name(), "the list is too long");
            break;
        }
        let result = fetched.message.member("result");
        part.items.extend(Mounts::items(call.exchange.server_name(), &fetched.message, member));
        let ttl = result.and_then(|r| r.member("ttlMs")).and_then(|ttl| ttl.text().parse().ok());
        part.ttl_ms = part.ttl_ms.into_iter().chain(ttl).min();
        let next = result.and_then(|result| result.member("nextCursor"));
        match next.filter(|next| next.kind() == Kind::String).and_then(Json::string) {
            Some(next) => cursor = Some(next.into_owned()),
            None => break,
        }
    }
    part
}
