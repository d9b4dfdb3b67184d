//! Texts with what is known about them: where they came from, and whether they are complete.

use std::rc::Rc;

/// Where a text came from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Taint {
    /// Part of it is not known; what stands for it is as spelled.
    pub(crate) unknown: bool,
    /// It came from a host.
    pub(crate) fetched: bool,
    /// It was decoded.
    pub(crate) decoded: bool,
    /// It is what a shell says that takes commands from elsewhere.
    pub(crate) answered: bool,
}

impl Taint {
    /// Of something made of both.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self {
            unknown: self.unknown || other.unknown,
            fetched: self.fetched || other.fetched,
            decoded: self.decoded || other.decoded,
            answered: self.answered || other.answered,
        }
    }
}

/// One argument, or the value of a variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) taint: Taint,
    /// It has a bare `*`, `?` or `[`: the shell would put file names in its place.
    pub(crate) pattern: bool,
    /// What reading it gives, when it names a process substitution.
    pub(crate) source: Option<Rc<Flow>>,
}

impl Value {
    pub(crate) fn known(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A value that only running it would give, with how it is spelled.
    pub(crate) fn unknown(spelled: impl Into<String>) -> Self {
        let taint = Taint { unknown: true, ..Taint::default() };
        Self { text: spelled.into(), taint, ..Self::default() }
    }

    /// A part of this value, or a text made from it.
    pub(crate) fn derived(&self, text: impl Into<String>) -> Self {
        Self { text: text.into(), taint: self.taint, pattern: self.pattern, source: None }
    }

    /// Takes `other` on at its end.
    pub(crate) fn push(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.taint = self.taint.with(other.taint);
        self.pattern |= other.pattern;
    }
}

/// What goes through a pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    /// All of it, when that is known.
    pub(crate) text: Option<String>,
    /// Names of files, as patterns, when it is a list of such.
    pub(crate) listing: Vec<String>,
    pub(crate) taint: Taint,
    /// There is a pipe or a file at all, and not the terminal.
    pub(crate) given: bool,
}

impl Flow {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), given: true, ..Self::default() }
    }

    pub(crate) fn silent() -> Self {
        Self::text("")
    }

    pub(crate) fn unknown() -> Self {
        Self { given: true, ..Self::default() }
    }

    /// What a program makes of this flow when we do not follow how.
    pub(crate) fn blurred(&self) -> Self {
        Self { taint: self.taint, ..Self::unknown() }
    }

    pub(crate) fn tainted(mut self, taint: Taint) -> Self {
        self.taint = self.taint.with(taint);
        self
    }

    /// This one, then `next`.
    pub(crate) fn then(mut self, next: Self) -> Self {
        self.text = match (self.text, next.text) {
            (Some(mut a), Some(b)) => {
                a.push_str(&b);
                Some(a)
            }
            _ => None,
        };
        self.listing.extend(next.listing);
        self.taint = self.taint.with(next.taint);
        self.given = true;
        self
    }

    /// As the value that a command substitution gives.
    pub(crate) fn value(&self, spelled: &str) -> Value {
        let mut value = match &self.text {
            Some(text) => Value::known(text.trim_end_matches('\n')),
            None => Value::unknown(spelled),
        };
        value.taint = value.taint.with(self.taint);
        value
    }
}
