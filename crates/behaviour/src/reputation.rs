//! Reputation: what an agent's past outcomes are worth, by a Beta distribution that forgets.
//!
//! After Jøsang and Ismail's Beta reputation (2002): good and bad outcomes are counted, and older ones
//! weigh less. What is used is not the mean but a lower bound, so that an agent that nobody knows is
//! not trusted.

use std::collections::{BTreeMap, VecDeque};

use pathwarden_types::{Choice, Digest, Millis, Name, Ratio, ToolClass};
use serde::{Deserialize, Serialize};

/// One outcome of full weight.
const ONE: u64 = 10_000;
/// What is left of the past at each outcome, in ten-thousandths: half after about 34.
const KEPT: u64 = 9_800;

/// Good and bad outcomes, forgetting, in ten-thousandths.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    good: u64,
    bad: u64,
}

impl Tally {
    fn count(&mut self, is_good: bool, weight: Ratio) {
        let kept = |sum: u64| sum.min(ONE * ONE) * KEPT / ONE;
        (self.good, self.bad) = (kept(self.good), kept(self.bad));
        let side = if is_good { &mut self.good } else { &mut self.bad };
        *side = side.saturating_add(u64::from(weight.steps()));
    }

    /// The mean and a lower 10 % bound: mean less 1.2816 standard deviations of Beta(good + 1,
    /// bad + 1), never below zero.
    fn bounds(self) -> (Ratio, Ratio) {
        let (good, bad) = (u128::from(self.good + ONE), u128::from(self.bad + ONE));
        let (all, one) = (good + bad, u128::from(ONE));
        let mean = good * one / all;
        // Var = ab / ((a+b)^2 (a+b+1)), times 10^8 so that its root is in ten-thousandths.
        let variance = good * bad * one * one * one / (all * all * (all + one));
        let margin = (variance.isqrt() + 1) * 12_816 / one;
        (steps(mean), steps(mean.saturating_sub(margin)))
    }

    fn standing(self, what: &str) -> Standing {
        let (mean, lower) = self.bounds();
        let (good, bad) = (self.good / ONE, self.bad / ONE);
        let words = format!("{what}: about {good} good and {bad} bad, recent ones count most");
        Standing { lower, mean, confidence: confidence(self.good + self.bad), words }
    }
}

fn steps(value: u128) -> Ratio {
    u16::try_from(value).map_or(Ratio::ONE, Ratio::of)
}

/// Half at ten outcomes of full weight.
fn confidence(evidence: u64) -> Ratio {
    crate::fixed::share(evidence, evidence.saturating_add(10 * ONE))
}

/// What a past is worth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// What can be relied on: the lower 10 % bound.
    pub lower: Ratio,
    /// What is expected.
    pub mean: Ratio,
    /// How much is known.
    pub confidence: Ratio,
    /// In words.
    pub words: String,
}

/// Outcomes by agent and tool class.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reputation {
    tallies: BTreeMap<Name, BTreeMap<ToolClass, Tally>>,
}

impl Reputation {
    /// The most agents that are told apart; one more has no reputation, like any unknown agent.
    pub const AGENTS_MAX: usize = 4_096;

    /// Counts an outcome. `impact` is its weight: a harmless success earns little trust.
    pub fn count(&mut self, agent: &Name, class: ToolClass, is_good: bool, impact: Ratio) {
        if self.tallies.len() < Self::AGENTS_MAX || self.tallies.contains_key(agent) {
            let tallies = self.tallies.entry(agent.clone()).or_default();
            tallies.entry(class).or_default().count(is_good, impact);
        }
    }

    /// What an agent's calls of this class are worth.
    #[must_use]
    pub fn of(&self, agent: &Name, class: ToolClass) -> Standing {
        let tally = self.tallies.get(agent).and_then(|tallies| tallies.get(&class)).copied();
        tally.unwrap_or_default().standing("earlier calls of this class")
    }
}

/// Answers of people, by what they were asked about. An approval that was given in a blink or in a row
/// of approvals shows that nobody read the question, and counts a quarter; a refusal always counts.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// By the digest of the pattern: patterns can be long, and name people.
    tallies: BTreeMap<Digest, Tally>,
    /// The latest answers of each approver, by the digest of the name.
    recent: BTreeMap<Digest, VecDeque<Millis>>,
}

impl Approvals {
    /// The most patterns that are told apart; one more has no history.
    pub const PATTERNS_MAX: usize = 4_096;
    /// The most approvers that are told apart; each approval of one more counts as hasty.
    pub const APPROVERS_MAX: usize = 1_024;
    /// An answer in less than this is not a considered one, in ms.
    pub const BLINK_MS: u64 = 2_000;
    /// More answers than this by one person within [`Self::BURST_MS`] are a burst.
    pub const BURST: usize = 3;
    /// How close together the answers of a burst are, in ms.
    pub const BURST_MS: u64 = 60_000;
    /// The weight of a hasty approval.
    pub const HASTY: Ratio = Ratio::of(2_500);

