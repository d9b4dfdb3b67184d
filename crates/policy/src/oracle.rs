//! The interpreter, to check the hot path against.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::{Engine, LimitError, Value};

use crate::bundle::ENTRY_POINT;
use crate::compile::place_of;
use crate::judge::{parse, refuse_shape};
use crate::judgement::Refusal;
use crate::limits::INTERPRETER_TIME_MAX;
use crate::value::Shaper;
use crate::{Bundle, Input, Judgement, result};

/// Judges like [`Judge`](crate::Judge), with the interpreter: about five times slower, and
/// independent of compiler and bytecode. An error in any rule is a deny.
#[derive(Debug)]
pub struct Oracle {
    bundle: Bundle,
    shaper: Shaper,
    engine: Engine,
}

impl Oracle {
    /// An oracle for `bundle`.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        Self { bundle: bundle.clone(), shaper: Shaper::new(), engine: bundle.engine() }
    }

    /// Judges `input`.
    pub fn judge(&mut self, input: &Input) -> Judgement {
        match self.shaper.input(input) {
            Ok(value) => self.judge_value(value),
            Err(fault) => refuse_shape(fault),
        }
    }

    /// Judges JSON that must be exactly an [`Input`]; anything else is a deny.
    pub fn judge_json(&mut self, input: &serde_json::Value) -> Judgement {
        match parse(input) {
            Ok(input) => self.judge(&input),
            Err(refusal) => refusal,
        }
    }

    /// Judges a value that nobody checked.
    pub(crate) fn judge_value(&mut self, input: Value) -> Judgement {
        let engine = &mut self.engine;
        engine.set_input(input);
        match catch_unwind(AssertUnwindSafe(|| engine.eval_rule(ENTRY_POINT.to_owned()))) {
            Ok(Ok(value)) => result::read(&value, self.bundle.places()),
            Ok(Err(error)) => match error.downcast_ref::<LimitError>() {
                Some(LimitError::TimeLimitExceeded { .. }) => {
                    let ms = INTERPRETER_TIME_MAX.as_millis();
                    let reason = format!("the policies took longer than {ms} ms");
                    Judgement::refuse(Refusal::Budget, reason)
                }
                _ => refuse_error(&error.to_string()),
            },
            Err(_) => {
                self.engine = self.bundle.engine();
                Judgement::refuse(Refusal::Error, "the policy engine panicked")
            }
        }
    }
}

/// The engine's own words may quote arguments, so only the place is told.
fn refuse_error(error: &str) -> Judgement {
    let reason = place_of(error).map_or_else(
        || "a rule could not be evaluated".to_owned(),
        |(file, line, _)| format!("{file}:{line}: the rule could not be evaluated"),
    );
    Judgement::refuse(Refusal::Error, reason)
}
