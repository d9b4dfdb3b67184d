//! Patterns of a scenario.

use regex::Regex;
use serde::Deserialize;

/// A regular expression that may match anywhere; plain words are one too. It knows no classes of
/// Unicode, as the crate is built for the product: `[0-9]` for `\d`, `(?i-u)` for `(?i)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        Regex::new(&text).map(Self)
    }
}
