//! What the engine itself refuses, and how results add up.

use pathwarden_types::{ApprovalNeed, Containment, ContainmentScope, Obligation, Verb, Verdict};
use proptest::prelude::*;
use serde_json::json;

use super::any::{any_input, any_json, read};
use super::{bundle, rules};
use crate::limits::ARGUMENTS_DEPTH_MAX;
use crate::value::{Shaper, json as to_engine};
use crate::{Judgement, Oracle, RESULTS_MAX};

/// A result of rule `a.x` with more keys.
fn result(verdict: &str, more: &str) -> String {
    format!(r#"{{"rule": "a.x", "verdict": "{verdict}", "reason": "because"{more}}}"#)
}

fn judge(rules: &[&str]) -> Judgement {
    let bundle = bundle(rules);
    let judgement = bundle.judge().judge(&read());
    assert_eq!(judgement, Oracle::of(&bundle).judge(&read()), "machine and interpreter");
    judgement
}

fn judge_one(verdict: &str, more: &str) -> Judgement {
    judge(&[&format!("decision contains {}", result(verdict, more))])
}

fn assert_refused(judgement: &Judgement, rule: &str) {
    assert_eq!(judgement.verdict, Verdict::Deny, "{judgement:#?}");
    assert_eq!((judgement.hits[0].rule.as_str(), judgement.hits[0].line), (rule, 0));
    assert_eq!(judgement.approval, None);
}

#[test]
fn a_bundle_is_shared_by_threads_and_a_judge_moves_to_its_own() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<crate::Bundle>();
    moved::<crate::Judge>();
    moved::<Oracle>();
}

#[test]
fn where_no_rule_speaks_the_answer_is_deny() {
    let silent = format!("decision contains {} if input.now_ms < 0", result("allow", ""));
    assert_refused(&judge(&[&silent]), "engine.no_rule_allows");
}

