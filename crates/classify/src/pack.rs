//! The rules that are always there.

mod personal;
mod secrets;

use std::sync::LazyLock;

use crate::{
    Class,
    rule::{Rule, Set, Value, compile},
};

/// A rule as it is written down: identity, class, keywords in lower case, least entropy in
/// thousandths of a bit, what more must hold, expression with the value in its group `v`.
type Row = (&'static str, Class, &'static [&'static str], u32, fn(&str) -> bool, &'static str);

/// `None` only if a rule below is wrong, which a test excludes.
static PACK: LazyLock<Option<Set>> = LazyLock::new(|| Set::new(rules().ok()?).ok());

/// The rules compiled. Without them nothing can be said about a text: the caller denies.
pub(crate) fn pack() -> Option<&'static Set> {
    PACK.as_ref()
}

pub(crate) fn rules() -> Result<Vec<Rule>, regex::Error> {
    secrets::ROWS.iter().chain(&personal::ROWS).map(rule).collect()
}

fn rule(row: &Row) -> Result<Rule, regex::Error> {
    let (id, class, keywords, entropy_min, holds, text) = *row;
    Ok(Rule {
        id: id.into(),
        class,
        regex: compile(text)?,
        value: Value::Named,
        keywords: keywords.iter().map(|word| (*word).to_owned()).collect(),
        entropy_min,
        holds,
        allowed: Vec::new(),
    })
}

fn any(_: &str) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::rules;

    #[test]
    fn every_rule_compiles_names_its_value_and_has_keywords() {
        let rules = rules().unwrap();
        for rule in &rules {
            assert_eq!(
                rule.regex.capture_names().flatten().collect::<Vec<_>>(),
                ["v"],
                "{}",
                rule.id
            );
            assert!(!rule.keywords.is_empty(), "{}", rule.id);
            assert!(rule.keywords.iter().all(|word| *word == word.to_lowercase()), "{}", rule.id);
        }
        let mut ids: Vec<_> = rules.iter().map(|rule| rule.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rules.len(), "two rules have the same id");
    }
}
