//! Feeds of MISP: a manifest that names events, and events with attributes.

use pathwarden_types::{Millis, Ratio};
use serde_json::Value;

use super::{Entry, Feed};
use crate::indicator::Pattern;

/// MISP attributes have no confidence; one that is marked for detection is meant.
const CONFIDENCE: Ratio = Ratio::of(7_000);
/// The most events that a manifest may name.
const EVENTS_MAX: usize = 100_000;

/// The files that a manifest names; `None` when it is none. An event is named by its UUID and by
/// nothing else, so that a manifest cannot name a path.
pub(super) fn manifest(value: &Value) -> Option<Vec<String>> {
    let events = value.as_object().filter(|events| events.len() <= EVENTS_MAX)?;
    let is_manifest = events.keys().all(|uuid| is_uuid(uuid)) && !events.is_empty();
    is_manifest.then(|| events.keys().map(|uuid| format!("{uuid}.json")).collect())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Reads the attributes of an event and of its objects.
pub(super) fn read(event: &Value, feed: &mut Feed) {
    let list =
        |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let info = event.get("info").and_then(Value::as_str).unwrap_or_default();
    for attribute in list(event, "Attribute") {
        add(&attribute, info, feed);
    }
    for object in list(event, "Object") {
        for attribute in list(&object, "Attribute") {
            add(&attribute, info, feed);
        }
    }
}

fn add(attribute: &Value, info: &str, feed: &mut Feed) {
    let text = |key: &str| attribute.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, value) = (text("type"), text("value"));
    let flag = |key: &str| attribute.get(key).and_then(Value::as_bool) == Some(true);
    if flag("deleted") {
        return feed.unmatched.add(value, "deleted");
    }
    if !flag("to_ids") {
        return feed.unmatched.add(value, "not marked for detection");
    }
    let Some(pattern) = listed(kind, value) else {
        return feed.unmatched.add(value, &format!("type `{}`", super::readable(kind, 40)));
    };
    let words = match text("comment") {
        "" => info.to_owned(),
        comment => format!("{info}: {comment}"),
    };
    feed.add(Entry {
        pattern,
        id: text("uuid").to_owned(),
        confidence: CONFIDENCE,
        seen: seconds(attribute.get("timestamp")),
        expires: None,
        words,
    });
}

/// MISP writes seconds as text, some tools as a number.
fn seconds(value: Option<&Value>) -> Option<Millis> {
    let seconds = value?.as_u64().or_else(|| value?.as_str()?.parse().ok())?;
    seconds.checked_mul(1_000).map(Millis)
}

/// What an attribute lists. Of a composite one that can be matched by its name and address alone, the
/// part that is more certain.
fn listed(kind: &str, value: &str) -> Option<Pattern> {
    let (first, second) = value.split_once('|').unwrap_or((value, ""));
    match kind {
        "ip-src" | "ip-dst" => Pattern::network(value),
        "ip-src|port" | "ip-dst|port" => Pattern::network(first),
        "domain" | "hostname" => Pattern::domain(value),
        "domain|ip" | "hostname|port" => Pattern::domain(first),
        "url" | "uri" | "link" => Pattern::url(value),
        "md5" | "sha1" | "sha256" | "sha512" => Pattern::hash(value),
        "filename|md5" | "filename|sha1" | "filename|sha256" | "filename|sha512" => {
            Pattern::hash(second)
        }
        _ => None,
    }
}
