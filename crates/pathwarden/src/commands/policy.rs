//! `policy`.

use std::path::PathBuf;
use std::process::ExitCode;

use pathwarden_policy::{TestOutcome, TestReport, run_tests};
use pathwarden_wire::{BaselineRow, FeedRow, KnowledgeStatus, PolicyStatus};

use crate::cli::{At, Policy};
use crate::home::{Home, client};
use crate::out::{Out, one_line};
use crate::snapshot::{self, Tests};

pub(crate) async fn run(at: &At, command: Policy, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        Policy::Check { dir } => check(at, dir, out),
        Policy::Test { dir } => test(at, dir, out),
        Policy::Show => show(&client(at)?.get("/v1/policy").await?, out),
        Policy::Reload => show(&client(at)?.post("/v1/policy/reload", &()).await?, out),
    }
}

/// The folder that was named, or the home's.
fn folder(at: &At, dir: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match dir {
        Some(dir) => Ok(dir),
        None => {
            let home = Home::new(at)?;
            Ok(home.below(&home.config()?.policy_dir))
        }
    }
}

fn check(at: &At, dir: Option<PathBuf>, out: &Out) -> anyhow::Result<ExitCode> {
    let dir = folder(at, dir)?;
    let snapshot = snapshot::load(&dir, pathwarden_decide::Settings::default())?;
    let rules = snapshot.bundle().rules();
    let knowledge = pathwarden_warden::knowledge(&snapshot);
    if out.is_json() {
        let names: Vec<&str> = rules.iter().map(|place| place.rule.as_str()).collect();
        out.document(&serde_json::json!({
            "policy": dir, "rules": names, "knowledge": knowledge,
        }))?;
    } else {
        out.line(format!("{} compiles: {} rules", dir.display(), rules.len()));
        for place in rules {
            out.line(format!("  {} ({}:{})", place.rule, place.file, place.line));
        }
        describe(&knowledge, out);
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands beside the rules, where anything does.
fn describe(knowledge: &KnowledgeStatus, out: &Out) {
    let KnowledgeStatus { contracts, intel, feeds, baselines } = knowledge;
    if !contracts.is_empty() {
        let names: Vec<String> = contracts.iter().map(|name| one_line(name, 60)).collect();
        out.line(format!("contracts: {} ({})", contracts.len(), names.join(", ")));
    }
    if !feeds.is_empty() {
        let id = intel.map_or_else(|| "nothing is listed".to_owned(), |id| format!("id {id}"));
        out.line(format!("lists of threats: {}, {id}", feeds.len()));
    }
    for feed in feeds {
        out.line(format!("  {}: {}, {} entries", feed.name, feed.format, feed.entries));
    }
    for words in unmatched(knowledge) {
        out.line(format!("  {}", one_line(&words, 400)));
    }
    if !baselines.is_empty() {
        out.line(format!("baselines: {}", baselines.len()));
    }
    for BaselineRow { agent, task, version, sessions } in baselines {
        let (agent, task) = (one_line(agent, 60), one_line(task, 60));
        out.line(format!("  {agent} at `{task}`: version {version}, {sessions} session(s)"));
    }
}

/// What is listed and protects nobody, one sentence for each list.
pub(crate) fn unmatched(knowledge: &KnowledgeStatus) -> Vec<String> {
    let some = knowledge.feeds.iter().filter(|feed| feed.unmatched > 0);
    let words = |feed: &FeedRow| {
        let (count, name) = (feed.unmatched, &feed.name);
        let entries = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
        let example =
            feed.examples.first().map_or(String::new(), |first| format!(", first {first}"));
        format!("{entries} of feed `{name}` cannot be matched{example}")
    };
    some.map(words).collect()
}

fn test(at: &At, dir: Option<PathBuf>, out: &Out) -> anyhow::Result<ExitCode> {
    let dir = folder(at, dir)?;
    let report = run_tests(snapshot::sources(&dir, Tests::Take)?);
    if out.is_json() {
        out.document(&json(&report))?;
    } else {
        print(&report, out);
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &TestReport, out: &Out) {
    for fault in &report.faults {
        out.line(format!("fault {fault}"));
    }
    for case in &report.cases {
        let (word, detail) = match &case.outcome {
            TestOutcome::Pass => ("pass ", String::new()),
            TestOutcome::Fail => ("FAIL ", String::new()),
            TestOutcome::Error(message) => ("ERROR", format!(": {message}")),
        };
        out.line(format!("{word} {} ({}:{}){detail}", case.name, case.file, case.line));
    }
    for file in &report.files {
        let missed: Vec<String> = file.uncovered.iter().map(ToString::to_string).collect();
        let missed = if missed.is_empty() {
            String::new()
        } else {
            format!(", not reached: {}", missed.join(" "))
        };
        out.line(format!("cover {}: {} lines{missed}", file.file, file.covered));
    }
    let passed = report.cases.iter().filter(|case| case.outcome == TestOutcome::Pass).count();
    out.line(format!(
        "{passed} of {} tests pass, {} % covered",
        report.cases.len(),
        report.percent
    ));
}

fn json(report: &TestReport) -> serde_json::Value {
    let cases = report.cases.iter().map(|case| {
        let outcome = match &case.outcome {
            TestOutcome::Pass => "pass",
            TestOutcome::Fail => "fail",
            TestOutcome::Error(_) => "error",
        };
        serde_json::json!({ "name": case.name, "file": case.file, "line": case.line, "outcome": outcome })
    });
    let files = report.files.iter().map(|file| {
        serde_json::json!({ "file": file.file, "covered": file.covered, "uncovered": file.uncovered })
    });
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    serde_json::json!({
        "passed": report.passed(),
        "cases": cases.collect::<Vec<_>>(),
        "percent": report.percent,
        "faults": faults,
        "files": files.collect::<Vec<_>>(),
    })
}

fn show(status: &PolicyStatus, out: &Out) -> anyhow::Result<ExitCode> {
    if out.is_json() {
        out.document(status)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(format!("policy {}", status.version));
    for rule in &status.rules {
        out.line(format!("  {} ({}:{})", rule.rule, rule.file, rule.line));
    }
    describe(&status.knowledge, out);
    if let Some(why) = &status.refused_reload {
        out.line(format!("the latest change was not loaded, this one still decides: {why}"));
    }
    Ok(ExitCode::SUCCESS)
}
