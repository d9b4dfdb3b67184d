//! What servers offer, and how it stands: fingerprints, rulings of people, switches.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Name};

/// Something that a server offers and that can be fingerprinted.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub struct Item {
    /// The server, as the operator named it.
    pub server: Name,
    /// What kind of thing.
    pub kind: ItemKind,
    /// Its name at the server; empty where a server has only one.
    pub name: String,
}

/// Kinds of item.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A tool, as the server lists it.
    Tool,
    /// A prompt, as the server lists it.
    Prompt,
    /// A template of resources, as the server lists it.
    Template,
    /// What a server tells the model about itself.
    Instructions,
    /// The program that runs as the server, with the package it comes from.
    Program,
}

impl ItemKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] =
        [Self::Tool, Self::Prompt, Self::Template, Self::Instructions, Self::Program];

    /// As people and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Template => "template",
            Self::Instructions => "instructions",
            Self::Program => "program",
        }
    }

    /// Whether a server has one of it, so that a change of it concerns all that the server offers.
    #[must_use]
    pub const fn is_whole_server(self) -> bool {
        match self {
            Self::Instructions | Self::Program => true,
            Self::Tool | Self::Prompt | Self::Template => false,
        }
    }
}

impl Item {
    /// What tells it from every other item, in one word.
    #[must_use]
    pub fn id(&self) -> Digest {
        let Self { server, kind, name } = self;
        let server = server.as_str();
        // The length keeps the parts apart.
        Digest::of(format!("{}:{server} {} {name}", server.len(), kind.as_str()).as_bytes())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, kind, name } = self;
        if name.is_empty() {
            write!(f, "{server} {}", kind.as_str())
        } else {
            write!(f, "{server} {} {name}", kind.as_str())
        }
    }
}

/// Where an item stands, ordered by restraint: what is made of several is the maximum.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// As it was when it was first seen, or as a person accepted it.
    Known,
    /// Other than it was; a person has not looked at the difference.
    Changed,
    /// It looks like an attack; a person has not looked at it.
    Suspect,
    /// A person withdrew it.
    Revoked,
    /// A person switched it off.
    Disabled,
}

impl Trust {
    /// As policies and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Changed => "changed",
            Self::Suspect => "suspect",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
        }
    }
}

/// How what an action uses stands, at the moment of its decision.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Supply {
    /// The most restrained trust of the item and of its whole server.
    pub trust: Trust,
    /// Why, in words; empty for what is known.
    pub reasons: Vec<String>,
}

/// What a person says of the present form of an item.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is what they expect from now on.
    Accept,
    /// It may not be used, whatever form it takes, until they accept one.
    Revoke,
}
