//! What can be checked file by file.

use std::collections::BTreeMap;

use regorus::Engine;

use super::{add_data, fault_of};
use crate::builtins;
use crate::bundle::PACKAGE;
use crate::limits::{NESTING_MAX, SOURCE_BYTES_MAX, SOURCES_MAX};
use crate::scan::{Spot, Token, tokens};
use crate::{CompileFault, RulePlace, Source};

/// Faults of names, sizes and syntax.
pub(super) fn files(sources: &[Source]) -> Vec<CompileFault> {
    let mut faults = Vec::new();
    if sources.len() > SOURCES_MAX {
        let message = format!("{} files, more than {SOURCES_MAX}", sources.len());
        faults.push(fault("", 0, message, "merge files"));
    }
    if !sources.iter().any(Source::is_rules) {
        let advice = "add a file whose name ends in `.rego`";
        faults.push(fault("", 0, "no file with rules", advice));
    }
    for pair in sources.windows(2) {
        if let [first, second] = pair
            && first.path == second.path
        {
            faults.push(fault(&first.path, 0, "the file is there twice", "give it once"));
        }
    }
    faults.extend(sources.iter().filter_map(file));
    faults
}

fn file(source: &Source) -> Option<CompileFault> {
    let path = &source.path;
    if source.text.len() > SOURCE_BYTES_MAX {
        let message = format!("longer than {SOURCE_BYTES_MAX} bytes");
        return Some(fault(path, 0, message, "split the file"));
    }
    if source.is_data() {
        return data(source);
    }
    if !source.is_rules() && !source.is_test() {
        let message = "neither rules nor data";
        return Some(fault(path, 0, message, "name it `….rego`, `…_test.rego` or `….json`"));
    }
    if let Some(line) = too_deep(&tokens(&source.text)) {
        let message = format!("brackets nest deeper than {NESTING_MAX}");
        return Some(fault(path, line, message, "move inner parts into helpers"));
    }
    let parsed = Engine::new().add_policy(path.clone(), source.text.clone());
    parsed.err().map(|error| fault_of(&error.to_string(), path, "write Rego v1"))
}

/// The line where brackets nest too deep, if any. Looked for before anything recursive parses them.
fn too_deep(spots: &[Spot<'_>]) -> Option<u32> {
    let mut depth: usize = 0;
    for spot in spots {
        match spot.token {
            Token::Mark('(' | '[' | '{') => depth = depth.saturating_add(1),
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Mark(_) | Token::Word(_) | Token::Text(_) => {}
        }
        if depth > NESTING_MAX {
            return Some(spot.line);
        }
    }
    None
}

fn data(source: &Source) -> Option<CompileFault> {
    let mut engine = Engine::new();
    if let Err(fault) = add_data(&mut engine, source) {
        return Some(fault);
    }
    let data = engine.get_data();
    let reserved = data.as_object().is_ok_and(|data| data.contains_key(&PACKAGE.into()));
    let message = format!("the key `{PACKAGE}` belongs to the rules");
    reserved.then(|| fault(&source.path, 0, message, "use another key"))
}

/// Every rule by name; adds a fault for each that is not named as it should be.
pub(super) fn rules(sources: &[Source], faults: &mut Vec<CompileFault>) -> Vec<RulePlace> {
    let mut places: BTreeMap<String, RulePlace> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rules()) {
        let spots = tokens(&source.text);
        faults.extend(package(source, &spots));
        faults.extend(calls(source, &spots));
        for (rule, line) in named(&spots) {
            let place = RulePlace { rule: rule.to_owned(), file: source.path.clone(), line };
            match (is_rule_name(rule), places.get(rule)) {
                (false, _) => faults.push(bad_name(&place)),
                (true, Some(first)) => faults.push(twice(&place, first)),
                (true, None) => {
                    places.insert(rule.to_owned(), place);
                }
            }
        }
    }
    places.into_values().collect()
}

fn package(source: &Source, spots: &[Spot<'_>]) -> Option<CompileFault> {
    let name = match spots {
        [Spot { token: Token::Word("package"), .. }, name, ..] => name,
        _ => return Some(fault(&source.path, 1, "no package", &package_advice())),
    };
    let right = name.token == Token::Word(PACKAGE);
    (!right).then(|| fault(&source.path, name.line, "another package", &package_advice()))
}

fn package_advice() -> String {
    format!("start the file with `package {PACKAGE}`")
}

/// Calls that reach out of the evaluation.
fn calls(source: &Source, spots: &[Spot<'_>]) -> Vec<CompileFault> {
    let call = |pair: &[Spot<'_>]| match pair {
        [Spot { token: Token::Word(name), line, .. }, Spot { token: Token::Mark('('), .. }]
            if builtins::reaches_out(name) =>
        {
            let message = format!("`{name}` depends on more than the input");
            let advice = "use the input, for example `input.now_ms` for the time; a decision must \
                          come out the same when it is replayed";
            Some(fault(&source.path, *line, message, advice))
        }
        _ => None,
    };
    spots.windows(2).filter_map(call).collect()
}

/// The name and line of each result: what stands after the key `"rule"`. A name that is no literal
/// comes out empty.
fn named<'a>(spots: &[Spot<'a>]) -> Vec<(&'a str, u32)> {
    let name = |three: &[Spot<'a>]| match three {
        [Spot { token: Token::Text("rule"), line, .. }, colon, name]
            if colon.token == Token::Mark(':') =>
        {
            match name.token {
                Token::Text(name) => Some((name, *line)),
                Token::Word(_) | Token::Mark(_) => Some(("", *line)),
            }
        }
        _ => None,
    };
    spots.windows(3).filter_map(name).collect()
}

/// `area.what`, in lower case; `engine` is the engine's own area.
fn is_rule_name(name: &str) -> bool {
    let mut parts = name.split('.');
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    parts.clone().count() >= 2 && parts.next() != Some("engine") && name.split('.').all(is_part)
}

fn bad_name(place: &RulePlace) -> CompileFault {
    let message = if place.rule.is_empty() {
        "the name of a rule is no string literal".to_owned()
    } else {
        format!("`{}` is no name for a rule", place.rule)
    };
    let advice = "write `\"rule\": \"area.what\"`, lower case; the area `engine` is taken";
    fault(&place.file, place.line, message, advice)
}

fn twice(place: &RulePlace, first: &RulePlace) -> CompileFault {
    let message = format!("the rule `{}` is already in {}:{}", place.rule, first.file, first.line);
    let advice = "give each rule its own name, or move what both need into a helper";
    fault(&place.file, place.line, message, advice)
}

fn fault(file: &str, line: u32, message: impl Into<String>, advice: &str) -> CompileFault {
    let (file, advice) = (file.to_owned(), advice.to_owned());
    CompileFault { file, line, message: message.into(), advice }
}
