//! What a tool does, from what its server says of it. Servers may lie: what they say can make a tool
//! more harmful in our eyes, and it is the operator who can say otherwise.

use pathwarden_types::ToolClass;
use serde_json::Value;

use crate::act::{Act, Acts};
use crate::lexicon;
use crate::words::{base_forms, words};

/// What a tool does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tool {
    acts: Acts,
    class: ToolClass,
    verbs: Vec<String>,
    things: Vec<String>,
}

impl Tool {
    /// The most words of a description that are read.
    pub const WORDS_MAX: usize = 256;

    /// A tool that nobody described.
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self::of(name, "", &Value::Null)
    }

    /// A tool by its name, its description and its MCP annotations (`readOnlyHint`, `destructiveHint`;
    /// see the MCP specification, *Tool annotations*). Hints only ever raise its class.
    #[must_use]
    pub fn of(name: &str, description: &str, annotations: &Value) -> Self {
        let name = words(name);
        let description: Vec<String> =
            words(description).into_iter().take(Self::WORDS_MAX).collect();
        let acts = match acts_of_name(&name) {
            // A name that only says what it works on leaves the verb to the description.
            (acts, Verb::Missing) => match opening_of(&description) {
                // What a server says may make a tool more harmful; it plays nothing down that could
                // not be undone.
                Some(opening)
                    if is_look(opening)
                        && !does_more(&description)
                        && class_of(acts, &name) <= ToolClass::Write =>
                {
                    opening
                }
                Some(opening) => acts.and(opening),
                None => acts,
            },
            (acts, Verb::Found) => acts,
        };
        let said = opening_of(&description).map_or(ToolClass::Read, |acts| class_of(acts, &name));
        let class = class_of(acts, &name).max(said).max(hinted(annotations));
        let is_thing = |word: &&String| word.len() > 3 && acts_of(word).is_none();
        let things = name.iter().filter(is_thing).cloned().collect();
        let verbs = name.into_iter().filter(|word| word.len() > 2).take(1).collect();
        Self { acts, class, verbs, things }
    }

    /// The acts it performs.
    #[must_use]
    pub const fn acts(&self) -> Acts {
        self.acts
    }

    /// What it does to the world; [`ToolClass::Unknown`] when no word of it is known.
    #[must_use]
    pub const fn class(&self) -> ToolClass {
        self.class
    }

    /// The first word of its name, which says what it does where no act does.
    pub(crate) fn verbs(&self) -> impl Iterator<Item = &String> {
        self.verbs.iter().filter(|_| self.acts.is_empty())
    }

    /// What it works on, as far as its name says: words that are no verbs.
    pub fn things(&self) -> impl Iterator<Item = &str> {
        self.things.iter().map(String::as_str)
    }

    /// Whether it only looks at something, here or at an address.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        !self.acts.is_empty() && is_look(self.acts)
    }

    /// Whether it only says who somebody is.
    #[must_use]
    pub fn only_authenticates(&self) -> bool {
        self.acts == Acts::of(&[Act::Authenticate])
    }

    /// Whether what it does can be undone with the tools that did it.
    #[must_use]
    pub const fn is_reversible(&self) -> bool {
        matches!(self.class, ToolClass::Read | ToolClass::Write)
    }

    /// Whether it acts on more than the agent's own surroundings: people, the public, money.
    #[must_use]
    pub fn is_outward(&self) -> bool {
        self.acts.meets(Acts::of(&[
            Act::Visit,
            Act::Message,
            Act::Publish,
            Act::Pay,
            Act::Buy,
            Act::Reserve,
            Act::Invite,
            Act::Share,
            Act::Submit,
        ]))
    }
}

/// Whether a name says what a tool does.
enum Verb {
    Found,
    Missing,
}

fn acts_of_name(name: &[String]) -> (Acts, Verb) {
    let verb = name.iter().find_map(|word| acts_of(word).filter(|_| !lexicon::is_thing(word)));
    let all = name.iter().filter_map(|word| acts_of(word)).fold(Acts::NONE, Acts::and);
    let more = more_verbs(name);
    match verb {
        Some(acts) if is_look(acts) && !more.is_empty() => (settled(more), Verb::Found),
        Some(acts) if is_look(acts) || acts.has(Act::Authenticate) => (acts, Verb::Found),
        Some(_) => (settled(all), Verb::Found),
        None => (settled(all), Verb::Missing),
    }
}

/// What a name says that it does besides looking: `find_and_delete`, `read_write_file`. Only plain
/// verbs count that are no things as well, since `view_order_history` orders nothing.
fn more_verbs(name: &[String]) -> Acts {
    let joins = |word: &str| matches!(word, "and" | "or" | "then");
    let after_join = name.iter().skip_while(|word| !joins(word));
    let joined = after_join.filter_map(|word| acts_of(word));
    let plain = name.iter().skip(1).filter(|word| lexicon::is_plain_verb(word));
    let plain = plain.filter_map(|word| lexicon::NAMES.get(word.as_str()).copied());
    let all = joined.chain(plain).fold(Acts::NONE, Acts::and);
    all.without(Acts::of(&[Act::Look, Act::Visit]))
}

