//! What would have changed the answer: the policy, asked again with one fact changed at a time.

use std::collections::BTreeSet;

use pathwarden_policy::{ApprovalState, Input, Judgement};
use pathwarden_types::{GivenBy, RuleHit, ToolClass, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Decision, Engine};

/// One change that would have given a less restrained answer.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// What would have to be different, in words.
    pub if_instead: String,
    /// The answer then.
    pub verdict: Verdict,
    /// Rules that restrained the action and would not have.
    pub silent: Vec<String>,
}

/// The single changes that would have given a less restrained answer than `decision`: a lower
/// verdict, or the same with fewer rules restraining and none more. These are other evaluations than
/// the one that decided, and are shown as such.
pub fn what_if(engine: &mut Engine, decision: &Decision) -> Vec<Change> {
    let before = restraints(&decision.decided.hits);
    let verdict = decision.decided.verdict;
    let mut changes: Vec<Change> = alternatives(&decision.input)
        .into_iter()
        .filter_map(|(if_instead, input)| {
            let judgement = engine.judge(&input);
            let after = restraints(&judgement.hits);
            let then = settled(&judgement, input.approval);
            let is_less =
                then < verdict || (then == verdict && after.is_subset(&before) && after != before);
            let silent = before.difference(&after).map(|rule| (*rule).to_owned()).collect();
            is_less.then_some(Change { if_instead, verdict: then, silent })
        })
        .collect();
    changes.sort_by(|a, b| (a.verdict, &a.if_instead).cmp(&(b.verdict, &b.if_instead)));
    changes.dedup();
    changes
}

/// The rules that do more than allow.
fn restraints(hits: &[RuleHit]) -> BTreeSet<&str> {
    let restrain = hits.iter().filter(|hit| hit.verdict > Verdict::Allow);
    restrain.map(|hit| hit.rule.as_str()).collect()
}

/// What the policy says; a person's approval counts as in deciding.
fn settled(judgement: &Judgement, approval: ApprovalState) -> Verdict {
    if judgement.verdict != Verdict::Hold || approval != ApprovalState::Approved {
        return judgement.verdict;
    }
    let others = judgement.hits.iter().map(|hit| hit.verdict).filter(|v| *v != Verdict::Hold);
    others.max().unwrap_or(Verdict::Allow)
}

fn alternatives(input: &Input) -> Vec<(String, Input)> {
    let mut found = Vec::new();
    let mut add = |words: String, change: &dyn Fn(&mut Input)| {
        let mut other = input.clone();
        change(&mut other);
        if other != *input {
            found.push((words, other));
        }
    };
    add("a person approved it".to_owned(), &|i| i.approval = ApprovalState::Approved);
    add("a person had stated the task".to_owned(), &|i| i.task.stated = true);
    add("the task had asked for this".to_owned(), &|i| i.purpose.asked = true);
    add("the task had given every value that decides something".to_owned(), &|i| {
        for origin in &mut i.origins {
            origin.given_by = GivenBy::Task;
        }
    });
    add("nothing restricted stood in the arguments".to_owned(), &|i| i.contents.clear());
    add("the call had not been made before".to_owned(), &|i| {
        i.session.repeats = 0;
        "none".clone_into(&mut i.session.looping);
    });
    add("nothing had been refused before".to_owned(), &|i| i.session.refused = 0);
    add("the server were one that you run".to_owned(), &|i| i.action.server_inside = true);
    add(format!("`{}` were known to only read", input.action.name), &|i| {
        i.action.class = ToolClass::Read;
    });
    for target in &input.targets {
        let value = &target.value;
        add(format!("the task had named `{value}`"), &|i| {
            for target in i.targets.iter_mut().filter(|target| target.value == *value) {
                target.given_by = GivenBy::Task;
            }
        });
        add(format!("`{value}` were inside your organisation"), &|i| {
            for target in i.targets.iter_mut().filter(|target| target.value == *value) {
                target.inside = true;
            }
        });
    }
    found
}
