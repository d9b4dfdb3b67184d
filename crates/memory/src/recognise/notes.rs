//! The memory tool of Anthropic's models (`memory_20250818`), which a client carries out.

use pathwarden_json::Json;

use super::glob::plain_path;
use super::{Uses, moved, text};
use pathwarden_types::WriteMode::{Add, Replace};

/// A call of the tool, when it has the form of one of its six commands.
pub(super) fn uses(server: &str, tool: &str, arguments: Json<'_>) -> Option<Uses> {
    if tool != "memory" {
        return None;
    }
    let path = |name: &str| text(arguments, name).map(|path| plain_path(&path));
    let mut uses = Uses::of(server);
    match text(arguments, "command")?.as_str() {
        "view" => uses.read(&path("path")?),
        "create" => uses.write(&path("path")?, text(arguments, "file_text")?, Replace),
        "str_replace" => {
            let path = path("path")?;
            uses.write(&path, text(arguments, "new_str").unwrap_or_default(), Add);
            // It answers with the lines around the change.
            uses.read(&path);
        }
        "insert" => {
            let inserted = text(arguments, "insert_text").or_else(|| text(arguments, "new_str"));
            uses.write(&path("path")?, inserted?, Add);
        }
        "delete" => uses.remove(&path("path")?, None),
        "rename" => uses.moves.push(moved(&path("old_path")?, &path("new_path")?)),
        _ => return None,
    }
    Some(uses)
}
