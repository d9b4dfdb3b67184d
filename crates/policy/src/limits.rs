//! Every limit of a bundle and of a judgement.

use std::num::NonZeroU32;
use std::time::Duration;

/// The longest source, in bytes: what the engine's parser accepts by default.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;

/// The most files in a bundle, tests included: what a program of the engine can name.
pub const SOURCES_MAX: usize = 256;

/// The deepest nesting of brackets in a Rego file. The engine's parser takes stack for each, and more
/// than a thread has before its own limit applies.
pub const NESTING_MAX: usize = 16;

/// The most results one judgement may have. A person must be able to read them all.
pub const RESULTS_MAX: usize = 256;

/// The longest rule name, reason and advice of one result together, in bytes. All hits of a
/// decision go into one ledger entry, which has less than 64 KiB.
pub const RESULT_TEXT_BYTES_MAX: usize = 2_000;

/// The most obligations and containment orders of one result.
pub const RESULT_ORDERS_MAX: usize = 256;

/// The most bytecode instructions one judgement may execute: about 3 ms. Instructions and not time,
/// because a replay on a slower machine must come to the same answer.
pub const INSTRUCTIONS_MAX: usize = 100_000;

/// How deep rules may call rules: each level takes stack.
pub const RULE_DEPTH_MAX: usize = 64;

/// The deepest nesting of arguments that a judgement accepts; `serde_json` parses no deeper.
pub const ARGUMENTS_DEPTH_MAX: usize = 128;

/// How long the interpreter may take for one evaluation. It has no count of instructions; this only
/// stops a rule that does not end.
pub(crate) const INTERPRETER_TIME_MAX: Duration = Duration::from_secs(2);

/// After how many steps of the interpreter the time is looked at.
pub(crate) const INTERPRETER_CHECK_STEPS: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
