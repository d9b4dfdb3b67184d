//! Kinds of act: what a tool can do, a person can ask for, and content can order.

use std::fmt;

/// A kind of act, coarser than a tool and finer than a class of tool.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Act {
    /// Looks at something.
    Look,
    /// Fetches something from an address.
    Visit,
    /// Tells somebody something.
    Message,
    /// Makes something public.
    Publish,
    /// Moves money.
    Pay,
    /// Buys something.
    Buy,
    /// Reserves something.
    Reserve,
    /// Gives something back for its price.
    Refund,
    /// Makes something new.
    Create,
    /// Keeps or copies something.
    Save,
    /// Changes something.
    Update,
    /// Destroys or withdraws something.
    Delete,
    /// Lets somebody in.
    Invite,
    /// Lets somebody use something.
    Share,
    /// Runs something.
    Run,
    /// Works on a repository of code.
    Develop,
    /// Fills in a form.
    Submit,
    /// Says who somebody is.
    Authenticate,
}

impl Act {
    /// Every act, in order.
    pub const ALL: [Self; 18] = [
        Self::Look,
        Self::Visit,
        Self::Message,
        Self::Publish,
        Self::Pay,
        Self::Buy,
        Self::Reserve,
        Self::Refund,
        Self::Create,
        Self::Save,
        Self::Update,
        Self::Delete,
        Self::Invite,
        Self::Share,
        Self::Run,
        Self::Develop,
        Self::Submit,
        Self::Authenticate,
    ];

    /// The act as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Visit => "visit",
            Self::Message => "message",
            Self::Publish => "publish",
            Self::Pay => "pay",
            Self::Buy => "buy",
            Self::Reserve => "reserve",
            Self::Refund => "refund",
            Self::Create => "create",
            Self::Save => "save",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Invite => "invite",
            Self::Share => "share",
            Self::Run => "run",
            Self::Develop => "develop",
            Self::Submit => "submit",
            Self::Authenticate => "authenticate",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of acts.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Acts(u32);

impl Acts {
    /// No act.
    pub const NONE: Self = Self(0);

    /// These acts.
    #[must_use]
    pub fn of(acts: &[Act]) -> Self {
        acts.iter().copied().collect()
    }

    /// Whether the act is one of them.
    #[must_use]
    pub const fn has(self, act: Act) -> bool {
        self.0 & act.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether both have one in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of these are among the others.
    #[must_use]
    pub const fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// The acts of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These acts without the others.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The acts, in order.
    pub fn iter(self) -> impl Iterator<Item = Act> {
        Act::ALL.into_iter().filter(move |act| self.has(*act))
    }
}

impl FromIterator<Act> for Acts {
    fn from_iter<I: IntoIterator<Item = Act>>(acts: I) -> Self {
        Self(acts.into_iter().fold(0, |bits, act| bits | act.bit()))
    }
}

impl fmt::Display for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Act::as_str).collect();
        f.write_str(&words.join(", "))
    }
}

impl fmt::Debug for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Acts({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Acts};

    #[test]
    fn every_act_is_its_own_bit() {
        let all = Acts::of(&Act::ALL);
        assert_eq!(all.iter().collect::<Vec<_>>(), Act::ALL);
        for act in Act::ALL {
            assert!(!all.without(Acts::of(&[act])).has(act), "{act:?}");
        }
    }
}
