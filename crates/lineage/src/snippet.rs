//! The surroundings of a value, to be shown to a person.

/// A value in its surroundings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Snippet {
    /// What stands before it.
    pub before: String,
    /// The value, cut at [`Snippet::VALUE_BYTES_MAX`].
    pub value: String,
    /// What stands after it.
    pub after: String,
}

impl Snippet {
    /// The most bytes on either side.
    pub const SIDE_BYTES_MAX: usize = 80;
    /// The most bytes of the value.
    pub const VALUE_BYTES_MAX: usize = 400;
}

/// The bytes `start..end` of a text with what surrounds them, cut between characters; places past
/// the end are the end.
#[must_use]
pub fn snippet(source: &str, start: usize, end: usize) -> Snippet {
    let start = source.floor_char_boundary(start.min(source.len()));
    let end = source.ceil_char_boundary(end.clamp(start, source.len()));
    let left = source.ceil_char_boundary(start.saturating_sub(Snippet::SIDE_BYTES_MAX));
    let right = source.floor_char_boundary(end.saturating_add(Snippet::SIDE_BYTES_MAX));
    let cut = source.floor_char_boundary(end.min(start.saturating_add(Snippet::VALUE_BYTES_MAX)));
    let part = |from: usize, to: usize| source.get(from..to).unwrap_or_default().to_owned();
    Snippet { before: part(left, start), value: part(start, cut), after: part(end, right) }
}
