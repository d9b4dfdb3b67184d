//! Words as the values that a shell would make of them.

mod brace;
mod parameter;

use std::rc::Rc;

use crate::glob;
use crate::syntax::{Part, Word};
use crate::value::{Flow, Taint, Value};
use crate::walk::Walk;

/// The separators of a shell that was told no others.
const SEPARATORS: &str = " \t\n";

/// What stands for the output of a command that is not known.
pub(crate) const SUBSTITUTED: &str = "$(…)";

/// The words that grow while a word of the script is read.
#[derive(Default)]
struct Fields {
    done: Vec<Value>,
    current: Option<Value>,
}

impl Fields {
    fn push(&mut self, value: &Value) {
        let current = self.current.get_or_insert_default();
        current.push(value);
        if value.source.is_some() {
            current.source.clone_from(&value.source);
        }
    }

    fn cut(&mut self) {
        self.done.extend(self.current.take());
    }

    /// Takes a value that is split where the separators stand.
    fn split(&mut self, value: &Value, separators: &str) {
        let mut pieces = value.text.split(|letter| separators.contains(letter)).peekable();
        while let Some(piece) = pieces.next() {
            if !piece.is_empty() {
                let mut piece = value.derived(piece);
                piece.pattern |= glob::is_pattern(&piece.text);
                piece.source.clone_from(&value.source);
                self.push(&piece);
            }
            if pieces.peek().is_some() {
                self.cut();
            }
        }
    }
}

impl Walk<'_> {
    /// The values that a word becomes as an argument.
    pub(crate) fn fields(&mut self, word: &Word) -> Vec<Value> {
        let Some(expanded) = brace::expanded(word) else { return self.unbraced_fields(word) };
        if expanded.cut {
            self.doubt(crate::plan::Doubt::TooLong);
        }
        let mut all = Vec::new();
        for word in &expanded.words {
            all.append(&mut self.unbraced_fields(word));
        }
        all
    }

    fn unbraced_fields(&mut self, word: &Word) -> Vec<Value> {
        let mut fields = Fields::default();
        for (place, part) in word.iter().enumerate() {
            self.part(part, place == 0, true, &mut fields);
        }
        fields.cut();
        self.spend(fields.done.iter().map(|value| value.text.len() + 1).sum());
        fields.done
    }

    /// The one value that a word becomes where nothing is split: assignments, targets, documents.
    pub(crate) fn single(&mut self, word: &Word) -> Value {
        let mut fields = Fields::default();
        for (place, part) in word.iter().enumerate() {
            self.part(part, place == 0, false, &mut fields);
        }
        let mut parts = fields.done.into_iter().chain(fields.current);
        let mut value = parts.next().unwrap_or_default();
        for part in parts {
            value.text.push(' ');
            value.push(&part);
        }
        self.spend(value.text.len());
        value
    }

    fn part(&mut self, part: &Part, first: bool, splits: bool, fields: &mut Fields) {
        if self.is_spent() {
            return;
        }
        match part {
            Part::Bare(text) => {
                let mut value = Value::known(self.home_in(text, first));
                value.pattern = glob::is_pattern(text);
                fields.push(&value);
            }
            Part::Quoted(text) => fields.push(&Value::known(text.as_str())),
            Part::Coded(text) => {
                let taint = Taint { decoded: true, ..Taint::default() };
                fields.push(&Value { taint, ..Value::known(text.as_str()) });
            }
            Part::Parameter { parameter, quoted } => {
                let values = self.parameter(parameter);
                self.place_all(&values, splits && !quoted, splits, fields);
            }
            Part::Command { body, quoted } => {
                let flow = self.substitute(body);
                self.place_output(&flow, splits && !quoted, fields);
            }
            Part::Process { body, into } => {
                let flow = if *into { self.feed(body) } else { self.substitute(body) };
                let source = Some(Rc::new(flow));
                fields.push(&Value { source, ..Value::known("/dev/fd/63") });
            }
            Part::Arithmetic(words) => {
                let value = self.single(words);
                fields.push(&crate::arithmetic::value(&value));
            }
            Part::Array(words) => {
                for word in words {
                    let mut items = self.fields(word);
                    fields.done.append(&mut items);
                }
            }
        }
    }

    /// `~` in front of a word.
    fn home_in(&self, text: &str, first: bool) -> String {
        let home = self.home();
        match text.strip_prefix('~').filter(|_| first && !home.is_empty()) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ => text.to_owned(),
        }
    }

    fn place_all(&mut self, values: &[Value], split: bool, separate: bool, fields: &mut Fields) {
        for (place, value) in values.iter().enumerate() {
            self.spend(value.text.len());
            if self.is_spent() {
                return;
            }
            if place > 0 && separate {
                fields.cut();
            } else if place > 0 {
                fields.push(&Value::known(" "));
            }
            if split {
                fields.split(value, &self.separators());
            } else {
                fields.push(value);
            }
        }
    }

    fn place_output(&mut self, flow: &Flow, split: bool, fields: &mut Fields) {
        if flow.listing.is_empty() {
            return self.place_all(&[flow.value(SUBSTITUTED)], split, split, fields);
        }
        let names: Vec<Value> = flow.listing.iter().map(|name| listed(name, flow.taint)).collect();
        self.place_all(&names, false, split, fields);
    }

    fn separators(&self) -> String {
        match self.variable("IFS") {
            Some(values) => values.first().map(|value| value.text.clone()).unwrap_or_default(),
            None => SEPARATORS.to_owned(),
        }
    }
}

/// A name out of a listing: it stands for all that it matches.
pub(crate) fn listed(name: &str, taint: Taint) -> Value {
    Value { taint, pattern: glob::is_pattern(name), ..Value::known(name) }
}
