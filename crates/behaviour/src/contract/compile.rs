//! From contracts as written to contracts that can be watched: all faults at once.

use std::fmt;
use std::sync::Arc;

use super::Limits;
use super::formula::{Formula, Need, Operator, Paths};
use super::spec::{
    BudgetSpec, ContractSpec, FormulaSpec, Match, Over, RuleSpec, SinceSpec, TransitionSpec, What,
    WithinSpec,
};

/// Contracts, checked and compiled. Immutable: a node swaps it whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contracts(pub(super) Vec<(ContractSpec, Arc<Contract>)>);

/// One contract, compiled.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Contract {
    pub(super) name: String,
    pub(super) rules: Vec<Rule>,
    pub(super) operators: Vec<Operator>,
    pub(super) transitions: Vec<TransitionSpec>,
    pub(super) budgets: Vec<BudgetSpec>,
}

#[derive(Debug, Eq, PartialEq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) words: String,
    pub(super) on: Match,
    pub(super) require: Formula,
}

/// One fault in a contract.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContractFault {
    /// Where: `contracts[0].rules[2].require.once`.
    pub path: String,
    /// What is wrong and what to do instead.
    pub words: String,
}

impl fmt::Display for ContractFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.words)
    }
}

/// Why contracts cannot be used: every fault, in the order of the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} in the contracts: {}", count(.0), lines(.0))]
pub struct ContractFaults(pub Vec<ContractFault>);

fn count(faults: &[ContractFault]) -> String {
    if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) }
}

