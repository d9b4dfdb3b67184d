//! What a model has said so far.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pathwarden_json::Json;
use pathwarden_types::Ratio;

use crate::answer::{Output, ServerCall};
use crate::response::shape::{member, number, text};

/// An [`Output`] that grows.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) output: Output,
    tokens: u32,
    probability: f64,
    names: BTreeMap<String, u64>,
}

impl Said {
    pub(crate) fn identify(&mut self, id: Option<Cow<'_, str>>, model: Option<Cow<'_, str>>) {
        set(&mut self.output.id, id);
        set(&mut self.output.model, model);
    }

    pub(crate) fn fingerprint(&mut self, fingerprint: Option<Cow<'_, str>>) {
        set(&mut self.output.fingerprint, fingerprint);
    }

    pub(crate) fn finish(&mut self, finish: Option<Cow<'_, str>>) {
        set(&mut self.output.finish, finish);
    }

    pub(crate) fn text(&mut self, text: Option<Cow<'_, str>>) {
        self.output.text.extend(text);
    }

    pub(crate) fn reasoning(&mut self, text: Option<Cow<'_, str>>) {
        self.output.reasoning.extend(text);
    }

    pub(crate) fn server_call(&mut self, kind: &str, name: &str, arguments: &str) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.output.server_calls.push(ServerCall { kind, name, arguments: arguments.to_owned() });
    }

    /// The id of a call: the provider's, or `NAME#N`, the Nth call of this name in this answer that came
    /// without one.
    pub(crate) fn call_id(&mut self, id: &str, name: &str) -> String {
        if !id.is_empty() {
            return id.to_owned();
        }
        let count = self.names.entry(name.to_owned()).or_default();
        *count += 1;
        format!("{name}#{count}")
    }

    /// Log-probabilities of tokens: a list of objects with `logprob`.
    pub(crate) fn tokens(&mut self, list: Option<Json<'_>>) {
        let items = list.into_iter().flat_map(Json::items);
        items.filter_map(|item| item.member("logprob")).for_each(|value| self.token(value));
    }

    /// One log-probability.
    ///
    /// Floating point is right here, and only here: the result is recorded once, as a [`Ratio`], and a
    /// replay reads the record instead of computing it again.
    pub(crate) fn token(&mut self, logarithm: Json<'_>) {
        let Ok(logarithm) = logarithm.text().parse::<f64>() else { return };
        self.tokens = self.tokens.saturating_add(1);
        self.probability += logarithm.exp().clamp(0.0, 1.0);
        let mean = self.probability / f64::from(self.tokens);
        // A cast of a float is saturating, and the mean is from 0 to 1.
        let steps = (mean * f64::from(Ratio::STEPS)).round() as u16;
        self.output.confidence = Some(Ratio::of(steps));
    }

    /// OpenAI's `usage`, of either API.
    pub(crate) fn openai_usage(&mut self, usage: Option<Json<'_>>) {
        let Some(usage) = usage else { return };
        let all = &mut self.output.usage;
        let read = |names: [&str; 2]| names.into_iter().find_map(|name| number(usage, name));
        let detail = |names: [&str; 2], detail| {
            names.into_iter().find_map(|name| number(member(usage, name)?, detail))
        };
        let input = ["prompt_tokens_details", "input_tokens_details"];
        let output = ["completion_tokens_details", "output_tokens_details"];
        put(&mut all.input_tokens, read(["prompt_tokens", "input_tokens"]));
        put(&mut all.output_tokens, read(["completion_tokens", "output_tokens"]));
        put(&mut all.cached_tokens, detail(input, "cached_tokens"));
        put(&mut all.reasoning_tokens, detail(output, "reasoning_tokens"));
    }
}

/// Puts a number where one was told.
pub(crate) fn put(slot: &mut u64, value: Option<u64>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn set(slot: &mut Option<String>, value: Option<Cow<'_, str>>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        *slot = Some(value.into_owned());
    }
}

/// `id` and `model` of an object that has both.
pub(crate) fn identity<'a>(object: Json<'a>) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    (text(object, "id"), text(object, "model"))
}
