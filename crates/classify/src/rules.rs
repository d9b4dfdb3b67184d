//! What is looked for: our pack, and what an operator adds in gitleaks' TOML format.

use regex::bytes::Regex;
use serde::Deserialize;

use crate::{
    Class, pack,
    rule::{Rule, Set, Value, compile},
};

/// The longest rule file, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// How many rules one file may have.
pub const RULES_MAX: usize = 5_000;

/// How many keywords or allowed values one rule may have.
pub const LIST_MAX: usize = 1_000;

/// Compiled rules: the pack, and possibly more.
#[derive(Debug, Default)]
pub struct Rules {
    added: Vec<Set>,
}

/// Why a rule file cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// The file is too long.
    #[error("the rule file has {bytes} bytes; split it into files of at most {FILE_BYTES_MAX}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Too many rules.
    #[error("the rule file has {rules} rules; keep at most {RULES_MAX}")]
    TooMany {
        /// How many it has.
        rules: usize,
    },
    /// Not TOML, or not of this form.
    #[error("the rule file is not TOML in the form of gitleaks; correct the place that is named")]
    Toml(#[source] Box<toml::de::Error>),
    /// The keywords of all rules together are too much.
    #[error("the keywords of the rule file cannot be compiled; use fewer or shorter ones")]
    Keywords(#[source] aho_corasick::BuildError),
}

/// A rule of a file that does not work. The other rules of the file do: it is for the operator to
/// say whether that is enough.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleFault {
    /// The rule's id, or the number of its place in the file.
    pub rule: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Rules {
    /// The rules that are always there.
    #[must_use]
    pub fn pack() -> Self {
        Self::default()
    }

    /// Adds the rules of a file: TOML with `[[rules]]` of `id`, `regex`, `keywords`, `entropy`,
    /// `secretGroup` and `allowlists`, as gitleaks reads them, and also `class`, one of ours.
    /// Gives back the rules that do not work.
    ///
    /// # Errors
    ///
    /// When nothing of the file can be used; then no rule is added.
    pub fn add_toml(&mut self, text: &str) -> Result<Vec<RuleFault>, RulesError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(RulesError::TooLong { bytes: text.len() });
        }
        let file: File = toml::from_str(text).map_err(|error| RulesError::Toml(Box::new(error)))?;
        if file.rules.len() > RULES_MAX {
            return Err(RulesError::TooMany { rules: file.rules.len() });
        }
        let (mut rules, mut faults) = (Vec::new(), Vec::new());
        let everywhere: Vec<RawAllowed> =
            file.allowlist.into_iter().chain(file.allowlists).collect();
        for (at, raw) in file.rules.into_iter().enumerate() {
            let name = if raw.id.is_empty() { format!("#{}", at + 1) } else { raw.id.clone() };
            match raw.checked(&everywhere) {
                Ok(rule) => rules.push(rule),
                Err(reason) => faults.push(RuleFault { rule: name, reason }),
            }
        }
        self.added.push(Set::new(rules).map_err(RulesError::Keywords)?);
        Ok(faults)
    }

    /// Whether the pack is there: without it nothing can be said about a text.
    pub(crate) fn is_whole(&self) -> bool {
        pack::pack().is_some()
    }

    pub(crate) fn sets(&self) -> Vec<&Set> {
        pack::pack().into_iter().chain(&self.added).collect()
    }
}

/// A file as it is written. Keys that we do not know are gitleaks' own settings.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Raw>,
    allowlist: Option<RawAllowed>,
    #[serde(default)]
    allowlists: Vec<RawAllowed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    id: String,
    regex: Option<String>,
    class: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    entropy: Option<f64>,
    secret_group: Option<usize>,
    allowlist: Option<RawAllowed>,
    #[serde(default)]
    allowlists: Vec<RawAllowed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAllowed {
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    regex_target: Option<String>,
    condition: Option<String>,
}

impl Raw {
    fn checked(self, everywhere: &[RawAllowed]) -> Result<Rule, String> {
        let text = self.regex.ok_or("it has no `regex`; rules over paths are not for content")?;
        let regex = compile(&text).map_err(|error| format!("its `regex`: {error}"))?;
        let group = self.secret_group.filter(|group| *group > 0);
        if group.is_some_and(|group| group >= regex.captures_len()) {
            return Err("its `secretGroup` is not in its `regex`; count the groups".to_owned());
        }
        if self.keywords.len() > LIST_MAX {
            return Err(format!("it has more than {LIST_MAX} keywords; split it"));
        }
        let class = match self.class.as_deref() {
            None => Class::Secret,
            Some(name) => Class::from_name(name).ok_or_else(|| {
                format!("its `class` `{name}` is none; leave it out or correct it")
            })?,
        };
        let mut allowed = Vec::new();
        for list in self.allowlist.iter().chain(&self.allowlists).chain(everywhere) {
            list.compile_into(&mut allowed)?;
        }
        Ok(Rule {
            id: self.id.into(),
            class,
            regex,
            value: group.map_or(Value::First, Value::Group),
            keywords: self.keywords.iter().map(|word| word.to_lowercase()).collect(),
            entropy_min: millibits(self.entropy.unwrap_or(0.0))?,
            holds: |_| true,
            allowed,
        })
    }
}

impl RawAllowed {
    /// Adds what this list lets pass. What we cannot do exactly lets nothing pass.
    fn compile_into(&self, allowed: &mut Vec<Regex>) -> Result<(), String> {
        let narrows =
            self.condition.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("and"));
        let is_elsewhere = self.regex_target.as_deref().is_some_and(|target| target != "secret");
        if narrows || is_elsewhere {
            return Ok(());
        }
        if self.regexes.len() + self.stopwords.len() + allowed.len() > LIST_MAX {
            return Err(format!("its allowlists have more than {LIST_MAX} entries; shorten them"));
        }
        for text in &self.regexes {
            allowed.push(compile(text).map_err(|error| format!("its `allowlists`: {error}"))?);
        }
        if !self.stopwords.is_empty() {
            let words: Vec<_> = self.stopwords.iter().map(|word| regex::escape(word)).collect();
            let text = format!("(?i)(?:{})", words.join("|"));
            allowed.push(compile(&text).map_err(|error| format!("its `stopwords`: {error}"))?);
        }
        Ok(())
    }
}

/// Bits as thousandths.
fn millibits(bits: f64) -> Result<u32, String> {
    if !(0.0..=8.0).contains(&bits) {
        return Err(format!("its `entropy` `{bits}` is not between 0 and 8 bits; correct it"));
    }
    // There are only so many thousandths, and reading one is exact enough.
    let thousandths = format!("{:.0}", bits * 1000.0);
    thousandths.parse().map_err(|_| "its `entropy` is no number; correct it".to_owned())
}

#[cfg(test)]
mod tests;
