//! Punycode (RFC 3492), the ASCII form of a label of a domain name.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;

/// The ASCII form of a label, without the prefix `xn--`; `None` when it is too long to have one.
pub(crate) fn encode(label: &str) -> Option<String> {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let all = u32::try_from(label.chars().count()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut code, mut delta, mut bias, mut done) = (FIRST_CODE, 0_u32, FIRST_BIAS, basic);
    while done < all {
        let next = label.chars().map(u32::from).filter(|c| *c >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(done + 1)?)?;
        code = next;
        for c in label.chars().map(u32::from) {
            if c < code {
                delta = delta.checked_add(1)?;
            } else if c == code {
                push_number(&mut out, delta, bias);
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code += 1;
    }
    Some(out)
}

/// A number of variable length (RFC 3492, section 3.3).
fn push_number(out: &mut String, mut number: u32, bias: u32) {
    let mut k = BASE;
    loop {
        let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if number < t {
            out.push(digit(number));
            return;
        }
        out.push(digit(t + (number - t) % (BASE - t)));
        number = (number - t) / (BASE - t);
        k += BASE;
    }
}

fn digit(value: u32) -> char {
    char::from_digit(value.wrapping_sub(26), 10)
        .filter(|_| value >= 26)
        .or_else(|| char::from_u32(u32::from('a') + value))
        .unwrap_or('a')
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, points: u32, is_first: bool) -> u32 {
    let mut delta = delta / if is_first { DAMP } else { 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::encode;

    #[test]
    fn labels_encode_as_their_specification_says() {
        // RFC 3492, section 7.1: (A) Arabic, (B) Chinese, (I) Russian, and one of common use.
        let cases = [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("bücher", "bcher-kva"),
        ];
        for (label, want) in cases {
            assert_eq!(encode(label).as_deref(), Some(want), "{label}");
        }
    }

    proptest! {
        #[test]
        fn encoding_agrees_with_another_implementation(label in "[a-zà-öа-я\u{4e00}-\u{4fff}]{1,40}") {
            let other = idna::punycode::encode_str(&label);
            prop_assert_eq!(encode(&label), other);
        }

        #[test]
        fn any_text_is_survived(label: String) {
            if let Some(ascii) = encode(&label) {
                prop_assert!(ascii.is_ascii());
            }
        }
    }
}
