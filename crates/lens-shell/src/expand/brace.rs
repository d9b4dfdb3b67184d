//! `{a,b}` and `{1..3}`.

use std::cell::Cell;

use crate::syntax::{Part, Word};

/// The most words that one word becomes.
const WORDS_MAX: usize = 64;

/// Tokens that are copied for one word, all together.
const WORK_MAX: usize = 1 << 18;

/// The deepest nesting of braces that is followed.
const NESTING_MAX: usize = 8;

/// A letter outside quotes, or anything else.
#[derive(Clone, Copy)]
enum Token<'a> {
    Letter(char),
    Part(&'a Part),
}

/// A word as tokens, with the brace that closes each one that opens.
struct Braces<'a> {
    tokens: Vec<Token<'a>>,
    closes: Vec<Option<usize>>,
    work: Cell<usize>,
}

/// The words that the braces in a word make of it.
pub(super) struct Expanded {
    pub(super) words: Vec<Word>,
    /// There would be more than these.
    pub(super) cut: bool,
}

/// Takes the braces out of a word; `None` when there are none.
pub(super) fn expanded(word: &Word) -> Option<Expanded> {
    let has = |part: &Part| matches!(part, Part::Bare(text) if text.contains('{'));
    if !word.iter().any(has) {
        return None;
    }
    let braces = Braces::of(word);
    let all = braces.range(0, braces.tokens.len(), 0);
    let cut = braces.work.get() == 0;
    let words = all.iter().map(|tokens| whole(tokens)).collect();
    (all.len() > 1 || cut).then_some(Expanded { words, cut })
}

impl<'a> Braces<'a> {
    fn of(word: &'a Word) -> Self {
        let mut tokens = Vec::new();
        for part in word {
            match part {
                Part::Bare(text) => tokens.extend(text.chars().map(Token::Letter)),
                part => tokens.push(Token::Part(part)),
            }
        }
        let mut closes = vec![None; tokens.len()];
        let mut open = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Letter('{') => open.push(at),
                Token::Letter('}') => {
                    if let Some(slot) = open.pop().and_then(|start: usize| closes.get_mut(start)) {
                        *slot = Some(at);
                    }
                }
                Token::Letter(_) | Token::Part(_) => {}
            }
        }
        Self { tokens, closes, work: Cell::new(WORK_MAX) }
    }

    /// All that the tokens from `at` to `end` become.
    fn range(&self, mut at: usize, end: usize, nesting: usize) -> Vec<Vec<Token<'a>>> {
        let mut all = vec![Vec::new()];
        while at < end {
            let close = self.closes.get(at).copied().flatten().filter(|close| *close < end);
            let choices = close
                .filter(|_| self.work.get() > 0)
                .and_then(|close| self.choices(at + 1, close, nesting));
            match (choices, close) {
                (Some(choices), Some(close)) => {
                    all = self.product(&all, &choices);
                    at = close + 1;
                }
                _ => {
                    if let Some(token) = self.tokens.get(at) {
                        all.iter_mut().for_each(|one| one.push(*token));
                    }
                    at += 1;
                }
            }
        }
        all
    }

    /// What stands between two braces, if it is a choice.
    fn choices(&self, start: usize, end: usize, nesting: usize) -> Option<Vec<Vec<Token<'a>>>> {
        if nesting >= NESTING_MAX {
            return None;
        }
        let mut commas = Vec::new();
        let mut at = start;
        while at < end {
            if let Some(close) = self.closes.get(at).copied().flatten() {
                at = close;
            } else if matches!(self.tokens.get(at), Some(Token::Letter(','))) {
                commas.push(at);
            }
            at += 1;
        }
        if commas.is_empty() {
            return self.sequence(start, end);
        }
        commas.push(end);
        let mut choices = Vec::new();
        let mut from = start;
        for comma in commas {
            choices.append(&mut self.range(from, comma, nesting + 1));
            from = comma + 1;
        }
        if choices.len() > WORDS_MAX {
            self.work.set(0);
            choices.truncate(WORDS_MAX);
        }
        Some(choices)
    }

    /// Each of the left with each of the right.
    fn product(&self, left: &[Vec<Token<'a>>], right: &[Vec<Token<'a>>]) -> Vec<Vec<Token<'a>>> {
        let pairs = left.iter().flat_map(|start| {
            right.iter().map(move |end| start.iter().chain(end).copied().collect::<Vec<_>>())
        });
        let all: Vec<Vec<Token<'a>>> = pairs.take(WORDS_MAX).collect();
        let work: usize = all.iter().map(Vec::len).sum();
        let left_over = if left.len() * right.len() > WORDS_MAX { 0 } else { self.work.get() };
        self.work.set(left_over.saturating_sub(work));
        all
    }

    /// `a..c` or `1..3`; a longer one than [`WORDS_MAX`] stays as it is.
    fn sequence(&self, start: usize, end: usize) -> Option<Vec<Vec<Token<'a>>>> {
        let letters: Option<String> = self
            .tokens
            .get(start..end.min(start + 24))?
            .iter()
            .map(|token| match token {
                Token::Letter(letter) => Some(*letter),
                Token::Part(_) => None,
            })
            .collect();
        let letters = letters?;
        let (low, high) = letters.split_once("..")?;
        let texts: Vec<String> = match (low.parse::<i32>(), high.parse::<i32>()) {
            (Ok(low), Ok(high)) => numbers(low, high)?,
            _ => between(low, high)?,
        };
        Some(texts.iter().map(|text| text.chars().map(Token::Letter).collect()).collect())
    }
}

fn numbers(low: i32, high: i32) -> Option<Vec<String>> {
    let range = low.min(high)..=low.max(high);
    let few = range.clone().nth(WORDS_MAX).is_none();
    let mut all: Vec<String> = range.take(WORDS_MAX).map(|number| number.to_string()).collect();
    if low > high {
        all.reverse();
    }
    few.then_some(all)
}

fn between(low: &str, high: &str) -> Option<Vec<String>> {
    let (mut a, mut b) = (low.chars(), high.chars());
    let (low, high) = (a.next()?, b.next()?);
    if a.next().is_some() || b.next().is_some() {
        return None;
    }
    let mut all: Vec<String> =
        (low.min(high)..=low.max(high)).take(WORDS_MAX).map(String::from).collect();
    if low > high {
        all.reverse();
    }
    Some(all)
}

fn whole(tokens: &[Token<'_>]) -> Word {
    let mut word = Word::new();
    for token in tokens {
        match (token, word.last_mut()) {
            (Token::Letter(letter), Some(Part::Bare(text))) => text.push(*letter),
            (Token::Letter(letter), _) => word.push(Part::Bare(letter.to_string())),
            (Token::Part(part), _) => word.push((*part).clone()),
        }
    }
    word
}
