//! The hot path: bytecode.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use regorus::Value;
use regorus::rvm::RegoVM;
use regorus::rvm::vm::VmError;

use crate::bundle::ENTRY_POINT;
use crate::judgement::Refusal;
use crate::limits::{ARGUMENTS_DEPTH_MAX, INSTRUCTIONS_MAX};
use crate::value::{ShapeFault, Shaper};
use crate::{Bundle, Input, Judgement, Oracle, result};

/// Judges inputs with the bytecode of a bundle. Each worker has its own: machine, program and field
/// names are not shared. Equal inputs give equal judgements, whatever was judged before.
#[derive(Debug)]
pub struct Judge {
    bundle: Bundle,
    shaper: Shaper,
    machine: RegoVM,
    /// For bundles with rules that can fail: see [`Judge::judge`].
    second: Option<Box<Oracle>>,
}

impl Judge {
    pub(crate) fn of(bundle: &Bundle) -> Self {
        Self {
            bundle: bundle.clone(),
            shaper: Shaper::new(),
            machine: machine(bundle),
            second: bundle.can_fail().then(|| Box::new(Oracle::of(bundle))),
        }
    }

    /// Judges `input`. Never panics and never fails: trouble of any kind is a deny with a hit named
    /// `engine.…`.
    ///
    /// The machine skips a rule whose evaluation raises an error (`lower(5)`) without a word, which
    /// would let a broken deny open a door. So if a bundle has rules that can raise, what it would
    /// let through is judged a second time by the interpreter, where such an error is one.
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
        let answer = self.run(input.clone());
        match &mut self.second {
            Some(second) if answer.verdict.lets_through() => {
                confirm(answer, second.judge_value(input))
            }
            _ => answer,
        }
    }

    fn run(&mut self, input: Value) -> Judgement {
        let machine = &mut self.machine;
        machine.set_input(input);
        let run = AssertUnwindSafe(|| machine.execute_entry_point_by_name(ENTRY_POINT));
        match catch_unwind(run) {
            Ok(Ok(value)) => {
                machine.set_input(Value::Null);
                result::read(&value, self.bundle.places())
            }
            Ok(Err(error)) => {
                self.machine = self::machine(&self.bundle);
                refuse_error(&error)
            }
            Err(_) => {
                self.machine = self::machine(&self.bundle);
                Judgement::refuse(Refusal::Error, "the policy engine panicked")
            }
        }
    }
}

/// Strict parse: every field present, none unknown, every type right. Written out again it must be
/// what was read, because not every type in it refuses unknown fields by itself.
pub(crate) fn parse(input: &serde_json::Value) -> Result<Input, Judgement> {
    serde_json::from_value(input.clone())
        .ok()
        .filter(|parsed: &Input| serde_json::to_value(parsed).is_ok_and(|again| again == *input))
        .ok_or_else(|| {
            let reason = "the facts of this action are incomplete, too many, or of a wrong type";
            Judgement::refuse(Refusal::MalformedInput, reason)
        })
}

pub(crate) fn refuse_shape(fault: ShapeFault) -> Judgement {
    let reason = match fault {
        ShapeFault::TooDeep => {
            format!("the arguments are nested deeper than {ARGUMENTS_DEPTH_MAX}")
        }
        ShapeFault::Number => "the arguments hold a number that is not finite".to_owned(),
    };
    Judgement::refuse(Refusal::MalformedInput, reason)
}

fn machine(bundle: &Bundle) -> RegoVM {
    let mut machine = RegoVM::new();
    machine.load_program(Arc::new(bundle.program().clone()));
    // Checked when the bundle was compiled; without its data every look-up is undefined and the
    // shipped rules deny.
    let _ = machine.set_data(bundle.data().clone());
    machine.set_max_instructions(INSTRUCTIONS_MAX);
    machine
}

fn refuse_error(error: &VmError) -> Judgement {
    if let VmError::InstructionLimitExceeded { .. } = error {
        let reason = format!("the policies took more than {INSTRUCTIONS_MAX} instructions");
        Judgement::refuse(Refusal::Budget, reason)
    } else {
        Judgement::refuse(Refusal::Error, "the policy engine stopped with an error")
    }
}

fn confirm(first: Judgement, second: Judgement) -> Judgement {
    if first == second {
        first
    } else if second.verdict.lets_through() {
        Judgement::refuse(Refusal::Error, "the two evaluators of the policies disagree")
    } else {
        second
    }
}
