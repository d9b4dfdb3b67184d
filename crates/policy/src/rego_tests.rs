//! Runs tests that are written in Rego.

use std::collections::{BTreeMap, BTreeSet};

use regorus::{Engine, Value};

use crate::compile::{fault_of, link, place_of};
use crate::scan::{Spot, Token, tokens};
use crate::{Bundle, CompileFault, Source};

/// How one test ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TestOutcome {
    /// The rule was true.
    Pass,
    /// The rule was false or undefined.
    Fail,
    /// The rule could not be evaluated, for this reason.
    Error(String),
}

/// One test: a rule named `test_…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestCase {
    /// Name of the rule.
    pub name: String,
    /// File in the bundle.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// How it ended.
    pub outcome: TestOutcome,
}

/// How much of one rule file the tests reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileCoverage {
    /// File in the bundle.
    pub file: String,
    /// How many lines with code were reached.
    pub covered: usize,
    /// The lines with code that were not.
    pub uncovered: Vec<u32>,
}

/// What running the tests of a bundle gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestReport {
    /// Why the bundle does not compile; no test ran then.
    pub faults: Vec<CompileFault>,
    /// Every test, by file and line.
    pub cases: Vec<TestCase>,
    /// Every rule file, by path.
    pub files: Vec<FileCoverage>,
    /// Reached lines of all lines with code, in percent, rounded down; 0 when nothing ran.
    pub percent: u8,
}

impl TestReport {
    /// Whether everything compiled and every test passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.faults.is_empty() && self.cases.iter().all(|case| case.outcome == TestOutcome::Pass)
    }

    fn faulty(faults: Vec<CompileFault>) -> Self {
        Self { faults, cases: Vec::new(), files: Vec::new(), percent: 0 }
    }
}

/// Runs every rule named `test_…` in the files that end in `_test.rego`, with the interpreter and
/// with all rules and data at hand. Tests may replace the input: `… with input as {…}`.
#[must_use]
pub fn run_tests(sources: Vec<Source>) -> TestReport {
    let bundle = match Bundle::compile(sources) {
        Ok(bundle) => bundle,
        Err(faults) => return TestReport::faulty(faults),
    };
    let mut engine = match link(bundle.sources(), |_| true) {
        Ok(engine) => engine,
        Err(fault) => return TestReport::faulty(vec![fault]),
    };
    engine.set_enable_coverage(true);
    let tests = bundle.sources().iter().filter(|source| source.is_test());
    let cases = tests.flat_map(|source| run_file(&mut engine, source)).collect();
    match coverage(&engine, bundle.sources()) {
        Ok(files) => TestReport { faults: Vec::new(), cases, percent: percent(&files), files },
        Err(error) => {
            let fault = fault_of(&error, "", "run the tests without what this names");
            TestReport { cases, ..TestReport::faulty(vec![fault]) }
        }
    }
}

fn run_file(engine: &mut Engine, source: &Source) -> Vec<TestCase> {
    let spots = tokens(&source.text);
    let package = match spots.as_slice() {
        [Spot { token: Token::Word("package"), .. }, Spot { token: Token::Word(name), .. }, ..] => {
            *name
        }
        _ => "",
    };
    let mut cases = BTreeMap::new();
    for spot in spots.iter().filter(|spot| spot.flush) {
        if let Token::Word(name) = spot.token
            && name.starts_with("test_")
        {
            cases.entry(name).or_insert(spot.line);
        }
    }
    let mut cases: Vec<_> = cases.into_iter().map(|(name, line)| (line, name)).collect();
    cases.sort_unstable();
    let case = |(line, name): (u32, &str)| TestCase {
        name: name.to_owned(),
        file: source.path.clone(),
        line,
        outcome: run(engine, &format!("data.{package}.{name}")),
    };
    cases.into_iter().map(case).collect()
}

fn run(engine: &mut Engine, path: &str) -> TestOutcome {
    match engine.eval_rule(path.to_owned()) {
        Ok(Value::Bool(true)) => TestOutcome::Pass,
        Ok(_) => TestOutcome::Fail,
        Err(error) => {
            let error = error.to_string();
            TestOutcome::Error(place_of(&error).map_or_else(
                || error.trim().to_owned(),
                |(file, line, message)| format!("{file}:{line}: {message}"),
            ))
        }
    }
}

fn coverage(engine: &Engine, sources: &[Source]) -> Result<Vec<FileCoverage>, String> {
    let report = engine.get_coverage_report().map_err(|error| error.to_string())?;
    let mut reached: BTreeMap<_, _> = report
        .files
        .into_iter()
        .map(|file| (file.path, (file.covered, file.not_covered)))
        .collect();
    let files = sources.iter().filter(|source| source.is_rules()).map(|source| {
        // The engine does not report a file that no test touched: there, every line is missed.
        let (covered, missed) = reached.remove(&source.path).unwrap_or_else(|| {
            let lines = tokens(&source.text).iter().map(|spot| spot.line).collect();
            (BTreeSet::new(), lines)
        });
        FileCoverage {
            file: source.path.clone(),
            covered: covered.len(),
            uncovered: missed.into_iter().filter(|line| !covered.contains(line)).collect(),
        }
    });
    Ok(files.collect())
}

fn percent(files: &[FileCoverage]) -> u8 {
    let covered: usize = files.iter().map(|file| file.covered).sum();
    let missed: usize = files.iter().map(|file| file.uncovered.len()).sum();
    let percent = (covered * 100).checked_div(covered + missed).unwrap_or(0);
    u8::try_from(percent).unwrap_or(100)
}
