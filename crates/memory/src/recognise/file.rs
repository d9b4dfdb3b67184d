//! Files that the operator declares as memory, through whatever tool touches them.

use std::collections::BTreeSet;

use pathwarden_json::Json;

use super::glob::plain_path;
use super::{Glob, Reads, Uses, moved, says, string, text, texts, words};
use pathwarden_types::WriteMode::{Add, Replace};

/// Arguments that name a file.
const PATHS: [&str; 6] = ["path", "file_path", "filePath", "filename", "notebook_path", "uri"];
/// Arguments that name several.
const PATH_LISTS: [&str; 2] = ["paths", "files"];
/// Arguments that name what is moved, and where to.
const MOVES: [(&str, &str); 3] =
    [("source", "destination"), ("old_path", "new_path"), ("from", "to")];
/// Arguments that are a whole file, unless the tool's name says that it adds.
const WHOLE: [&str; 5] = ["content", "contents", "text", "file_text", "data"];
/// Arguments that are a part of one.
const PARTS: [&str; 8] = [
    "new_string",
    "newString",
    "new_str",
    "new_text",
    "newText",
    "insert_text",
    "new_source",
    "replacement",
];
const ADDS: [&str; 3] = ["append", "insert", "add"];
const REMOVES: [&str; 6] = ["delete", "remove", "unlink", "rm", "forget", "clear"];
const COPIES: [&str; 3] = ["copy", "cp", "duplicate"];
const SEARCHES: [&str; 7] = ["search", "grep", "find", "list", "tree", "glob", "ls"];

/// A call that names a file of memory. Files of another pattern in the same call are named under the
/// first: a store is where the rule comes from, not where the file is.
pub(super) fn uses(patterns: &[Glob], tool: &str, arguments: Json<'_>) -> Option<Uses> {
    let store_of = |path: &String| patterns.iter().find(|one| one.fits(path));
    let words = words(tool);
    let (named, ends) = (paths(arguments), ends(arguments));
    let both = ends.iter().flat_map(|(from, to)| [from, to]);
    let store = named.iter().chain(both.clone()).find_map(store_of)?;
    let mut uses = Uses::of(store.as_str());
    if both.clone().any(|path| store_of(path).is_some()) {
        let list = if says(&words, &COPIES) { &mut uses.copies } else { &mut uses.moves };
        list.extend(ends.iter().map(|(from, to)| moved(from, to)));
    }
    let of_memory = named.iter().filter(|path| store_of(path).is_some());
    of_memory.for_each(|path| touch(&mut uses, path, &words, arguments));
    Some(uses)
}

fn paths(arguments: Json<'_>) -> Vec<String> {
    let single = PATHS.iter().filter_map(|name| text(arguments, name));
    let lists = PATH_LISTS.iter().flat_map(|name| texts(arguments, name));
    single.chain(lists).map(|path| plain_path(&path)).collect()
}

/// What is moved, and where to.
fn ends(arguments: Json<'_>) -> Option<(String, String)> {
    MOVES.iter().find_map(|(from, to)| {
        let path = |name| text(arguments, name).map(|path| plain_path(&path));
        Some((path(from)?, path(to)?))
    })
}

fn touch(uses: &mut Uses, path: &str, words: &BTreeSet<String>, arguments: Json<'_>) {
    let whole: Vec<String> = WHOLE.iter().filter_map(|name| text(arguments, name)).collect();
    let parts = parts(arguments);
    let is_read = whole.is_empty() && parts.is_none();
    let mode = if says(words, &ADDS) { Add } else { Replace };
    whole.into_iter().for_each(|text| uses.write(path, text, mode));
    parts.into_iter().flatten().for_each(|text| uses.write(path, text, Add));
    if says(words, &REMOVES) && is_read {
        uses.remove(path, None);
    } else if says(words, &SEARCHES) && is_read {
        uses.reads = Reads::Any;
    } else if is_read || mode == Add || uses.writes.iter().any(|write| write.mode == Add) {
        // Editors answer with the lines around a change.
        uses.read(path);
    }
}

/// The texts that edits bring in; `None` when the call is no edit. One that only takes something out
/// brings nothing.
fn parts(arguments: Json<'_>) -> Option<Vec<String>> {
    let edits = arguments.member("edits");
    let each = edits.into_iter().flat_map(Json::items).chain([arguments]);
    let found: Vec<String> = each
        .flat_map(|edit| PARTS.iter().filter_map(move |name| edit.member(name).and_then(string)))
        .collect();
    (edits.is_some() || !found.is_empty()).then_some(found)
}
