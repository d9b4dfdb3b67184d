//! Escalation across steps: privileges that a session gives itself and then uses, secrets that it reads
//! and then could carry out, and the three bits of the rule of two.

use pathwarden_types::{ActionId, ToolClass};

use crate::event::{Event, Fact, Phase};
use crate::words;

/// The rule of two: of untrusted input, private content and a way to act outward, a session without
/// supervision has at most two ("Agents Rule of Two", Meta 2025).
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct RuleOfTwo {
    /// Content that outsiders may have shaped was read.
    pub untrusted_input: bool,
    /// Restricted content or a credential was read.
    pub private_seen: bool,
    /// It acts outward: changes something or tells somebody.
    pub acts_outward: bool,
}

impl RuleOfTwo {
    /// Whether all three are true.
    #[must_use]
    pub const fn three(self) -> bool {
        self.untrusted_input && self.private_seen && self.acts_outward
    }

    /// The bits of both.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        Self {
            untrusted_input: self.untrusted_input || other.untrusted_input,
            private_seen: self.private_seen || other.private_seen,
            acts_outward: self.acts_outward || other.acts_outward,
        }
    }

    fn of(event: &Event) -> Self {
        let facts = event.facts;
        Self {
            untrusted_input: facts.has(Fact::UntrustedRead),
            private_seen: facts.has(Fact::RestrictedRead) || facts.has(Fact::SecretRead),
            acts_outward: event.phase == Phase::Call
                && (facts.has(Fact::Egress) || event.class.has_effect()),
        }
    }
}

/// What several steps amount to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FindingKind {
    /// All three bits of the rule of two.
    RuleOfThree,
    /// A privilege was granted in this session, and a call is of a class that no call had before.
    RisingPrivilege,
    /// A credential was read, and a call carries something out.
    SecretThenEgress,
}

/// Several steps that amount to more than each of them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use = "a finding that nobody weighs is a hole"]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// In words.
    pub words: String,
    /// The call, and the earlier actions that it builds on.
    pub events: Vec<ActionId>,
}

/// What of a session's past makes a later call an escalation. A call that a person approved is not
/// one; it counts as past like any other, but a grant that a person approved raises nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Escalation {
    bits: RuleOfTwo,
    untrusted: Option<ActionId>,
    private: Option<ActionId>,
    secret: Option<ActionId>,
    highest: Option<ToolClass>,
    /// The latest grant that nobody approved, and the highest class before it.
    grant: Option<(ActionId, Option<ToolClass>)>,
}

impl Escalation {
    /// The bits so far.
    #[must_use]
    pub const fn rule_of_two(&self) -> RuleOfTwo {
        self.bits
    }

    /// The bits with this event.
    #[must_use]
    pub fn rule_of_two_with(&self, event: &Event) -> RuleOfTwo {
        self.bits.join(RuleOfTwo::of(event))
    }

    /// What this event would amount to.
    #[must_use]
    pub fn would(&self, event: &Event) -> Vec<Finding> {
        if event.phase == Phase::Result || event.facts.has(Fact::Approved) {
            return Vec::new();
        }
        let found = [self.rule_of_three(event), self.rising(event), self.secret_out(event)];
        found.into_iter().flatten().collect()
    }

    /// Takes an event into account, and says what [`would`](Self::would) said.
    pub fn step(&mut self, event: &Event) -> Vec<Finding> {
        let found = self.would(event);
        let bits = RuleOfTwo::of(event);
        self.bits = self.bits.join(bits);
        if bits.untrusted_input {
            self.untrusted = Some(event.id);
        }
        if bits.private_seen {
            self.private = Some(event.id);
        }
        if event.facts.has(Fact::SecretRead) {
            self.secret = Some(event.id);
        }
        if event.phase == Phase::Call {
            if event.facts.has(Fact::Grant) && !event.facts.has(Fact::Approved) {
                // The lowest class before any grant stays the measure: two grants excuse nothing.
                let before = self.grant.map_or(self.highest, |(_, before)| before);
                self.grant = Some((event.id, before));
            }
            self.highest = self.highest.max(Some(event.class));
        }
        found
    }

    fn rule_of_three(&self, event: &Event) -> Option<Finding> {
        let outward = RuleOfTwo::of(event).acts_outward;
        let words = "outsiders' content and private content were read, and this call acts outward";
        (outward && self.rule_of_two_with(event).three()).then(|| {
            let private = self.private.filter(|private| Some(*private) != self.untrusted);
            finding(FindingKind::RuleOfThree, words.to_owned(), event, [self.untrusted, private])
        })
    }

