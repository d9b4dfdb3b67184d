//! What a person asked for.

use std::collections::BTreeSet;

use crate::act::Acts;
use crate::lexicon;
use crate::tool::Tool;
use crate::words::{base_forms, holds, plain, words};

/// The trusted statement of a task, as far as its words say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Task {
    text: String,
    acts: Acts,
    forms: BTreeSet<String>,
    names: BTreeSet<String>,
    phrases: Vec<String>,
    is_open: bool,
}

impl Task {
    /// The most words of a statement that are read; what stands behind them asks for nothing.
    pub const WORDS_MAX: usize = 16_384;
    /// The most names that are kept; a statement that names more points to nothing by the others.
    pub const NAMES_MAX: usize = 256;

    /// Reads a statement.
    #[must_use]
    pub fn read(statement: &str) -> Self {
        let mut words = words(statement);
        words.truncate(Self::WORDS_MAX);
        let forms: BTreeSet<String> = words.iter().flat_map(|word| base_forms(word)).collect();
        let acts = forms
            .iter()
            .filter_map(|form| lexicon::ASKS.get(form.as_str()))
            .fold(Acts::NONE, |acts, more| acts.and(*more));
        let names: BTreeSet<String> = names(statement).into_iter().take(Self::NAMES_MAX).collect();
        Self {
            text: plain(statement),
            acts,
            forms,
            phrases: names.iter().filter(|name| !is_word(name)).cloned().collect(),
            names,
            is_open: leaves_open(statement),
        }
    }

    /// What it asks for.
    #[must_use]
    pub const fn acts(&self) -> Acts {
        self.acts
    }

    /// Whom and what it names: quoted text, names with a capital, addresses, links, files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether it leaves the choice of what to do to content: *"do what the list says"*.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether this value stands in it, as whole words.
    #[must_use]
    pub fn gives(&self, value: &str) -> bool {
        let value = plain(value);
        value.is_empty()
            || holds(&self.text, &value)
            || value.strip_suffix(".0").is_some_and(|whole| holds(&self.text, whole))
    }

    /// Whether a text of few words speaks of somebody or something that the task names.
    #[must_use]
    pub fn is_about(&self, text: &str) -> bool {
        let text = plain(text);
        words(&text).iter().any(|word| self.names.contains(word))
            || self.phrases.iter().any(|name| holds(&text, name))
    }

    /// Whether a value is made of a name that the task gives, as a path is of a folder.
    #[must_use]
    pub fn gives_part_of(&self, value: &str) -> bool {
        /// Shorter names stand in too many values by chance.
        const NAME_BYTES_MIN: usize = 4;
        let value = plain(value);
        self.names.iter().any(|name| name.len() >= NAME_BYTES_MIN && value.contains(name))
    }

    /// Whether it asks for what a tool does: for the act, or by the very words of the tool's name.
    #[must_use]
    pub fn asks_for(&self, tool: &Tool) -> bool {
        self.acts.meets(tool.acts()) || tool.verbs().any(|verb| self.forms.contains(verb))
    }
}

/// Whether a name is one word, so that it is found among words.
fn is_word(name: &str) -> bool {
    name.chars().all(char::is_alphanumeric)
}

/// Quoted text, names with a capital, and words that look like an address, a link, a file or an id; in
/// plain form.
fn names(statement: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = quoted(statement).map(plain).collect();
    for token in statement.split(|c: char| c.is_whitespace() || ",;!?()\"'\u{2019}".contains(c)) {
        let token = token.trim_matches(['.', ':']);
        if is_reference(token) || is_name(token) {
            names.insert(plain(token));
        }
    }
    names.retain(|name| name.len() > 1);
    names
}

/// Text in quotes of one kind.
fn quoted(statement: &str) -> impl Iterator<Item = &str> {
    /// Longer quotes are what to say, not whom to say it to.
    const QUOTE_BYTES_MAX: usize = 80;
    [('\'', '\''), ('"', '"'), ('\u{201c}', '\u{201d}')].into_iter().flat_map(
        move |(open, close)| {
            let parts = statement.split([open, close]);
            parts.skip(1).step_by(2).filter(|part| part.len() > 1 && part.len() <= QUOTE_BYTES_MAX)
        },
    )
}

