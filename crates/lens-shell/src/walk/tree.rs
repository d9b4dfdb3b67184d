//! The nodes of the tree, one after another.

use super::Walk;
use crate::syntax::{Join, Node, Step, Word};
use crate::value::{Flow, Value};

impl Walk<'_> {
    pub(crate) fn node(&mut self, node: &Node, input: &Flow) -> Flow {
        if !self.step() {
            return Flow::unknown();
        }
        match node {
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

    fn list(&mut self, steps: &[Step], input: &Flow) -> Flow {
        let mut flow: Option<Flow> = None;
        let mut chain = self.folders().to_vec();
        let mut before = chain.clone();
        for step in steps {
            match step.join {
                Join::Always => {}
                Join::Then => self.conditional += 1,
                Join::Else => {
                    self.conditional += 1;
                    let after = self.folders().to_vec();
                    self.take_folders(before);
                    self.or_in(after);
                }
            }
            before = self.folders().to_vec();
            let next = self.node(&step.node, input);
            if step.join == Join::Always {
                chain = self.folders().to_vec();
            } else {
                self.conditional -= 1;
                self.or_in(chain.clone());
            }
            flow = Some(match flow {
                Some(flow) => flow.then(next),
                None => next,
            });
        }
        flow.unwrap_or_else(Flow::silent)
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
