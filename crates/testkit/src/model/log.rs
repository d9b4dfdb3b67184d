//! What reached the provider, as JSON lines.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

/// A file of JSON lines, or nothing.
#[derive(Debug, Default)]
pub struct Log {
    file: Option<Mutex<File>>,
}

/// One request and what was answered.
pub(super) struct Entry<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// The place of the turn that answered.
    pub(super) turn: Option<usize>,
    pub(super) status: u16,
    /// What was wrong, if we refused it.
    pub(super) fault: &'a str,
}

impl Log {
    /// Appends to the file at `path`, which is made if there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { file: Some(Mutex::new(file)) })
    }

    pub(super) fn write(&self, entry: &Entry<'_>) {
        let Some(file) = &self.file else { return };
        let line = json!({
            "at": now_ms(),
            "method": entry.method,
            "path": entry.path,
            "turn": entry.turn,
            "status": entry.status,
            "fault": entry.fault,
            "headers": headers(entry.headers),
            "body": body(entry.body),
        });
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A test that misses a line fails by itself; the server has nobody to tell.
        let _ = writeln!(file, "{line}");
    }
}

/// Milliseconds since the epoch.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// All headers; the values of one that comes several times are joined.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let value = |name| {
        let values = headers.get_all(name).iter();
        let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        Value::String(texts.join(", "))
    };
    headers.keys().map(|name| (name.as_str().to_owned(), value(name))).collect()
}

/// The JSON, or the text of what is none.
fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
