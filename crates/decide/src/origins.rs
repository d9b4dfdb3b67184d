//! Where the arguments that decide something came from.

use pathwarden_lineage::{Role, role};
use pathwarden_policy::{OriginFacts, TargetKind};
use pathwarden_purpose::{Act, Acts, Tool};
use pathwarden_types::{GivenBy, OperationKind, Origin, Ratio, ToolClass};

use crate::State;
use crate::leaves::{Part, PartKind};
use crate::sources::{Provenance, Use};
use crate::{links, recipients};

/// The most origins that one action may have; one past it is refused.
pub(crate) const ORIGINS_MAX: usize = 1_024;

/// What an action does with its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Doing<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) class: ToolClass,
    pub(crate) kind: OperationKind,
}

impl Doing<'_> {
    /// What a person who leaves a choice to content does not leave to it: what cannot be undone, and
    /// what is worth money or access.
    pub(crate) fn may_be_left(self) -> bool {
        let kept = [Act::Pay, Act::Delete, Act::Run, Act::Publish, Act::Share, Act::Develop];
        !self.tool.acts().meets(Acts::of(&kept))
    }

    /// How a value is used that decides whom or what is reached.
    pub(crate) fn deciding(self) -> Use {
        let acts = if self.only_looks() { Acts::of(&[Act::Visit]) } else { self.tool.acts() };
        Use { acts, may_be_left: self.may_be_left(), is_passed_on: false }
    }

    /// What an argument is for.
    pub(crate) fn role(self, pointer: &str) -> Role {
        role(pointer, None, self.class, None)
    }

    /// Whether the arguments choose whom or what is reached. Otherwise a server is asked for something of
    /// its own, which its URI names, or a client and its server talk to each other.
    const fn chooses(self) -> bool {
        match self.kind {
            OperationKind::ToolCall => true,
            OperationKind::ResourceRead
            | OperationKind::PromptGet
            | OperationKind::Sampling
            | OperationKind::Elicitation
            | OperationKind::Roots
            | OperationKind::Reply
            | OperationKind::ModelCall
            | OperationKind::Exec
            | OperationKind::File
            | OperationKind::Connect
            | OperationKind::Effect => false,
        }
    }

    /// Whether what looks like a target in an argument is reached by the action.
    pub(crate) fn reaches(self, kind: TargetKind, value: &str, pointer: &str) -> bool {
        match self.kind {
            OperationKind::ToolCall => !names_dialect(pointer, value),
            // A server may fetch what a link names; what another scheme names is its own.
            OperationKind::ResourceRead | OperationKind::PromptGet => {
                kind != TargetKind::Url || value.starts_with("http")
            }
            // The person is sent there.
            OperationKind::Elicitation => kind == TargetKind::Url,
            OperationKind::Sampling
            | OperationKind::Roots
            | OperationKind::Reply
            | OperationKind::Exec
            | OperationKind::File
            | OperationKind::Connect
            | OperationKind::Effect => false,
            // The provider reaches it by itself.
            OperationKind::ModelCall => kind == TargetKind::Url,
        }
    }

    /// Whether what stands at this place of the arguments can be reached at all. What a model is told is
    /// not what it does; servers that its provider calls are.
    pub(crate) fn has_targets_at(self, pointer: &str) -> bool {
        self.kind != OperationKind::ModelCall || pointer.starts_with("/server_tools/")
    }

    fn only_looks(self) -> bool {
        self.class == ToolClass::Read && self.tool.only_looks()
    }
}

/// Whether an argument is the name of a dialect of JSON Schema, which nobody follows.
fn names_dialect(pointer: &str, link: &str) -> bool {
    if !pointer.ends_with("/$schema") {
        return false;
    }
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let path = rest.and_then(|rest| rest.strip_prefix("json-schema.org/"));
    path.is_some_and(|path| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '#');
        path.len() <= DIALECT_BYTES_MAX && path.chars().all(is_plain)
    })
}

/// The longest path of a dialect's name, in bytes: a longer one could carry something out.
const DIALECT_BYTES_MAX: usize = 24;

