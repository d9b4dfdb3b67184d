//! What is done to a machine: by processes, through the kernel.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What one act does to a machine.
#[derive(
    Clone, Copy, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HostVerb {
    /// Runs a program.
    Run,
    /// Reads a file.
    Read,
    /// Creates a file, or writes to one.
    Write,
    /// Removes a file or a folder.
    Remove,
    /// Renames, links, or changes rights, owners or how the machine works.
    Change,
    /// Connects to an address.
    Reach,
}

impl HostVerb {
    /// Every verb, in order.
    pub const ALL: [Self; 6] =
        [Self::Run, Self::Read, Self::Write, Self::Remove, Self::Change, Self::Reach];

    /// As policies and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Write => "write",
            Self::Remove => "remove",
            Self::Change => "change",
            Self::Reach => "reach",
        }
    }
}

/// One thing that is done to a machine.
#[derive(
    Clone, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(deny_unknown_fields)]
pub struct HostAct {
    /// What it does.
    pub verb: HostVerb,
    /// Where that stands: a place of files (`workspace`, `credential`, …), or of an address (`node`,
    /// `own`, `named`, `resolver`, `loopback`, `outside`).
    pub place: String,
    /// The path, the program or the address; a pattern where all that it covers is decided alike.
    pub what: String,
    /// Whether a path lies in the session's workspace, whatever its place.
    #[serde(default)]
    pub in_workspace: bool,
}

/// The arguments of an operation on a machine, in the shape that policies see.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostAttempt {
    /// The program that acts or that is started, as the kernel names it; empty where none is known.
    pub program: String,
    /// Where that program stands.
    pub program_place: String,
    /// What is, was, or would be done.
    pub acts: Vec<HostAct>,
    /// What makes a command line hard to believe: `opaque`, `decoded_code`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// The tool server whose process it is; empty for the agent's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// The tool whose call was open; empty where none was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tool: String,
    /// The program files that would be loaded and that outlast the session's own work, by path, with the
    /// digest of their content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, Digest>,
}

impl HostAttempt {
    /// The name by which records and policies know the machine, where others have a server's.
    pub const SERVER: &str = "host";
    /// The most acts that one attempt has; one with more is refused.
    pub const ACTS_MAX: usize = 64;
    /// The most programs that one attempt loads: a file, and one after the other what interprets it.
    pub const PROGRAMS_MAX: usize = 8;
}

/// What the kernel saw an action do, while its permit was open, in the processes that served it.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// How many processes were started.
    pub processes: u64,
    /// What was done, at most [`Measured::ACTS_MAX`], the most telling first.
    pub acts: Vec<MeasuredAct>,
    /// How many more were done.
    pub more: u64,
    /// Events that the kernel could not hand over: with any, this is not all.
    pub lost: u64,
}

/// One thing that the kernel saw done.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredAct {
    /// What.
    #[serde(flatten)]
    pub act: HostAct,
    /// How often.
    pub times: u64,
    /// Bytes that went out to an address.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent_bytes: u64,
    /// Bytes that came from an address.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received_bytes: u64,
    /// Digest of the content of a small file that was written, as it stood when the permit closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
    /// Whether the kernel refused it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Measured {
    /// The most acts that are kept of one action.
    pub const ACTS_MAX: usize = 64;
}
