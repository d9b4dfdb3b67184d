//! What a task asks for, what a tool does, and what content orders: read from words.
//!
//! **What it is for.** Whether an action makes sense *now*, for this task, without a model and
//! without the agent's help: from the trusted statement of the task ([`Task`]), from what a server
//! says of its tool ([`Tool`]), and from sentences in content that tell somebody to do something
//! ([`Order`]). All three speak of the same few [`Act`]s, so that they can be compared.
//!
//! **What it never does.** No verdicts, no state, no I/O. It knows English words, never the tools,
//! tasks or attacks of any one system.
//!
//! **Where to start.** `lexicon.rs` holds the words, [`Tool::of`] and [`Task::read`] read with them.

mod act;
mod lexicon;
mod order;
mod task;
mod tool;
mod words;

pub use act::{Act, Acts};
pub use order::{ORDERS_MAX, Order, orders};
pub use task::Task;
pub use tool::Tool;
pub use words::{base_forms, holds, plain, words};
