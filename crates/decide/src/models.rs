//! What a session knows of its models: what they were shown, and which calls they emitted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pathwarden_context::{Placed, Threads};
use pathwarden_types::{
    ActionId, Claim, DecidedAt, Digest, Emission, Integrity, Operation, OperationKind, Outcome,
    Ratio, VersionRef,
};

/// What a session knows of its models: a fold over its records.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Models {
    threads: Threads,
    emitted: BTreeMap<ActionId, Emitted>,
    /// The same, oldest first.
    order: VecDeque<ActionId>,
    /// What stood in any window, with who may have shaped it.
    shown: BTreeMap<Digest, Integrity>,
    /// The latest emitted call of each id at a provider.
    calls: BTreeMap<String, ActionId>,
    /// The texts that the results of emitted calls hold.
    results: BTreeMap<ActionId, BTreeSet<Digest>>,
    /// Versions of entries of memory that were read, by the result that they stood in.
    consumed: BTreeMap<Digest, BTreeSet<VersionRef>>,
    /// Calls of models whose window was seen and that are not decided yet.
    undecided: VecDeque<ActionId>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Emitted {
    emission: Emission,
    standing: Standing,
}

/// How far an emitted call has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Nobody has carried it out.
    Waiting,
    /// Somebody does, or tried: the same call may come again.
    Claimed,
    /// It was carried out.
    Done,
}

/// What an action that is about to be carried out has to do with emitted calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// The identity that it was born with; `None` where it is an action of its own.
    pub action: Option<ActionId>,
    /// What caused it, where that is known.
    pub parent: Option<ActionId>,
    /// In a word.
    pub claim: Claim,
}

impl Claimed {
    fn new(emission: &Emission, claim: Claim) -> Self {
        Self { action: Some(emission.action), parent: Some(emission.model_call), claim }
    }

    /// The same as an action of its own.
    fn anew(self) -> Self {
        Self { action: None, ..self }
    }
}

/// Whether a name is that of a tool, perhaps with something before it.
pub(crate) fn ends_with(name: &str, tool: &str) -> bool {
    let (name, tool) = (spelled(name), spelled(tool));
    name == tool || name.strip_suffix(&tool).is_some_and(|before| before.ends_with('_'))
}

/// A name as clients may spell it for a model: letters, digits and `_`.
pub(crate) fn spelled(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}

impl Models {
    /// The most emitted calls that a session remembers; older ones can be claimed no more.
    pub const EMITTED_MAX: usize = 4_096;
    /// The most contents of windows that a session knows again; of the others each is new each time.
    pub const SHOWN_MAX: usize = 65_536;

    /// The most texts of one result that are known again.
    pub const TEXTS_MAX: usize = 256;
    /// The most results of which it is known what they held of memory.
    pub const CONSUMED_MAX: usize = 4_096;
    /// The most model calls whose window was seen and that are not decided; older ones never will be.
    pub const UNDECIDED_MAX: usize = 256;

    pub(crate) fn consume(&mut self, content: Digest, versions: &[VersionRef]) {
        if self.consumed.len() < Self::CONSUMED_MAX || self.consumed.contains_key(&content) {
            self.consumed.entry(content).or_default().extend(versions.iter().cloned());
        }
    }

    pub(crate) fn window(&mut self, call: ActionId, placed: &Placed) {
        self.threads.apply(call, placed);
        if self.undecided.len() >= Self::UNDECIDED_MAX {
            self.undecided.pop_front();
        }
        self.undecided.push_back(call);
        let artifacts = placed.added.iter().map(|one| (one.content, one.integrity));
        let tools = placed.tools.map(|tools| (tools, Integrity::FirstParty));
        for (content, integrity) in artifacts.chain(tools) {
            if self.shown.len() < Self::SHOWN_MAX {
                self.shown.entry(content).or_insert(integrity);
            }
        }
    }

