//! Loops: the same call again and again, a cycle of calls, or calls that learn nothing new.

use std::collections::VecDeque;

use pathwarden_types::{ActionId, Digest, ToolClass};

/// The calls of a session, as far as loops need them.
///
/// A call that repeats the one `p` calls before it extends the cycle of period `p`. A cycle is judged
/// by how often it has made the same call: a warning at the third, throttled at the sixth, broken at
/// the eighth at the latest. A read that brings something new each time is progress and counts half; a call with an
/// effect is never excused by its answer, since each answer to a repeated effect is new.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Loops {
    ring: VecDeque<Call>,
    /// For each period, twice the calls that matched the one a period before, less progress.
    streaks: [u32; Loops::PERIOD_MAX],
    /// The latest results, in a row, that were those of the same calls before.
    stale: u32,
    /// The latest reads, in a row, with one and the same result.
    flat: u32,
    last_read: Option<Digest>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Call {
    id: ActionId,
    call: Digest,
    class: ToolClass,
    result: Option<Digest>,
}

/// What to do about a loop, ordered by restraint.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LoopLevel {
    /// Tell.
    Warn,
    /// Slow the agent down.
    Throttle,
    /// Refuse the call.
    Break,
}

/// What kind of loop it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LoopKind {
    /// The same call again and again.
    Repeat,
    /// The same few calls in turn.
    Cycle {
        /// How many calls come in turn.
        period: usize,
    },
    /// Calls that bring only what was known.
    NoProgress,
}

/// A loop that a call would continue.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use = "a loop that nobody breaks goes on"]
pub struct Loop {
    /// What to do.
    pub level: LoopLevel,
    /// What kind.
    pub kind: LoopKind,
    /// How often.
    pub count: u32,
    /// What is wrong, in words.
    pub words: String,
}

impl Loops {
    /// The calls that are remembered.
    pub const RING: usize = 32;
    /// The longest cycle that is looked for.
    pub const PERIOD_MAX: usize = 6;
    /// Identical calls in a cycle at which each level begins.
    pub const REPEATS: [(u32, LoopLevel); 3] =
        [(8, LoopLevel::Break), (6, LoopLevel::Throttle), (3, LoopLevel::Warn)];
    /// Known results in a row, of calls made before, at which each level begins.
    pub const STALE: [(u32, LoopLevel); 3] =
        [(16, LoopLevel::Break), (12, LoopLevel::Throttle), (8, LoopLevel::Warn)];
    /// A call is only broken for bringing nothing new when it was made this often before.
    pub const STALE_BROKEN: usize = 5;
    /// Reads in a row, of anything, with one result, at which each level begins. Looking for something
    /// in many places looks like this too, so that it is never broken.
    pub const FLAT: [(u32, LoopLevel); 2] = [(12, LoopLevel::Throttle), (6, LoopLevel::Warn)];

    /// The gravest loop that this call would continue. `call` is a digest of operation and canonical
    /// arguments.
    #[must_use]
    pub fn would(&self, call: Digest) -> Option<Loop> {
        let cycles = (1..).zip(self.extended(call)).filter_map(|(period, streak)| {
            let count = repeats(streak, period);
            Some(Self::cycle(level(&Self::REPEATS, count)?, period, count))
        });
        let before = self.ring.iter().filter(|seen| seen.call == call).count();
        let most =
            if before >= Self::STALE_BROKEN { LoopLevel::Break } else { LoopLevel::Throttle };
        let stale = level(&Self::STALE, self.stale).filter(|_| before > 0);
        let stale = stale.map(|level| Loop {
            level: level.min(most),
            kind: LoopKind::NoProgress,
            count: self.stale,
            words: format!("the last {} calls brought what they had brought before", self.stale),
        });
        let flat = level(&Self::FLAT, self.flat).map(|level| Loop {
            level,
            kind: LoopKind::NoProgress,
            count: self.flat,
            words: format!("the last {} reads all brought the same", self.flat),
        });
        // Of equally grave ones the simplest to understand: the shortest period.
        let all = cycles.chain(stale).chain(flat);
        all.reduce(|found, next| if next.level > found.level { next } else { found })
    }

