//! What looks like a link or an address.

use pathwarden_classify as classify;

/// Endings of file names, which look like hosts and are none.
const FILE_ENDINGS: &[&str] = &[
    "csv", "doc", "docx", "gif", "gz", "html", "jpeg", "jpg", "js", "json", "log", "md", "pdf",
    "png", "py", "rs", "sh", "sql", "toml", "ts", "txt", "xls", "xlsx", "xml", "yaml", "yml",
    "zip",
];

/// Whether a whole value is a link: with a scheme, or a host with or without a path.
pub(crate) fn is_link(value: &str) -> bool {
    let value = value.trim();
    if value.contains(char::is_whitespace) {
        return false;
    }
    let Some(dot) = value.find('.') else { return value.contains("://") };
    if value.contains("://") || value.starts_with("//") || value.get(..4).is_some_and(is_www) {
        return true;
    }
    if dot == 0 {
        return false;
    }
    let host = value.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.trim_end_matches('.');
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    !name.is_empty()
        && name.chars().all(is_plain)
        && top.len() >= 2
        && top.chars().all(char::is_alphabetic)
        && (value.len() > host.len() || !FILE_ENDINGS.contains(&top.to_lowercase().as_str()))
        || is_address(host)
}

fn is_www(start: &str) -> bool {
    start.eq_ignore_ascii_case("www.")
}

/// Four numbers: an address of the internet.
fn is_address(host: &str) -> bool {
    host.parse::<core::net::Ipv4Addr>().is_ok()
}

/// The links and addresses in a text.
pub(crate) fn in_text(text: &str) -> Vec<String> {
    let marks = |c: char| c.is_whitespace() || "<>()[]{}\"'`,;|".contains(c);
    let links = text
        .split(marks)
        .map(|word| word.trim_matches(['.', ':', '!', '?', '*', '_']))
        .filter(|word| is_link(word))
        .map(str::to_owned);
    links.chain(classify::emails(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::{in_text, is_link};

    #[test]
    fn links_are_told_from_files_and_words() {
        for (value, want) in [
            ("https://a.example/x", true),
            ("www.a.example", true),
            ("a-b.example/path?x=1", true),
            ("a.example:8080", true),
            ("203.0.113.9/c", true),
            ("//evil.example/c", true),
            ("evil.md/c", true),
            ("notes.txt", false),
            ("v1.2", false),
            ("a.b c.example", false),
            ("word", false),
        ] {
            assert_eq!(is_link(value), want, "{value}");
        }
    }

    #[test]
    fn links_stand_in_texts() {
        assert_eq!(
            in_text("see (www.a.example/x). or b@c.example!"),
            ["www.a.example/x", "b@c.example"]
        );
    }
}
