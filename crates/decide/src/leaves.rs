//! The scalars and the keys of a JSON value, each with its place.

use std::ops::ControlFlow;

use serde_json::Value;

/// The most scalars and keys that are looked at in one value; a value with more is refused.
pub(crate) const PARTS_MAX: usize = 65_536;

/// The longest pointer to a part, in bytes; a value with a longer one is refused.
pub(crate) const POINTER_BYTES_MAX: usize = 1_024;

/// One part of a JSON value, borrowed for the length of a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// RFC 6901 pointer to it; for a key, to its member.
    pub(crate) pointer: &'a str,
    /// What it is.
    pub(crate) kind: PartKind,
    /// Its text.
    pub(crate) text: &'a str,
}

/// What a part is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PartKind {
    /// The name of a member: it can carry content out as well as a value can.
    Key,
    /// A string.
    Text,
    /// A number or a boolean.
    Scalar,
}

/// The value has too many parts, or one too deep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooLarge;

/// Shows every key and scalar to `visit`, keys before what they name, in the order of the document.
/// One buffer serves all pointers, so that the cost is that of the text.
pub(crate) fn visit(value: &Value, visit: impl FnMut(Part<'_>)) -> Result<(), TooLarge> {
    let mut walk = Walk { pointer: String::new(), parts: 0, visit };
    match walk.value(value) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(fault) => Err(fault),
    }
}

struct Walk<F> {
    pointer: String,
    parts: usize,
    visit: F,
}

impl<F: FnMut(Part<'_>)> Walk<F> {
    /// `serde_json` refuses more than 128 levels, so the recursion is bounded.
    fn value(&mut self, value: &Value) -> ControlFlow<TooLarge> {
        match value {
            Value::Null => ControlFlow::Continue(()),
            Value::Bool(flag) => self.show(PartKind::Scalar, if *flag { "true" } else { "false" }),
            Value::Number(number) => self.show(PartKind::Scalar, &number.to_string()),
            Value::String(text) => self.show(PartKind::Text, text),
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                self.below(&index.to_string(), |walk| walk.value(item))
            }),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.below(&token(name), |walk| {
                    walk.show(PartKind::Key, name)?;
                    walk.value(member)
                })
            }),
        }
    }

    fn show(&mut self, kind: PartKind, text: &str) -> ControlFlow<TooLarge> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return ControlFlow::Break(TooLarge);
        }
        (self.visit)(Part { pointer: &self.pointer, kind, text });
        ControlFlow::Continue(())
    }

    fn below(
        &mut self,
        token: &str,
        step: impl FnOnce(&mut Self) -> ControlFlow<TooLarge>,
    ) -> ControlFlow<TooLarge> {
        let length = self.pointer.len();
        if length + token.len() >= POINTER_BYTES_MAX {
            return ControlFlow::Break(TooLarge);
        }
        self.pointer.push('/');
        self.pointer.push_str(token);
        let flow = step(self);
        self.pointer.truncate(length);
        flow
    }
}

/// An object key as a reference token of RFC 6901.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PartKind, TooLarge, visit};

    #[test]
    fn every_pointer_leads_to_its_part() {
        let value = json!({"a/b": [{"~": "x"}, 7], "": true, "n": null});
        let mut seen = 0;
        let visited = visit(&value, |part| {
            seen += 1;
            let there = value.pointer(part.pointer);
            match part.kind {
                PartKind::Key => assert!(there.is_some(), "{part:?}"),
                PartKind::Text => assert_eq!(there.and_then(Value::as_str), Some(part.text)),
                PartKind::Scalar => {
                    assert_eq!(there.map(Value::to_string).as_deref(), Some(part.text));
                }
            }
        });
        assert_eq!((visited, seen), (Ok(()), 7));
    }

    #[test]
    fn what_is_too_large_is_refused_at_the_limit() {
        let many = |count: usize| Value::from(vec![1; count]);
        assert_eq!(visit(&many(super::PARTS_MAX), |_| {}), Ok(()));
        assert_eq!(visit(&many(super::PARTS_MAX + 1), |_| {}), Err(TooLarge));
        let long = |bytes: usize| json!({ "k".repeat(bytes): 1 });
        assert_eq!(visit(&long(super::POINTER_BYTES_MAX - 1), |_| {}), Ok(()));
        assert_eq!(visit(&long(super::POINTER_BYTES_MAX), |_| {}), Err(TooLarge));
    }
}
