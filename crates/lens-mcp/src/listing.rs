//! What a server offers: its lists and what it says of itself, item by item.

use std::collections::BTreeSet;
use std::ops::Range;

use pathwarden_json::{Json, Kind};
use pathwarden_types::ItemKind;

use crate::headers::Param;
use crate::message::Message;
use pathwarden_json::edit::{array, splice};

/// One thing that a server offers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// What kind of thing.
    pub kind: ItemKind,
    /// Its name; empty where a server has only one.
    pub name: String,
    /// Where it stands in the text of the result, in bytes.
    pub span: Range<usize>,
}

/// Which of a server's answers something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listing {
    /// The answer to `tools/list`, `prompts/list` or `resources/templates/list`: this member has items
    /// of this kind.
    Items(ItemKind, &'static str),
    /// The answer to `initialize` or `server/discover`.
    Hello,
}

impl Listing {
    /// The listing that answers a method, if one does. Lists of resources are content, not offers:
    /// they change as files do.
    #[must_use]
    pub fn answering(method: &str) -> Option<Self> {
        Some(match method {
            "tools/list" => Self::Items(ItemKind::Tool, "tools"),
            "prompts/list" => Self::Items(ItemKind::Prompt, "prompts"),
            "resources/templates/list" => Self::Items(ItemKind::Template, "resourceTemplates"),
            "initialize" | "server/discover" => Self::Hello,
            _ => return None,
        })
    }

    /// What the answer offers. A list whose items cannot be told apart by name offers nothing that may
    /// be shown: see [`Unnamed`].
    ///
    /// # Errors
    ///
    /// [`Unnamed`] when an item has no name, or two have one.
    pub fn read(self, response: &Message) -> Result<Vec<Listed>, Unnamed> {
        let Some(result) = response.member("result") else { return Ok(Vec::new()) };
        let base = result.span().start;
        let place = |value: Json<'_>| value.span().start - base..value.span().end - base;
        match self {
            Self::Hello => Ok(result
                .member("instructions")
                .map(|value| Listed {
                    kind: ItemKind::Instructions,
                    name: String::new(),
                    span: place(value),
                })
                .into_iter()
                .collect()),
            Self::Items(kind, member) => {
                let items = result.member(member).into_iter().flat_map(Json::items);
                let mut names = BTreeSet::new();
                items
                    .map(|item| {
                        let name = name_of(item, kind).ok_or(Unnamed)?;
                        let listed = Listed { kind, name: name.clone(), span: place(item) };
                        names.insert(name).then_some(listed).ok_or(Unnamed)
                    })
                    .collect()
            }
        }
    }

    /// The answer without what is withheld, by name, and then only for the one who asked; every other
    /// byte as it was. Of a hello, what is withheld is what the server tells the model.
    #[must_use]
    pub fn without(self, response: &Message, withheld: &BTreeSet<String>) -> Vec<u8> {
        let text = response.text();
        let Some(result) = response.member("result") else { return text.as_bytes().to_vec() };
        let mut parts = Vec::new();
        match self {
            Self::Hello => parts.extend(
                result.member("instructions").map(|value| (value.span(), "\"\"".to_owned())),
            ),
            Self::Items(kind, member) => {
                if let Some(list) = result.member(member) {
                    let shown = |item: &Json<'_>| {
                        name_of(*item, kind).is_some_and(|name| !withheld.contains(&name))
                    };
                    parts.push((list.span(), array(list.items().filter(shown))));
                }
            }
        }
        let scope = result.member("cacheScope").filter(|scope| scope.kind() == Kind::String);
        parts.extend(scope.map(|scope| (scope.span(), "\"private\"".to_owned())));
        splice(text, parts)
    }
}

/// An item of a list has no name, or that of another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an item of the list has no name, or that of another")]
pub struct Unnamed;

fn name_of(item: Json<'_>, kind: ItemKind) -> Option<String> {
    let member = if kind == ItemKind::Template { "uriTemplate" } else { "name" };
    item.member(member)?.string().map(std::borrow::Cow::into_owned).filter(|name| !name.is_empty())
}

/// The tools of a list, each with its parameters that are repeated in headers.
pub fn params_of_tools(response: &Message) -> impl Iterator<Item = (String, Vec<Param>)> {
    let list = response.member("result").and_then(|result| result.member("tools"));
    let tools = list.into_iter().flat_map(Json::items);
    tools.filter_map(|tool| Some((name_of(tool, ItemKind::Tool)?, Param::all_of(tool))))
}
