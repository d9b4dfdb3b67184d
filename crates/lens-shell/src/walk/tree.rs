//! The nodes of the tree, one after another.

use super::Walk;
use super::scope::merge;
use crate::syntax::{Join, Node, Step, Word};
use crate::value::{Flow, Value};

/// The folders that the shell may be in after a node, by how the node ended.
pub(super) struct Outcome {
    succeeded: Vec<String>,
    failed: Vec<String>,
}

impl Outcome {
    /// Of this chain with one more command, which ended like `next` if it ran.
    fn joined(mut self, join: Join, next: Self) -> Self {
        match join {
            Join::Always => return next,
            Join::Then => {
                self.succeeded = next.succeeded;
                merge(&mut self.failed, next.failed);
            }
            Join::Else => {
                merge(&mut self.succeeded, next.succeeded);
                self.failed = next.failed;
            }
        }
        self
    }
}

impl Walk<'_> {
    pub(crate) fn node(&mut self, node: &Node, input: &Flow) -> Flow {
        self.outcome = None;
        if !self.step() {
            return Flow::unknown();
        }
        let flow = self.any_node(node, input);
        // A call may return early, a loop may be left: how they end says nothing of the folder.
        if !matches!(node, Node::List(_) | Node::Not(_) | Node::Group { subshell: false, .. }) {
            self.outcome = None;
        }
        flow
    }

    fn any_node(&mut self, node: &Node, input: &Flow) -> Flow {
        match node {
            Node::Not(inner) => self.negated(inner, input),
            Node::Simple(simple) => self.simple(simple, input),
            Node::Pipe(stages) => self.pipe(stages, input),
            Node::List(steps) => self.list(steps, input),
            Node::Group { body, subshell: true, redirects } => self.subshell(|walk| {
                walk.redirected(redirects, input, |walk, input| walk.node(body, input))
            }),
            Node::Group { body, subshell: false, redirects } => {
                self.redirected(redirects, input, |walk, input| walk.node(body, input))
            }
            Node::Function { name, body } => {
                self.define(name, body);
                Flow::silent()
            }
            Node::Branches(parts) => self.branches(parts, input),
            Node::Loop(body) => self.repeat(body, input),
            Node::For { name, words, body } => self.each(name, words.as_deref(), body, input),
            Node::Words(words) => {
                words.iter().for_each(|word| drop(self.single(word)));
                Flow::silent()
            }
        }
    }

    fn pipe(&mut self, stages: &[Node], input: &Flow) -> Flow {
        let mut flow = input.clone();
        for stage in stages {
            flow = self.subshell(|walk| walk.node(stage, &flow));
        }
        flow
    }

    /// Each command runs where those in front of it leave the shell when they end as its join wants.
    fn list(&mut self, steps: &[Step], input: &Flow) -> Flow {
        let mut flow: Option<Flow> = None;
        let mut chain: Option<Outcome> = None;
        for step in steps {
            let all = self.folders().to_vec();
            let before = chain.take().filter(|_| step.join != Join::Always);
            match (step.join, &before) {
                (Join::Then, Some(before)) => self.take_folders(before.succeeded.clone()),
                (Join::Else, Some(before)) => self.take_folders(before.failed.clone()),
                (Join::Always | Join::Then | Join::Else, _) => {}
            }
            let may = usize::from(step.join != Join::Always);
            self.conditional += may;
            let (next, outcome) = self.outcome_of(&step.node, input);
            self.conditional -= may;
            if step.join != Join::Always {
                self.or_in(all);
            }
            chain = Some(match before {
                Some(before) => before.joined(step.join, outcome),
                None => outcome,
            });
            flow = Some(match flow {
                Some(flow) => flow.then(next),
                None => next,
            });
        }
        self.outcome = chain;
        flow.unwrap_or_else(Flow::silent)
    }

    /// Walks a node, and tells where it leaves the shell. One that fails may have done nothing, and
    /// also all that it does: `cd` moves first and then fails to set a read-only `OLDPWD`.
    fn outcome_of(&mut self, node: &Node, input: &Flow) -> (Flow, Outcome) {
        let mut failed = self.folders().to_vec();
        let flow = self.node(node, input);
        let after = self.folders().to_vec();
        let outcome = self.outcome.take();
        let outcome =
            outcome.unwrap_or_else(|| Outcome { succeeded: after.clone(), failed: after });
        merge(&mut failed, outcome.failed);
        (flow, Outcome { succeeded: outcome.succeeded, failed })
    }

    fn negated(&mut self, node: &Node, input: &Flow) -> Flow {
        let (flow, outcome) = self.outcome_of(node, input);
        self.outcome = Some(Outcome { succeeded: outcome.failed, failed: outcome.succeeded });
        flow
    }

    fn branches(&mut self, parts: &[Node], input: &Flow) -> Flow {
        let before = self.folders().to_vec();
        self.conditional += 1;
        let mut flow = Flow::silent();
        for part in parts {
            flow = flow.then(self.node(part, input));
            self.or_in(before.clone());
        }
        self.conditional -= 1;
        // Which of them speak is not known.
        if flow.text.as_deref() == Some("") { flow } else { flow.blurred() }
    }

    /// The outermost loop is walked twice: what its end sets, its start uses.
    fn repeat(&mut self, body: &Node, input: &Flow) -> Flow {
        let before = self.folders().to_vec();
        self.conditional += 1;
        self.loops += 1;
        let mut flow = self.node(body, input);
        if self.loops == 1 {
            flow = flow.then(self.node(body, input));
        }
        self.loops -= 1;
        self.conditional -= 1;
        self.or_in(before);
        if flow.text.as_deref() == Some("") { flow } else { flow.blurred() }
    }

    fn each(&mut self, name: &str, words: Option<&[Word]>, body: &Node, input: &Flow) -> Flow {
        let values = match words {
            Some(words) => Some(words.iter().flat_map(|word| self.fields(word)).collect()),
            None => self.arguments().map(<[Value]>::to_vec),
        };
        let values = values.unwrap_or_else(|| vec![Value::unknown(format!("${name}"))]);
        let choices = values.into_iter().map(|value| vec![value]).collect();
        self.set_choices(name, choices);
        self.repeat(body, input)
    }
}
