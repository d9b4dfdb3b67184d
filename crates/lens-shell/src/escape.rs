//! Backslash escapes, as `$'…'`, `echo -e` and `printf` read them.

/// Who reads.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Dialect {
    /// `$'…'` and the format of `printf`: octal is `\NNN`.
    Quotes,
    /// `echo -e` and `%b`: octal is `\0NNN`.
    Echo,
}

/// What the escapes stand for.
pub(crate) struct Written {
    pub(crate) text: String,
    /// Some letter was written as a number.
    pub(crate) coded: bool,
}

/// Takes the escapes out. What is no escape stays as it is.
pub(crate) fn decode(text: &str, dialect: Dialect) -> Written {
    let mut bytes = Vec::with_capacity(text.len());
    let mut coded = false;
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(rest.get(..at).unwrap_or_default().as_bytes());
        rest = rest.get(at + 1..).unwrap_or_default();
        let (taken, is_code) = one(rest, dialect, &mut bytes);
        coded |= is_code;
        rest = rest.get(taken..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Written { text: String::from_utf8_lossy(&bytes).into_owned(), coded }
}

/// One escape behind its backslash: how much it takes, and whether it is a number.
fn one(rest: &str, dialect: Dialect, out: &mut Vec<u8>) -> (usize, bool) {
    let Some(letter) = rest.chars().next() else {
        out.push(b'\\');
        return (0, false);
    };
    let simple = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'e' | 'E' => 0x1b,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '\'' if dialect == Dialect::Quotes => b'\'',
        '"' if dialect == Dialect::Quotes => b'"',
        _ => return number(rest, letter, dialect, out),
    };
    out.push(simple);
    (1, false)
}

fn number(rest: &str, letter: char, dialect: Dialect, out: &mut Vec<u8>) -> (usize, bool) {
    let (skip, radix, most) = match letter {
        'x' => (1, 16, 2),
        'u' => (1, 16, 4),
        'U' => (1, 16, 8),
        '0' if dialect == Dialect::Echo => (1, 8, 3),
        '0'..='7' => (0, 8, 3),
        _ => (0, 0, 0),
    };
    let digits: String = rest
        .chars()
        .skip(skip)
        .take(most)
        .take_while(|next| radix > 0 && next.is_digit(radix))
        .collect();
    let Ok(code) = u32::from_str_radix(&digits, radix.max(2)) else {
        out.push(b'\\');
        return (0, false);
    };
    match (letter, char::from_u32(code)) {
        ('u' | 'U', Some(letter)) => {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        _ => out.push(u8::try_from(code & 0xff).unwrap_or_default()),
    }
    (skip + digits.len(), true)
}