/// What one word of a name or a description speaks of.
fn acts_of(word: &str) -> Option<Acts> {
    base_forms(word).iter().find_map(|form| lexicon::NAMES.get(form.as_str())).copied()
}

/// What a description begins with: *"Sends a message"*, *"Returns the rows"*.
fn opening_of(description: &[String]) -> Option<Acts> {
    /// The verb stands among the first words or nowhere.
    const OPENING_WORDS: usize = 3;
    description.iter().take(OPENING_WORDS).find_map(|word| match word.as_str() {
        "returns" => Some(Acts::of(&[Act::Look])),
        word if lexicon::is_thing(word) => None,
        word => acts_of(word),
    })
}

/// Whether a description speaks of more than looking: *"Returns the receipt after sending"*.
fn does_more(description: &[String]) -> bool {
    let verbs = description.iter().filter(|word| !lexicon::is_thing(word));
    verbs
        .filter_map(|word| acts_of(word))
        .any(|acts| !acts.within(Acts::of(&[Act::Look, Act::Visit, Act::Buy, Act::Refund])))
}

fn is_look(acts: Acts) -> bool {
    acts.within(Acts::of(&[Act::Look, Act::Visit]))
}

/// The acts of a name without those that another word of it rules out: sending money is no message,
/// and adding to a basket makes nothing new.
fn settled(acts: Acts) -> Acts {
    let mut settled = acts.without(Acts::of(&[Act::Look, Act::Visit]));
    if acts.has(Act::Pay) {
        settled = settled.without(Acts::of(&[Act::Message]));
    }
    if acts.has(Act::Buy) {
        settled = settled.without(Acts::of(&[Act::Create, Act::Update]));
    }
    if acts.has(Act::Delete) {
        settled = settled.without(Acts::of(&[Act::Invite]));
    }
    settled
}

/// What acts do to the world, the most harmful counting.
fn class_of(acts: Acts, name: &[String]) -> ToolClass {
    let buys = name.iter().any(|word| ["checkout", "buy", "purchase", "order"].contains(&&**word));
    acts.iter()
        .map(|act| match act {
            Act::Look | Act::Visit => ToolClass::Read,
            Act::Buy if !buys => ToolClass::Write,
            Act::Delete if acts.has(Act::Buy) => ToolClass::Write,
            Act::Create
            | Act::Save
            | Act::Update
            | Act::Reserve
            | Act::Develop
            | Act::Authenticate => ToolClass::Write,
            Act::Message | Act::Publish | Act::Invite | Act::Share | Act::Submit => ToolClass::Send,
            Act::Delete => ToolClass::Delete,
            Act::Pay | Act::Buy | Act::Refund => ToolClass::Pay,
            Act::Run => ToolClass::Execute,
        })
        .max()
        .unwrap_or(ToolClass::Unknown)
}

/// What annotations admit to.
fn hinted(annotations: &Value) -> ToolClass {
    let says = |hint: &str| annotations.get(hint).and_then(Value::as_bool);
    match (says("destructiveHint"), says("readOnlyHint")) {
        (Some(true), Some(false)) => ToolClass::Delete,
        (_, Some(false)) => ToolClass::Write,
        _ => ToolClass::Read,
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::ToolClass;
    use serde_json::{Value, json};

    use super::Tool;

    fn class(name: &str, description: &str) -> ToolClass {
        Tool::of(name, description, &Value::Null).class()
    }

    #[test]
    fn names_say_what_tools_do() {
        for (name, want) in [
            ("get_invoice", ToolClass::Read),
            ("listFiles", ToolClass::Read),
            ("send_mail", ToolClass::Send),
            ("send_money", ToolClass::Pay),
            ("cart_add_item", ToolClass::Write),
            ("checkout_cart", ToolClass::Pay),
            ("remove_member", ToolClass::Delete),
            ("run_query", ToolClass::Execute),
            ("frobnicate", ToolClass::Unknown),
            ("get_and_send_message", ToolClass::Send),
            ("find_and_delete_files", ToolClass::Delete),
            ("read_write_file", ToolClass::Write),
            ("view_order_history", ToolClass::Read),
            ("charge_card", ToolClass::Pay),
            ("", ToolClass::Unknown),
        ] {
            assert_eq!(class(name, ""), want, "{name}");
        }
    }

    #[test]
    fn a_description_raises_what_a_name_plays_down() {
        assert_eq!(class("get_rid_of", "Deletes a file"), ToolClass::Delete);
        assert_eq!(class("delete_file", "Reads a file"), ToolClass::Delete);
        assert_eq!(class("cart_total", "Calculates the total"), ToolClass::Read);
        let status = class("email", "Returns the status after sending the email");
        assert_eq!(status, ToolClass::Send);
        assert_eq!(class("payment", "Returns the receipt"), ToolClass::Pay);
    }

    #[test]
    fn annotations_raise_and_never_lower() {
        let tool = |annotations: Value| Tool::of("delete_file", "", &annotations).class();
        assert_eq!(tool(json!({"readOnlyHint": true})), ToolClass::Delete);
        let look = Tool::of("list", "", &json!({"readOnlyHint": false, "destructiveHint": true}));
        assert_eq!(look.class(), ToolClass::Delete);
    }
}
