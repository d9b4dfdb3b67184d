//! The values of parameters, and what is made of them.

use crate::glob;
use crate::syntax::{Change, Parameter, Word};
use crate::value::Value;
use crate::walk::Walk;

/// The longest value, in bytes, of which parts are taken by a pattern.
const STRIPPED_MAX_BYTES: usize = 256;

/// What a shell has for variables that nobody set.
const USUAL: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("SHELL", "/bin/bash"),
    ("BASH", "/bin/bash"),
    ("OPTIND", "1"),
];

impl Walk<'_> {
    /// The values of `$name`: more than one for `$@` and whole arrays.
    pub(super) fn parameter(&mut self, parameter: &Parameter) -> Vec<Value> {
        let values = self.subscripted(parameter);
        match &parameter.change {
            Change::Plain => values.unwrap_or_else(|| vec![Value::unknown(&parameter.spelled)]),
            Change::Length => vec![length(parameter, values.as_deref())],
            Change::Indirect => vec![self.indirect(parameter, values.as_deref())],
            Change::Default(word) => match values {
                Some(values) if values.iter().any(|value| !value.text.is_empty()) => values,
                // Not set here; the caller's environment may have it all the same.
                _ => vec![self.single(word)],
            },
            Change::Alternate(word) => match values {
                Some(values) if values.iter().all(|value| value.text.is_empty()) => values,
                _ => vec![self.single(word)],
            },
            Change::Other => vec![Value::unknown(&parameter.spelled)],
            change => self.changed(parameter, change, values),
        }
    }

    fn changed(
        &mut self,
        parameter: &Parameter,
        change: &Change,
        values: Option<Vec<Value>>,
    ) -> Vec<Value> {
        let Some(values) = values.filter(|all| all.iter().all(|value| !value.taint.unknown)) else {
            self.also_expand(change);
            return vec![Value::unknown(&parameter.spelled)];
        };
        if let Change::Slice { offset, length } = change
            && values.len() > 1
        {
            return self.some_of(&values, offset, length.as_ref());
        }
        let changed = values.iter().map(|value| self.reshaped(value, change));
        let all: Option<Vec<Value>> = changed.collect();
        all.unwrap_or_else(|| vec![Value::unknown(&parameter.spelled)])
    }

    /// The words in a change have commands in them that run, whatever the value is.
    fn also_expand(&mut self, change: &Change) {
        match change {
            Change::Strip { pattern, .. } => drop(self.single(pattern)),
            Change::Replace { pattern, with, .. } => {
                self.single(pattern);
                self.single(with);
            }
            Change::Slice { offset, length } => {
                self.single(offset);
                length.iter().for_each(|length| drop(self.single(length)));
            }
            Change::Default(word) | Change::Alternate(word) => drop(self.single(word)),
            Change::Plain
            | Change::Length
            | Change::Indirect
            | Change::Upper
            | Change::Lower
            | Change::Other => {}
        }
    }

    fn reshaped(&mut self, value: &Value, change: &Change) -> Option<Value> {
        let text = match change {
            Change::Strip { end, longest, pattern } => {
                let pattern = self.single(pattern).text;
                self.spend(value.text.len().min(STRIPPED_MAX_BYTES) * 8);
                stripped(&value.text, &pattern, *end, *longest)?
            }
            Change::Replace { all, pattern, with } => {
                let (pattern, with) = (self.single(pattern).text, self.single(with).text);
                self.spend(value.text.len() * (1 + with.len() / 8));
                replaced(&value.text, &pattern, &with, *all)?
            }
            Change::Slice { offset, length } => {
                let offset = self.number(offset)?;
                let length = match length {
                    Some(word) => Some(self.number(word)?),
                    None => None,
                };
                let letters: Vec<char> = value.text.chars().collect();
                sliced(&letters, offset, length)?.iter().collect()
            }
            Change::Upper => value.text.to_uppercase(),
            Change::Lower => value.text.to_lowercase(),
            Change::Plain
            | Change::Length
            | Change::Indirect
            | Change::Default(_)
            | Change::Alternate(_)
            | Change::Other => return None,
        };
        self.spend(text.len());
        Some(value.derived(text))
    }

    fn some_of(&mut self, values: &[Value], offset: &Word, length: Option<&Word>) -> Vec<Value> {
        let offset = self.number(offset).unwrap_or(0);
        let length = length.and_then(|length| self.number(length));
        // `$@` counts from the name of the script.
        sliced(values, offset.max(1) - 1, length).map(<[Value]>::to_vec).unwrap_or_default()
    }

    fn number(&mut self, word: &Word) -> Option<i64> {
        let value = self.single(word);
        crate::arithmetic::evaluated(value.text.trim())
    }

    fn indirect(&mut self, parameter: &Parameter, values: Option<&[Value]>) -> Value {
        let name = values.and_then(|values| values.first()).map(|value| value.text.clone());
        let found = name.and_then(|name| self.variable(&name)?.first().cloned());
        found.unwrap_or_else(|| Value::unknown(&parameter.spelled))
    }

    /// The values of the name, before anything is made of them.
    fn subscripted(&mut self, parameter: &Parameter) -> Option<Vec<Value>> {
        let values = self.named(&parameter.name)?;
        match parameter.subscript.as_deref() {
            None if matches!(parameter.name.as_str(), "@" | "*") => Some(values),
            None => Some(values.into_iter().take(1).collect()),
            Some("@" | "*") => Some(values),
            Some(place) => {
                let place = crate::arithmetic::evaluated(place)?;
                let place =
                    if place < 0 { place + i64::try_from(values.len()).ok()? } else { place };
                let item = values.into_iter().nth(usize::try_from(place).ok()?);
                Some(vec![item.unwrap_or_default()])
            }
        }
    }

    fn named(&mut self, name: &str) -> Option<Vec<Value>> {
        if let Some(values) = self.variable(name) {
            self.count_choices(name);
            return Some(values);
        }
        let usual = USUAL.iter().find(|(usual, _)| *usual == name);
        if let Some((_, text)) = usual {
            return Some(vec![Value::known(*text)]);
        }
        match name {
            "@" | "*" => self.arguments().map(<[Value]>::to_vec),
            "0" => Some(vec![Value::known("bash")]),
            "#" => Some(vec![Value::known(self.arguments()?.len().to_string())]),
            "IFS" => Some(vec![Value::known(super::SEPARATORS)]),
            "HOME" if !self.home().is_empty() => Some(vec![Value::known(self.home())]),
            "PWD" => Some(vec![Value::known(self.folder())]),
            // Digits, whatever they are: no path and no command hides in them.
            "$" | "!" | "?" | "RANDOM" | "UID" | "EUID" | "PPID" | "SECONDS" | "LINENO"
            | "BASHPID" => Some(vec![Value::known(format!("${name}"))]),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let place: usize = digits.parse().ok()?;
                let item = self.arguments()?.get(place.checked_sub(1)?).cloned();
                Some(vec![item.unwrap_or_default()])
            }
            _ => None,
        }
    }
}

