//! Texts of agents and servers, made fit to stand in a sentence that a person reads.

use pathwarden_types::is_invisible;

/// The most characters of a foreign text that a sentence quotes.
const QUOTE_CHARS_MAX: usize = 64;

/// A text in backticks: cut to a readable length, with nothing invisible in it.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    let mut chars = text.chars();
    let shown = chars.by_ref().take(QUOTE_CHARS_MAX);
    quoted.extend(shown.map(|c| if is_invisible(c) || c == '`' { '\u{fffd}' } else { c }));
    if chars.next().is_some() {
        quoted.push('…');
    }
    quoted.push('`');
    quoted
}

/// A span of time as a person says it.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        u64::MAX => "the session".to_owned(),
        _ if ms >= 3_600_000 && ms.is_multiple_of(3_600_000) => format!("{} h", ms / 3_600_000),
        _ if ms >= 60_000 && ms.is_multiple_of(60_000) => format!("{} min", ms / 60_000),
        _ if ms >= 1_000 && ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::{quote, span};

    #[test]
    fn foreign_text_is_cut_and_shows_what_it_hides() {
        assert_eq!(quote("send\u{202e}_mail`"), "`send\u{fffd}_mail\u{fffd}`");
        assert_eq!(quote(&"ü".repeat(65)), format!("`{}…`", "ü".repeat(64)));
        assert_eq!(quote(&"x".repeat(64)), format!("`{}`", "x".repeat(64)));
    }

    #[test]
    fn spans_read_as_spoken() {
        let cases = [(1, "1 ms"), (1_500, "1500 ms"), (2_000, "2 s"), (600_000, "10 min")];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
        assert_eq!(span(7_200_000), "2 h");
        assert_eq!(span(u64::MAX), "the session");
    }
}
