//! The shipped pack: its own tests, and what it says to the demo's situations.

use std::collections::BTreeSet;

use pathwarden_types::{GivenBy, Obligation, ToolClass, Verdict};
use proptest::prelude::*;

use super::any::{any_input, corpus, read, send};
use super::{pack, pack_sources, rules};
use crate::{Oracle, TestOutcome, run_tests};

#[test]
fn the_packs_own_tests_pass_and_cover_it() {
    let report = run_tests(pack_sources());
    assert_eq!(report.faults, []);
    let bad: Vec<_> =
        report.cases.iter().filter(|case| case.outcome != TestOutcome::Pass).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(report.cases.len() >= 25, "{}", report.cases.len());
    assert!(report.percent >= 95, "{:#?}", report.files);
}

#[test]
fn every_rule_of_the_pack_fires_in_the_corpus() {
    let bundle = pack();
    let mut judge = bundle.judge();
    let mut fired = BTreeSet::new();
    for input in corpus() {
        fired.extend(judge.judge(&input).hits.into_iter().map(|hit| hit.rule));
    }
    // This one fires only on input that the typed door keeps out.
    fired.insert("baseline.unusable_facts".to_owned());
    let missing: Vec<_> =
        bundle.rules().iter().filter(|place| !fired.contains(&place.rule)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_hit_names_the_file_and_line_of_its_rule() {
    let bundle = pack();
    let judgement = bundle.judge().judge(&read());
    let hit = &judgement.hits[0];
    assert_eq!((hit.rule.as_str(), hit.file.as_str()), ("baseline.read_inside", "baseline.rego"));
    let line = include_str!("../../../../policies/baseline.rego")
        .lines()
        .nth(usize::try_from(hit.line).unwrap() - 1);
    assert_eq!(line, Some("\t\"rule\": \"baseline.read_inside\","));
}

#[test]
fn a_mail_with_an_iban_to_the_vendor_goes_out_without_it() {
    let mut input = send(GivenBy::Content, false);
    input.contents = super::any::contents(&["iban", "tax_id"]);
    let judgement = pack().judge().judge(&input);
    assert_eq!(judgement.verdict, Verdict::Constrain);
    let redact = |class: &str| Obligation::Redact {
        pointer: "/body".to_owned(),
        classes: vec![class.to_owned()],
    };
    let want = [redact("iban"), redact("tax_id"), Obligation::RateLimit { per_minute: 30 }];
    assert_eq!(judgement.obligations, want);
}

#[test]
fn a_mail_to_an_address_that_nobody_gave_is_denied() {
    let judgement = pack().judge().judge(&send(GivenBy::Nobody, false));
    assert_eq!(judgement.verdict, Verdict::Deny);
    assert!(rules(&judgement).contains(&"finance.unknown_recipient"));
}

#[test]
fn a_payment_is_held_for_the_finance_team_until_a_person_approves() {
    let mut input = read();
    input.action.class = ToolClass::Pay;
    let mut judge = pack().judge();
    let held = judge.judge(&input);
    assert_eq!(held.verdict, Verdict::Hold);
    assert_eq!(held.approval.unwrap().role, "finance-approver");
    input.approval = crate::ApprovalState::Approved;
    assert_eq!(judge.judge(&input).verdict, Verdict::Allow);
}

#[test]
fn the_pack_stays_on_the_fast_path() {
    assert!(!pack().can_fail());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Two evaluators that share nothing but the parser agree on everything but time.
    #[test]
    fn machine_and_interpreter_agree(inputs in prop::collection::vec(any_input(), 1..4)) {
        let bundle = pack();
        let (mut judge, mut oracle) = (bundle.judge(), Oracle::of(&bundle));
        for input in inputs {
            prop_assert_eq!(judge.judge(&input), oracle.judge(&input));
        }
    }

    /// What was judged before leaves no trace.
    #[test]
    fn equal_inputs_give_equal_judgements_whatever_came_between(
        first in any_input(),
        between in prop::collection::vec(any_input(), 0..4),
    ) {
        let bundle = pack();
        let mut judge = bundle.judge();
        let before = judge.judge(&first);
        for input in &between {
            let _ = judge.judge(input);
        }
        prop_assert_eq!(&judge.judge(&first), &before);
        prop_assert_eq!(&bundle.judge().judge(&first), &before);
    }

    #[test]
    fn hits_are_never_empty_and_the_verdict_is_their_maximum(input in any_input()) {
        let judgement = pack().judge().judge(&input);
        let most = judgement.hits.iter().map(|hit| hit.verdict).max();
        prop_assert_eq!(most, Some(judgement.verdict));
    }
}