/// Whether a word looks like an address, a link, a file, a path or an id, and not like an amount.
fn is_reference(token: &str) -> bool {
    let has = |test: fn(char) -> bool| token.chars().any(test);
    let is_amount = token.chars().all(|c| c.is_ascii_digit() || ".,:-$%/".contains(c));
    let inner_dot = token.split('.').filter(|part| !part.is_empty()).count() > 1;
    token.len() > 2
        && !is_amount
        && (token.contains(['@', '/']) || inner_dot || has(|c| c.is_ascii_digit()))
}

/// Whether a word begins with a capital and is none that begins a sentence.
fn is_name(token: &str) -> bool {
    token.chars().next().is_some_and(char::is_uppercase)
        && !lexicon::is_starter(&token.to_lowercase())
}

/// Whether a sentence of the statement leaves the choice to content.
fn leaves_open(statement: &str) -> bool {
    statement.split(['.', '?', '!']).any(|sentence| {
        let words = words(sentence);
        let within = |from: usize, words_max: usize, test: &dyn Fn(&str) -> bool| {
            words.iter().skip(from + 1).take(words_max).any(|word| test(word))
        };
        words.iter().enumerate().any(|(at, word)| {
            (lexicon::follows(word) && within(at, 6, &lexicon::is_left_to))
                || (lexicon::is_found_in(word)
                    && within(at, 3, &|word| matches!(word, "in" | "from" | "on" | "at")))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::Task;
    use crate::act::Act;
    use crate::tool::Tool;

    #[test]
    fn what_is_asked_for_is_heard_in_any_form() {
        for (statement, act) in [
            ("Could you get me a new watch?", Act::Buy),
            ("I sent too little; reimburse Bob, please", Act::Pay),
            ("Clear the old entries", Act::Delete),
            ("Replied to Ann yet? If not, answer her", Act::Message),
        ] {
            assert!(Task::read(statement).acts().has(act), "{statement}");
        }
    }

    #[test]
    fn names_are_whom_and_what_a_task_is_about() {
        let task =
            Task::read("Pay the bill 'may bill.txt' for Ann; mail bob@a.example about 20.00.");
        let names: Vec<&str> = task.names().collect();
        assert_eq!(names, ["ann", "bill.txt", "bob@a.example", "may bill.txt"]);
        assert!(task.is_about("Ann Smith"));
        assert!(!task.is_about("Annette"));
        assert!(task.gives_part_of("/home/bob@a.example/x"));
    }

    #[test]
    fn a_value_is_given_only_as_a_whole() {
        let task = Task::read("Send 1200 to HTTPS://A.example/pay and tell Bob.");
        for (value, want) in [
            ("1200.0", true),
            ("a.example/pay", true),
            ("BOB", true),
            ("20", false),
            ("bo", false),
            ("a.example/pay/eve", false),
        ] {
            assert_eq!(task.gives(value), want, "{value}");
        }
    }

    #[test]
    fn a_task_that_leaves_the_choice_to_content_says_so() {
        for (statement, want) in [
            ("Please do the actions specified in the mail from Ann.", true),
            ("Follow the instructions in notes.txt", true),
            ("Ann wrote; check it and fulfill her request", true),
            ("Invite her; the details are in Bob's message", true),
            ("Perform the following tasks: 1. Read a.txt 2. Mail Ann", false),
            ("Pay the bill a.txt", false),
        ] {
            assert_eq!(Task::read(statement).is_open(), want, "{statement}");
        }
    }

    #[test]
    fn a_tool_that_no_act_describes_is_asked_for_by_its_own_verb() {
        let tool = Tool::of("calibrate_sensor", "Calibrates a sensor", &serde_json::Value::Null);
        assert!(Task::read("calibrate the sensor").asks_for(&tool));
        assert!(!Task::read("read the sensor").asks_for(&tool));
    }
}
