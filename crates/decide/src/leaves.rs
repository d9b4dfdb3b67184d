//! The scalars of a JSON value, each with its place.

use serde_json::Value;

/// One string, number or boolean in a JSON value.
pub(crate) struct Leaf<'a> {
    /// RFC 6901 pointer to it.
    pub(crate) pointer: String,
    /// The nearest object key above it; empty at the root.
    pub(crate) key: &'a str,
    /// Its text.
    pub(crate) text: String,
}

/// Every leaf, in the order of the document's keys.
pub(crate) fn of(value: &Value) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), "", &mut found);
    found
}

/// Every object key with the pointer to its member, because a key can carry content out as well.
pub(crate) fn names(value: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    walk_names(value, &mut String::new(), &mut found);
    found
}

fn walk_names<'a>(value: &'a Value, pointer: &mut String, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                descend(pointer, &index.to_string(), |pointer| walk_names(item, pointer, found));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                descend(pointer, &token(name), |pointer| {
                    found.push((pointer.clone(), name));
                    walk_names(member, pointer, found);
                });
            }
        }
        _ => {}
    }
}

/// An object key as a reference token of RFC 6901.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// `serde_json` refuses more than 128 levels, so the recursion is bounded.
fn walk<'a>(value: &'a Value, pointer: &mut String, key: &'a str, found: &mut Vec<Leaf<'a>>) {
    let mut leaf = |text: String| found.push(Leaf { pointer: pointer.clone(), key, text });
    match value {
        Value::Null => {}
        Value::Bool(flag) => leaf(flag.to_string()),
        Value::Number(number) => leaf(number.to_string()),
        Value::String(text) => leaf(text.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                descend(pointer, &index.to_string(), |pointer| walk(item, pointer, key, found));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                descend(pointer, &token(name), |pointer| walk(member, pointer, name, found));
            }
        }
    }
}

fn descend(pointer: &mut String, token: &str, visit: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(token);
    visit(pointer);
    pointer.truncate(length);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn every_pointer_leads_to_its_leaf() {
        let value = json!({"a/b": [{"~": "x"}, 7], "": true, "n": null});
        let leaves = super::of(&value);
        assert_eq!(leaves.len(), 3);
        for leaf in leaves {
            let there = value.pointer(&leaf.pointer).map(|v| match v {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            assert_eq!(there.as_deref(), Some(leaf.text.as_str()), "{}", leaf.pointer);
        }
    }
}
