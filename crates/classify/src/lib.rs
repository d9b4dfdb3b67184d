//! Finds typed values (account numbers, cards, secrets, e-mail addresses) in text, also where they
//! are coded, and cues that a text speaks to a model.
//!
//! **What it is for.** The decision point asks whether the arguments of an action hold content that
//! must not reach their reader, and takes it out.
//!
//! **What it never does.** No I/O and no clock. It never panics, never cuts a text short, and takes
//! time linear in the length of the text.
//!
//! **Where to start.** [`scan`] for everything with an operator's [`Rules`] and through codings;
//! [`find`] and [`redact`] for what stands in the text itself; [`Stream`] for a text in pieces;
//! [`field_class`] for the name of a column; [`cues`] for text from outside.

mod address;
mod check;
mod cue;
mod entropy;
mod field;
mod national;
mod number;
mod pack;
mod pattern;
mod rule;
mod rules;
mod scan;
mod stream;
mod work;

use std::fmt;

pub use address::{address, emails, urls};
pub use cue::{CUE_TEXT_BYTES_MAX, CUES_MAX, Cue, CueKind, cue_score, cues};
pub use field::field_class;
pub use pathwarden_decode::Step;
pub use rules::{FILE_BYTES_MAX, LIST_MAX, RULES_MAX, RuleFault, Rules, RulesError};
pub use scan::{HITS_MAX, Hit, Scan, scan};
pub use stream::{Stream, WINDOW_BYTES};

/// The longest text that is scanned in one piece, in bytes. A longer one is scanned in windows that
/// overlap by [`OVERLAP_BYTES`], so that memory stays bounded and nothing is left out.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// How far two windows overlap, in bytes: more than any single value with the words around it is
/// long.
pub const OVERLAP_BYTES: usize = 4 << 10;

/// What kind of value was found. Where two overlap, the earlier kind in this list wins.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// A credential: a token with a vendor's prefix, or a private key (PEM, RFC 7468).
    Secret,
    /// A password next to a word that says so, or in a web address.
    Password,
    /// A code that lets its bearer in once, next to words that say so.
    OneTimeCode,
    /// International bank account number (ISO 13616), check digits right.
    Iban,
    /// Payment card number (ISO/IEC 7812), prefix, length and check digit right.
    PaymentCard,
    /// US bank routing number (ABA), check digit right, near a word that says so.
    RoutingNumber,
    /// Tax number: US EIN and SSN, VAT numbers of the EU, near a word that says so.
    TaxId,
    /// A person's number with a state, check digits right, near a word that says so.
    NationalId,
    /// A passport's number after a word that says so.
    Passport,
    /// Any other account number: digits after a word that says so.
    BankAccount,
    /// What a field's name says is about health. Only [`field_class`] and rules give it.
    Health,
    /// What a field's name says is pay. Only [`field_class`] and rules give it.
    Salary,
    /// What a field's name says is a date of birth. Only [`field_class`] and rules give it.
    Birth,
    /// What an operator's rule finds that names no other class.
    Custom,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// Words that mark a document as not for everybody.
    Marking,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 17] = [
        Self::Secret,
        Self::Password,
        Self::OneTimeCode,
        Self::Iban,
        Self::PaymentCard,
        Self::RoutingNumber,
        Self::TaxId,
        Self::NationalId,
        Self::Passport,
        Self::BankAccount,
        Self::Health,
        Self::Salary,
        Self::Birth,
        Self::Custom,
        Self::Email,
        Self::Phone,
        Self::Marking,
    ];

    /// What [`find`] looks for: values that say by themselves, or by the word beside them, what
    /// they are. [`scan`] looks for all.
    pub const VALUES: [Self; 8] = [
        Self::Secret,
        Self::Iban,
        Self::PaymentCard,
        Self::RoutingNumber,
        Self::TaxId,
        Self::NationalId,
        Self::BankAccount,
        Self::Email,
    ];

    /// Its name in policies and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Password => "password",
            Self::OneTimeCode => "one_time_code",
            Self::Iban => "iban",
            Self::PaymentCard => "payment_card",
            Self::RoutingNumber => "routing_number",
            Self::TaxId => "tax_id",
            Self::NationalId => "national_id",
            Self::Passport => "passport",
            Self::BankAccount => "bank_account",
            Self::Health => "health",
            Self::Salary => "salary",
            Self::Birth => "birth",
            Self::Custom => "custom",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Marking => "marking",
        }
    }

    /// The class with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One value found, as a range of bytes of the text; both ends are character boundaries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// What it is.
    pub class: Class,
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Whether disclosing a value of this class does harm.
#[must_use]
pub const fn is_restricted(class: Class) -> bool {
    !matches!(class, Class::Email | Class::Phone | Class::Marking)
}

