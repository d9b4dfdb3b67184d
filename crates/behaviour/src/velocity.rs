//! How fast a session goes, and how far it reaches.

use pathwarden_types::{Millis, Ratio};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Phase};
use crate::fixed;
use crate::window::{Distinct, Window};
use crate::words;

/// What is measured.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Calls.
    Calls,
    /// Different targets.
    Targets,
    /// Different recipients.
    Recipients,
    /// Rows, read or changed.
    Rows,
    /// Bytes.
    Bytes,
}

impl Metric {
    const fn unit(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Targets => "different targets",
            Self::Recipients => "different recipients",
            Self::Rows => "rows",
            Self::Bytes => "bytes",
        }
    }
}

/// The most of each metric in one window: hard caps.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct VelocityLimits {
    /// The window, in ms. It belongs to a session from its start.
    pub window_ms: u64,
    /// Calls in a window.
    pub calls: u64,
    /// Calls at once, before the rate of `calls` per window holds.
    pub burst: u64,
    /// Different targets in a window.
    pub targets: u64,
    /// Different recipients in a window.
    pub recipients: u64,
    /// Rows in a window.
    pub rows: u64,
    /// Bytes in a window.
    pub bytes: u64,
}

impl Default for VelocityLimits {
    /// Ten minutes in which something has run away for certain; budgets of contracts say what one agent
    /// needs.
    fn default() -> Self {
        Self {
            window_ms: 600_000,
            calls: 1_000_000,
            burst: 100_000,
            targets: 100_000,
            recipients: 500,
            rows: 10_000_000,
            bytes: 1 << 36,
        }
    }
}

/// A hard cap that a call would pass.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a cap that nobody enforces is none"]
pub struct Excess {
    /// What there is too much of.
    pub metric: Metric,
    /// In words.
    pub words: String,
}

/// How much a window has reached: the blast radius.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Blast {
    /// Different targets; `u64::MAX` when too many to tell apart.
    pub targets: u64,
    /// Different recipients; `u64::MAX` when too many to tell apart.
    pub recipients: u64,
    /// Rows changed.
    pub rows_changed: u64,
}

/// The speed and reach of one session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Velocity {
    limits: VelocityLimits,
    bucket: Bucket,
    rows: Window,
    rows_changed: Window,
    bytes: Window,
    targets: Distinct,
    recipients: Distinct,
    pace: Pace,
}

impl Velocity {
    /// A session that has done nothing.
    #[must_use]
    pub const fn new(limits: VelocityLimits) -> Self {
        let span = limits.window_ms;
        Self {
            limits,
            bucket: Bucket { used: 0, at: Millis(0) },
            rows: Window::new(span),
            rows_changed: Window::new(span),
            bytes: Window::new(span),
            targets: Distinct::new(span),
            recipients: Distinct::new(span),
            pace: Pace { minute: 0, calls: 0, mean: None, excess: 0 },
        }
    }

    /// The caps that this event would pass.
    #[must_use]
    pub fn would(&self, event: &Event) -> Vec<Excess> {
        let (limits, usage, at) = (&self.limits, &event.usage, event.at);
        let is_call = event.phase == Phase::Call;
        let mut found = Vec::new();
        let in_use = self.bucket.level(limits, at).saturating_add(MILLI);
        if is_call && in_use > limits.burst.saturating_mul(MILLI) {
            found.push(self.excess(Metric::Calls, None, limits.calls));
        }
        let targets = self.targets.total_with(at, usage.targets.iter());
        let recipients = self.recipients.total_with(at, usage.recipients.iter());
        let measured = [
            (Metric::Targets, targets, limits.targets, !usage.targets.is_empty()),
            (Metric::Recipients, recipients, limits.recipients, !usage.recipients.is_empty()),
            (Metric::Rows, with(&self.rows, at, usage.rows), limits.rows, is_call),
            (Metric::Bytes, with(&self.bytes, at, usage.bytes), limits.bytes, is_call),
        ];
        let over = measured.into_iter().filter(|(_, used, most, adds)| *adds && used > most);
        found.extend(over.map(|(metric, used, most, _)| self.excess(metric, Some(used), most)));
        found
    }

