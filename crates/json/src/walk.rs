//! Steps from value to value by skipping, over text that is proven, or hoped, to be JSON.

use std::borrow::Cow;

use crate::{Json, Kind, text};

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    whole: &'a str,
    at: Option<usize>,
}

/// The items of an array.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    whole: &'a str,
    at: Option<usize>,
}

impl<'a> Members<'a> {
    pub(crate) fn of(value: Json<'a>) -> Self {
        let at = (value.kind() == Kind::Object).then(|| value.start + 1);
        Self { whole: value.whole, at }
    }
}

impl<'a> Items<'a> {
    pub(crate) fn of(value: Json<'a>) -> Self {
        let at = (value.kind() == Kind::Array).then(|| value.start + 1);
        Self { whole: value.whole, at }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.whole.as_bytes();
        let key_start = skip_space(bytes, self.at.take()?);
        if bytes.get(key_start) != Some(&b'"') {
            return None;
        }
        let key_end = skip_value(bytes, key_start)?;
        let content = self.whole.get(key_start + 1..key_end.checked_sub(1)?)?;
        let start = skip_space(bytes, skip_space(bytes, key_end) + 1);
        let end = skip_value(bytes, start)?;
        self.at = after(bytes, end);
        Some((text::unescape(content)?, Json { whole: self.whole, start, end }))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.whole.as_bytes();
        let start = skip_space(bytes, self.at.take()?);
        if matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        let end = skip_value(bytes, start)?;
        self.at = after(bytes, end);
        Some(Json { whole: self.whole, start, end })
    }
}

/// The names and texts of the top-level members of something that should be an object and may be
/// broken, cut off, or not UTF-8: what can be read before it breaks. For finding the id to answer to;
/// never for a decision.
pub fn loose_members(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let open = skip_space(bytes, 0);
    let mut at = (bytes.get(open) == Some(&b'{')).then_some(open + 1);
    while let Some(start) = at.take() {
        let key_start = skip_space(bytes, start);
        let Some(key_end) =
            skip_value(bytes, key_start).filter(|_| bytes.get(key_start) == Some(&b'"'))
        else {
            break;
        };
        let colon = skip_space(bytes, key_end);
        if bytes.get(colon) != Some(&b':') {
            break;
        }
        let value_start = skip_space(bytes, colon + 1);
        let Some(value_end) = skip_value(bytes, value_start) else { break };
        if let (Some(key), Some(value)) =
            (bytes.get(key_start..key_end), bytes.get(value_start..value_end))
        {
            found.push((key, value));
        }
        at = after(bytes, value_end);
    }
    found
}

/// Where the next element begins, if a comma promises one.
fn after(bytes: &[u8], end: usize) -> Option<usize> {
    let comma = skip_space(bytes, end);
    (bytes.get(comma) == Some(&b',')).then_some(comma + 1)
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    from + space.count()
}

/// The end of the value that starts at `from`; `None` when there is none, or the text ends in it.
fn skip_value(bytes: &[u8], from: usize) -> Option<usize> {
    match bytes.get(from)? {
        b'"' => skip_string(bytes, from),
        b'{' | b'[' => skip_container(bytes, from),
        _ => skip_scalar(bytes, from),
    }
}

fn skip_string(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn skip_container(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

fn skip_scalar(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let scalar = rest
        .iter()
        .take_while(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
    let length = scalar.count();
    (length > 0).then_some(from + length)
}
