//! Puts another string in place of one argument, and touches nothing else.

use crate::message::{Body, Message};
use crate::pointer::{Pointer, PointerFault};
use pathwarden_json::{Json, Kind, push_string};

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
/// was. The pointer leads from the arguments as [`crate::Intent::arguments`] shows them.
///
/// # Errors
///
/// [`RewriteFault`].
pub fn rewrite(message: &Message, pointer: &str, value: &str) -> Result<Vec<u8>, RewriteFault> {
    let way: Pointer = pointer
        .parse()
        .map_err(|source| RewriteFault::Pointer { pointer: pointer.to_owned(), source })?;
    let target = root(message).and_then(|root| way.find(root));
    let target = target.ok_or_else(|| RewriteFault::Missing(pointer.to_owned()))?;
    if target.kind() != Kind::String {
        return Err(RewriteFault::NotAString(pointer.to_owned()));
    }
    let span = target.span();
    let text = message.text();
    let mut out = String::with_capacity(text.len() + value.len());
    out.push_str(text.get(..span.start).unwrap_or_default());
    push_string(&mut out, value);
    out.push_str(text.get(span.end..).unwrap_or_default());
    Ok(out.into_bytes())
}

/// What pointers into the arguments of this request start from.
fn root(message: &Message) -> Option<Json<'_>> {
    match message.body() {
        Body::Request { method, .. } if method == "tools/call" => message.param("arguments"),
        Body::Request { .. } => message.member("params"),
        Body::Notification { .. } | Body::Response { .. } => None,
    }
}
