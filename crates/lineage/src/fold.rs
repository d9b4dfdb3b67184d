//! One spelling of characters: case, look-alikes and what does not show.

/// What a character is to a comparison of texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Folded {
    /// Part of a word, in its one spelling.
    Letter(char),
    /// Between words.
    Separator(char),
    /// Not there.
    Nothing,
}

/// The one spelling of a character.
pub(crate) fn fold(character: char) -> Folded {
    if character.is_ascii() {
        return if character.is_ascii_alphanumeric() {
            Folded::Letter(character.to_ascii_lowercase())
        } else {
            Folded::Separator(character)
        };
    }
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            let plain = u8::try_from(u32::from(character) - 0xfee0).map_or(' ', char::from);
            fold(plain)
        }
        '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => Folded::Nothing,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Folded::Separator('-'),
        '\u{2018}' | '\u{2019}' => Folded::Separator('\''),
        '\u{201c}' | '\u{201d}' => Folded::Separator('"'),
        _ if character.is_whitespace() => Folded::Separator(' '),
        _ if !character.is_alphanumeric() => Folded::Separator(character),
        _ => Folded::Letter(look_alike(lower(character))),
    }
}

/// The first character of the lower case: enough for a comparison, and one for one.
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// The Latin letter that a Cyrillic or Greek one is taken for (after Unicode TR 39).
const fn look_alike(character: char) -> char {
    match character {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'ѡ' | 'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => character,
    }
}

/// A text in its one spelling with single spaces, for comparing whole values; `None` when it holds
/// no letter or is longer than `limit` bytes.
pub(crate) fn folded_value(text: &str, limit: usize) -> Option<String> {
    let text = text.trim();
    if text.len() > limit {
        return None;
    }
    let (mut folded, mut has_letter) = (String::with_capacity(text.len()), false);
    for character in text.chars() {
        match fold(character) {
            Folded::Letter(letter) => {
                has_letter = true;
                folded.push(letter);
            }
            Folded::Separator(other) if other.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            Folded::Separator(other) => folded.push(other),
            Folded::Nothing => {}
        }
    }
    has_letter.then_some(folded)
}
