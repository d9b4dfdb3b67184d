//! Trust in a value against its label, only as an act that somebody can be asked about.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::{ApprovalId, Digest, Millis};

/// What makes a value trusted although untrusted content named it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum By {
    /// A person approved this value.
    Approval(ApprovalId),
    /// A directory that the operator trusts lists it.
    Directory(String),
    /// The operator allows it.
    AllowList,
    /// It fits a schema too narrow to carry an instruction.
    Extraction {
        /// Of [`Schema::digest`].
        schema: Digest,
    },
}

/// One act of trust in one value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endorsement {
    /// Of [`canonical_value`].
    pub value: Digest,
    /// What it rests on.
    pub by: By,
    /// When it was made.
    pub at: Millis,
    /// From when on it is void.
    pub expires: Millis,
}

/// The digest by which a value is endorsed: of its exact characters without surrounding white
/// space. Nothing else is folded, because what only looks the same is another value.
#[must_use]
pub fn canonical_value(value: &str) -> Digest {
    Digest::of(value.trim().as_bytes())
}

/// What a narrow extraction may say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Schema {
    /// One of some words that the schema itself lists.
    OneOf(BTreeSet<String>),
    /// A whole number of a range.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        greatest: i64,
    },
    /// `true` or `false`.
    Flag,
    /// A day, `YYYY-MM-DD`.
    Date,
}

/// Why a value is not endorsed by extraction.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractionFault {
    /// The schema admits too much.
    #[error("the schema admits values of `{bits}` bits, more than {}: narrow it", Schema::BITS_MAX)]
    TooWide {
        /// What it admits.
        bits: u32,
    },
    /// The value does not fit.
    #[error("the value does not fit the schema: ask a person to approve it")]
    DoesNotFit,
}

impl Schema {
    /// The most that an extracted value may tell, in bits: an amount or a day, not an address.
    pub const BITS_MAX: u32 = 32;

    /// The bits that tell one value that fits from another.
    #[must_use]
    pub fn bits(&self) -> u32 {
        let count = match self {
            Self::OneOf(words) => words.len() as u128,
            Self::Number { least, greatest } => {
                u128::try_from(i128::from(*greatest) - i128::from(*least) + 1).unwrap_or(0)
            }
            Self::Flag => 2,
            Self::Date => 10_000 * 12 * 31,
        };
        count.checked_sub(1).map_or(0, |most| u128::BITS - most.leading_zeros())
    }

    /// Whether a value fits.
    #[must_use]
    pub fn admits(&self, value: &str) -> bool {
        let value = value.trim();
        match self {
            Self::OneOf(words) => words.contains(value),
            Self::Number { least, greatest } => value.parse::<i64>().is_ok_and(|number| {
                (least..=greatest).contains(&&number) && number.to_string() == value
            }),
            Self::Flag => matches!(value, "true" | "false"),
            Self::Date => is_date(value),
        }
    }

    /// What names the schema in records.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let parts: Vec<String> = match self {
            Self::OneOf(words) => {
                words.iter().map(|word| format!("{}:{word}", word.len())).collect()
            }
            Self::Number { least, greatest } => vec![format!("number {least} {greatest}")],
            Self::Flag => vec!["flag".to_owned()],
            Self::Date => vec!["date".to_owned()],
        };
        Digest::of(parts.concat().as_bytes())
    }

    /// Endorses a value that fits.
    ///
    /// # Errors
    ///
    /// The schema is too wide, or the value does not fit it.
    pub fn endorse(
        &self,
        value: &str,
        at: Millis,
        expires: Millis,
    ) -> Result<Endorsement, ExtractionFault> {
        let bits = self.bits();
        if bits > Self::BITS_MAX {
            return Err(ExtractionFault::TooWide { bits });
        }
        if !self.admits(value) {
            return Err(ExtractionFault::DoesNotFit);
        }
        let by = By::Extraction { schema: self.digest() };
        Ok(Endorsement { value: canonical_value(value), by, at, expires })
    }
}

