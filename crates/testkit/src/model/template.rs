//! `{{source: regex}}` in a reply: a part of what the model was given. This is how a poisoned
//! document steers a model that only follows a script.

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde_json::Value;

use super::conversation::Conversation;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Replaces the templates of `text`: each becomes the first capture of its expression (or all that
/// matched, when it captures nothing) in its source.
///
/// # Errors
///
/// When a template is not closed, names no source, or finds nothing.
pub(super) fn fill(text: &str, conversation: &Conversation) -> Result<String> {
    let mut filled = String::new();
    let mut left = text;
    while let Some((before, after)) = left.split_once(OPEN) {
        let end = closing(after).with_context(|| format!("`{{{{{after}` is not closed"))?;
        let (template, rest) = after.split_at(end);
        filled.push_str(before);
        filled.push_str(&find(template, conversation)?);
        left = rest.strip_prefix(CLOSE).unwrap_or(rest);
    }
    filled.push_str(left);
    Ok(filled)
}

/// Fills every text in a value.
///
/// # Errors
///
/// As [`fill`].
pub(super) fn fill_value(value: &Value, conversation: &Conversation) -> Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, conversation)?),
        Value::Array(items) => {
            items.iter().map(|item| fill_value(item, conversation)).collect::<Result<_>>()?
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| Ok((name.clone(), fill_value(field, conversation)?)))
            .collect::<Result<_>>()?,
        other => other.clone(),
    })
}

/// Where the template ends: at the last of a row of braces, as `[0-9]{4}}}` ends with a repetition.
fn closing(text: &str) -> Option<usize> {
    let start = text.find(CLOSE)?;
    let row = text.get(start..)?.chars().take_while(|letter| *letter == '}').count();
    Some(start + row - CLOSE.len())
}

fn find(template: &str, conversation: &Conversation) -> Result<String> {
    let (source, expression) = template
        .split_once(':')
        .with_context(|| format!("`{{{{{template}}}}}` has no `source: expression`"))?;
    let text = match source.trim() {
        "last_result" => conversation.results.last().cloned().unwrap_or_default(),
        "results" => conversation.results.join("\n"),
        "user" => conversation.user.clone(),
        "system" => conversation.system.clone(),
        other => bail!("`{other}` is none of last_result, results, user, system"),
    };
    let regex = Regex::new(expression.trim()).context("read the expression of a template")?;
    let found = regex
        .captures(&text)
        .and_then(|found| found.get(1).or_else(|| found.get(0)))
        .with_context(|| format!("`{{{{{template}}}}}` finds nothing in `{text:.400}`"))?;
    Ok(found.as_str().to_owned())
}
