//! One module for each command that asks a node.

pub(crate) mod agent;
pub(crate) mod approvals;
pub(crate) mod completions;
pub(crate) mod contain;
pub(crate) mod context;
pub(crate) mod contract;
pub(crate) mod coverage;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod findings;
pub(crate) mod ledger;
pub(crate) mod mcp;
pub(crate) mod memory;
pub(crate) mod path;
pub(crate) mod pins;
pub(crate) mod policy;
pub(crate) mod profile;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod tools;
pub(crate) mod why;