fn length(parameter: &Parameter, values: Option<&[Value]>) -> Value {
    let whole = matches!(parameter.subscript.as_deref(), Some("@" | "*"));
    match values {
        Some(values) if whole => Value::known(values.len().to_string()),
        Some([value]) if !value.taint.unknown => {
            Value::known(value.text.chars().count().to_string())
        }
        // A number at least, whichever it is.
        _ => Value::known(&parameter.spelled),
    }
}

/// `value` without the start or end that the pattern names.
fn stripped(value: &str, pattern: &str, end: bool, longest: bool) -> Option<String> {
    if !glob::is_pattern(pattern) {
        let rest = if end { value.strip_suffix(pattern) } else { value.strip_prefix(pattern) };
        return Some(rest.unwrap_or(value).to_owned());
    }
    if value.len() > STRIPPED_MAX_BYTES {
        return None;
    }
    let mut cuts: Vec<usize> =
        value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
    // The shortest piece first: at the end, that is the last cut.
    if end != longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (start, rest) = value.split_at_checked(cut)?;
        let (piece, kept) = if end { (rest, start) } else { (start, rest) };
        if glob::matches(pattern, piece) {
            return Some(kept.to_owned());
        }
    }
    Some(value.to_owned())
}

/// `None` for patterns: what they match in the middle of a text is not followed.
fn replaced(value: &str, pattern: &str, with: &str, all: bool) -> Option<String> {
    if pattern.is_empty() || pattern == "\\" {
        return Some(value.to_owned());
    }
    if let [_] = pattern.chars().collect::<Vec<_>>().as_slice()
        && pattern == "?"
    {
        return None;
    }
    if glob::is_pattern(pattern) {
        return by_class(value, pattern, with, all);
    }
    let most = if all { usize::MAX } else { 1 };
    Some(value.replacen(pattern, with, most))
}

/// A pattern that stands for one letter: `[xyz]`.
fn by_class(value: &str, pattern: &str, with: &str, all: bool) -> Option<String> {
    let body = pattern.strip_prefix('[')?.strip_suffix(']')?;
    if body.contains([']', '*']) || body.is_empty() {
        return None;
    }
    let mut out = String::new();
    let mut left = if all { usize::MAX } else { 1 };
    for letter in value.chars() {
        if left > 0 && glob::matches(pattern, letter.encode_utf8(&mut [0; 4])) {
            left -= 1;
            out.push_str(with);
        } else {
            out.push(letter);
        }
    }
    Some(out)
}

fn sliced<T>(items: &[T], offset: i64, length: Option<i64>) -> Option<&[T]> {
    let count = i64::try_from(items.len()).ok()?;
    let start = if offset < 0 { (count + offset).max(0) } else { offset.min(count) };
    let end = match length {
        None => count,
        Some(length) if length < 0 => count + length,
        Some(length) => start.saturating_add(length).min(count),
    };
    items.get(usize::try_from(start).ok()?..usize::try_from(end.max(start)).ok()?)
}