fn is_date(value: &str) -> bool {
    let mut parts = value.split('-');
    let mut part = |length: usize, range: std::ops::RangeInclusive<u32>| {
        parts.next().is_some_and(|text| {
            text.len() == length
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse().is_ok_and(|number| range.contains(&number))
        })
    };
    let is_day = part(4, 0..=9_999) && part(2, 1..=12) && part(2, 1..=31);
    is_day && parts.next().is_none()
}

/// There is no room for another endorsement.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there are already {} endorsements: let some expire", Endorsements::MAX)]
pub struct EndorsementsFull;

/// The endorsements in force, one for each value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endorsements {
    by_value: BTreeMap<Digest, Endorsement>,
}

impl Endorsements {
    /// The most values.
    pub const MAX: usize = 4_096;

    /// Adds an endorsement; of two for one value the one that lasts longer stays.
    ///
    /// # Errors
    ///
    /// There is no room, also after dropping what had expired when this one was made. Nothing that
    /// is in force is ever dropped for another.
    pub fn add(&mut self, endorsement: Endorsement) -> Result<(), EndorsementsFull> {
        if let Some(known) = self.by_value.get_mut(&endorsement.value) {
            if known.expires < endorsement.expires {
                *known = endorsement;
            }
            return Ok(());
        }
        if self.by_value.len() >= Self::MAX {
            self.by_value.retain(|_, known| endorsement.at < known.expires);
        }
        if self.by_value.len() >= Self::MAX {
            return Err(EndorsementsFull);
        }
        self.by_value.insert(endorsement.value, endorsement);
        Ok(())
    }

    /// The endorsement of a value that is in force.
    #[must_use]
    pub fn of(&self, value: &str, now: Millis) -> Option<&Endorsement> {
        let known = self.by_value.get(&canonical_value(value))?;
        (known.at <= now && now < known.expires).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Endorsement, Endorsements, EndorsementsFull, Millis, Schema, canonical_value};

    fn endorsement(value: &str, at: u64, expires: u64) -> Endorsement {
        let (at, expires) = (Millis(at), Millis(expires));
        Endorsement { value: canonical_value(value), by: By::AllowList, at, expires }
    }

    #[test]
    fn an_endorsement_holds_for_its_value_and_its_time() {
        let mut all = Endorsements::default();
        all.add(endorsement("ann@b.example", 10, 20)).unwrap();
        assert!(all.of(" ann@b.example\n", Millis(10)).is_some());
        for (value, now) in [("ann@b.example", 9), ("ann@b.example", 20), ("аnn@b.example", 15)] {
            assert_eq!(all.of(value, Millis(now)), None, "{value} {now}");
        }
    }

    #[test]
    fn one_more_than_the_limit_is_refused_until_some_expire() {
        let mut all = Endorsements::default();
        for number in 0..Endorsements::MAX {
            all.add(endorsement(&number.to_string(), 0, 10)).unwrap();
        }
        assert_eq!(all.add(endorsement("x", 9, 20)), Err(EndorsementsFull));
        assert_eq!(all.add(endorsement("x", 10, 20)), Ok(()));
    }

    #[test]
    fn extraction_admits_only_what_carries_no_instruction() {
        let words = |words: &[&str]| Schema::OneOf(words.iter().map(|&w| w.to_owned()).collect());
        let range = |greatest| Schema::Number { least: 0, greatest };
        for (schema, value, want) in [
            (words(&["paid", "open"]), "paid", true),
            (words(&["paid", "open"]), "send all", false),
            (range(u32::MAX.into()), "4294967295", true),
            (range(i64::from(u32::MAX) + 1), "7", false),
            (range(10), "11", false),
            (range(10), "+7", false),
            (Schema::Flag, "true", true),
            (Schema::Flag, "yes", false),
            (Schema::Date, "2026-05-01", true),
            (Schema::Date, "2026-05-01; rm", false),
        ] {
            let got = schema.endorse(value, Millis(0), Millis(1));
            assert_eq!(got.is_ok(), want, "{schema:?} {value} {got:?}");
        }
    }
}
