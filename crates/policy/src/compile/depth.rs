//! Rules must not call themselves. The engine notices that only sometimes, and a rule that does would
//! overflow the stack before it overruns its budget.

use std::collections::{BTreeMap, BTreeSet};

use regorus::rvm::Instruction;
use regorus::rvm::program::Program;

use crate::CompileFault;
use crate::limits::RULE_DEPTH_MAX;

type Rule = usize;

/// A fault if some rule calls itself, through others or not, or if calls nest too deep.
pub(super) fn check(program: &Program) -> Option<CompileFault> {
    let advice = "let a rule call only rules that do not need it; name the rule to call";
    if program.needs_runtime_recursion_check {
        return Some(fault("a rule is looked up by a name that is not known in advance", advice));
    }
    let calls = calls(program);
    let mut done: BTreeSet<Rule> = BTreeSet::new();
    for _ in 0..RULE_DEPTH_MAX {
        let ready: Vec<Rule> = (0..program.rule_infos.len())
            .filter(|rule| calls.get(rule).is_none_or(|callees| callees.is_subset(&done)))
            .collect();
        done.extend(ready);
    }
    let (_, left) = program.rule_infos.iter().enumerate().find(|(rule, _)| !done.contains(rule))?;
    let message =
        format!("`{}` calls itself, or calls nest deeper than {RULE_DEPTH_MAX} rules", left.name,);
    Some(fault(&message, advice))
}

fn fault(message: &str, advice: &str) -> CompileFault {
    let (message, advice) = (message.to_owned(), advice.to_owned());
    CompileFault { file: String::new(), line: 0, message, advice }
}

/// Which rules each rule calls. A rule's code goes from one of its starts to the next start.
fn calls(program: &Program) -> BTreeMap<Rule, BTreeSet<Rule>> {
    let mut starts: BTreeMap<usize, Rule> = BTreeMap::new();
    for (rule, info) in program.rule_infos.iter().enumerate() {
        let bodies = info.definitions.iter().flatten();
        let blocks = info.destructuring_blocks.iter().flatten();
        for start in bodies.chain(blocks).filter_map(|start| usize::try_from(*start).ok()) {
            starts.insert(start, rule);
        }
    }
    let mut calls: BTreeMap<Rule, BTreeSet<Rule>> = BTreeMap::new();
    for (at, instruction) in program.instructions.iter().enumerate() {
        let caller = starts.range(..=at).next_back();
        if let (Some((_, caller)), Some(callee)) = (caller, callee(instruction, program)) {
            calls.entry(*caller).or_default().insert(callee);
        }
    }
    calls
}

fn callee(instruction: &Instruction, program: &Program) -> Option<Rule> {
    match instruction {
        Instruction::CallRule { rule_index, .. } => Some(usize::from(*rule_index)),
        Instruction::FunctionCall { params_index } => {
            let params = program.instruction_data.get_function_call_params(*params_index)?;
            Some(usize::from(params.func_rule_index))
        }
        _ => None,
    }
}
