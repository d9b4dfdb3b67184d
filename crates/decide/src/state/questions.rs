//! Questions to people, and what became of them.

use std::collections::BTreeSet;

use pathwarden_types::{
    ActionId, Approval, ApprovalAnswer, ApprovalId, Choice, Decided, Digest, Millis, Operation,
};

use super::State;

/// A question to a person and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// The action it was first asked about.
    pub action: ActionId,
    /// What it is about; a call that differs in any of it is another question.
    pub binding: Binding,
    /// What the record says of it.
    pub approval: Approval,
    /// What became of it.
    pub standing: Standing,
}

/// What an approval is bound to, besides its session.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Binding {
    /// The operation, as text.
    pub operation: String,
    /// The arguments in canonical form.
    pub canonical: Digest,
    /// The policy that asked.
    pub policy: Digest,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Nobody has answered.
    Asked,
    /// A person approved, and no action has used it yet.
    Approved,
    /// A person refused.
    Refused,
    /// The time was up.
    Lapsed,
    /// One action has used the approval.
    Used,
}

/// One spelling of an operation.
pub(crate) fn operation_text(operation: &Operation) -> String {
    format!("{:?} {} {}", operation.kind, operation.server, operation.name)
}

impl Binding {
    /// What an approval of this call is bound to.
    #[must_use]
    pub fn new(operation: &Operation, canonical: Digest, policy: Digest) -> Self {
        Self { operation: operation_text(operation), canonical, policy }
    }
}

impl State {
    /// A second call with the same binding joins the question that stands.
    pub(super) fn hold(&mut self, decided: &Decided) {
        let Some(approval) = &decided.approval else { return };
        self.held.insert(decided.action, approval.id);
        let binding = Binding::new(&decided.operation, decided.canonical, decided.policy);
        self.questions.entry(approval.id).or_insert_with(|| Question {
            action: decided.action,
            binding,
            approval: approval.clone(),
            standing: Standing::Asked,
        });
    }

    pub(super) fn forget_spent_questions(&mut self) {
        let held: BTreeSet<_> = self.held.values().copied().collect();
        self.questions.retain(|id, question| {
            held.contains(id) || matches!(question.standing, Standing::Asked | Standing::Approved)
        });
    }

    pub(super) fn answer(&mut self, approval: ApprovalId, answer: Option<&ApprovalAnswer>) {
        let Some(question) = self.questions.get_mut(&approval) else { return };
        if question.standing != Standing::Asked {
            return;
        }
        question.approval.answer = answer.cloned();
        question.standing = match answer.map(|answer| answer.choice) {
            Some(Choice::Approve) => Standing::Approved,
            Some(Choice::Deny) => {
                if self.refused_by_person.len() < Self::REFUSED_MAX {
                    self.refused_by_person.insert(question.binding.operation.clone());
                }
                Standing::Refused
            }
            None => Standing::Lapsed,
        };
    }

    /// Actions that wait for a person.
    pub fn waiting(&self) -> impl Iterator<Item = ActionId> + '_ {
        self.held.keys().copied()
    }

    /// Every question that was put to a person.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.values()
    }

    /// One question.
    #[must_use]
    pub fn question(&self, approval: ApprovalId) -> Option<&Question> {
        self.questions.get(&approval)
    }

    /// The question that this held action waits for.
    #[must_use]
    pub fn question_about(&self, action: ActionId) -> Option<&Question> {
        self.held.get(&action).and_then(|id| self.questions.get(id))
    }

    /// A question with this binding that still stands or whose approval nobody used.
    #[must_use]
    pub fn question_bound(&self, binding: &Binding, now: Millis) -> Option<&Question> {
        self.questions.values().find(|question| {
            question.binding == *binding
                && matches!(question.standing, Standing::Asked | Standing::Approved)
                && now < question.approval.expires
        })
    }
}