fn lines(faults: &[ContractFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Contracts {
    /// Checks and compiles contracts.
    ///
    /// # Errors
    ///
    /// [`ContractFaults`] with every fault. A contract with a fault is never left out, because what it
    /// forbids would be allowed.
    pub fn compile(specs: Vec<ContractSpec>) -> Result<Self, ContractFaults> {
        let mut faults = Faults::default();
        faults.most("contracts", specs.len(), Limits::CONTRACTS_MAX);
        let compiled: Vec<_> = specs
            .into_iter()
            .enumerate()
            .map(|(index, spec)| {
                let contract = faults.contract(&format!("contracts[{index}]"), &spec);
                (spec, Arc::new(contract))
            })
            .collect();
        if faults.0.is_empty() { Ok(Self(compiled)) } else { Err(ContractFaults(faults.0)) }
    }
}

#[derive(Default)]
struct Faults(Vec<ContractFault>);

/// Where operators of one rule go.
struct Place<'a> {
    operators: &'a mut Vec<Operator>,
    over: Over,
}

impl Faults {
    fn add(&mut self, path: &str, words: String) {
        self.0.push(ContractFault { path: path.to_owned(), words });
    }

    fn most(&mut self, path: &str, found: usize, most: usize) {
        if found > most {
            self.add(path, format!("there are {found}, at most {most} are allowed: split them"));
        }
    }

    fn text(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(path, "is empty: say what it is".to_owned());
        } else if text.len() > Limits::TEXT_BYTES_MAX {
            let most = Limits::TEXT_BYTES_MAX;
            self.add(path, format!("has {} bytes, at most {most} are allowed", text.len()));
        }
    }

    fn contract(&mut self, path: &str, spec: &ContractSpec) -> Contract {
        self.text(&format!("{path}.name"), &spec.name);
        for (key, text) in [("agent", &spec.agent), ("task", &spec.task)] {
            if let Some(text) = text {
                self.text(&format!("{path}.{key}"), text);
            }
        }
        self.most(&format!("{path}.rules"), spec.rules.len(), Limits::RULES_MAX);
        let mut operators = Vec::new();
        let rules = spec.rules.iter().enumerate();
        let rules = rules
            .map(|(index, rule)| self.rule(&format!("{path}.rules[{index}]"), rule, &mut operators))
            .collect();
        self.most(&format!("{path}.rules: operators"), operators.len(), Limits::OPERATORS_MAX);
        self.transitions(&format!("{path}.transitions"), &spec.transitions);
        self.budgets(&format!("{path}.budgets"), &spec.budgets);
        Contract {
            name: spec.name.clone(),
            rules,
            operators,
            transitions: spec.transitions.clone(),
            budgets: spec.budgets.clone(),
        }
    }

    fn rule(&mut self, path: &str, spec: &RuleSpec, operators: &mut Vec<Operator>) -> Rule {
        self.text(&format!("{path}.name"), &spec.name);
        self.text(&format!("{path}.words"), &spec.words);
        self.pattern(&format!("{path}.on"), &spec.on);
        let mut place = Place { operators, over: spec.over };
        let require = match (&spec.require, &spec.never) {
            (Some(require), None) => {
                self.formula(&format!("{path}.require"), require, Need::Wanted, &mut place, 1)
            }
            (None, Some(never)) => {
                let path = format!("{path}.never");
                not(self.formula(&path, never, Need::Unwanted, &mut place, 1))
            }
            (None, None) | (Some(_), Some(_)) => {
                self.add(path, "give either `require` or `never`".to_owned());
                Formula::True
            }
        };
        let (name, words, on) = (spec.name.clone(), spec.words.clone(), spec.on.clone());
        Rule { name, words, on, require }
    }

    fn formula(
        &mut self,
        path: &str,
        spec: &FormulaSpec,
        need: Need,
        place: &mut Place<'_>,
        depth: usize,
    ) -> Formula {
        if depth > Limits::DEPTH_MAX {
            let most = Limits::DEPTH_MAX;
            self.add(path, format!("is nested deeper than {most} levels: make it two rules"));
            return Formula::True;
        }
        let mut part = |key: &str, spec: &FormulaSpec, need: Need, place: &mut Place<'_>| {
            self.formula(&format!("{path}.{key}"), spec, need, place, depth + 1)
        };
        match spec {
            FormulaSpec::Event(wanted) => {
                self.pattern(&format!("{path}.event"), wanted);
                Formula::Event(wanted.clone())
            }
            FormulaSpec::Not(inner) => not(part("not", inner, need.inverted(), place)),
            FormulaSpec::All(parts) => {
                Formula::All(self.parts(&format!("{path}.all"), parts, need, place, depth))
            }
            FormulaSpec::Any(parts) => {
                Formula::Any(self.parts(&format!("{path}.any"), parts, need, place, depth))
            }
            FormulaSpec::Once(past) => {
                let from = part("once.of", &past.of, need, place);
                let operator = place.operator(past.within, Paths::Some, need);
                self.window(&format!("{path}.once.within"), past.within);
                place.since(operator, Formula::True, from)
            }
            FormulaSpec::Historically(past) => {
                let broken = not(part("historically.of", &past.of, need, place));
                let operator = place.operator(past.within, Paths::Some, need.inverted());
                self.window(&format!("{path}.historically.within"), past.within);
                not(place.since(operator, Formula::True, broken))
            }
            FormulaSpec::Since(since) => self.since(path, since, need, place, depth),
        }
    }

    fn since(
        &mut self,
        path: &str,
        spec: &SinceSpec,
        need: Need,
        place: &mut Place<'_>,
        depth: usize,
    ) -> Formula {
        let hold = self.formula(&format!("{path}.since.hold"), &spec.hold, need, place, depth + 1);
        let from = self.formula(&format!("{path}.since.from"), &spec.from, need, place, depth + 1);
        self.window(&format!("{path}.since.within"), spec.within);
        let paths = match need {
            Need::Wanted => Paths::Every,
            Need::Unwanted => Paths::Some,
        };
        let operator = place.operator(spec.within, paths, need);
        place.since(operator, hold, from)
    }

    fn parts(
        &mut self,
        path: &str,
        parts: &[FormulaSpec],
        need: Need,
        place: &mut Place<'_>,
        depth: usize,
    ) -> Vec<Formula> {
        if parts.is_empty() {
            self.add(path, "is empty: give at least one part".to_owned());
        }
        self.most(path, parts.len(), Limits::PARTS_MAX);
        let parts = parts.iter().enumerate();
        parts
            .map(|(index, part)| {
                self.formula(&format!("{path}[{index}]"), part, need, place, depth + 1)
            })
            .collect()
    }

    fn pattern(&mut self, path: &str, wanted: &Match) {
        for (key, text) in [("tool", &wanted.tool), ("server", &wanted.server)] {
            if let Some(text) = text {
                self.text(&format!("{path}.{key}"), text);
            }
        }
    }

    fn window(&mut self, path: &str, within: Option<WithinSpec>) {
        match within {
            Some(WithinSpec::Ms(0)) => {
                self.add(path, "is 0 ms: leave it out to mean the whole past".to_owned());
            }
            Some(WithinSpec::Ms(ms)) if ms > Limits::WINDOW_MS_MAX => {
                let most = Limits::WINDOW_MS_MAX;
                self.add(path, format!("is {ms} ms, at most {most} are allowed"));
            }
            Some(WithinSpec::Steps(steps)) if steps > Limits::WINDOW_STEPS_MAX => {
                let most = Limits::WINDOW_STEPS_MAX;
                self.add(path, format!("is {steps} steps, at most {most} are allowed"));
            }
            Some(WithinSpec::Ms(_) | WithinSpec::Steps(_)) | None => {}
        }
    }

    fn transitions(&mut self, path: &str, specs: &[TransitionSpec]) {
        self.most(path, specs.len(), Limits::TRANSITIONS_MAX);
        for (index, spec) in specs.iter().enumerate() {
            if let Some(from) = &spec.from {
                self.pattern(&format!("{path}[{index}].from"), from);
            }
            self.pattern(&format!("{path}[{index}].to"), &spec.to);
        }
    }

    fn budgets(&mut self, path: &str, specs: &[BudgetSpec]) {
        self.most(path, specs.len(), Limits::BUDGETS_MAX);
        for (index, spec) in specs.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.text(&format!("{path}.name"), &spec.name);
            self.pattern(&format!("{path}.of"), &spec.of);
            self.window(&format!("{path}.within_ms"), spec.within_ms.map(WithinSpec::Ms));
            if let What::Money(currency) = &spec.what
                && !(currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()))
            {
                let words = format!("`{currency}` is not a currency: write it like `EUR`");
                self.add(&format!("{path}.what.money"), words);
            }
        }
    }
}

impl Place<'_> {
    const fn operator(&self, within: Option<WithinSpec>, paths: Paths, need: Need) -> Operator {
        Operator { within, over: self.over, paths, need }
    }

    fn since(&mut self, operator: Operator, hold: Formula, from: Formula) -> Formula {
        self.operators.push(operator);
        let slot = self.operators.len() - 1;
        Formula::Since { slot, hold: Box::new(hold), from: Box::new(from) }
    }
}

fn not(formula: Formula) -> Formula {
    Formula::Not(Box::new(formula))
}
