//! What would have changed the answer: the policy, asked again with one fact changed at a time.

use pathwarden_policy::{ApprovalState, GivenBy, Input};
use pathwarden_types::{ToolClass, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Engine;

/// One change that would have given a less restrained answer.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// What would have to be different, in words.
    pub if_instead: String,
    /// The answer then.
    pub verdict: Verdict,
}

/// The single changes that would have given a less restrained answer than `verdict`. These are other
/// evaluations than the one that decided, and are shown as such.
pub fn what_if(engine: &mut Engine, input: &Input, verdict: Verdict) -> Vec<Change> {
    let mut changes: Vec<Change> = alternatives(input)
        .into_iter()
        .map(|(if_instead, input)| Change { if_instead, verdict: settled(engine, &input) })
        .filter(|change| change.verdict < verdict)
        .collect();
    changes.sort_by(|a, b| (a.verdict, &a.if_instead).cmp(&(b.verdict, &b.if_instead)));
    changes.dedup();
    changes
}

/// What the policy says; a person's approval counts as in deciding.
fn settled(engine: &mut Engine, input: &Input) -> Verdict {
    let judgement = engine.judge(input);
    if judgement.verdict != Verdict::Hold || input.approval != ApprovalState::Approved {
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
    add("nothing restricted stood in the arguments".to_owned(), &|i| i.contents.clear());
    add("the call had not been made before".to_owned(), &|i| i.session.repeats = 0);
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