    /// Counts an answer. `pattern` is what was asked about, in one spelling.
    pub fn count(
        &mut self,
        pattern: &str,
        approver: &str,
        asked: Millis,
        answered: Millis,
        choice: Choice,
    ) {
        let is_hasty = self.is_hasty(Digest::of(approver.as_bytes()), asked, answered);
        let pattern = Digest::of(pattern.as_bytes());
        if self.tallies.len() >= Self::PATTERNS_MAX && !self.tallies.contains_key(&pattern) {
            return;
        }
        let tally = self.tallies.entry(pattern).or_default();
        match choice {
            Choice::Approve if is_hasty => tally.count(true, Self::HASTY),
            Choice::Approve => tally.count(true, Ratio::ONE),
            Choice::Deny => tally.count(false, Ratio::ONE),
        }
    }

    /// What people said to such questions.
    #[must_use]
    pub fn of(&self, pattern: &str) -> Standing {
        let tally = self.tallies.get(&Digest::of(pattern.as_bytes()));
        let tally = tally.copied().unwrap_or_default();
        tally.standing("earlier answers to this question")
    }

    fn is_hasty(&mut self, approver: Digest, asked: Millis, answered: Millis) -> bool {
        if self.recent.len() >= Self::APPROVERS_MAX && !self.recent.contains_key(&approver) {
            self.recent.retain(|_, times| {
                times.back().is_some_and(|time| answered.since(*time) < Self::BURST_MS)
            });
            if self.recent.len() >= Self::APPROVERS_MAX {
                return true;
            }
        }
        let recent = self.recent.entry(approver).or_default();
        recent.retain(|time| answered.since(*time) < Self::BURST_MS);
        recent.push_back(answered);
        let is_burst = recent.len() > Self::BURST;
        if is_burst {
            recent.pop_front();
        }
        is_burst || answered.since(asked) < Self::BLINK_MS
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Choice, Millis, Name, Ratio, ToolClass};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Approvals, Reputation, Tally};

    fn agent() -> Name {
        "writer".parse().unwrap()
    }

    #[test]
    fn an_unknown_agent_is_expected_to_be_average_and_relied_on_little() {
        let standing = Reputation::default().of(&agent(), ToolClass::Send);
        assert_eq!((standing.mean, standing.confidence), (Ratio::of(5_000), Ratio::ZERO));
        assert!(standing.lower < Ratio::of(1_500), "{}", standing.lower);
    }

    #[test]
    fn trust_is_earned_slowly_lost_fast_and_of_one_class_only() {
        let mut reputation = Reputation::default();
        for _ in 0..100 {
            reputation.count(&agent(), ToolClass::Read, true, Ratio::ONE);
        }
        let earned = reputation.of(&agent(), ToolClass::Read).lower;
        assert!(earned > Ratio::of(9_500), "{earned}");
        assert!(reputation.of(&agent(), ToolClass::Pay).lower < Ratio::of(1_500));
        for _ in 0..10 {
            reputation.count(&agent(), ToolClass::Read, false, Ratio::ONE);
        }
        let left = reputation.of(&agent(), ToolClass::Read).lower;
        assert!(left < Ratio::of(8_000), "{left}");
    }

    #[test]
    fn approvals_in_a_blink_or_in_a_burst_count_a_quarter() {
        let confidence = |answers: &[(u64, u64)]| {
            let mut approvals = Approvals::default();
            for (asked, answered) in answers {
                let times = (Millis(*asked), Millis(*answered));
                approvals.count("send to x", "ann", times.0, times.1, Choice::Approve);
            }
            approvals.of("send to x").confidence
        };
        let considered = confidence(&[(0, 2_000), (100_000, 160_000)]);
        assert!(confidence(&[(0, 1_999), (100_000, 100_001)]) < considered);
        let burst: Vec<_> = (0..10).map(|n| (n * 5_000, n * 5_000 + 4_000)).collect();
        let calm: Vec<_> = (0..10).map(|n| (n * 50_000, n * 50_000 + 4_000)).collect();
        assert!(confidence(&burst) < confidence(&calm));
    }

    #[test]
    fn one_approver_too_many_is_hasty() {
        let mut approvals = Approvals::default();
        for n in 0..=Approvals::APPROVERS_MAX {
            let (asked, answered) = (Millis(0), Millis(9_000));
            approvals.count(&n.to_string(), &n.to_string(), asked, answered, Choice::Approve);
        }
        assert!(approvals.of("1024").confidence < approvals.of("1023").confidence);
        assert_eq!(approvals.recent.len(), Approvals::APPROVERS_MAX);
    }

    proptest! {
        #[test]
        fn the_lower_bound_is_below_the_mean_and_one_more_bad_outcome_never_raises_it(
            outcomes in vec((any::<bool>(), 0_u16..=10_000), 0..80), weight in 0_u16..=10_000,
        ) {
            let mut tally = Tally::default();
            for (is_good, weight) in outcomes {
                tally.count(is_good, Ratio::of(weight));
            }
            let (mean, lower) = tally.bounds();
            prop_assert!(lower <= mean);
            let mut worse = tally;
            worse.count(false, Ratio::of(weight));
            let mut better = tally;
            better.count(true, Ratio::of(weight));
            prop_assert!(worse.bounds().0 <= better.bounds().0);
            prop_assert!(worse.bounds().1.steps() <= better.bounds().1.steps() + 1);
        }
    }
}
