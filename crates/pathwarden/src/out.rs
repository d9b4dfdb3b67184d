//! What a person reads: words with a little colour on a terminal, or JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use pathwarden_types::{Millis, Verdict};
use serde::Serialize;

/// Where output goes, and in which form.
pub(crate) struct Out {
    json: bool,
    colour: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, colour }
    }

    /// Whether a program reads this.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// One line of words. A reader that has gone is not an error.
    #[expect(clippy::unused_self, reason = "output goes through here, so that it can be found")]
    pub(crate) fn line(&self, text: impl Display) {
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// One JSON document.
    pub(crate) fn document(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// What went wrong, and what to do.
    pub(crate) fn failure(&self, what: &str, advice: Option<&str>) {
        let mut to = io::stderr().lock();
        let _ = if self.json {
            let fault = serde_json::json!({ "error": what, "advice": advice });
            writeln!(to, "{fault}")
        } else {
            writeln!(to, "error: {what}")
        };
        if let (Some(advice), false) = (advice, self.json) {
            let _ = writeln!(to, "  try: {advice}");
        }
    }

    /// A verdict in its colour.
    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        let colour = match verdict {
            Verdict::Allow => AnsiColor::Green,
            Verdict::Constrain => AnsiColor::Cyan,
            Verdict::Hold => AnsiColor::Yellow,
            Verdict::Deny | Verdict::Isolate => AnsiColor::Red,
        };
        self.painted(&verdict.to_string(), colour.on_default().bold())
    }

    /// Something less important.
    pub(crate) fn faint(&self, text: &str) -> String {
        self.painted(text, Style::new().dimmed())
    }

    /// A heading.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.painted(text, Style::new().bold())
    }

    fn painted(&self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A time in UTC.
pub(crate) fn time(at: Millis) -> String {
    let since = std::time::Duration::from_millis(at.0);
    std::time::UNIX_EPOCH
        .checked_add(since)
        .map_or_else(|| at.0.to_string(), |at| humantime::format_rfc3339_millis(at).to_string())
}

/// Text on one line, without what could play tricks on a terminal, at most so many characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut shown: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(most)
        .collect();
    if text.chars().count() > most {
        shown.push('…');
    }
    shown
}