    /// Takes a call into account that was let through, and says what [`would`](Self::would) said.
    pub fn call(&mut self, id: ActionId, call: Digest, class: ToolClass) -> Option<Loop> {
        let found = self.would(call);
        self.streaks = self.extended(call);
        if self.ring.len() >= Self::RING {
            self.ring.pop_front();
        }
        self.ring.push_back(Call { id, call, class, result: None });
        found
    }

    /// Takes the result of a call into account.
    pub fn result(&mut self, id: ActionId, result: Digest) {
        let Some(at) = self.ring.iter().rposition(|seen| seen.id == id) else { return };
        let Some(done) = self.ring.get_mut(at) else { return };
        done.result = Some(result);
        let (call, class) = (done.call, done.class);
        let earlier = self.ring.iter().take(at).rev().filter(|seen| seen.call == call);
        let before = earlier.filter_map(|seen| seen.result).next();
        let is_read = !class.has_effect();
        if is_read && before.is_some_and(|before| before != result) {
            for streak in &mut self.streaks {
                *streak = streak.saturating_sub(1);
            }
        }
        let is_stale = before == Some(result);
        self.stale = if is_stale { self.stale.saturating_add(1) } else { 0 };
        let is_flat = is_read && self.last_read == Some(result);
        self.flat = if is_flat { self.flat.saturating_add(1) } else { u32::from(is_read) };
        self.last_read = is_read.then_some(result);
    }

    /// The streaks with this call.
    fn extended(&self, call: Digest) -> [u32; Self::PERIOD_MAX] {
        let mut streaks = self.streaks;
        let mut before = self.ring.iter().rev();
        for streak in &mut streaks {
            let matches = before.next().is_some_and(|seen| seen.call == call);
            *streak = if matches { streak.saturating_add(2) } else { 0 };
        }
        streaks
    }

    fn cycle(level: LoopLevel, period: usize, count: u32) -> Loop {
        let (kind, words) = if period == 1 {
            (LoopKind::Repeat, format!("the same call {count} times in a row"))
        } else {
            let words = format!("the same {period} calls in turn, {count} times");
            (LoopKind::Cycle { period }, words)
        };
        Loop { level, kind, count, words }
    }
}

/// How often a cycle has made its latest call.
fn repeats(streak: u32, period: usize) -> u32 {
    let period = u32::try_from(period).unwrap_or(u32::MAX).max(1);
    match streak / 2 {
        0 => 1,
        matches => (matches - 1) / period + 2,
    }
}

