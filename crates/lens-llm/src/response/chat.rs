//! A whole answer of OpenAI's Chat Completions API.

use std::borrow::Cow;
use std::ops::Range;

use pathwarden_json::Json;

use crate::answer::{Call, CallKind, Ruling};
use crate::response::said::{Said, identity};
use crate::response::shape::{
    Shape, arguments, input, items, member, quoted, rebuild, strict_text, text, written,
};

/// A call as the model wrote it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) form: Form,
}

/// Where a message has a call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Form {
    /// `tool_calls[].function`.
    #[default]
    Function,
    /// `tool_calls[].custom`.
    Custom,
    /// `function_call`, which is deprecated and has no id.
    Alone,
}

impl Written {
    /// An item of `tool_calls`.
    fn of(call: Json<'_>) -> Result<Self, Shape> {
        let id = strict_text(call, "id")?.unwrap_or_default().into_owned();
        let (form, inner) = inner(call)?.ok_or(Shape("a call of a function or a custom tool"))?;
        Ok(Self { id, ..Self::inside(inner, form)? })
    }

    fn inside(inner: Json<'_>, form: Form) -> Result<Self, Shape> {
        let name = strict_text(inner, "name")?.unwrap_or_default().into_owned();
        let text = strict_text(inner, form.carrier())?.unwrap_or_default().into_owned();
        Ok(Self { id: String::new(), name, text, form })
    }

    /// The call that this is.
    pub(crate) fn call(&self, said: &mut Said) -> Result<Call, Shape> {
        if self.name.is_empty() {
            return Err(Shape("a call with a name"));
        }
        let id = said.call_id(&self.id, &self.name);
        let kind = self.form.kind();
        let arguments = match kind {
            CallKind::Custom => input(&self.text),
            CallKind::Function | CallKind::BuiltIn => arguments(&self.text),
        };
        Ok(Call { id, name: self.name.clone(), arguments, kind })
    }

    /// The text of new arguments, as the model would have written them.
    pub(crate) fn rewritten(&self, new: &str) -> String {
        written(self.form.kind(), &self.text, new)
    }
}

impl Form {
    pub(crate) const fn carrier(self) -> &'static str {
        match self {
            Self::Custom => "input",
            Self::Function | Self::Alone => "arguments",
        }
    }

    const fn kind(self) -> CallKind {
        match self {
            Self::Custom => CallKind::Custom,
            Self::Function | Self::Alone => CallKind::Function,
        }
    }
}

/// The part of an item of `tool_calls` that has the name and the arguments.
pub(crate) fn inner(call: Json<'_>) -> Result<Option<(Form, Json<'_>)>, Shape> {
    match (member(call, "function"), member(call, "custom")) {
        (Some(_), Some(_)) => Err(Shape("a call of one kind")),
        (Some(function), None) => Ok(Some((Form::Function, function))),
        (None, Some(custom)) => Ok(Some((Form::Custom, custom))),
        (None, None) => Ok(None),
    }
}

/// What an answer, or a chunk of one, says of itself.
pub(crate) fn envelope(root: Json<'_>, said: &mut Said) {
    let (id, model) = identity(root);
    said.identify(id, model);
    said.fingerprint(text(root, "system_fingerprint"));
    said.openai_usage(member(root, "usage"));
}

/// What a message, or a delta, says in words. Vendors spell the reasoning in two ways.
pub(crate) fn words(message: Json<'_>, said: &mut Said) {
    said.text(text(message, "content"));
    said.text(text(message, "refusal"));
    said.reasoning(text(message, "reasoning_content").or_else(|| text(message, "reasoning")));
}

/// The tokens of a choice.
pub(crate) fn tokens(choice: Json<'_>, said: &mut Said) {
    said.tokens(member(choice, "logprobs").and_then(|logprobs| logprobs.member("content")));
}

/// The change of a finish reason when no call of the choice is left.
pub(crate) fn stopped(choice: Json<'_>) -> Option<(Range<usize>, String)> {
    let reason = choice.member("finish_reason")?;
    let called = matches!(reason.string().as_deref(), Some("tool_calls" | "function_call"));
    called.then(|| (reason.span(), quoted("stop")))
}

