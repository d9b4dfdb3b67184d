//! Times as feeds write them.

use pathwarden_types::Millis;

/// Reads `2026-11-21`, `2026-11-21 04:30:00`, with `T`, fractions, `Z` or `UTC` (RFC 3339 in UTC), or
/// seconds since 1970. `None` for anything else, other offsets among it.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let text = text.trim();
    if (9..=11).contains(&text.len())
        && let Ok(seconds) = text.parse::<u64>()
    {
        return Some(Millis(seconds * 1_000));
    }
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00:00"));
    let time = time.strip_suffix("UTC").map_or(time, str::trim_end);
    let time = time.strip_suffix(['Z', 'z']).unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_sound = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    is_sound.then(|| Millis(seconds * 1_000))
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let part = |part: &str| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    };
    let numbers: Option<Vec<u64>> = text.split(separator).map(part).collect();
    numbers?.try_into().ok()
}

/// Days from 1970-01-01, with the year beginning in March so that the leap day is the last one.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day;
    days.saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Millis;
    use proptest::prelude::*;

    use super::parse;

    #[test]
    fn times_of_feeds_are_read() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("2026-11-21T04:30:00Z", Some(1_795_235_400_000)),
            ("2026-11-21 04:30:00 UTC", Some(1_795_235_400_000)),
            ("2026-11-21T04:30:00.123Z", Some(1_795_235_400_000)),
            ("2024-02-29 00:00:00", Some(1_709_164_800_000)),
            ("1795235400", Some(1_795_235_400_000)),
            ("2026-11-21T04:30:00+01:00", None),
            ("2026-13-01", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), want.map(Millis), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = parse(&text);
        }

        #[test]
        fn a_day_is_a_day(year in 1970_u32..9999, month in 1_u32..13, day in 1_u32..28) {
            let at = |day| parse(&format!("{year:04}-{month:02}-{day:02}")).unwrap();
            prop_assert_eq!(at(day + 1).since(at(day)), 86_400_000);
        }
    }
}
