//! The temporal logic by its definition, over all paths of the whole trace; slow and direct.

use pathwarden_types::{ActionId, Millis};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::contract::{
    ContractSpec, Contracts, FormulaSpec, Match, Over, PastSpec, RuleSpec, SinceSpec, WithinSpec,
};
use crate::event::{Cause, Event, Fact, Phase};
use crate::testing::{call_with, id};

/// An event in one reading of its past.
#[derive(Clone, Copy, Debug)]
enum Node {
    Line(usize),
    Causal(usize),
}

struct Oracle<'a> {
    trace: &'a [Event],
}

impl Oracle<'_> {
    fn event(&self, node: Node) -> &Event {
        let (Node::Line(at) | Node::Causal(at)) = node;
        &self.trace[at]
    }

    fn latest(&self, id: ActionId, before: usize) -> Option<Node> {
        (0..before).rev().find(|at| self.trace[*at].id == id).map(Node::Causal)
    }

    /// Every path that ends here, from its beginning.
    fn paths(&self, node: Node) -> Vec<Vec<Node>> {
        let at = match node {
            Node::Line(at) => return vec![(0..=at).map(Node::Line).collect()],
            Node::Causal(at) => at,
        };
        let event = &self.trace[at];
        let parents = match (event.phase, &event.cause) {
            (Phase::Result, _) => vec![event.id],
            (Phase::Call, Cause::Parents(parents)) => parents.clone(),
            (Phase::Call, Cause::SessionOrder) => return self.paths(Node::Line(at)),
        };
        if parents.is_empty() {
            return vec![vec![node]];
        }
        let parents = parents.iter().map(|parent| self.latest(*parent, at).unwrap());
        let mut paths: Vec<_> = parents.flat_map(|parent| self.paths(parent)).collect();
        paths.iter_mut().for_each(|path| path.push(node));
        paths
    }

    fn is_within(&self, path: &[Node], at: usize, within: Option<WithinSpec>) -> bool {
        let now = self.event(*path.last().unwrap()).at;
        match within {
            None => true,
            Some(WithinSpec::Ms(ms)) => now.since(self.event(path[at]).at) <= ms,
            Some(WithinSpec::Steps(steps)) => {
                let later = path[at + 1..].iter();
                later.filter(|node| self.event(**node).phase == Phase::Call).count() as u64 <= steps
            }
        }
    }

    fn once(&self, path: &[Node], past: &PastSpec, wanted: bool, want: bool) -> bool {
        (0..path.len()).any(|at| {
            self.is_within(path, at, past.within) && self.holds(path[at], &past.of, want) == wanted
        })
    }

    fn since(&self, path: &[Node], since: &SinceSpec, want: bool) -> bool {
        (0..path.len()).any(|at| {
            self.is_within(path, at, since.within)
                && self.holds(path[at], &since.from, want)
                && path[at + 1..].iter().all(|node| self.holds(*node, &since.hold, want))
        })
    }

    /// Whether the formula holds; `want` says whether a rule wants it to.
    fn holds(&self, node: Node, formula: &FormulaSpec, want: bool) -> bool {
        let paths = || self.paths(node);
        match formula {
            FormulaSpec::Event(wanted) => wanted.matches(self.event(node)),
            FormulaSpec::Not(inner) => !self.holds(node, inner, !want),
            FormulaSpec::All(parts) => parts.iter().all(|part| self.holds(node, part, want)),
            FormulaSpec::Any(parts) => parts.iter().any(|part| self.holds(node, part, want)),
            FormulaSpec::Once(past) => paths().iter().any(|path| self.once(path, past, true, want)),
            FormulaSpec::Historically(past) => {
                !paths().iter().any(|path| self.once(path, past, false, want))
            }
            FormulaSpec::Since(since) if want => {
                paths().iter().all(|path| self.since(path, since, want))
            }
            FormulaSpec::Since(since) => paths().iter().any(|path| self.since(path, since, want)),
        }
    }
}

fn any_match() -> impl Strategy<Value = Match> {
    (option::of("[ab]"), option::weighted(0.3, Just(Fact::Egress))).prop_map(|(tool, fact)| Match {
        tool,
        facts: fact.into_iter().collect(),
        ..Match::default()
    })
}

fn any_within() -> impl Strategy<Value = Option<WithinSpec>> {
    option::of(prop_oneof![
        (1_u64..6).prop_map(WithinSpec::Ms),
        (0_u64..4).prop_map(WithinSpec::Steps)
    ])
}