/// Reads a completion.
pub(super) fn read(root: Json<'_>, said: &mut Said) -> Result<(), Shape> {
    envelope(root, said);
    for choice in items(root, "choices")? {
        said.finish(text(choice, "finish_reason"));
        tokens(choice, said);
        let Some(message) = member(choice, "message") else { continue };
        words(message, said);
        for written in calls(message)? {
            let call = written.call(said)?;
            said.output.calls.push(call);
        }
    }
    Ok(())
}

/// The calls of a message, the deprecated one last.
fn calls(message: Json<'_>) -> Result<Vec<Written>, Shape> {
    let mut all: Vec<Written> = Vec::new();
    for call in items(message, "tool_calls")? {
        all.push(Written::of(call)?);
    }
    if let Some(inner) = member(message, "function_call") {
        all.push(Written::inside(inner, Form::Alone)?);
    }
    Ok(all)
}

/// The changes that carry the rulings out.
pub(super) fn rule(root: Json<'_>, rulings: &[Ruling]) -> Vec<(Range<usize>, String)> {
    let mut rest = rulings;
    let mut parts = Vec::new();
    for choice in items(root, "choices").unwrap_or_default() {
        let Some(message) = member(choice, "message") else { continue };
        let written = calls(message).unwrap_or_default();
        let (own, others) = rest.split_at_checked(written.len()).unwrap_or((rest, &[]));
        rest = others;
        if own.iter().all(|ruling| *ruling == Ruling::Release) {
            continue;
        }
        parts.push((message.span(), ruled(message, &written, own)));
        if own.iter().all(|ruling| matches!(ruling, Ruling::Instead(_))) {
            parts.extend(stopped(choice));
        }
    }
    parts
}

/// A message with its rulings carried out.
fn ruled(message: Json<'_>, written: &[Written], rulings: &[Ruling]) -> String {
    let list = items(message, "tool_calls").unwrap_or_default();
    let kept: Vec<String> = list
        .iter()
        .zip(written.iter().zip(rulings))
        .filter_map(|(call, (written, ruling))| tool_call(*call, written, ruling))
        .collect();
    let tool_calls = (!kept.is_empty()).then(|| format!("[{}]", kept.join(",")));
    let alone = written.iter().zip(rulings).find(|(written, _)| written.form == Form::Alone);
    let alone = member(message, "function_call").zip(alone);
    let alone = alone.and_then(|(call, (written, ruling))| inside(call, written, ruling));
    let mut changes = vec![("tool_calls", tool_calls), ("function_call", alone)];
    if let Some(refusals) = refusals(rulings) {
        let said = text(message, "content").filter(|said| !said.is_empty());
        let content = [said.map(Cow::into_owned), Some(refusals)];
        let content: Vec<String> = content.into_iter().flatten().collect();
        changes.push(("content", Some(quoted(&content.join("\n")))));
    }
    rebuild(message, &changes)
}

/// The words of the refusals, a line each.
pub(crate) fn refusals(rulings: &[Ruling]) -> Option<String> {
    let words = rulings.iter().filter_map(|ruling| match ruling {
        Ruling::Instead(words) => Some(words.as_str()),
        Ruling::Release | Ruling::Rewrite(_) => None,
    });
    let words: Vec<&str> = words.collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

fn tool_call(call: Json<'_>, written: &Written, ruling: &Ruling) -> Option<String> {
    let (form, inner) = inner(call).ok().flatten()?;
    let name = if form == Form::Custom { "custom" } else { "function" };
    match ruling {
        Ruling::Release => Some(call.text().to_owned()),
        _ => Some(rebuild(call, &[(name, Some(inside(inner, written, ruling)?))])),
    }
}

fn inside(inner: Json<'_>, written: &Written, ruling: &Ruling) -> Option<String> {
    match ruling {
        Ruling::Release => Some(inner.text().to_owned()),
        Ruling::Instead(_) => None,
        Ruling::Rewrite(new) => {
            let new = quoted(&written.rewritten(new));
            Some(rebuild(inner, &[(written.form.carrier(), Some(new))]))
        }
    }
}
