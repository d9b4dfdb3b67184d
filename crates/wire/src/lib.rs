//! What crosses a process boundary.
//!
//! **What it is for.** The bodies of the HTTP API, the shape of its errors, and [`Pdp`], the decision
//! point as an enforcement point sees it, whether it sits in the same process or behind a socket.
//!
//! **What it never does.** It opens no socket and decides nothing.
//!
//! **Where to start.** [`Pdp`], then [`Ask`] and [`Answer`].

mod containment;
mod context;
mod fault;
mod knowledge;
mod memory;
mod model;
mod pdp;
mod supply;
mod views;

pub use containment::{
    AwaitOrders, Contain, Containments, Enter, Orders, PointPdp, PointRow, Release,
};
pub use context::{
    Comparison, ContextDiff, ContextShown, PartingShown, PieceShown, SaidShown, WindowShown,
};
pub use fault::{Fault, FaultKind};
pub use knowledge::{
    BaselineRow, FeedRow, KnowledgeStatus, LearnProfile, Learned, LearnedProfile, Lessons, Profile,
};
pub use memory::{
    ConsumedBy, MemoryRow, MemoryShown, MemoryWish, RuleMemory, RuledMemory, VersionShown,
};
pub use model::{Emitted, ModelPdp, Piece, Said, Seen, ShownWindow};
pub use pdp::{
    Answer, AnswerBody, Ask, Asking, AwaitChange, Catalogue, CatalogueItem, Comeback, Found, Held,
    Join, Joined, NearQuestion, Observe, Pdp, Refusal, Report, Reported, Wait, Withheld,
};
pub use supply::{FindingRow, PinRow, PinShown, Pins, RulePin, SwitchRow, SwitchTool};
pub use views::{
    ActionPath, AnswerApproval, ApprovalRow, Because, Difference, EndSession, Export, Health,
    OriginShown, PathEvent, PathEventKind, PolicyStatus, Reach, Replay, RuleRow, SessionRow,
    SessionStanding, SnippetShown, StartSession, Started, Step, Why, WouldChange,
};
