//! How an enforcement point stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an enforcement point stands.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PointStanding {
    /// Its name, unique while it lives: `linux/1234`.
    pub point: String,
    /// Where it is in its life.
    pub phase: PointPhase,
    /// How it enforces.
    pub tier: String,
    /// What it tried to get past itself, and whether each was refused.
    pub canaries: Vec<Canary>,
    /// What it saw, beside what it decided, plane by plane.
    pub coverage: Vec<Coverage>,
    /// Events that the kernel could not hand over.
    pub lost: u64,
}

/// Where an enforcement point is in its life.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PointPhase {
    /// It refuses what it must.
    Ready,
    /// It let a canary through, or a part of it is broken: it denies everything new.
    NotReady,
    /// Its session is over.
    Done,
}

/// Something harmless that an enforcement point must refuse.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// What was tried: `exec`, `open`, `write`, `connect`, `tool`.
    pub name: String,
    /// Whether it was refused, as it must be.
    pub refused: bool,
}

/// What was seen on one plane, and how much of it was decided.
#[derive(
    Clone, Debug, Default, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The plane: `exec`, `open`, `mutation`, `connect`.
    pub plane: String,
    /// How many actions were seen to happen.
    pub observed: u64,
    /// How many of these a decision covers.
    pub governed: u64,
    /// How many were refused.
    pub refused: u64,
}