    /// Takes an event into account, and says what [`would`](Self::would) said.
    pub fn step(&mut self, event: &Event) -> Vec<Excess> {
        let found = self.would(event);
        let (usage, at) = (&event.usage, event.at);
        if event.phase == Phase::Call {
            self.bucket.take(&self.limits, at);
            self.pace.call(at);
        }
        self.rows.add(at, usage.rows);
        self.rows_changed.add(at, usage.rows_changed);
        self.bytes.add(at, usage.bytes);
        self.targets.add(at, usage.targets.iter());
        self.recipients.add(at, usage.recipients.iter());
        found
    }

    /// What the window has reached with this event.
    #[must_use]
    pub fn blast(&self, event: &Event) -> Blast {
        let (usage, at) = (&event.usage, event.at);
        Blast {
            targets: self.targets.total_with(at, usage.targets.iter()),
            recipients: self.recipients.total_with(at, usage.recipients.iter()),
            rows_changed: with(&self.rows_changed, at, usage.rows_changed),
        }
    }

    /// How far the calls per minute are above this session's own usual pace, with words. Soft: it only
    /// ever weighs in.
    #[must_use]
    pub fn haste(&self, now: Millis) -> (Ratio, String) {
        self.pace.haste(now)
    }

    fn excess(&self, metric: Metric, used: Option<u64>, most: u64) -> Excess {
        let (unit, span) = (metric.unit(), words::span(self.limits.window_ms));
        let words = match used {
            Some(u64::MAX) => format!("too many {unit} in {span}, {most} are allowed"),
            Some(used) => format!("{used} {unit} in {span}, {most} are allowed"),
            None => {
                let burst = self.limits.burst;
                format!("{burst} {unit} at once and then {most} in {span} are allowed")
            }
        };
        Excess { metric, words }
    }
}

fn with(window: &Window, at: Millis, more: u64) -> u64 {
    window.total(at).saturating_add(more)
}

const MILLI: u64 = 1_000;

/// A token bucket, in thousandths of a call, counted from empty so that a full burst is there at the
/// start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bucket {
    used: u64,
    at: Millis,
}

impl Bucket {
    /// What is in use at this time.
    fn level(self, limits: &VelocityLimits, now: Millis) -> u64 {
        let elapsed = u128::from(now.since(self.at)) * u128::from(limits.calls);
        let given_back = elapsed * u128::from(MILLI) / u128::from(limits.window_ms.max(1));
        self.used.saturating_sub(u64::try_from(given_back).unwrap_or(u64::MAX))
    }

    fn take(&mut self, limits: &VelocityLimits, now: Millis) {
        self.used = self.level(limits, now).saturating_add(MILLI);
        self.at = self.at.max(now);
    }
}

/// Calls per minute: a moving average, and a cumulative sum of what is above it (CUSUM, Page 1954).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Pace {
    minute: u64,
    calls: u64,
    /// The usual calls per minute, in thousandths; `None` before the first minute is over.
    mean: Option<u64>,
    /// The sum above the mean, in thousandths.
    excess: u64,
}

impl Pace {
    const MINUTE_MS: u64 = 60_000;
    /// What a minute weighs in the mean: one part in this.
    const MEMORY: u64 = 8;
    /// Above the mean by this much is usual, in thousandths of a call.
    const SLACK: u64 = 4 * MILLI;
    /// The sum at which haste is one, in thousandths of a call.
    const FULL: u64 = 60 * MILLI;
    /// The first mean is taken for no more than this, in thousandths of a call: an agent that begins
    /// at full speed does not make full speed usual.
    const FIRST_MAX: u64 = 20 * MILLI;
    /// After so many idle minutes, the past is forgotten.
    const IDLE_MAX: u64 = 64;

    fn call(&mut self, at: Millis) {
        *self = self.at(at);
        self.calls = self.calls.saturating_add(1);
    }

    /// The pace with all minutes before this time closed.
    fn at(mut self, now: Millis) -> Self {
        let minute = (now.0 / Self::MINUTE_MS).max(self.minute);
        let passed = minute - self.minute;
        if self.minute != 0 && passed <= Self::IDLE_MAX {
            for _ in 0..passed {
                self.close();
            }
        } else if passed > 0 {
            self = Self { minute, calls: 0, mean: None, excess: 0 };
        }
        self.minute = minute;
        self
    }

    fn close(&mut self) {
        let calls = self.calls.saturating_mul(MILLI);
        let mean = self.mean.unwrap_or(calls.min(Self::FIRST_MAX));
        self.excess = self.over(mean);
        let kept = mean.saturating_mul(Self::MEMORY - 1);
        self.mean = Some(kept.saturating_add(calls) / Self::MEMORY);
        self.calls = 0;
    }

