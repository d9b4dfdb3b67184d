//! The cost of one judgement, as a ratio: it must not depend on the machine that runs the test.

use std::time::Instant;

use super::any::corpus;
use super::pack;
use crate::Oracle;

/// The machine is the hot path because it is faster; if it is not, something is wrong with how it
/// is used.
#[test]
fn the_machine_is_faster_than_the_interpreter() {
    let bundle = pack();
    let (mut judge, mut oracle) = (bundle.judge(), Oracle::of(&bundle));
    let inputs = corpus();
    let mut best = [f64::MAX; 2];
    for _ in 0..10 {
        let start = Instant::now();
        inputs.iter().for_each(|input| drop(judge.judge(input)));
        best[0] = best[0].min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        inputs.iter().for_each(|input| drop(oracle.judge(input)));
        best[1] = best[1].min(start.elapsed().as_secs_f64());
    }
    let [machine, interpreter] = best.map(|best| best * 1e6 / inputs.len() as f64);
    assert!(machine < interpreter, "{machine:.1} us against {interpreter:.1} us");
}