fn any_formula() -> impl Strategy<Value = FormulaSpec> {
    any_match().prop_map(FormulaSpec::Event).prop_recursive(3, 8, 2, |inner| {
        let past =
            (inner.clone(), any_within()).prop_map(|(of, within)| PastSpec { of, within }).boxed();
        let since = (inner.clone(), inner.clone(), any_within());
        let since = since.prop_map(|(hold, from, within)| SinceSpec { hold, from, within });
        prop_oneof![
            inner.clone().prop_map(|part| FormulaSpec::Not(Box::new(part))),
            vec(inner.clone(), 1..3).prop_map(FormulaSpec::All),
            vec(inner, 1..3).prop_map(FormulaSpec::Any),
            past.clone().prop_map(|past| FormulaSpec::Once(Box::new(past))),
            past.prop_map(|past| FormulaSpec::Historically(Box::new(past))),
            since.prop_map(|since| FormulaSpec::Since(Box::new(since))),
        ]
    })
}

type Raw = (String, bool, bool, u64, Option<Vec<usize>>, usize);

/// Events whose causes are earlier events, or the session order; some are results of earlier calls.
fn any_trace() -> impl Strategy<Value = Vec<Event>> {
    let causes = option::of(vec(any::<usize>(), 0..3));
    let raw =
        ("[abc]", any::<bool>(), prop::bool::weighted(0.25), 0_u64..4, causes, any::<usize>());
    vec(raw, 1..8).prop_map(|raw: Vec<Raw>| {
        let mut trace: Vec<Event> = Vec::new();
        let mut now = 0;
        for (n, (tool, egress, is_result, step, causes, pick)) in raw.into_iter().enumerate() {
            now += step;
            let facts: &[Fact] = if egress { &[Fact::Egress] } else { &[] };
            let own = id(u8::try_from(n).unwrap() + 1);
            let earlier = |pick: usize| trace[pick % n].id;
            let is_result = is_result && n > 0;
            let event = Event {
                id: if is_result { earlier(pick) } else { own },
                phase: if is_result { Phase::Result } else { Phase::Call },
                cause: match causes {
                    Some(_) if n == 0 => Cause::Parents(Vec::new()),
                    Some(causes) => Cause::Parents(causes.into_iter().map(earlier).collect()),
                    None => Cause::SessionOrder,
                },
                at: Millis(now),
                ..call_with(0, &tool, facts)
            };
            trace.push(event);
        }
        trace
    })
}

fn rule(name: &str, require: Option<FormulaSpec>, never: Option<FormulaSpec>) -> RuleSpec {
    let (name, words) = (name.to_owned(), "w".to_owned());
    RuleSpec { name, words, on: Match::default(), require, never, over: Over::Causes }
}

fn compile(rules: Vec<RuleSpec>) -> Contracts {
    let spec = ContractSpec { name: "c".to_owned(), rules, ..ContractSpec::default() };
    Contracts::compile(vec![spec]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_monitor_says_what_the_definition_says(trace in any_trace(), formula in any_formula()) {
        let line = RuleSpec { over: Over::Session, ..rule("line", Some(formula.clone()), None) };
        let rules =
            vec![rule("must", Some(formula.clone()), None), rule("never", None, Some(formula.clone())), line];
        let mut monitor = compile(rules).monitor("a", "t");
        let oracle = Oracle { trace: &trace };
        for (at, event) in trace.iter().enumerate() {
            let said = monitor.would(event);
            let found = monitor.step(event);
            prop_assert_eq!(&said, &found);
            let names: Vec<_> = found.iter().map(|found| found.rule.as_str()).collect();
            let is_call = event.phase == Phase::Call;
            let must = is_call && !oracle.holds(Node::Causal(at), &formula, true);
            let never = is_call && oracle.holds(Node::Causal(at), &formula, false);
            let line = is_call && !oracle.holds(Node::Line(at), &formula, true);
            prop_assert_eq!(names.contains(&"must"), must, "at {}", at);
            prop_assert_eq!(names.contains(&"never"), never, "at {}", at);
            prop_assert_eq!(names.contains(&"line"), line, "at {}", at);
        }
    }

    #[test]
    fn one_more_rule_never_loosens(
        trace in any_trace(), formulas in vec(any_formula(), 0..4), extra in any_formula(),
    ) {
        let rules: Vec<_> =
            formulas.into_iter().map(|formula| rule("r", Some(formula), None)).collect();
        let mut more = rules.clone();
        more.push(rule("extra", None, Some(extra)));
        let (mut few, mut many) = (compile(rules).monitor("a", "t"), compile(more).monitor("a", "t"));
        for event in &trace {
            let strict = many.step(event);
            prop_assert!(few.step(event).iter().all(|found| strict.contains(found)));
        }
    }

    #[test]
    fn a_contract_reads_back_as_written(formula in any_formula()) {
        let spec = ContractSpec {
            name: "c".to_owned(),
            rules: vec![rule("r", Some(formula), None)],
            ..ContractSpec::default()
        };
        let json = serde_json::to_string(&spec).unwrap();
        prop_assert_eq!(&serde_json::from_str::<ContractSpec>(&json).unwrap(), &spec);
        let toml = toml::to_string(&spec).unwrap();
        prop_assert_eq!(toml::from_str::<ContractSpec>(&toml).unwrap(), spec);
    }
}
