//! What a person reads: words with a little colour on a terminal, or JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use pathwarden_types::{Millis, Verdict, escape_invisible, is_invisible};
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
        self.line(pretty(value)?);
        Ok(())
    }

    /// A word to a person beside the output of something else.
    #[expect(clippy::unused_self, reason = "output goes through here, so that it can be found")]
    pub(crate) fn notice(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", lines(text));
    }

    /// What went wrong, and what to do.
    pub(crate) fn failure(&self, what: &str, advice: Option<&str>) {
        let mut to = io::stderr().lock();
        let _ = if self.json {
            let fault = serde_json::json!({ "error": what, "advice": advice });
            writeln!(to, "{}", escape_invisible(&fault.to_string()))
        } else {
            writeln!(to, "error: {}", lines(what))
        };
        if let (Some(advice), false) = (advice, self.json) {
            let _ = writeln!(to, "  try: {}", lines(advice));
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

    /// What was there before.
    pub(crate) fn removed(&self, text: &str) -> String {
        self.painted(text, AnsiColor::Red.on_default())
    }

    /// What was not there before.
    pub(crate) fn added(&self, text: &str) -> String {
        self.painted(text, AnsiColor::Green.on_default())
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
    let mut shown: String = text.chars().map(shown).take(most).collect();
    if text.chars().count() > most {
        shown.push('…');
    }
    shown
}

/// Text that may have several lines, and nothing else that could play tricks on a terminal.
fn lines(text: &str) -> String {
    text.chars().map(|character| if character == '\n' { '\n' } else { shown(character) }).collect()
}

fn shown(character: char) -> char {
    if is_invisible(character) { ' ' } else { character }
}

/// JSON for a person: on several lines, and every invisible character as its escape.
pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|json| escape_invisible(&json))
}

#[cfg(test)]
mod tests {
    use super::{lines, one_line, pretty};

    /// ESC, C1 CSI, DEL, right-to-left override and isolate, zero width space, line separator, tag.
    const TRICKS: [char; 8] =
        ['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}', '\u{2067}', '\u{200b}', '\u{2028}', '\u{e0041}'];

    #[test]
    fn text_of_an_agent_cannot_play_tricks_on_a_terminal() {
        for trick in TRICKS.into_iter().chain(['\n', '\r', '\u{8}']) {
            assert_eq!(one_line(&format!("a{trick}[2Jb"), 9), "a [2Jb", "{trick:?}");
        }
        for trick in TRICKS {
            assert_eq!(lines(&format!("a{trick}\nb")), "a \nb", "{trick:?}");
        }
    }

    #[test]
    fn one_line_is_cut_at_its_limit() {
        assert_eq!(one_line("éé", 2), "éé");
        assert_eq!(one_line("ééé", 2), "éé…");
    }

    #[test]
    fn shown_json_has_no_invisible_character_and_means_the_same() {
        let text: String = TRICKS.into_iter().chain("\n é".chars()).collect();
        let value = serde_json::json!({ text.clone(): [text] });
        let shown = pretty(&value).unwrap();
        assert!(!shown.chars().any(|c| c != '\n' && pathwarden_types::is_invisible(c)), "{shown}");
        assert!(shown.contains("\\u009b") && shown.contains("\\udb40\\udc41"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
