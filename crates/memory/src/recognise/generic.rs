//! Any other tool of a store: by the words of its name.

use std::collections::BTreeSet;

use pathwarden_json::{Json, Kind};

use super::{Reads, Uses, is_long, key_of_text, says, string, text, texts, words};
use pathwarden_types::WriteMode::{self, Add, Replace};

const WRITES: [&str; 12] = [
    "add", "store", "save", "create", "set", "put", "upsert", "write", "update", "append",
    "remember", "insert",
];
const REMOVES: [&str; 4] = ["delete", "remove", "forget", "clear"];
const READS: [&str; 11] = [
    "get", "read", "search", "find", "list", "query", "recall", "retrieve", "fetch", "open", "view",
];
/// Reads that do not answer with one entry, whatever they name.
const SEARCHES: [&str; 5] = ["search", "find", "list", "query", "recall"];
/// Writes that leave what was there.
const ADDS: [&str; 4] = ["add", "append", "remember", "insert"];
/// Arguments that name an entry, the best first.
const KEYS: [&str; 5] = ["key", "id", "name", "title", "topic"];
const KEY_LISTS: [&str; 3] = ["keys", "ids", "names"];
/// Arguments that are what is kept, however short.
const CONTENTS: [&str; 14] = [
    "value",
    "content",
    "contents",
    "text",
    "texts",
    "data",
    "memory",
    "note",
    "body",
    "observation",
    "observations",
    "fact",
    "document",
    "documents",
];

/// A string within the arguments.
struct Leaf {
    key: Option<String>,
    name: String,
    text: String,
}

pub(super) fn uses(server: &str, tool: &str, arguments: Json<'_>) -> Uses {
    let words = words(tool);
    let (writes, removes) = (says(&words, &WRITES), says(&words, &REMOVES));
    let mut uses = Uses::of(server);
    if writes {
        let mode = if says(&words, &ADDS) { Add } else { Replace };
        write(&mut uses, arguments, mode);
    }
    if removes {
        remove(&mut uses, arguments);
    }
    if says(&words, &READS) || !(writes || removes) {
        uses.reads = reads(&words, arguments);
    }
    uses
}

/// Writes what is kept and every other longer text; the longest text when that is none, and the key
/// itself when there is no other, so that no write goes unseen.
fn write(uses: &mut Uses, arguments: Json<'_>, mode: WriteMode) {
    let mut leaves = Vec::new();
    collect(arguments, "", None, &mut leaves);
    leaves.retain(|leaf| !leaf.text.is_empty());
    let is_kept = |leaf: &Leaf| CONTENTS.contains(&leaf.name.as_str()) || is_long(&leaf.text);
    if leaves.iter().any(is_kept) {
        leaves.into_iter().filter(is_kept).for_each(|leaf| write_leaf(uses, leaf, mode));
    } else if let Some(leaf) = leaves.into_iter().max_by_key(|leaf| leaf.text.len()) {
        write_leaf(uses, leaf, mode);
    } else if let Some((_, key)) = key_in(arguments) {
        uses.write(&key, key.clone(), mode);
    }
}

fn write_leaf(uses: &mut Uses, leaf: Leaf, mode: WriteMode) {
    let key = leaf.key.unwrap_or_else(|| key_of_text(&leaf.text));
    uses.write(&key, leaf.text, mode);
}

/// Every string of the arguments with the name of its member and the key of the object that it is in,
/// or of one around it. Depth is bounded by the proof of the text.
fn collect(value: Json<'_>, name: &str, key: Option<&String>, leaves: &mut Vec<Leaf>) {
    match value.kind() {
        Kind::String => {
            let text = string(value).unwrap_or_default();
            leaves.push(Leaf { key: key.cloned(), name: name.to_owned(), text });
        }
        Kind::Array => value.items().for_each(|item| collect(item, name, key, leaves)),
        Kind::Object => {
            let own = key_in(value);
            let key = own.as_ref().map(|(_, key)| key).or(key);
            let named_by = own.as_ref().map(|(name, _)| *name);
            for (name, member) in value.members() {
                // A name that is long is more than a name.
                let is_name =
                    named_by == Some(&*name) && !string(member).is_some_and(|it| is_long(&it));
                if !is_name {
                    collect(member, &name, key, leaves);
                }
            }
        }
        Kind::Number | Kind::Boolean | Kind::Null => {}
    }
}

fn remove(uses: &mut Uses, arguments: Json<'_>) {
    for key in keys(arguments) {
        uses.remove(&key, None);
    }
}

fn reads(words: &BTreeSet<String>, arguments: Json<'_>) -> Reads {
    let keys = keys(arguments);
    if keys.is_empty() || says(words, &SEARCHES) {
        return Reads::Any;
    }
    let mut uses = Uses::of("");
    keys.iter().for_each(|key| uses.read(key));
    uses.reads
}

fn keys(arguments: Json<'_>) -> Vec<String> {
    let single = key_in(arguments).map(|(_, key)| key);
    single.into_iter().chain(KEY_LISTS.iter().flat_map(|name| texts(arguments, name))).collect()
}

/// The argument that names an entry, and what it says.
fn key_in(object: Json<'_>) -> Option<(&'static str, String)> {
    KEYS.iter().find_map(|name| {
        let number = || {
            let value = object.member(name)?;
            (value.kind() == Kind::Number).then(|| value.text().to_owned())
        };
        Some((*name, text(object, name).or_else(number)?))
    })
}
