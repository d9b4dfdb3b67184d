//! Command lines as what they would run, read, write, remove, change and reach.
//!
//! **What it is for.** Policy speaks of effects, not of strings. A command line is read here as a shell
//! would read it: words are expanded, codings are taken off, and every branch is walked; what comes out
//! is a [`Plan`]: the acts that are seen, and the doubts that say what is not.
//!
//! **What it never does.** It runs nothing, opens nothing and asks no clock: equal lines in equal
//! surroundings give equal plans. It never panics and always ends, whatever the bytes are. And it never
//! claims to be complete: a plan without doubts is what the line says, not what the kernel will see, so
//! it is a reason to refuse early, and never the only one to allow.
//!
//! **Where to start.** [`of_argv`] for what `execve` gets, [`of_script`] for text that a shell gets. Then
//! `walk.rs`, which carries it; a program that is read wrongly has its row in `programs/table.rs` or its
//! reader beside it.

mod arithmetic;
mod decode;
mod escape;
mod expand;
mod glob;
mod hosts;
mod parse;
mod plan;
mod programs;
mod snippet;
mod syntax;
mod value;
mod walk;

use value::{Flow, Value};
use walk::Walk;

pub use parse::DEPTH_MAX;
pub use plan::{Act, Doubt, Plan, Surroundings, WOULD_MAX, Would};

/// The longest text that is read, in bytes; a longer one is only [`Doubt::TooLong`]. It is far beyond
/// what people write in one line, and short enough to be read while an `execve` waits.
pub const TEXT_MAX_BYTES: usize = 64 << 10;

/// What a program would do that is started with these words, its name included.
pub fn of_argv(argv: &[&[u8]], surroundings: &Surroundings) -> Plan {
    let mut walk = Walk::new(surroundings);
    let bytes: usize = argv.iter().map(|word| word.len() + 1).sum();
    if bytes > TEXT_MAX_BYTES {
        walk.doubt(Doubt::TooLong);
        return walk.into_plan();
    }
    let words: Vec<Value> =
        argv.iter().map(|word| Value::known(text_of(&mut walk, word))).collect();
    walk.start(&words, &Flow::default());
    walk.into_plan()
}

/// What a shell would do that is given this text.
pub fn of_script(text: &[u8], surroundings: &Surroundings) -> Plan {
    let mut walk = Walk::new(surroundings);
    if text.len() > TEXT_MAX_BYTES {
        walk.doubt(Doubt::TooLong);
        return walk.into_plan();
    }
    let text = text_of(&mut walk, text);
    walk.script(&text, &Flow::default());
    walk.into_plan()
}

/// Bytes as text. Shells skip a zero byte, and a byte that is no UTF-8 cannot be told by name.
fn text_of(walk: &mut Walk<'_>, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') || matches!(text, std::borrow::Cow::Owned(_)) {
        walk.doubt(Doubt::Unparsable);
    }
    text.replace('\0', "")
}
