//! What of an agent's models can be recognised again, over all its sessions.

use std::collections::BTreeMap;

use pathwarden_types::{Digest, Mark, MarkKind, Name, SessionId};

/// Every mark that was seen: a fold over the ledger.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    known: BTreeMap<(Name, MarkKind, String), BTreeMap<Digest, Option<SessionId>>>,
}

impl Marks {
    /// The most forms of one mark that are kept; of more it is not said that they are new.
    pub const FORMS_MAX: usize = 256;
    /// The most things that have marks; those of more are not kept.
    pub const SUBJECTS_MAX: usize = 4_096;

    /// Whether a mark is new, and then whether it is a shift: earlier sessions had others, and none this.
    #[must_use]
    pub fn news(&self, session: SessionId, mark: &Mark) -> Option<bool> {
        let Some(forms) = self.known.get(&key(mark)) else {
            return (self.known.len() < Self::SUBJECTS_MAX).then_some(false);
        };
        if forms.contains_key(&mark.form) || forms.len() >= Self::FORMS_MAX {
            return None;
        }
        Some(forms.values().any(|seen_in| *seen_in != Some(session)))
    }

    /// Takes a mark into account that a session showed first.
    pub fn apply(&mut self, session: Option<SessionId>, mark: &Mark) {
        let key = key(mark);
        if self.known.len() >= Self::SUBJECTS_MAX && !self.known.contains_key(&key) {
            return;
        }
        let forms = self.known.entry(key).or_default();
        if forms.len() < Self::FORMS_MAX {
            forms.entry(mark.form).or_insert(session);
        }
    }
}

fn key(mark: &Mark) -> (Name, MarkKind, String) {
    (mark.agent.clone(), mark.kind, mark.of.clone())
}

/// The mark of a text: the digest of its words, in which all that hold a digit or a slash are alike, since
/// prompts name the day, the version and the folder that they are made for.
#[must_use]
pub fn mark_of_text(text: &str) -> Digest {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let is_of_the_day = word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/');
        plain.push_str(if is_of_the_day { "0" } else { word });
        plain.push(' ');
    }
    Digest::of(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Digest, Mark, MarkKind, SessionId};

    use super::{Marks, mark_of_text};

    fn session(number: u8) -> SessionId {
        SessionId::from_bytes([number; 16]).unwrap()
    }

    fn mark(form: &str) -> Mark {
        Mark {
            agent: "coder".parse().unwrap(),
            kind: MarkKind::SystemPrompt,
            of: "anthropic".to_owned(),
            form: mark_of_text(form),
            words: String::new(),
        }
    }

    #[test]
    fn another_form_is_a_shift_only_between_sessions() {
        let mut marks = Marks::default();
        let mut show = |number, form| {
            let news = marks.news(session(number), &mark(form));
            if news.is_some() {
                marks.apply(Some(session(number)), &mark(form));
            }
            news
        };
        assert_eq!(show(1, "you are good"), Some(false));
        assert_eq!(show(1, "you name chats"), Some(false));
        assert_eq!(show(2, "you are good"), None);
        assert_eq!(show(2, "you are evil"), Some(true));
        assert_eq!(show(3, "you are evil"), None);
    }

    #[test]
    fn the_day_the_version_and_the_folder_in_a_prompt_are_no_shift() {
        assert_eq!(mark_of_text("today is 2026-11-26"), mark_of_text("today is 2026-12-3"));
        assert_ne!(mark_of_text("today is 2026-11-26"), mark_of_text("tonight is 2026-11-26"));
        assert_eq!(mark_of_text("v=2.1.a10; in /tmp/a"), mark_of_text("v=2.1.4ee; in /home/b"));
    }

    #[test]
    fn one_form_more_than_the_limit_is_no_news() {
        let mut marks = Marks::default();
        for number in 0..Marks::FORMS_MAX {
            let form = Digest::of(&number.to_be_bytes());
            assert!(marks.news(session(1), &Mark { form, ..mark("") }).is_some());
            marks.apply(Some(session(1)), &Mark { form, ..mark("") });
        }
        assert_eq!(marks.news(session(2), &mark("one more")), None);
    }
}
