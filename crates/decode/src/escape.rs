//! Codings that write single characters of a text in another way.

use crate::{
    Step,
    map::{Kind, Map},
};

/// A text with its escapes replaced, and where each part came from.
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) map: Map,
}

/// What an escape stands for and how many bytes it has.
type Unit = Option<(char, usize)>;

/// The steps that [`decode`] knows.
pub(crate) const STEPS: [Step; 3] = [Step::Percent, Step::JsonEscapes, Step::Html];

/// `text` without the escapes of one coding; `None` when it has none.
pub(crate) fn decode(text: &str, step: Step) -> Option<Decoded> {
    let (mark, unit): (char, fn(&str) -> Unit) = match step {
        Step::Percent => ('%', percent),
        Step::JsonEscapes => ('\\', json),
        Step::Html => ('&', html),
        _ => return None,
    };
    // Most texts have none: to know that copies nothing.
    text.match_indices(mark).find_map(|(at, _)| unit(text.get(at..)?))?;
    let mut decoded = Decoded { text: String::with_capacity(text.len()), map: Map::new() };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let place = decoded.text.len();
        if let Some((character, length)) = unit(rest) {
            decoded.map.push(place, &(at..at + length), Kind::Coded);
            decoded.text.push(character);
            at += length;
        } else {
            let skip = usize::from(rest.starts_with(mark));
            let next = rest.get(skip..).and_then(|rest| rest.find(mark));
            let length = next.map_or(rest.len(), |next| skip + next);
            decoded.map.push(place, &(at..at + length), Kind::Copied);
            decoded.text.push_str(rest.get(..length).unwrap_or_default());
            at += length;
        }
    }
    Some(decoded)
}

/// One character, however many bytes it is coded as.
fn percent(text: &str) -> Unit {
    let byte = |index: usize| {
        let coded = text.get(index * 3..index * 3 + 3)?.strip_prefix('%')?;
        hex(coded).and_then(|value| u8::try_from(value).ok())
    };
    let count = match byte(0)? {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes = (0..count).map(byte).collect::<Option<Vec<u8>>>()?;
    let character = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((character, count * 3))
}

fn json(text: &str) -> Unit {
    let rest = text.strip_prefix('\\')?;
    let character = match rest.chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        same @ ('"' | '\'' | '/' | '\\') => same,
        'x' => return char::from_u32(hex(rest.get(1..3)?)?).map(|character| (character, 4)),
        'u' => return unicode(rest.get(1..)?),
        _ => return None,
    };
    Some((character, 2))
}

/// What follows `\u`: four digits, two times four for what lies beyond them, or digits in braces.
fn unicode(text: &str) -> Unit {
    if let Some(rest) = text.strip_prefix('{') {
        let digits = rest.get(..rest.bytes().take(8).position(|byte| byte == b'}')?)?;
        return Some((char::from_u32(hex(digits)?)?, digits.len() + 4));
    }
    let first = hex(text.get(..4)?)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = hex(text.get(4..10)?.strip_prefix("\\u")?)?;
    let is_pair = (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second);
    let character = is_pair.then(|| 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    Some((char::from_u32(character?)?, 12))
}

/// The named references that hide what a value is made of.
const NAMED: [(&str, char); 16] = [
    ("amp;", '&'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("nbsp;", '\u{a0}'),
    ("commat;", '@'),
    ("period;", '.'),
    ("colon;", ':'),
    ("sol;", '/'),
    ("num;", '#'),
    ("lowbar;", '_'),
    ("equals;", '='),
    ("plus;", '+'),
    ("Tab;", '\t'),
    ("NewLine;", '\n'),
];

/// How many digits the number of a character has, leading zeros included.
const REFERENCE_DIGITS_MAX: usize = 8;

fn html(text: &str) -> Unit {
    let rest = text.strip_prefix('&')?;
    let Some(number) = rest.strip_prefix('#') else {
        let named = NAMED.iter().find(|(name, _)| rest.starts_with(name));
        return named.map(|(name, character)| (*character, name.len() + 1));
    };
    let (radix, digits_at) = if number.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = number.get(digits_at..)?;
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let length = digits.bytes().take(REFERENCE_DIGITS_MAX).take_while(is_digit).count();
    let character = char::from_u32(u32::from_str_radix(digits.get(..length)?, radix).ok()?)?;
    let closed = digits.get(length..).is_some_and(|rest| rest.starts_with(';'));
    Some((character, 2 + digits_at + length + usize::from(closed)))
}

/// Hexadecimal digits and nothing else: no sign.
fn hex(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all { u32::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Step, decode};

    #[test]
    fn escapes_are_replaced() {
        let cases = [
            (Step::Percent, "a%41%c3%A9%F0%9F%98%80b", Some("aAé😀b")),
            (Step::Percent, "100% of %zz %FF%41", Some("100% of %zz %FFA")),
            (Step::Percent, "100 % of it", None),
            (Step::JsonEscapes, r"a\n\u0041\ud83d\ude00\x42\u{43}\q", Some("a\nA😀BC\\q")),
            (Step::JsonEscapes, r"\ud83d alone, \u{110000}, \u+123", None),
            (Step::Html, "a&#65;&#x42;&#67 &amp;&commat;&b", Some("aABC &@&b")),
            (Step::Html, "R&D &#; &#xfffffff;", None),
        ];
        for (step, text, want) in cases {
            assert_eq!(decode(text, step).map(|decoded| decoded.text).as_deref(), want, "{text}");
        }
    }
}
