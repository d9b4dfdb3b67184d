//! Patterns of file names, and the few places that every attacker knows.

/// The longest pattern that is matched, in bytes; a longer one matches nothing.
pub(crate) const PATTERN_MAX_BYTES: usize = 256;

/// Files below a home that open other doors.
const SENSITIVE_AT_HOME: [&str; 19] = [
    ".aws/config",
    ".aws/credentials",
    ".bash_history",
    ".bashrc",
    ".config/gcloud/application_default_credentials.json",
    ".config/gh/hosts.yml",
    ".docker/config.json",
    ".git-credentials",
    ".gnupg/secring.gpg",
    ".kube/config",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".profile",
    ".pypirc",
    ".ssh/authorized_keys",
    ".ssh/id_ecdsa",
    ".ssh/id_ed25519",
    ".ssh/id_rsa",
];

/// The same, of the system.
const SENSITIVE: [&str; 12] = [
    "/etc/crontab",
    "/etc/group",
    "/etc/gshadow",
    "/etc/hosts",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/sudoers",
    "/proc/self/environ",
    "/var/run/docker.sock",
];

/// The well-known files, those of the home first, that `keep` wants.
pub(crate) fn sensitive(home: &str, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let at_home = SENSITIVE_AT_HOME.iter().map(|name| format!("{home}/{name}"));
    at_home
        .chain(SENSITIVE.iter().map(|name| (*name).to_owned()))
        .filter(|name| keep(name))
        .collect()
}

/// Whether a bare text stands for names of files.
pub(crate) fn is_pattern(text: &str) -> bool {
    let class = text.split_once('[').is_some_and(|(_, rest)| rest.contains(']'));
    class || text.contains(['*', '?'])
}

/// Whether a shell would put `name` in the place of `pattern`; `*` and `?` stand for no slash.
///
/// A dot in front is matched by `*` too: some shells are set so. Never takes longer than the product
/// of both lengths.
pub(crate) fn matches_path(pattern: &str, name: &str) -> bool {
    let stars = pattern.split('/').count() == name.split('/').count();
    stars && pattern.split('/').zip(name.split('/')).all(|(pattern, name)| matches(pattern, name))
}

/// Whether all of `text` is what the pattern says; `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if pattern.len() > PATTERN_MAX_BYTES {
        return false;
    }
    let mut here = Place { pattern, text };
    let mut back: Option<Place<'_>> = None;
    loop {
        if let Some(after) = here.pattern.strip_prefix('*') {
            here.pattern = after;
            back = Some(here);
        } else if here.pattern.is_empty() && here.text.is_empty() {
            return true;
        } else if let Some(next) = here.step() {
            here = next;
        } else {
            let Some(place) = back.as_mut() else { return false };
            let mut letters = place.text.chars();
            if letters.next().is_none() {
                return false;
            }
            place.text = letters.as_str();
            here = *place;
        }
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    pattern: &'a str,
    text: &'a str,
}

impl Place<'_> {
    /// One letter of both, when they agree.
    fn step(self) -> Option<Self> {
        let mut text = self.text.chars();
        let letter = text.next()?;
        let mut pattern = self.pattern.chars();
        let first = pattern.next()?;
        let (agrees, pattern) = match first {
            '?' => (true, pattern.as_str()),
            '[' => match class(pattern.as_str(), letter) {
                Some(found) => found,
                None => (letter == '[', pattern.as_str()),
            },
            '\\' => {
                let escaped = pattern.next()?;
                (escaped == letter, pattern.as_str())
            }
            other => (other == letter, pattern.as_str()),
        };
        agrees.then_some(Place { pattern, text: text.as_str() })
    }
}

/// Whether `letter` is in the class that begins behind `[`, and what follows it.
fn class(rest: &str, letter: char) -> Option<(bool, &str)> {
    let negated = rest.starts_with(['!', '^']);
    let body = if negated { rest.get(1..)? } else { rest };
    // A bracket in front is a member.
    let end = body.char_indices().skip(1).find(|(_, next)| *next == ']')?.0;
    let members: Vec<char> = body.get(..end)?.chars().collect();
    let mut inside = members.contains(&letter);
    for window in members.windows(3) {
        if let [low, '-', high] = window {
            inside |= (*low..=*high).contains(&letter);
        }
    }
    // A named class: rare, and too wide is the safe side.
    inside |= body.starts_with("[:");
    Some((inside != negated, body.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::{matches, matches_path, sensitive};

    #[test]
    fn patterns_match_as_a_shell_matches() {
        for (pattern, name, want) in [
            ("/e?c/pass*", "/etc/passwd", true),
            ("/e?c/pass*", "/etc/shadow", false),
            ("/*/sh[a-c]dow", "/etc/shadow", true),
            ("/*/sh[!a-c]dow", "/etc/shadow", false),
            ("/*", "/etc/shadow", false),
            ("*", "", true),
            ("a**b", "ab", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            assert_eq!(matches_path(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_time_to_speak_of() {
        let pattern = "*a".repeat(120);
        assert!(!matches(&pattern, &format!("{}b", "a".repeat(4000))));
    }

    #[test]
    fn well_known_files_are_found_by_pattern() {
        let found = sensitive("/home/u", |name| matches_path("/home/u/.s?h/id_r*", name));
        assert_eq!(found, ["/home/u/.ssh/id_rsa"]);
    }
}