    fn rising(&self, event: &Event) -> Option<Finding> {
        let (grant, before) = self.grant?;
        (Some(event.class) > before && event.class.has_effect() && grant != event.id).then(|| {
            let tool = words::quote(&event.tool);
            let words = format!("{tool} does more than any call before a privilege was granted");
            finding(FindingKind::RisingPrivilege, words, event, [Some(grant), None])
        })
    }

    fn secret_out(&self, event: &Event) -> Option<Finding> {
        let secret = self.secret.filter(|_| event.facts.has(Fact::Egress))?;
        let words = "a credential was read, and this call carries something out".to_owned();
        Some(finding(FindingKind::SecretThenEgress, words, event, [Some(secret), None]))
    }
}

fn finding(
    kind: FindingKind,
    words: String,
    event: &Event,
    causes: [Option<ActionId>; 2],
) -> Finding {
    let events = std::iter::once(event.id).chain(causes.into_iter().flatten()).collect();
    Finding { kind, words, events }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::ToolClass;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Escalation, FindingKind};
    use crate::event::{Event, Fact, Phase};
    use crate::testing::{call, call_with, id};

    fn kinds(events: &[Event]) -> Vec<Vec<FindingKind>> {
        let mut escalation = Escalation::default();
        let mut kinds = |event| -> Vec<_> {
            escalation.step(event).into_iter().map(|found| found.kind).collect()
        };
        events.iter().map(&mut kinds).collect()
    }

    fn of(class: ToolClass, event: Event) -> Event {
        Event { class, ..event }
    }

    #[test]
    fn all_three_bits_are_found_at_the_call_that_acts() {
        let events = [
            call_with(1, "mail", &[Fact::UntrustedRead]),
            call_with(2, "accounts", &[Fact::RestrictedRead]),
            call(3, "list"),
            of(ToolClass::Send, call(4, "send")),
        ];
        assert_eq!(kinds(&events), [vec![], vec![], vec![], vec![FindingKind::RuleOfThree]]);
        let mut escalation = Escalation::default();
        let found: Vec<_> = events.iter().flat_map(|event| escalation.step(event)).collect();
        assert_eq!(found[0].events, [id(4), id(1), id(2)]);
        assert!(escalation.rule_of_two().three());
    }

    #[test]
    fn a_privilege_granted_and_then_used_is_found_even_after_a_second_grant() {
        let grant = |n| of(ToolClass::Configure, call_with(n, "add_member", &[Fact::Grant]));
        let events =
            [call(1, "list"), grant(2), grant(3), of(ToolClass::Configure, call(4, "set"))];
        let found = kinds(&events);
        assert_eq!(found[1], []);
        assert_eq!(found[3], [FindingKind::RisingPrivilege]);
    }

    #[test]
    fn an_approved_grant_raises_nothing() {
        let facts = [Fact::Grant, Fact::Approved];
        let grant = of(ToolClass::Configure, call_with(1, "add_member", &facts));
        assert_eq!(kinds(&[grant, of(ToolClass::Delete, call(2, "drop"))]), [vec![], vec![]]);
    }

    #[test]
    fn a_secret_read_and_then_carried_out_is_found_also_when_the_result_told() {
        let result = Event { phase: Phase::Result, ..call_with(1, "vault", &[Fact::SecretRead]) };
        let egress = call_with(2, "post", &[Fact::Egress]);
        let found = kinds(&[call(1, "vault"), result, egress]);
        assert_eq!(found[2], [FindingKind::SecretThenEgress]);
    }

    proptest! {
        #[test]
        fn asking_changes_nothing_and_facts_never_loosen(
            facts in vec((0_u8..4, any::<bool>()), 0..30), more in 0_u8..3,
        ) {
            let facts_of = |n| [Fact::UntrustedRead, Fact::SecretRead, Fact::Grant, Fact::Egress][n];
            let (mut less_known, mut more_known) = (Escalation::default(), Escalation::default());
            for (n, (fact, acts)) in facts.into_iter().enumerate() {
                let class = if acts { ToolClass::Send } else { ToolClass::Read };
                let facts = [facts_of(usize::from(fact))];
                let event = of(class, call_with(u8::try_from(n).unwrap(), "any", &facts));
                let known = event.facts.with(facts_of(usize::from(more % 2)));
                let said = less_known.would(&event);
                let found = less_known.step(&event);
                prop_assert_eq!(&said, &found);
                let strict = more_known.step(&Event { facts: known, ..event });
                for found in found {
                    prop_assert!(strict.iter().any(|other| other.kind == found.kind));
                }
            }
        }
    }
}
