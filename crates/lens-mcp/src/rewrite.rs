//! Puts another string in place of one argument, and touches nothing else.

use crate::message::Message;
use pathwarden_json::edit::splice;
use pathwarden_json::{Json, Kind, Pointer, PointerFault, push_string};

/// Where pointers into the arguments of an intent start in its message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Root {
    /// At `params.arguments`.
    Arguments,
    /// At `params`.
    Params,
    /// At the message.
    Whole,
    /// Nowhere: what was decided is a part of something, and cannot be changed.
    Fixed,
}

/// Why an argument could not be rewritten; the action must then be refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteFault {
    /// Not a pointer.
    #[error("`{pointer}` is not a pointer")]
    Pointer {
        /// As given.
        pointer: String,
        /// What is wrong.
        #[source]
        source: PointerFault,
    },
    /// Leads to nothing.
    #[error("there is nothing at `{0}` in the arguments")]
    Missing(String),
    /// Only a string can be replaced by a string without changing what the server expects.
    #[error("what stands at `{0}` in the arguments is not a string")]
    NotAString(String),
}

/// The text of `message` with the string at `pointer` replaced by `value`; every other byte is as it
/// was. The pointer leads from the arguments as [`crate::Intent::arguments`] shows them, which start at
/// `root`.
///
/// # Errors
///
/// [`RewriteFault`].
pub fn rewrite(
    message: &Message,
    root: Root,
    pointer: &str,
    value: &str,
) -> Result<Vec<u8>, RewriteFault> {
    let way: Pointer = pointer
        .parse()
        .map_err(|source| RewriteFault::Pointer { pointer: pointer.to_owned(), source })?;
    let target = start(message, root).and_then(|start| way.find(start));
    let target = target.ok_or_else(|| RewriteFault::Missing(pointer.to_owned()))?;
    if target.kind() != Kind::String {
        return Err(RewriteFault::NotAString(pointer.to_owned()));
    }
    let mut new = String::with_capacity(value.len() + 2);
    push_string(&mut new, value);
    Ok(splice(message.text(), vec![(target.span(), new)]))
}

/// What pointers into the arguments start from.
fn start(message: &Message, root: Root) -> Option<Json<'_>> {
    match root {
        Root::Arguments => message.param("arguments"),
        Root::Params => message.member("params"),
        Root::Whole => Some(message.value()),
        Root::Fixed => None,
    }
}
