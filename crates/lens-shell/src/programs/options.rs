//! Options and operands of a call.

use crate::value::Value;

/// The arguments of a call, taken apart.
#[derive(Default)]
pub(super) struct Options {
    values: Vec<(String, Value)>,
    flags: Vec<String>,
    pub(super) operands: Vec<Value>,
}

/// How the arguments of a program are read.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    /// The options that take a value, with a space between them. What follows a colon is for the reader
    /// of the table; a name with a dash in front is a long one that is written with one dash.
    pub(super) takes: &'a str,
    /// All behind the first operand is operands, too.
    pub(super) stops: bool,
}

impl Style<'_> {
    /// The name under which an option takes a value; long ones may be cut short.
    fn taking<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        let mut names = self.takes.split(' ').map(|token| token.split(':').next().unwrap_or(token));
        let cut = |known: &&str| known.len() > 2 && name.len() > 2 && known.starts_with(name);
        names.clone().find(|known| *known == name).or_else(|| names.find(cut))
    }
}

/// Reads arguments whose options take values as `takes` says.
pub(super) fn read(arguments: &[Value], takes: &str) -> Options {
    Options::read(arguments, Style { takes, stops: false })
}

/// The same for programs whose first operand begins another command.
pub(super) fn read_to_command(arguments: &[Value], takes: &str) -> Options {
    Options::read(arguments, Style { takes, stops: true })
}

impl Options {
    fn read(arguments: &[Value], style: Style<'_>) -> Self {
        let mut options = Self::default();
        let mut rest = arguments;
        while let Some((argument, after)) = rest.split_first() {
            rest = after;
            let text = argument.text.as_str();
            if text == "--" {
                options.operands.extend_from_slice(rest);
                break;
            }
            let taken = match text.strip_prefix("--") {
                Some(long) => options.long(argument, long, rest, style),
                None if text.starts_with('-') && text.len() > 1 => {
                    options.short(argument, rest, style)
                }
                None => {
                    options.operands.push(argument.clone());
                    if style.stops {
                        options.operands.extend_from_slice(rest);
                        break;
                    }
                    0
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        options
    }

    /// `--name=value`, `--name value` or `--name`; how many arguments it took besides its own.
    fn long(&mut self, argument: &Value, long: &str, rest: &[Value], style: Style<'_>) -> usize {
        if let Some((name, value)) = long.split_once('=') {
            let name = style.taking(name).unwrap_or(name).to_owned();
            self.values.push((name, argument.derived(value)));
            return 0;
        }
        match (style.taking(long), rest.first()) {
            (Some(name), Some(value)) => {
                self.values.push((name.to_owned(), value.clone()));
                1
            }
            _ => {
                self.flags.push(long.to_owned());
                0
            }
        }
    }

    /// `-name value`, `-abc`, `-ovalue` or `-o value`.
    fn short(&mut self, argument: &Value, rest: &[Value], style: Style<'_>) -> usize {
        let whole = argument.text.split('=').next().unwrap_or_default();
        if whole.len() > 2 && style.taking(whole) == Some(whole) {
            if let Some((_, value)) = argument.text.split_once('=') {
                self.values.push((whole.to_owned(), argument.derived(value)));
                return 0;
            }
            let value = rest.first().cloned().unwrap_or_default();
            self.values.push((whole.to_owned(), value));
            return 1;
        }
        let mut letters = argument.text.chars();
        letters.next();
        while let Some(letter) = letters.next() {
            let mut name = [0; 4];
            let name: &str = letter.encode_utf8(&mut name);
            if style.taking(name) != Some(name) {
                self.flags.push(name.to_owned());
                continue;
            }
            let here = letters.as_str();
            let (value, taken) = match rest.first() {
                _ if !here.is_empty() => (argument.derived(here), 0),
                Some(next) => (next.clone(), 1),
                None => (Value::default(), 0),
            };
            self.values.push((name.to_owned(), value));
            return taken;
        }
        0
    }

    pub(super) fn all_values(&self) -> &[(String, Value)] {
        &self.values
    }

    /// The last value of an option under any of its names.
    pub(super) fn value(&self, names: &[&str]) -> Option<&Value> {
        self.values.iter().rfind(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value)
    }

    /// All values of an option under any of its names.
    pub(super) fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'s Value> {
        let named = move |(name, _): &&(String, Value)| names.contains(&name.as_str());
        self.values.iter().filter(named).map(|(_, value)| value)
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|flag| names.contains(&flag.as_str()))
    }

    /// The command among the operands, behind as many others.
    pub(super) fn command(&self, behind: usize) -> &[Value] {
        self.operands.get(behind..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{read, read_to_command};
    use crate::value::Value;

    fn values(text: &str) -> Vec<Value> {
        text.split(' ').map(Value::known).collect()
    }

    #[test]
    fn options_are_told_from_operands() {
        let options = read(&values("-xzf a.tar --out=b -ov c -- -d"), "f:r o:w output:w");
        assert!(options.has(&["x"]) && options.has(&["z"]));
        assert_eq!(options.value(&["f"]).unwrap().text, "a.tar");
        assert_eq!(options.value(&["output"]).unwrap().text, "b");
        assert_eq!(options.value(&["o"]).unwrap().text, "v");
        let operands: Vec<&str> = options.operands.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(operands, ["c", "-d"]);
    }

    #[test]
    fn a_command_keeps_its_own_options() {
        let options = read_to_command(&values("-n 5 sh -c x"), "n");
        assert_eq!(options.command(1).len(), 2);
    }
}
