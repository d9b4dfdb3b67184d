//! Text without its quotes and escapes, that knows where each part stands in the source.

/// Text that was spelled out from a source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Spelled {
    pub(crate) text: String,
    pub(crate) jumps: Vec<(usize, usize)>,
}

impl Spelled {
    /// Text that stands in the source as it is.
    pub(crate) fn plain(text: &str, start: usize) -> Self {
        Self { text: text.to_owned(), jumps: vec![(0, start)] }
    }

    /// Adds a character that is spelled at this place of the source.
    pub(crate) fn push(&mut self, character: char, at: usize) {
        self.jump(at);
        self.text.push(character);
    }

    /// Adds a stretch that stands at this place of the source as it is.
    pub(crate) fn push_stretch(&mut self, stretch: &str, at: usize) {
        if !stretch.is_empty() {
            self.jump(at);
            self.text.push_str(stretch);
        }
    }

    fn jump(&mut self, at: usize) {
        let expected = self.jumps.last().map(|(from, to)| to + (self.text.len() - from));
        if expected != Some(at) {
            self.jumps.push((self.text.len(), at));
        }
    }

    /// Takes white space off the end, down to a length.
    pub(crate) fn trim_end(&mut self, length_min: usize) {
        let length = self.text.trim_end_matches([' ', '\t', '\r']).len().max(length_min);
        self.text.truncate(length);
        while self.jumps.last().is_some_and(|(from, _)| *from > length) {
            self.jumps.pop();
        }
    }
}

/// The character that an escape stands for, read from behind its backslash. Unknown escapes stand for
/// themselves; `None` when the text ends too early or has no such digits.
pub(crate) fn escaped(
    rest: &mut (impl Iterator<Item = (usize, char)> + Clone),
) -> Option<(char, bool)> {
    let (_, character) = rest.next()?;
    let digits = match character {
        'n' => return Some(('\n', true)),
        'r' => return Some(('\r', true)),
        't' => return Some(('\t', true)),
        'b' => return Some(('\u{8}', true)),
        'f' => return Some(('\u{c}', true)),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '"' | '\'' | '\\' | '/' | ' ' => return Some((character, true)),
        other => return Some((other, false)),
    };
    let code = digits_of(rest, digits)?;
    if (0xd800..0xdc00).contains(&code)
        && let Some(character) = paired(code, rest)
    {
        return Some((character, true));
    }
    Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), true))
}

/// The second half of a surrogate pair whose first half was just read, with it.
fn paired(high: u32, rest: &mut (impl Iterator<Item = (usize, char)> + Clone)) -> Option<char> {
    let mut ahead = rest.clone();
    let opens = ahead.next()?.1 == '\\' && ahead.next()?.1 == 'u';
    let low = digits_of(&mut ahead, 4).filter(|low| opens && (0xdc00..0xe000).contains(low))?;
    *rest = ahead;
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn digits_of(rest: &mut impl Iterator<Item = (usize, char)>, count: usize) -> Option<u32> {
    let mut code = 0_u32;
    for _ in 0..count {
        let (_, digit) = rest.next()?;
        code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
    }
    Some(code)
}
