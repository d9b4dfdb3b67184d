//! Fingerprints of running text: winnowed 16-grams of its letters and digits (Schleimer, Wilkerson
//! and Aiken, 2003). Every run of 23 that two texts share is found.

use crate::hash::mix;

/// Letters and digits in one fingerprint.
pub(crate) const GRAM: usize = 16;

/// Of this many consecutive grams, at least one is kept.
const WINDOW: usize = 8;

const BASE: u64 = 0x0001_0000_01b3;

/// The letters and digits of a text, each with the number of its word.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    letters: Vec<(u32, u32)>,
}

impl Letters {
    /// With room for the letters of so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { letters: Vec::with_capacity(bytes) }
    }

    pub(crate) fn push_word(&mut self, letters: &str, word: u32) {
        self.letters.extend(letters.chars().map(|letter| (u32::from(letter), word)));
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Shows the hash of every gram with the number of its first word, in order.
    pub(crate) fn each_gram(&self, mut show: impl FnMut(u64, u32)) {
        let oldest = (1..GRAM).fold(1u64, |power, _| power.wrapping_mul(BASE));
        let mut rolling = 0u64;
        let starts = self.letters.iter();
        for (letter, _) in self.letters.iter().take(GRAM - 1) {
            rolling = rolling.wrapping_mul(BASE).wrapping_add(u64::from(*letter));
        }
        for ((first, word), (last, _)) in starts.zip(self.letters.iter().skip(GRAM - 1)) {
            rolling = rolling.wrapping_mul(BASE).wrapping_add(u64::from(*last));
            show(mix(rolling), *word);
            rolling = rolling.wrapping_sub(u64::from(*first).wrapping_mul(oldest));
        }
    }

    /// Shows the grams that are kept: the least of each window, the last of equals.
    pub(crate) fn each_print(&self, grams: &mut Vec<(u64, u32)>, mut show: impl FnMut(u64, u32)) {
        grams.clear();
        self.each_gram(|gram, word| grams.push((gram, word)));
        let width = WINDOW.min(grams.len());
        if width == 0 {
            return;
        }
        let mut kept: Option<usize> = None;
        for (start, window) in grams.windows(width).enumerate() {
            let newest = start + width - 1;
            let is_kept = kept.is_some_and(|at| {
                at >= start
                    && match (grams.get(at), grams.get(newest)) {
                        (Some(least), Some(new)) => at == newest || least.0 < new.0,
                        _ => false,
                    }
            });
            if is_kept {
                continue;
            }
            let least =
                window.iter().enumerate().min_by_key(|(at, (gram, _))| (*gram, usize::MAX - at));
            if let Some((at, (gram, word))) = least {
                if kept != Some(start + at) {
                    show(*gram, *word);
                }
                kept = Some(start + at);
            }
        }
    }
}
