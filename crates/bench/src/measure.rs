//! The harness: candidates in turns, so that noise hits all alike, and what came of it.

use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Turns of each candidate.
    pub(crate) rounds: u32,
    /// Calls per turn where a call takes microseconds.
    pub(crate) calls: u32,
    /// Length of a turn where it is a time.
    pub(crate) turn: Duration,
    /// By how much to divide the size of what has to be prepared.
    pub(crate) smaller: u64,
}

impl Effort {
    pub(crate) const FULL: Self =
        Self { rounds: 5, calls: 4_000, turn: Duration::from_millis(1_500), smaller: 1 };
    pub(crate) const QUICK: Self =
        Self { rounds: 1, calls: 100, turn: Duration::from_millis(60), smaller: 20 };
}

/// Times of single calls, in ns, and how many things were done in how much time altogether.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    ns: Vec<u64>,
    done: u64,
    elapsed: Duration,
}

impl Samples {
    /// Notes one call.
    pub(crate) fn call(&mut self, took: Duration) {
        self.ns.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Notes that `done` things were done in `elapsed`, however many at a time.
    pub(crate) fn did(&mut self, done: u64, elapsed: Duration) {
        self.done += done;
        self.elapsed += elapsed;
    }

    /// Takes over everything of another.
    pub(crate) fn add(&mut self, other: Self) {
        self.did(other.done, other.elapsed);
        self.join(other);
    }

    /// How many single calls were noted.
    pub(crate) fn calls(&self) -> u64 {
        u64::try_from(self.ns.len()).unwrap_or(u64::MAX)
    }

    /// Takes over the single calls of another.
    pub(crate) fn join(&mut self, other: Self) {
        self.ns.extend(other.ns);
    }

    /// The time that `share` of the calls stayed within, in µs; 0 of none.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.ns.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1) as f64;
        let nanoseconds = sorted.get((last * share).round() as usize).copied().unwrap_or(0);
        nanoseconds as f64 / 1e3
    }

    /// Half of the calls took no longer, in µs.
    pub(crate) fn p50(&self) -> f64 {
        self.percentile(0.50)
    }

    /// All but one in a hundred took no longer, in µs.
    pub(crate) fn p99(&self) -> f64 {
        self.percentile(0.99)
    }

    /// Things done in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// One thing to be measured, called many times; each call says how long what counts of it took.
pub(crate) type Candidate<'a> = (&'static str, Box<dyn FnMut() -> Duration + 'a>);

/// A call that counts as a whole.
pub(crate) fn timed<'a>(mut call: impl FnMut() + 'a) -> Box<dyn FnMut() -> Duration + 'a> {
    Box::new(move || {
        let start = Instant::now();
        call();
        start.elapsed()
    })
}

/// Calls every candidate in turns, each call timed, after a turn that does not count.
pub(crate) fn in_turns(effort: Effort, candidates: &mut [Candidate<'_>]) -> Vec<Samples> {
    let mut samples = vec![Samples::default(); candidates.len()];
    for (_, call) in candidates.iter_mut() {
        for _ in 0..effort.calls / 2 {
            let _ = call();
        }
    }
    for _ in 0..effort.rounds {
        for ((_, call), samples) in candidates.iter_mut().zip(&mut samples) {
            let mut busy = Duration::ZERO;
            for _ in 0..effort.calls {
                let took = call();
                samples.call(took);
                busy += took;
            }
            samples.did(effort.calls.into(), busy);
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Samples;

    #[test]
    fn percentiles_and_rates_are_those_of_the_calls() {
        let mut samples = Samples::default();
        assert_eq!((samples.p50(), samples.rate()), (0.0, 0.0));
        (0..=100).rev().for_each(|us| samples.call(Duration::from_micros(us)));
        samples.did(500, Duration::from_secs(1));
        samples.did(500, Duration::from_secs(3));
        assert_eq!((samples.p50(), samples.p99(), samples.rate()), (50.0, 99.0, 250.0));
    }
}
