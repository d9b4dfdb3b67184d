//! A table of the file, read key by key; what is wrong is collected, not thrown.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use pathwarden_types::Name;
use toml::{Table, Value};

use crate::ConfigFault;

/// A table whose keys are taken out as they are read; what is left over is unknown.
pub(crate) struct Section<'a> {
    path: String,
    table: Table,
    known: Vec<String>,
    faults: &'a mut Vec<ConfigFault>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        path: String,
        table: Option<Table>,
        faults: &'a mut Vec<ConfigFault>,
    ) -> Self {
        Self { path, table: table.unwrap_or_default(), known: Vec::new(), faults }
    }

    /// Notes a fault at a key of this section.
    pub(crate) fn fault(&mut self, key: &str, message: &str, advice: &str) {
        let key = self.path_of(key);
        let (message, advice) = (message.to_owned(), advice.to_owned());
        self.faults.push(ConfigFault { key, message, advice });
    }

    /// A text, or what it is when the key is absent.
    pub(crate) fn text(&mut self, key: &str, default: &str) -> String {
        self.optional_text(key).unwrap_or_else(|| default.to_owned())
    }

    /// A text that may be absent.
    pub(crate) fn optional_text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => self.wrong_type(key, &other, "a text in quotes"),
        }
    }

    /// A list of texts; empty when absent.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let items = match &value {
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        items.or_else(|| self.wrong_type(key, &value, "a list of texts")).unwrap_or_default()
    }

    /// A list of whole numbers that are not negative.
    pub(crate) fn integers(&mut self, key: &str) -> Option<Vec<u64>> {
        let value = self.take(key)?;
        let items = match &value {
            Value::Array(items) => items.iter().map(whole).collect(),
            _ => None,
        };
        items.or_else(|| self.wrong_type(key, &value, "a list of whole numbers"))
    }

    /// Every key of this section, each with a text.
    pub(crate) fn all_texts(&mut self) -> Vec<(String, String)> {
        let keys: Vec<String> = self.table.keys().cloned().collect();
        keys.into_iter().filter_map(|key| Some((key.clone(), self.optional_text(&key)?))).collect()
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Boolean(flag)) => flag,
            Some(other) => self.wrong_type(key, &other, "true or false").unwrap_or(default),
        }
    }

    /// A whole number within a range.
    pub(crate) fn integer(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        self.optional_integer(key, range).unwrap_or(default)
    }

    /// A whole number within a range that may be absent.
    pub(crate) fn optional_integer(
        &mut self,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.take(key)?;
        let number = whole(&value).filter(|number| range.contains(number));
        if number.is_none() {
            let advice = format!("give a whole number from {} to {}", range.start(), range.end());
            self.fault(key, &format!("`{value}` is out of range"), &advice);
        }
        number
    }

    /// A socket address, which must be a loopback one unless the operator said otherwise.
    pub(crate) fn address(
        &mut self,
        key: &str,
        default: SocketAddr,
        beyond_loopback: bool,
    ) -> SocketAddr {
        let Some(text) = self.optional_text(key) else { return default };
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() || beyond_loopback => address,
            Ok(_) => {
                let advice = "use 127.0.0.1, or set danger.listen_beyond_loopback = true";
                self.fault(key, &format!("`{text}` is reachable from other machines"), advice);
                default
            }
            Err(_) => {
                let message = format!("`{text}` is not an address with a port");
                self.fault(key, &message, "write it like 127.0.0.1:7717");
                default
            }
        }
    }

    /// Reads a table below this one; an absent one is empty.
    pub(crate) fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let table = match self.take(key) {
            None => None,
            Some(Value::Table(table)) => Some(table),
            Some(other) => self.wrong_type(key, &other, "a table"),
        };
        let mut section = Section::new(self.path_of(key), table, self.faults);
        let result = read(&mut section);
        section.finish();
        result
    }

    /// Reads every table below a key, by whatever its name is.
    pub(crate) fn each_text(&mut self, key: &str, mut read: impl FnMut(String, &mut Section<'_>)) {
        self.section(key, |section| {
            let names: Vec<String> = section.table.keys().cloned().collect();
            for name in names {
                section.section(&name, |inner| read(name.clone(), inner));
            }
        });
    }

    /// Reads every table below a key, by its name.
    pub(crate) fn each(&mut self, key: &str, mut read: impl FnMut(Name, &mut Section<'_>)) {
        self.section(key, |section| {
            let names: Vec<String> = section.table.keys().cloned().collect();
            for text in names {
                match text.parse::<Name>() {
                    Ok(name) => section.section(&text, |inner| read(name, inner)),
                    Err(source) => {
                        section.table.remove(&text);
                        section.fault(&text, &source.to_string(), "give it another name");
                    }
                }
            }
        });
    }

    /// Notes every key that nobody asked for.
    pub(crate) fn finish(mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        let advice = if self.known.is_empty() {
            "remove it".to_owned()
        } else {
            format!("remove it, or use one of: {}", self.known.join(", "))
        };
        for key in unknown {
            self.fault(&key, "there is no such key", &advice);
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.table.remove(key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong_type<T>(&mut self, key: &str, found: &Value, want: &str) -> Option<T> {
        let message = format!("this is {} {}", article(found), found.type_str());
        self.fault(key, &message, &format!("give {want}"));
        None
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok())
}

fn article(value: &Value) -> &'static str {
    if matches!(value, Value::Integer(_) | Value::Array(_)) { "an" } else { "a" }
}