#[test]
fn a_result_that_is_not_understood_is_a_deny() {
    let cases = [
        ("maybe", ""),
        ("Allow", ""),
        ("allow", r#", "surprise": 1"#),
        ("allow", r#", "advice": 5"#),
        ("allow", r#", "obligations": [{"kind": "watch"}]"#),
        ("allow", r#", "approval": {"role": "boss", "within_ms": 1}"#),
        ("hold", r#", "approval": null"#),
        ("hold", r#", "approval": {"role": "boss"}"#),
        ("constrain", ""),
        ("constrain", r#", "obligations": []"#),
        ("constrain", r#", "obligations": [{"kind": "unheard_of"}]"#),
        (
            "constrain",
            r#", "obligations": [{"kind": "redact", "pointer": "to", "classes": ["x"]}]"#,
        ),
        ("constrain", r#", "obligations": [{"kind": "redact", "pointer": "/to", "classes": []}]"#),
        ("constrain", r#", "obligations": [{"kind": "rate_limit", "per_minute": -1}]"#),
        ("deny", r#", "contain": [{"verb": "read_only"}]"#),
    ];
    for (verdict, more) in cases {
        assert_refused(&judge_one(verdict, more), "engine.malformed_result");
    }
}

#[test]
fn one_result_that_is_not_understood_spoils_all() {
    let allow = format!("decision contains {}", result("allow", ""));
    let nameless = r#"decision contains {"verdict": "allow", "reason": "r"}"#;
    assert_refused(&judge(&[&allow, nameless]), "engine.malformed_result");
    let no_object = r#"decision contains "allow""#;
    assert_refused(&judge(&[&allow, no_object]), "engine.malformed_result");
    let part = format!("\n\"{}\"", "x".repeat(crate::RESULT_TEXT_BYTES_MAX / 4));
    let parts = [part.as_str(); 4].join(",");
    let long = format!(
        r#"decision contains {{"rule": "a.y", "verdict": "allow", "reason": concat("", [{parts}])}}"#
    );
    assert_refused(&judge(&[&allow, &long]), "engine.malformed_result");
}

#[test]
fn more_results_than_a_person_can_read_are_a_deny() {
    let some = |count: usize| {
        let list: Vec<_> = (0..count).map(|at| at.to_string()).collect();
        let body = format!("some i in [{}]", list.join(",\n"));
        let row = r#"{"rule": "a.x", "verdict": "allow", "reason": format_int(i, 10)}"#;
        judge(&[&format!("decision contains {row} if {{ {body} }}")])
    };
    assert_eq!(some(RESULTS_MAX).verdict, Verdict::Allow);
    assert_refused(&some(RESULTS_MAX + 1), "engine.malformed_result");
}

#[test]
fn a_rule_that_does_not_end_is_a_deny_and_the_judge_works_on() {
    let many: Vec<_> = (0..400).map(|number| number.to_string()).collect();
    let list = many.join(",\n");
    let text = format!(
        "many := [{list}]\ndecision contains {} if {{ input.now_ms == 0; some a in many; \
         some b in many; some c in many; a + b + c < 0 }}\ndecision contains {}",
        result("allow", ""),
        r#"{"rule": "a.y", "verdict": "allow", "reason": "r"}"#,
    );
    let bundle = bundle(&[&text]);
    let mut judge = bundle.judge();
    let mut endless = read();
    endless.now_ms = 0;
    assert_eq!(judge.judge(&read()).verdict, Verdict::Allow);
    assert_refused(&judge.judge(&endless), "engine.budget");
    assert_eq!(judge.judge(&read()).verdict, Verdict::Allow);
}

#[test]
fn a_deny_that_raises_an_error_opens_no_door() {
    let text = format!(
        "decision contains {}\ndecision contains {} if lower(input.action.arguments.path) == \"x\"",
        result("allow", ""),
        r#"{"rule": "a.secret", "verdict": "deny", "reason": "r"}"#,
    );
    let bundle = bundle(&[&text]);
    let mut judge = bundle.judge();
    assert_eq!(judge.judge(&read()).verdict, Verdict::Allow);
    let mut attack = read();
    attack.action.arguments = json!({"path": 5});
    let judgement = judge.judge(&attack);
    assert_refused(&judgement, "engine.error");
    assert_eq!(judgement.hits[0].reason, "0.rego:3: the rule could not be evaluated");
}

#[test]
fn arguments_that_are_nested_too_deep_are_a_deny() {
    let nest = |depth: usize| (0..depth).fold(json!(0), |inner, _| json!([inner]));
    let allow = bundle(&[&format!("decision contains {}", result("allow", ""))]);
    let mut input = read();
    input.action.arguments = nest(ARGUMENTS_DEPTH_MAX);
    assert_eq!(allow.judge().judge(&input).verdict, Verdict::Allow);
    input.action.arguments = nest(ARGUMENTS_DEPTH_MAX + 1);
    assert_refused(&allow.judge().judge(&input), "engine.malformed_input");
}

#[test]
fn a_conflict_between_two_values_of_a_rule_is_a_deny() {
    let text = format!(
        "limit := 1 if input.now_ms > 0\nlimit := 2 if input.now_ms > 1\n\
         decision contains {} if limit > 0",
        result("allow", ""),
    );
    let bundle = bundle(&[&text]);
    assert_eq!(bundle.judge().judge(&read()).verdict, Verdict::Deny);
}

#[test]
fn verdicts_and_orders_add_up() {
    let text = r#"
decision contains {"rule": "a.allow", "verdict": "allow", "reason": "z"}
decision contains {"rule": "a.redact", "verdict": "constrain", "reason": "b", "obligations":
    [{"kind": "watch"}, {"kind": "redact", "pointer": "/a", "classes": ["iban"]}]}
decision contains {"rule": "a.watch", "verdict": "constrain", "reason": "a", "advice": "do",
    "obligations": [{"kind": "watch"}], "contain":
    [{"verb": "read_only", "target": "session", "expires_ms": 5}]}
decision contains {"rule": "a.hold", "verdict": "hold", "reason": "a",
    "approval": {"role": "boss", "within_ms": 9}}
decision contains {"rule": "a.hold_shorter", "verdict": "hold", "reason": "a",
    "approval": {"role": "boss", "within_ms": 7}}
decision contains {"rule": "a.hold_anybody", "verdict": "hold", "reason": "a"}
"#;
    let sum = judge(&[text]);
    assert_eq!(sum.verdict, Verdict::Hold);
    let names = ["a.allow", "a.redact", "a.watch", "a.hold", "a.hold_shorter", "a.hold_anybody"];
    assert_eq!(rules(&sum), names);
    let redact = Obligation::Redact { pointer: "/a".into(), classes: vec!["iban".into()] };
    assert_eq!(sum.obligations, [redact, Obligation::Watch]);
    assert_eq!(sum.approval, Some(ApprovalNeed { role: "boss".into(), within_ms: 7 }));
    let (verb, target) = (Verb::ReadOnly, ContainmentScope::Session);
    let order = Containment { verb, target, expires_ms: 5 };
    assert_eq!(sum.containment, [order]);
}

#[test]
fn a_hold_for_two_roles_is_a_deny_because_one_answer_cannot_satisfy_both() {
    let text = r#"
decision contains {"rule": "a.one", "verdict": "hold", "reason": "r",
    "approval": {"role": "boss", "within_ms": 9}}
decision contains {"rule": "a.two", "verdict": "hold", "reason": "r",
    "approval": {"role": "clerk", "within_ms": 9}}
"#;
    let sum = judge(&[text]);
    assert_refused(&sum, "engine.conflicting_approvals");
    assert_eq!(sum.hits.len(), 3);
}

#[test]
fn a_rule_may_order_by_data() {
    let mut sources = super::sources(&[&format!(
        "decision contains {} if data.trusted[input.action.server]",
        result("allow", ""),
    )]);
    let text = r#"{"trusted": {"files": true}}"#.to_owned();
    sources.push(crate::Source { path: "data.json".to_owned(), text });
    let bundle = crate::Bundle::compile(sources).unwrap();
    assert_eq!(bundle.judge().judge(&read()).verdict, Verdict::Allow);
    let mut other = read();
    other.action.server = "mail".to_owned();
    assert_eq!(bundle.judge().judge(&other).verdict, Verdict::Deny);
}

proptest! {
    /// One more rule can only make the answer more restrained, once any rule speaks.
    #[test]
    fn one_more_rule_never_loosens(verdicts in prop::collection::vec(0..4_usize, 1..5), extra in 0..4_usize) {
        let rule = |(at, verdict): (usize, &usize)| {
            let verdict = ["allow", "hold", "deny", "isolate"][*verdict];
            format!(r#"decision contains {{"rule": "a.r{at}", "verdict": "{verdict}", "reason": "r"}}"#)
        };
        let text = |verdicts: &[usize]| {
            verdicts.iter().enumerate().map(rule).collect::<Vec<_>>().join("\n")
        };
        let before = judge(&[&text(&verdicts)]).verdict;
        let more: Vec<_> = verdicts.iter().copied().chain([extra]).collect();
        prop_assert!(before <= judge(&[&text(&more)]).verdict);
    }

    /// The hand-written conversion tells the engine exactly what the JSON of the input would.
    #[test]
    fn the_engine_is_told_what_the_json_says(input in any_input()) {
        let json = serde_json::to_value(&input).unwrap();
        let want = to_engine(&json, ARGUMENTS_DEPTH_MAX).unwrap();
        prop_assert_eq!(Shaper::new().input(&input).unwrap(), want);
    }

    #[test]
    fn json_survives_the_conversion(json in any_json()) {
        let value = to_engine(&json, ARGUMENTS_DEPTH_MAX).unwrap();
        let back: regorus::Value = regorus::Value::from_json_str(&json.to_string()).unwrap();
        prop_assert_eq!(value, back);
    }

    #[test]
    fn any_json_at_the_door_gets_an_answer(json in any_json()) {
        let allow = bundle(&[&format!("decision contains {}", result("allow", ""))]);
        prop_assert_eq!(allow.judge().judge_json(&json).verdict, Verdict::Deny);
    }
}
