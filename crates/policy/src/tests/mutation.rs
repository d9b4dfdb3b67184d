//! The mutation law: whatever is taken out of an input or changes its type, no judgement gets more
//! permissive. Checked at the typed door, where it must hold for every bundle, and on the bare rules
//! of the shipped pack, where it holds because they check what they read.

use std::collections::BTreeSet;

use pathwarden_types::{Obligation, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::any::{any_input, corpus};
use super::pack;
use crate::limits::ARGUMENTS_DEPTH_MAX;
use crate::value::json as to_engine;
use crate::{Input, Judgement, Oracle};

/// `input` with one field deleted, or one field or element retyped, each with what was done.
/// Arguments are free JSON, so only they themselves are changed, not what is in them.
fn mutants(input: &Input) -> Vec<(String, Value)> {
    let whole = serde_json::to_value(input).unwrap();
    let mut pointers = Vec::new();
    collect(&whole, "", &mut pointers);
    let mut mutants = Vec::new();
    for pointer in pointers {
        for other in retyped(whole.pointer(&pointer).unwrap()) {
            let mut mutant = whole.clone();
            let what = format!("{pointer} := {other}");
            *mutant.pointer_mut(&pointer).unwrap() = other;
            mutants.push((what, mutant));
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut mutant = whole.clone();
        if let Some(fields) = mutant.pointer_mut(parent).unwrap().as_object_mut() {
            fields.remove(name).unwrap();
            mutants.push((format!("delete {pointer}"), mutant));
        }
    }
    mutants
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let mut visit = |name: &str, value: &Value| {
        let pointer = format!("{at}/{name}");
        pointers.push(pointer.clone());
        if pointer != "/action/arguments" {
            collect(value, &pointer, pointers);
        }
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| visit(name, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| visit(&at.to_string(), value));
        }
        _ => {}
    }
}

/// Values of every other type; of its own type none.
fn retyped(value: &Value) -> Vec<Value> {
    let samples = [json!(null), json!(true), json!(false), json!(0), json!(1e9)];
    let more = [json!(""), json!("x"), json!([]), json!([0]), json!({}), json!({"a": 1})];
    let is_other = |other: &Value| std::mem::discriminant(other) != std::mem::discriminant(value);
    samples.into_iter().chain(more).filter(is_other).collect()
}

/// Whether `after` lets at least as little happen as `before`.
fn is_as_restrained(before: &Judgement, after: &Judgement) -> bool {
    let owes = |obligation: &Obligation| after.obligations.contains(obligation);
    after.verdict > before.verdict
        || (after.verdict == before.verdict
            && (!after.verdict.lets_through() || before.obligations.iter().all(owes)))
}

#[test]
fn no_mutant_passes_the_typed_door_more_freely() {
    let bundle = pack();
    let mut judge = bundle.judge();
    for input in corpus() {
        let before = judge.judge(&input);
        for (what, mutant) in mutants(&input) {
            let after = judge.judge_json(&mutant);
            assert!(is_as_restrained(&before, &after), "{what}: {before:?} -> {after:?}");
            if !what.starts_with("/action/arguments :=") {
                assert_eq!(after.verdict, Verdict::Deny, "{what}");
            }
        }
    }
}

#[test]
fn an_unknown_field_is_denied_wherever_it_stands() {
    let mut judge = pack().judge();
    for place in ["", "/action", "/agent", "/task", "/session", "/risk", "/targets/0"] {
        let mut json =
            serde_json::to_value(super::any::send(pathwarden_types::GivenBy::Task, true)).unwrap();
        json.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("x".into(), json!(1));
        let judgement = judge.judge_json(&json);
        let denied = judgement.verdict == Verdict::Deny;
        assert!(denied, "an unknown field in `{place}` was let through");
    }
}

/// The rules that loosen when the typed door is bypassed, with the mutations that do it.
fn loosened_without_the_door(inputs: &[Input]) -> BTreeSet<String> {
    let bundle = pack();
    let (mut judge, mut oracle) = (bundle.judge(), Oracle::of(&bundle));
    let mut loosened = BTreeSet::new();
    for input in inputs {
        let before = judge.judge(input);
        for (what, mutant) in mutants(input) {
            let value = to_engine(&mutant, ARGUMENTS_DEPTH_MAX).unwrap();
            let after = judge.judge_value(value.clone());
            if !is_as_restrained(&before, &after) {
                let rules: Vec<_> = before.hits.iter().map(|hit| hit.rule.as_str()).collect();
                loosened.insert(format!("{rules:?}: {what}"));
            }
            // The interpreter may call a mutant an error where the machine skips a rule.
            if before.verdict.lets_through() {
                let second = oracle.judge_value(value);
                assert!(is_as_restrained(&before, &second), "{what}: {second:?}");
            }
        }
    }
    loosened
}

#[test]
fn the_packs_rules_do_not_rely_on_the_typed_door() {
    assert_eq!(loosened_without_the_door(&corpus()), BTreeSet::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn generated_inputs_do_not_loosen_either(input in any_input()) {
        prop_assert_eq!(loosened_without_the_door(std::slice::from_ref(&input)), BTreeSet::new());
        let mut judge = pack().judge();
        let before = judge.judge(&input);
        for (what, mutant) in mutants(&input) {
            let after = judge.judge_json(&mutant);
            prop_assert!(is_as_restrained(&before, &after), "{}", what);
        }
    }
}