fn level(levels: &[(u32, LoopLevel)], count: u32) -> Option<LoopLevel> {
    levels.iter().find(|(least, _)| count >= *least).map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{ActionId, Digest, ToolClass};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Loop, LoopKind, LoopLevel, Loops};

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    /// Makes calls, `call=result` each, and returns the level at each.
    fn run(class: ToolClass, calls: &[String]) -> (Vec<Option<LoopLevel>>, Option<Loop>) {
        let mut loops = Loops::default();
        let mut levels = Vec::new();
        let mut last = None;
        for (index, text) in calls.iter().enumerate() {
            let (call, result) = text.split_once('=').unwrap();
            let id = ActionId::of(&digest(&index.to_string()));
            last = loops.call(id, digest(call), class);
            levels.push(last.as_ref().map(|found| found.level));
            loops.result(id, digest(result));
        }
        (levels, last)
    }

    fn cycle(names: &[&str], times: usize) -> Vec<String> {
        let names = names.iter().cycle().take(names.len() * times);
        names.map(|name| format!("{name}=ok {name}")).collect()
    }

    #[test]
    fn the_eighth_identical_call_is_broken_and_no_earlier_one() {
        for class in [ToolClass::Read, ToolClass::Send] {
            let (levels, last) = run(class, &cycle(&["a"], 8));
            let (warn, throttle) = (Some(LoopLevel::Warn), Some(LoopLevel::Throttle));
            let want = [None, None, warn, warn, warn, throttle, throttle, Some(LoopLevel::Break)];
            assert_eq!(levels, want);
            assert_eq!(last.unwrap().words, "the same call 8 times in a row");
        }
    }

    #[test]
    fn a_cycle_of_up_to_six_is_broken_from_the_sixth_to_the_eighth_time() {
        let names = ["a", "b", "c", "d", "e", "f"];
        for period in 2..=6 {
            let (levels, last) = run(ToolClass::Read, &cycle(&names[..period], 8));
            let first = levels.iter().position(|level| *level == Some(LoopLevel::Break));
            let first = first.unwrap();
            assert!((5 * period..=7 * period).contains(&first), "{first} of period {period}");
            assert_eq!(last.unwrap().level, LoopLevel::Break);
        }
    }

    #[test]
    fn five_identical_calls_and_then_work_is_never_broken() {
        let mut calls = cycle(&["a"], 5);
        calls.extend((0..20).map(|n| format!("{n}=done {n}")));
        calls.extend(cycle(&["a"], 5));
        let (levels, last) = run(ToolClass::Read, &calls);
        assert!(!levels.contains(&Some(LoopLevel::Break)), "{levels:?}");
        assert_eq!(last.unwrap().level, LoopLevel::Warn);
    }

    #[test]
    fn waiting_for_something_that_moves_is_given_more_time_than_a_repeat() {
        let polls: Vec<_> = (0..14).map(|n| format!("status={n} %")).collect();
        let (levels, _) = run(ToolClass::Read, &polls);
        let first = levels.iter().position(|level| *level == Some(LoopLevel::Break));
        assert_eq!(first, Some(13), "the fourteenth poll");
    }

    #[test]
    fn a_repeated_effect_is_no_progress_even_if_each_answer_is_new() {
        let sends: Vec<_> = (0..8).map(|n| format!("send=sent as {n}")).collect();
        let (_, last) = run(ToolClass::Send, &sends);
        assert_eq!(last.unwrap().level, LoopLevel::Break);
    }

    #[test]
    fn known_results_in_any_order_are_no_progress() {
        let order = "abcdabdcacbdbadcbcadabcddcabacbd";
        let calls: Vec<_> = order.chars().map(|name| format!("{name}=ok {name}")).collect();
        let (levels, last) = run(ToolClass::Read, &calls);
        assert!(levels.contains(&Some(LoopLevel::Break)), "{levels:?}");
        assert_eq!(last.unwrap().kind, LoopKind::NoProgress);
    }

    #[test]
    fn looking_in_many_empty_places_is_slowed_but_not_broken() {
        let calls: Vec<_> = (0..40).map(|n| format!("list {n}=empty")).collect();
        let (levels, last) = run(ToolClass::Read, &calls);
        assert!(!levels.contains(&Some(LoopLevel::Break)));
        assert_eq!(last.unwrap().level, LoopLevel::Throttle);
    }

    proptest! {
        #[test]
        fn nothing_is_broken_that_was_called_fewer_than_six_times(
            order in vec(0_usize..30, 0..80),
        ) {
            let mut counts = [0; 30];
            let mut allowed = Vec::new();
            for name in order {
                counts[name] += 1;
                if counts[name] <= 5 {
                    allowed.push(format!("{name}={}", allowed.len()));
                }
            }
            let (levels, _) = run(ToolClass::Send, &allowed);
            prop_assert!(!levels.contains(&Some(LoopLevel::Break)));
        }

        #[test]
        fn any_session_ends_with_a_break_when_it_only_repeats_itself(
            before in vec("[a-d]=[xy]", 0..40), period in 1_usize..=6,
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let calls: Vec<_> = before.into_iter().chain(cycle(&names[..period], 8)).collect();
            let (_, last) = run(ToolClass::Write, &calls);
            prop_assert_eq!(last.unwrap().level, LoopLevel::Break);
        }

        #[test]
        fn memory_is_bounded(calls in vec("[a-f]", 0..100)) {
            let mut loops = Loops::default();
            for (index, call) in calls.iter().enumerate() {
                let id = ActionId::of(&digest(&index.to_string()));
                let said = loops.would(digest(call));
                prop_assert_eq!(loops.call(id, digest(call), ToolClass::Unknown), said);
                prop_assert!(loops.ring.len() <= Loops::RING);
            }
        }
    }
}
