//! JSON Pointer (RFC 6901).

use std::str::FromStr;

use crate::{Json, Kind};

/// The way from a value to one inside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pointer {
    steps: Vec<String>,
}

/// Why a text is not a pointer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PointerFault {
    /// RFC 6901 section 3.
    #[error("a pointer is empty or begins with `/`")]
    NoSlash,
    /// RFC 6901 section 3.
    #[error("in a pointer `~` is followed by `0` or `1`")]
    Tilde,
}

impl FromStr for Pointer {
    type Err = PointerFault;

    fn from_str(text: &str) -> Result<Self, PointerFault> {
        if text.is_empty() {
            return Ok(Self { steps: Vec::new() });
        }
        let steps = text.strip_prefix('/').ok_or(PointerFault::NoSlash)?;
        steps.split('/').map(unescape).collect::<Result<_, _>>().map(|steps| Self { steps })
    }
}

impl Pointer {
    /// The value it leads to from `root`, if there is one.
    #[must_use]
    pub fn find<'a>(&self, root: Json<'a>) -> Option<Json<'a>> {
        self.steps.iter().try_fold(root, |value, step| match value.kind() {
            Kind::Object => value.member(step),
            Kind::Array => value.items().nth(index(step)?),
            Kind::String | Kind::Number | Kind::Boolean | Kind::Null => None,
        })
    }
}

fn unescape(step: &str) -> Result<String, PointerFault> {
    let mut out = String::with_capacity(step.len());
    let mut characters = step.chars();
    while let Some(character) = characters.next() {
        match character {
            '~' => out.push(match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PointerFault::Tilde),
            }),
            other => out.push(other),
        }
    }
    Ok(out)
}

/// An array index: digits without a leading zero (RFC 6901 section 4).
fn index(step: &str) -> Option<usize> {
    let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (step == "0" || !step.starts_with('0'))).then(|| step.parse().ok()).flatten()
}
