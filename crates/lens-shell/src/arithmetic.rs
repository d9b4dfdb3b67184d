//! The little arithmetic that command lines hide numbers in.

use crate::value::Value;

/// The longest expression that is computed, in bytes.
const EXPRESSION_MAX_BYTES: usize = 128;

/// The deepest nesting of parentheses that is computed.
const NESTING_MAX: usize = 8;

/// The value of `$((…))`; digits whatever they are, when it cannot be computed.
pub(crate) fn value(expression: &Value) -> Value {
    let number = evaluated(&expression.text);
    let text = number.map_or_else(|| "$((…))".to_owned(), |number| number.to_string());
    let mut value = Value::known(text);
    value.taint = expression.taint;
    // What a number is made of does not show in it.
    value.taint.unknown = false;
    value
}

/// An expression of whole numbers with `+ - * / %` and parentheses.
pub(crate) fn evaluated(text: &str) -> Option<i64> {
    if text.len() > EXPRESSION_MAX_BYTES {
        return None;
    }
    let mut reader = Reader { rest: text.trim(), nesting: 0 };
    let number = reader.sum()?;
    reader.rest.trim().is_empty().then_some(number)
}

struct Reader<'a> {
    rest: &'a str,
    nesting: usize,
}

impl Reader<'_> {
    fn take(&mut self, letter: char) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(letter);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn sum(&mut self) -> Option<i64> {
        let mut left = self.product()?;
        loop {
            left = if self.take('+') {
                left.checked_add(self.product()?)?
            } else if self.take('-') {
                left.checked_sub(self.product()?)?
            } else {
                return Some(left);
            };
        }
    }

    fn product(&mut self) -> Option<i64> {
        let mut left = self.atom()?;
        loop {
            left = if self.take('*') {
                left.checked_mul(self.atom()?)?
            } else if self.take('/') {
                left.checked_div(self.atom()?)?
            } else if self.take('%') {
                left.checked_rem(self.atom()?)?
            } else {
                return Some(left);
            };
        }
    }

    fn atom(&mut self) -> Option<i64> {
        if self.take('-') {
            return self.number()?.checked_neg();
        }
        if !self.take('(') {
            return self.number();
        }
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return None;
        }
        let inner = self.sum()?;
        self.nesting -= 1;
        self.take(')').then_some(inner)
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.rest.trim_start();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        self.rest = after;
        match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None if digits.len() > 1 && digits.starts_with('0') => {
                i64::from_str_radix(digits, 8).ok()
            }
            None => digits.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::evaluated;

    #[test]
    fn sums_are_computed() {
        assert_eq!(evaluated("1 + 2*(3-1)"), Some(5));
        assert_eq!(evaluated("-2"), Some(-2));
        assert_eq!(evaluated("0x10 % 010"), Some(0));
        assert_eq!(evaluated("1/0"), None);
        assert_eq!(evaluated("x"), None);
        assert_eq!(evaluated(&"(".repeat(100)), None);
    }
}
