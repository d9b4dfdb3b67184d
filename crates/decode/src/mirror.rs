//! What only hides: letters moved, or all read from the end.

/// Each ASCII letter replaced by the one 13 places on.
pub(crate) fn rot13(text: &str) -> String {
    let moved = |character: char| match character {
        'a'..='m' | 'A'..='M' => shifted(character, 13),
        'n'..='z' | 'N'..='Z' => shifted(character, -13),
        other => other,
    };
    text.chars().map(moved).collect()
}

fn shifted(character: char, by: i32) -> char {
    u32::from(character).checked_add_signed(by).and_then(char::from_u32).unwrap_or(character)
}

/// The characters from the last to the first.
pub(crate) fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::{reversed, rot13};

    #[test]
    fn twice_is_once_too_many() {
        let text = "Pay Ann, 12 é";
        assert_eq!(rot13(text), "Cnl Naa, 12 é");
        assert_eq!(rot13(&rot13(text)), text);
        assert_eq!(reversed(&reversed(text)), text);
    }
}
