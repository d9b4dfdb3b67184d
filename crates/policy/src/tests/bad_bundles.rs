//! What keeps a bundle from compiling, in the words that an operator reads.

use std::fmt::Write;

use proptest::prelude::*;

use super::sources;
use crate::limits::{NESTING_MAX, RULE_DEPTH_MAX};
use crate::{Bundle, SOURCE_BYTES_MAX, SOURCES_MAX, Source, TestOutcome, run_tests};

const GOOD: &str = r#"decision contains {"rule": "a.good", "verdict": "allow", "reason": "r"}"#;

fn file(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn faults(sources: Vec<Source>) -> String {
    let mut text = String::new();
    for fault in Bundle::compile(sources).unwrap_err() {
        writeln!(text, "{fault}").unwrap();
    }
    text
}

#[test]
fn every_fault_is_told_at_once_with_its_place_and_what_to_do() {
    let mut all = sources(&[
        GOOD,
        "decision contains {\"rule\": \"a.good\", \"verdict\": \"allow\", \"reason\": \"r\"}",
        "# \"rule\": \"in.comment\"\nname := \"x\"\ndecision contains {\"rule\": name}",
        "decision contains {\"rule\": \"Shout\"}\n\ndecision contains {\"rule\": \"engine.mine\"}",
        "decision contains {\"rule\": \"b.late\"} if time.now_ns() > rand.intn(\"x\", 9)",
        "decision contains {\"rule\": \"b.call\"} if http.send({}).status == 200; print(1)",
        "decision contains {\"rule\": \"b.open\"",
    ]);
    all.push(file("other.rego", "package other\nx := 1"));
    all.push(file("notes.txt", "hello"));
    all.push(file("bad.json", "{\"a\": 1,\n \"b\": }"));
    all.push(file("list.json", "[1]"));
    all.push(file("reserved.json", "{\"pathwarden\": {}}"));
    all.push(file("broken_test.rego", "package t\n\ntest_a if {"));
    insta::assert_snapshot!(faults(all));
}

#[test]
fn what_needs_all_rules_is_told_with_its_place() {
    let cases = [
        "decision contains {\"rule\": \"a.x\", \"verdict\": \"deny\"} if unheard_of",
        "decision contains {\"rule\": \"a.x\"} if nobody_wrote(input.now_ms)",
        "decision contains {\"rule\": \"a.x\"} if { 1 == 1 with input as {} }",
        "decision contains {\"rule\": \"a.x\"} if count(numbers.range(1, 1000000000)) > 5",
        "decision := {\"rule\": \"a.x\"}",
        "x := 1",
        "decision contains {\"rule\": \"a.x\"} if decision",
        "decision contains {\"rule\": \"a.x\"} if f(1)\nf(x) if g(x)\ng(x) if f(x)",
        "decision contains {\"rule\": \"a.x\"} if data.pathwarden[input.agent.name]",
    ];
    let mut text = String::new();
    for case in cases {
        write!(text, "{case}\n  {}\n", faults(sources(&[case]))).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn bundles_that_are_empty_double_or_too_big_are_refused() {
    let long = |bytes: usize| {
        let line = format!("# {}\n", "x".repeat(97));
        let mut text = format!("package pathwarden\n{GOOD}\n");
        while text.len() + line.len() <= bytes {
            text += &line;
        }
        text += &" ".repeat(bytes - text.len());
        file("a.rego", &text)
    };
    assert!(Bundle::compile(vec![long(SOURCE_BYTES_MAX)]).is_ok());
    let data = |at: usize| file(&format!("{at}.json"), &format!("{{\"k{at}\": 1}}"));
    let many = |count: usize| {
        let mut sources = sources(&[GOOD]);
        sources.extend((1..count).map(data));
        sources
    };
    assert!(Bundle::compile(many(SOURCES_MAX)).is_ok());
    let texts = [
        faults(Vec::new()),
        faults(vec![file("a.rego", "package pathwarden"), file("a.rego", "package pathwarden")]),
        faults(vec![long(SOURCE_BYTES_MAX + 1)]),
        faults(many(SOURCES_MAX + 1)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn rules_may_call_each_other_as_deep_as_the_limit() {
    let chain = |depth: usize| {
        let mut text = "decision contains {\"rule\": \"a.x\"} if r1\n".to_owned();
        for at in 1..depth {
            writeln!(text, "r{at} if r{}", at + 1).unwrap();
        }
        Bundle::compile(sources(&[&format!("{text}r{depth} if input.now_ms > 0")]))
    };
    assert!(chain(RULE_DEPTH_MAX - 1).is_ok());
    assert!(chain(RULE_DEPTH_MAX).is_err());
}

#[test]
fn expressions_without_end_are_refused_and_not_followed() {
    let nested = |[open, close]: [&str; 2], depth: usize| {
        let text = format!("x := {}1{}", open.repeat(depth), close.repeat(depth));
        Bundle::compile(sources(&[GOOD, &text]))
    };
    for brackets in [["(", ")"], ["[", "]"], ["{1: ", "}"], ["{y | y := ", "}"], ["f(", ")"]] {
        let _ = nested(brackets, NESTING_MAX);
        assert!(nested(brackets, NESTING_MAX + 1).is_err());
    }
    assert!(nested(["[", "]"], NESTING_MAX).is_ok());
    let endless = format!("x := {}", "(\n".repeat(15_000));
    assert!(Bundle::compile(sources(&[GOOD, &endless])).is_err());
}

#[test]
fn data_files_that_contradict_each_other_are_refused() {
    let mut all = sources(&[GOOD]);
    all.push(file("a.json", "{\"limit\": 1}"));
    all.push(file("b.json", "{\"limit\": 2}"));
    insta::assert_snapshot!(faults(all));
}

#[test]
fn rego_tests_report_each_outcome_with_its_place() {
    let mut all = sources(&[
        "decision contains {\"rule\": \"a.x\", \"verdict\": \"allow\", \"reason\": \"r\"} if {\n\
         \tinput.now_ms > 5\n}\nhelper if {\n\tinput.now_ms > 7\n\t\
         input.now_ms > 8\n}",
    ]);
    let text = "package t\nimport data.pathwarden\n\
                test_good if count(pathwarden.decision) == 1 with input as {\"now_ms\": 6}\n\
                test_bad if count(pathwarden.decision) == 1 with input as {\"now_ms\": 5}\n\
                test_broken if lower(5) == \"x\"\n";
    all.push(file("t_test.rego", text));
    let report = run_tests(all);
    let outcomes: Vec<_> =
        report.cases.iter().map(|case| (case.name.as_str(), case.line, &case.outcome)).collect();
    assert_eq!(outcomes[0], ("test_good", 3, &TestOutcome::Pass));
    assert_eq!(outcomes[1], ("test_bad", 4, &TestOutcome::Fail));
    let (name, line, outcome) = outcomes[2];
    assert_eq!((name, line), ("test_broken", 5));
    assert!(
        matches!(outcome, TestOutcome::Error(why) if why.starts_with("t_test.rego:5: ")),
        "{outcome:?}"
    );
    assert!(!report.passed());
    assert_eq!(report.files[0].uncovered, [7]);
    assert!(report.percent > 0 && report.percent < 100);
}

#[test]
fn a_bundle_that_does_not_compile_runs_no_tests() {
    let report = run_tests(sources(&["x"]));
    assert!(!report.passed());
    assert!(report.cases.is_empty());
}

proptest! {
    #[test]
    fn any_text_compiles_or_is_refused(text in "\\PC{0,80}", path in "[a-z]{1,3}\\.(rego|json|txt)") {
        let _ = Bundle::compile(vec![file(&path, &text)]);
        let _ = Bundle::compile(sources(&[&text]));
        let _ = Bundle::compile(sources(&[GOOD, &format!("{GOOD} if {{ {text} }}")]));
    }
}