    pub(crate) fn emit(&mut self, emission: &Emission) {
        if self.order.len() >= Self::EMITTED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.results.remove(&oldest);
            if let Some(gone) = self.emitted.remove(&oldest) {
                self.calls.retain(|call, action| *action != oldest || *call != gone.emission.call);
            }
        }
        self.calls.insert(emission.call.clone(), emission.action);
        self.order.push_back(emission.action);
        let emitted = Emitted { emission: emission.clone(), standing: Standing::Waiting };
        self.emitted.insert(emission.action, emitted);
    }

    /// Somebody was told of this call, or tried it.
    pub(crate) fn decided(&mut self, action: ActionId) {
        self.undecided.retain(|call| *call != action);
        if let Some(emitted) = self.emitted.get_mut(&action) {
            emitted.standing = Standing::Claimed;
        }
    }

    pub(crate) fn closed(&mut self, action: ActionId, outcome: Outcome) {
        if let Some(emitted) = self.emitted.get_mut(&action)
            && outcome == Outcome::Done
        {
            emitted.standing = Standing::Done;
        }
    }

    /// Whether this is a model call whose window was seen and that is not decided yet.
    #[must_use]
    pub fn is_minted(&self, call: ActionId) -> bool {
        self.undecided.contains(&call)
    }

    pub(crate) const fn consumed(&self) -> &BTreeMap<Digest, BTreeSet<VersionRef>> {
        &self.consumed
    }

    /// The conversations.
    #[must_use]
    pub const fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Who may have shaped a content that stood in a window of the session before.
    #[must_use]
    pub fn shown(&self, content: &Digest) -> Option<Integrity> {
        self.shown.get(content).copied()
    }

    /// An emitted call has this result. Its texts are known again where the agent tells them to the model.
    pub(crate) fn result(&mut self, action: ActionId, texts: impl Iterator<Item = Digest>) {
        if self.emitted.contains_key(&action) {
            self.results.insert(action, texts.take(Self::TEXTS_MAX).collect());
        }
    }

    /// Whether this very text stands in the result of an emitted call.
    #[must_use]
    pub fn is_result(&self, action: ActionId, text: &Digest) -> bool {
        self.results.get(&action).is_some_and(|texts| texts.contains(text))
    }

    /// The emitted call that this action is.
    #[must_use]
    pub fn emission(&self, action: ActionId) -> Option<&Emission> {
        self.emitted.get(&action).map(|emitted| &emitted.emission)
    }

    /// The latest emitted call that has this id at the provider.
    #[must_use]
    pub fn by_call(&self, call: &str) -> Option<&Emission> {
        let known = call.get(..call.floor_char_boundary(Emission::CALL_BYTES_MAX))?;
        self.emission(*self.calls.get(known)?)
    }

    /// The call whose arguments hold this text.
    #[must_use]
    pub fn told(&self, text: &Digest) -> Option<ActionId> {
        let holds = |emitted: &&Emitted| emitted.emission.words.contains(text);
        self.latest().find(holds).map(|emitted| emitted.emission.action)
    }

    fn latest(&self) -> impl Iterator<Item = &Emitted> {
        self.order.iter().rev().filter_map(|action| self.emitted.get(action))
    }

    fn oldest(&self) -> impl Iterator<Item = &Emitted> {
        self.order.iter().filter_map(|action| self.emitted.get(action))
    }

    /// Which emitted call an operation is that somebody is about to carry out, apart from those that are
    /// `taken`; `None` where no model of the session is seen, or the operation is none that models emit.
    #[must_use]
    pub fn claim(
        &self,
        operation: &Operation,
        canonical: Digest,
        taken: &BTreeSet<ActionId>,
    ) -> Option<Claimed> {
        if self.threads.is_empty() || operation.kind != OperationKind::ToolCall {
            return None;
        }
        let is_open = |emitted: &&Emitted| {
            emitted.standing != Standing::Done && !taken.contains(&emitted.emission.action)
        };
        let is_same = |emitted: &&Emitted| emitted.emission.canonical == canonical;
        let waits = |emitted: &&Emitted| emitted.standing == Standing::Waiting;
        let governed = |emitted: &&Emitted| emitted.emission.decided == DecidedAt::Execution;
        let is_it = |emitted: &&Emitted| emitted.emission.operation == *operation;
        let found = self.oldest().filter(is_open).filter(governed).filter(is_it).filter(is_same);
        if let Some(emitted) = found.max_by_key(waits) {
            return Some(Claimed::new(&emitted.emission, Claim::Emitted));
        }
        // One that was decided as the agent's own when it was emitted, and turns out to be a server's.
        let ends = |emitted: &&Emitted| {
            !governed(emitted) && ends_with(&emitted.emission.operation.name, &operation.name)
        };
        if let Some(emitted) = self.oldest().filter(is_same).find(ends) {
            let Emission { action, .. } = emitted.emission;
            return Some(Claimed { action: None, parent: Some(action), claim: Claim::Emitted });
        }
        let named = |emitted: &&Emitted| emitted.emission.operation.name == operation.name;
        let altered = self.oldest().filter(is_open).filter(governed).filter(named).find(waits);
        Some(match altered {
            Some(emitted) => Claimed::new(&emitted.emission, Claim::Altered).anew(),
            None => Claimed { action: None, parent: None, claim: Claim::Orphan },
        })
    }

    /// How sure the model was when it emitted this call, where its provider tells.
    #[must_use]
    pub fn confidence(&self, action: ActionId) -> Option<Ratio> {
        self.emission(action)?.confidence
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pathwarden_context::{Threads, Window};
    use pathwarden_types::{
        ActionId, Claim, DecidedAt, Digest, Emission, Operation, OperationKind, Outcome,
    };

    use super::Models;

    fn operation(server: &str, name: &str) -> Operation {
        let server = server.parse().unwrap();
        Operation { kind: OperationKind::ToolCall, server, name: name.to_owned() }
    }

    fn id(number: usize) -> ActionId {
        ActionId::of(&Digest::of(&number.to_be_bytes()))
    }

    fn emission(number: usize, name: &str, arguments: &str) -> Emission {
        Emission {
            action: id(number),
            model_call: id(0),
            call: format!("call_{number}"),
            operation: operation("mail", name),
            arguments: Digest::of(arguments.as_bytes()),
            canonical: Digest::of(arguments.as_bytes()),
            decided: DecidedAt::Execution,
            confidence: None,
            words: Vec::new(),
        }
    }

    /// A session whose models are seen.
    fn seen() -> Models {
        let mut models = Models::default();
        let placed = Threads::default().place(id(0), &Window::default(), |_| None);
        models.window(id(0), &placed);
        models
    }

    fn claim(models: &Models, name: &str, arguments: &str) -> Option<(Option<ActionId>, Claim)> {
        claim_at(models, "mail", name, arguments)
    }

    fn claim_at(
        models: &Models,
        server: &str,
        name: &str,
        arguments: &str,
    ) -> Option<(Option<ActionId>, Claim)> {
        let canonical = Digest::of(arguments.as_bytes());
        let claimed = models.claim(&operation(server, name), canonical, &BTreeSet::new())?;
        Some((claimed.action, claimed.claim))
    }

    #[test]
    fn what_no_model_emitted_is_an_orphan_only_where_models_are_seen() {
        assert_eq!(claim(&Models::default(), "send", "{}"), None);
        assert_eq!(claim(&seen(), "send", "{}"), Some((None, Claim::Orphan)));
    }

    #[test]
    fn a_call_is_claimed_once_and_again_only_when_it_did_not_come_to_its_end() {
        let mut models = seen();
        models.emit(&emission(1, "send", "{}"));
        models.emit(&emission(2, "send", "{}"));
        assert_eq!(claim(&models, "send", "{}").unwrap().1, Claim::Emitted);
        models.decided(id(1));
        assert_eq!(claim(&models, "send", "{}"), Some((Some(id(2)), Claim::Emitted)));
        models.decided(id(2));
        models.closed(id(2), Outcome::Done);
        models.closed(id(1), Outcome::Failed);
        assert_eq!(claim(&models, "send", "{}"), Some((Some(id(1)), Claim::Emitted)));
        models.closed(id(1), Outcome::Done);
        assert_eq!(claim(&models, "send", "{}"), Some((None, Claim::Orphan)));
    }

    #[test]
    fn other_arguments_are_an_altered_call() {
        let mut models = seen();
        models.emit(&emission(1, "send", "a"));
        assert_eq!(claim(&models, "send", "b"), Some((None, Claim::Altered)));
        assert_eq!(claim_at(&models, "evil", "send", "a"), Some((None, Claim::Altered)));
        assert_eq!(claim(&models, "read", "a"), Some((None, Claim::Orphan)));
    }

    #[test]
    fn what_somebody_is_about_to_claim_is_taken() {
        let mut models = seen();
        models.emit(&emission(1, "send", "a"));
        let canonical = Digest::of(b"a");
        let taken = [id(1)].into();
        let claimed = models.claim(&operation("mail", "send"), canonical, &taken).unwrap();
        assert_eq!((claimed.action, claimed.claim), (None, Claim::Orphan));
    }

    #[test]
    fn a_call_that_was_taken_for_the_agents_own_is_no_orphan_at_its_server() {
        let mut models = seen();
        let local =
            Operation { server: "local".parse().unwrap(), ..operation("mail", "mcp__m__send") };
        let decided = DecidedAt::Emission;
        models.emit(&Emission { decided, operation: local, ..emission(1, "send", "a") });
        models.decided(id(1));
        let canonical = Digest::of(b"a");
        let claimed =
            models.claim(&operation("mail", "send"), canonical, &BTreeSet::new()).unwrap();
        assert_eq!(
            (claimed.action, claimed.parent, claimed.claim),
            (None, Some(id(1)), Claim::Emitted)
        );
        assert_eq!(claim(&models, "send", "b"), Some((None, Claim::Orphan)));
    }

    #[test]
    fn one_call_more_than_the_limit_forgets_the_oldest() {
        let mut models = seen();
        for number in 0..=Models::EMITTED_MAX {
            models.emit(&emission(number, "send", &number.to_string()));
        }
        assert_eq!(models.emission(id(0)), None);
        assert!(models.emission(id(1)).is_some());
    }
}
