//! The crate's tests: the shipped pack, the laws, the attacks.

mod any;
mod bad_bundles;
mod engine;
mod mutation;
mod pack;
mod performance;

use std::sync::LazyLock;

use crate::{Bundle, Judgement, Source};

/// A bundle of rule files; the package line is put in front of each.
fn bundle(rules: &[&str]) -> Bundle {
    Bundle::compile(sources(rules)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn sources(rules: &[&str]) -> Vec<Source> {
    let source = |(at, text): (usize, &&str)| Source {
        path: format!("{at}.rego"),
        text: format!("package pathwarden\n{text}"),
    };
    rules.iter().enumerate().map(source).collect()
}

/// The shipped pack with its tests.
fn pack_sources() -> Vec<Source> {
    let file = |(path, text): (&str, &str)| Source { path: path.to_owned(), text: text.to_owned() };
    [
        ("baseline.rego", include_str!("../../../policies/baseline.rego")),
        ("host.rego", include_str!("../../../policies/host.rego")),
        ("host_test.rego", include_str!("../../../policies/host_test.rego")),
        ("baseline_test.rego", include_str!("../../../policies/baseline_test.rego")),
        ("finance.rego", include_str!("../../../policies/finance.rego")),
        ("finance_test.rego", include_str!("../../../policies/finance_test.rego")),
        ("fixture_test.rego", include_str!("../../../policies/fixture_test.rego")),
        ("model.rego", include_str!("../../../policies/model.rego")),
        ("model_test.rego", include_str!("../../../policies/model_test.rego")),
    ]
    .map(file)
    .to_vec()
}

fn pack() -> Bundle {
    static PACK: LazyLock<Bundle> = LazyLock::new(|| {
        Bundle::compile(pack_sources()).unwrap_or_else(|faults| panic!("{faults:#?}"))
    });
    PACK.clone()
}

fn rules(judgement: &Judgement) -> Vec<&str> {
    judgement.hits.iter().map(|hit| hit.rule.as_str()).collect()
}