/// Every value of [`Class::VALUES`] in `text` as it stands, in order, none overlapping another.
#[must_use]
pub fn find(text: &str) -> Vec<Piece> {
    disjoint(find_in_windows(text, TEXT_BYTES_MAX, &Class::VALUES))
}

/// `text` with every value of `classes` replaced by `[redacted: <class>]`. In the result none of
/// them is found again.
#[must_use]
pub fn redact(text: &str, classes: &[Class]) -> String {
    let mut text = text.to_owned();
    // Taking one value out can let the pieces around it form another, so look again. Each round
    // shortens what can match; the bound is for the case that this is wrong.
    for _ in 0..ROUNDS_MAX {
        match redact_once(&text, classes) {
            Some(shorter) => text = shorter,
            None => return text,
        }
    }
    // Doubt is deny: rather nothing than something that should have been taken out.
    "[redacted]".to_owned()
}

/// How often a text is looked through again after something was taken out.
const ROUNDS_MAX: usize = 8;

/// `None` when there is nothing to take out. Every piece of the classes goes, also where one of
/// another class overlaps it and wins in [`find`].
fn redact_once(text: &str, classes: &[Class]) -> Option<String> {
    let pieces = find_in_windows(text, TEXT_BYTES_MAX, classes);
    if pieces.is_empty() {
        return None;
    }
    let mut redacted = String::with_capacity(text.len());
    let mut end = 0;
    for piece in merged(pieces) {
        redacted += text.get(end..piece.start).unwrap_or_default();
        redacted += "[redacted: ";
        redacted += piece.class.as_str();
        redacted.push(']');
        end = piece.end;
    }
    redacted += text.get(end..).unwrap_or_default();
    Some(redacted)
}

/// All pieces of the classes, overlapping ones too, in no order.
fn find_in_windows(text: &str, window: usize, classes: &[Class]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start: usize = 0;
    loop {
        let end = boundary(text, start.saturating_add(window));
        let piece = text.get(start..end).unwrap_or_default();
        pattern::scan(piece, start, classes, &mut pieces);
        if end >= text.len() {
            return pieces;
        }
        start = boundary(text, end.saturating_sub(OVERLAP_BYTES.min(window / 2)).max(start + 1));
    }
}

/// The first character boundary at or after `at`.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// The pieces that stay when, of two that overlap, the one of the earlier class stays, and of the
/// same class the one that starts earlier.
fn disjoint(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|found| (found.class, found.start, std::cmp::Reverse(found.end)));
    let mut kept: std::collections::BTreeMap<usize, Piece> = std::collections::BTreeMap::new();
    for found in pieces {
        let before = kept.range(..found.end).next_back();
        if before.is_none_or(|(_, before)| before.end <= found.start) {
            kept.insert(found.start, found);
        }
    }
    kept.into_values().collect()
}

/// Overlapping pieces as one, with the class of the first.
fn merged(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
    for found in pieces {
        match merged.last_mut() {
            Some(last) if found.start < last.end => last.end = last.end.max(found.end),
            _ => merged.push(found),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