    fn over(&self, mean: u64) -> u64 {
        let usual = mean.saturating_add(Self::SLACK);
        let sum = self.excess.saturating_add(self.calls.saturating_mul(MILLI));
        sum.saturating_sub(usual).min(Self::FULL.saturating_mul(2))
    }

    fn haste(&self, now: Millis) -> (Ratio, String) {
        let pace = self.at(now);
        let Some(mean) = pace.mean else {
            return (Ratio::ZERO, "no usual pace is known yet".to_owned());
        };
        let value = fixed::share(pace.over(mean), Self::FULL);
        (value, format!("{} calls this minute, {} are usual", pace.calls, mean / MILLI))
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Millis, Ratio};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Blast, Metric, Velocity, VelocityLimits};
    use crate::event::Event;
    use crate::testing::{call, texts};

    const LIMITS: VelocityLimits = VelocityLimits {
        window_ms: 60_000,
        calls: 60,
        burst: 5,
        targets: 3,
        recipients: 2,
        rows: 100,
        bytes: 1_000,
    };

    fn at(at: u64) -> Event {
        Event { at: Millis(at), ..call(1, "read") }
    }

    #[test]
    fn a_burst_passes_and_then_only_the_rate() {
        let mut velocity = Velocity::new(LIMITS);
        for _ in 0..5 {
            assert_eq!(velocity.step(&at(100_000)), []);
        }
        let found = velocity.would(&at(100_500));
        let words = "5 calls at once and then 60 in 1 min are allowed";
        assert_eq!(found.first().map(|excess| excess.words.as_str()), Some(words));
        assert_eq!(velocity.would(&at(101_000)), []);
    }

    #[test]
    fn each_cap_holds_at_the_limit_and_not_one_past_it() {
        let limits = VelocityLimits { burst: 100, ..LIMITS };
        let mut event = at(1);
        event.usage.targets = texts(&["a", "b", "c"]);
        event.usage.recipients = texts(&["x", "y"]);
        (event.usage.rows, event.usage.bytes) = (100, 1_000);
        let mut velocity = Velocity::new(limits);
        assert_eq!(velocity.step(&event), []);
        let mut more = at(2);
        assert_eq!(velocity.would(&more), []);
        more.usage.targets = texts(&["d"]);
        more.usage.recipients = texts(&["x", "z"]);
        (more.usage.rows, more.usage.bytes) = (1, 1);
        let metrics: Vec<_> = velocity.would(&more).iter().map(|excess| excess.metric).collect();
        assert_eq!(metrics, [Metric::Targets, Metric::Recipients, Metric::Rows, Metric::Bytes]);
        assert_eq!(velocity.blast(&more), Blast { targets: 4, recipients: 3, rows_changed: 0 });
    }

    #[test]
    fn a_sudden_hurry_shows_and_a_steady_pace_does_not() {
        let mut velocity = Velocity::new(VelocityLimits::default());
        for minute in 100..120_u64 {
            for second in 0..6 {
                velocity.step(&at(minute * 60_000 + second * 10_000));
            }
        }
        assert_eq!(velocity.haste(Millis(120 * 60_000)).0, Ratio::ZERO);
        for second in 0..60 {
            velocity.step(&at(120 * 60_000 + second * 1_000));
        }
        let (value, words) = velocity.haste(Millis(120 * 60_000 + 59_999));
        assert!(value > Ratio::of(7_000), "{value}");
        assert!(words.starts_with("60 calls this minute"), "{words}");
    }

    proptest! {
        #[test]
        fn caps_are_total_and_a_tighter_one_never_loosens(
            steps in vec((0_u64..9_000, 0_u64..60, any::<u64>()), 0..40), cut in 0_u64..100,
        ) {
            let tight = VelocityLimits { rows: LIMITS.rows - cut, ..LIMITS };
            let (mut loose, mut tighter) = (Velocity::new(LIMITS), Velocity::new(tight));
            for (time, rows, bytes) in steps {
                let mut event = at(time);
                (event.usage.rows, event.usage.bytes) = (rows, bytes);
                let said = loose.would(&event);
                let found = loose.step(&event);
                prop_assert_eq!(&said, &found);
                let metrics = |found: Vec<super::Excess>| -> Vec<_> {
                    found.into_iter().map(|excess| excess.metric).collect()
                };
                let strict = metrics(tighter.step(&event));
                prop_assert!(metrics(found).iter().all(|metric| strict.contains(metric)));
            }
        }
    }
}
