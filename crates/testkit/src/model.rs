//! A scripted model: a server that speaks the APIs of three vendors and follows a scenario.
//!
//! Real agents and the vendors' own clients are run against it, directly and through a proxy. It
//! keeps no conversation: what it answers follows from the request alone, so that sub-agents, side
//! calls and retries get the turn that is theirs. Ids and signatures follow from the request too.
//!
//! It refuses what the real services refuse in a conversation: results of calls that nobody made,
//! calls without results, thinking that was changed. A proxy that rewrites must leave it valid.

mod answer;
mod chat;
mod conversation;
mod deliver;
mod error;
mod gemini;
mod log;
mod messages;
mod pattern;
mod responses;
mod route;
mod scenario;
mod seed;
mod server;
mod template;

#[cfg(test)]
mod tests;

pub use self::log::Log;
pub use self::scenario::Scenario;
pub use self::server::serve;