/// The origins of one argument, as far as it decides something.
pub(crate) fn of_part(state: &State, doing: Doing<'_>, part: Part<'_>) -> Vec<Traced> {
    let is_word = matches!(part.text, "true" | "false");
    if !doing.chooses()
        || names_dialect(part.pointer, part.text)
        || part.kind == PartKind::Key
        || is_word
        || part.text.trim().is_empty()
    {
        return Vec::new();
    }
    let role = doing.role(part.pointer);
    let is_link = links::is_link(part.text);
    match role {
        Role::Command | Role::Credential if doing.only_looks() && !is_link => Vec::new(),
        // The bare name of a host is what a look-up is about; with a dot or a path it is an address.
        Role::Target if doing.only_looks() && !part.text.contains(['.', '/', ':']) => Vec::new(),
        Role::Credential => vec![credential(state, doing, part)],
        Role::Target | Role::Command => targets(state, doing, part, role),
        Role::Content | Role::Selector if is_link => targets(state, doing, part, Role::Target),
        Role::Content if !doing.only_looks() => passed_on(state, doing, part),
        Role::Content | Role::Selector | Role::Control => Vec::new(),
    }
}

fn targets(state: &State, doing: Doing<'_>, part: Part<'_>, role: Role) -> Vec<Traced> {
    let items = if part.text.contains('@') {
        recipients::in_list(part.text)
    } else {
        vec![part.text.to_owned()]
    };
    let usage = doing.deciding();
    // One more than may be is refused; the rest need not be looked for.
    let traced = items.iter().take(ORIGINS_MAX + 1).map(|item| state.provenance(item, usage));
    traced.map(|provenance| origin(part, role, provenance)).collect()
}

/// A credential that proves who one is may be the answer to a demand for it.
fn credential(state: &State, doing: Doing<'_>, part: Part<'_>) -> Traced {
    let mut provenance =
        state.provenance(part.text, Use { may_be_left: false, ..doing.deciding() });
    let answers = doing.tool.only_authenticates() && state.sources().answers_challenge(part.text);
    if answers && provenance.given_by > GivenBy::Record {
        provenance.given_by = GivenBy::Record;
    }
    origin(part, Role::Credential, provenance)
}

/// Links and addresses in what a message says, and short values under any name, count only where
/// content orders them.
fn passed_on(state: &State, doing: Doing<'_>, part: Part<'_>) -> Vec<Traced> {
    let usage = Use { is_passed_on: true, ..doing.deciding() };
    let links = links::in_text(part.text);
    // More links than are traced hide one.
    let surplus = links.get(LINKS_MAX).map(|_| Provenance::nowhere(GivenBy::OutsideContent));
    let surplus = surplus.map(|provenance| origin(part, Role::Content, provenance));
    let is_short = part.text.split_whitespace().count() <= SHORT_WORDS_MAX;
    let whole = is_short.then(|| part.text.to_owned());
    links
        .iter()
        .take(LINKS_MAX)
        .chain(&whole)
        .map(|value| state.provenance(value, usage))
        .filter(|provenance| {
            // What is left out may have ordered it.
            let is_unsure = provenance.given_by == GivenBy::OutsideContent;
            provenance.given_by == GivenBy::Ordered || (is_unsure && state.sources().is_full())
        })
        .map(|provenance| origin(part, Role::Content, provenance))
        .chain(surplus)
        .collect()
}

/// A value of so many words may decide something under any name.
const SHORT_WORDS_MAX: usize = 4;

/// The most links of one text that are traced.
const LINKS_MAX: usize = 64;

fn origin(part: Part<'_>, role: Role, provenance: Provenance) -> Traced {
    let role = match role {
        Role::Target => "target",
        Role::Command => "command",
        Role::Credential => "credential",
        Role::Content => "content",
        Role::Selector => "selector",
        Role::Control => "control",
    };
    let (pointer, role) = (part.pointer.to_owned(), role.to_owned());
    let Provenance { given_by, place, cue } = provenance;
    Traced { origin: Origin { pointer, role, given_by, place }, cue }
}

/// The origin of an argument, with what is known of its source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Traced {
    pub(crate) origin: Origin,
    cue: Ratio,
}

impl Traced {
    /// What a policy is told.
    pub(crate) fn facts(&self) -> OriginFacts {
        let Origin { pointer, role, given_by, .. } = self.origin.clone();
        OriginFacts { pointer, role, given_by, cue: u64::from(self.cue.steps()) }
    }
}

#[cfg(test)]
mod tests {
    use super::names_dialect;

    #[test]
    fn only_the_name_of_a_dialect_is_no_link() {
        for name in [
            "https://json-schema.org/draft/2020-12/schema",
            "http://json-schema.org/draft-07/schema#",
        ] {
            assert!(names_dialect("/schema/$schema", name), "{name}");
            assert!(!names_dialect("/url", name), "{name}");
        }
        for link in [
            "https://json-schema.org/draft/2020-12/schema?secret=1",
            "https://json-schema.org/a-long-secret-in-a-path-of-its-own",
            "https://json-schema.org.evil.example/schema",
        ] {
            assert!(!names_dialect("/$schema", link), "{link}");
        }
    }
}
