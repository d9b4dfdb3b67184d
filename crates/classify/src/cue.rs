//! Cues that a text from outside speaks to the model that reads it.
//!
//! Cues are hints: people write about assistants and to people in the imperative. They make a
//! score that a decision may count; none of them refuses anything by itself.

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use pathwarden_decode::{fold::fold, views};
use pathwarden_types::Ratio;
use regex::bytes::Regex;

use crate::rule::compile;

/// How many cues one text keeps; more say nothing more.
pub const CUES_MAX: usize = 256;

/// The longest text that is looked through for cues, in bytes; what is after it is not.
pub const CUE_TEXT_BYTES_MAX: usize = 1 << 20;

/// A tool's name is looked for when it has at least so many bytes: shorter ones are words.
const TOOL_NAME_BYTES_MIN: usize = 6;

/// One cue. Its places are bytes of the text.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cue {
    /// What it is.
    pub kind: CueKind,
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// What a cue is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CueKind {
    /// Characters of Unicode's tag block: text that does not show.
    TagCharacters,
    /// A run of characters without width.
    ZeroWidth,
    /// Characters that turn the direction of reading.
    Bidirectional,
    /// What separates the turns of a conversation with a model.
    RoleTag,
    /// "Ignore the instructions before this."
    Override,
    /// An order to an assistant, by that name.
    Addressed,
    /// "Do not tell the user."
    Secrecy,
    /// The name of a tool that the agent has.
    ToolName,
    /// One of the others in a text that is coded.
    Coded,
}

impl CueKind {
    /// Its name in explanations and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TagCharacters => "tag_characters",
            Self::ZeroWidth => "zero_width",
            Self::Bidirectional => "bidirectional",
            Self::RoleTag => "role_tag",
            Self::Override => "override",
            Self::Addressed => "addressed",
            Self::Secrecy => "secrecy",
            Self::ToolName => "tool_name",
            Self::Coded => "coded",
        }
    }

    /// How much one kind of cue says: chosen by hand, high where the text has no
    /// other reason to be so.
    const fn weight(self) -> Ratio {
        Ratio::of(match self {
            Self::TagCharacters => 8_000,
            Self::Override => 7_000,
            Self::RoleTag | Self::Secrecy | Self::Coded => 6_000,
            Self::Addressed => 4_000,
            Self::ToolName => 3_000,
            Self::Bidirectional => 2_500,
            Self::ZeroWidth => 1_500,
        })
    }
}

/// How much the cues together say: `1 - prod(1 - weight)` over the kinds that are there. More cues
/// of one kind say no more, so that a long text is not more suspicious than a short one.
#[must_use]
pub fn cue_score(cues: &[Cue]) -> Ratio {
    let kinds: BTreeSet<CueKind> = cues.iter().map(|cue| cue.kind).collect();
    let left = kinds.iter().fold(Ratio::ONE, |left, kind| left.times(kind.weight().complement()));
    left.complement()
}

/// The cues of a text from outside, in order; at most [`CUES_MAX`].
#[must_use]
pub fn cues(text: &str, known_tool_names: &BTreeSet<String>) -> Vec<Cue> {
    let text = text.get(..crate::boundary(text, CUE_TEXT_BYTES_MAX)).unwrap_or(text);
    let mut cues = plain(text, known_tool_names);
    for view in &views(text).views {
        let found = plain(&view.text, known_tool_names).into_iter();
        // A tool's name in a coded text is its data, and what is escaped is not hidden.
        let found = found.filter(|cue| cue.kind != CueKind::ToolName);
        let spans = found.map(|cue| view.span(cue.start..cue.end));
        cues.extend(spans.map(|span| cue(CueKind::Coded, &span)));
    }
    cues.sort_by_key(|cue| (cue.start, cue.end, cue.kind));
    cues.dedup();
    cues.truncate(CUES_MAX);
    cues
}

fn cue(kind: CueKind, range: &Range<usize>) -> Cue {
    Cue { kind, start: range.start, end: range.end }
}

fn plain(text: &str, known_tool_names: &BTreeSet<String>) -> Vec<Cue> {
    let mut cues = invisible(text);
    let folded = fold(text);
    for (kind, regex) in PHRASES.iter() {
        let found = regex.find_iter(folded.as_bytes()).take(CUES_MAX);
        cues.extend(found.map(|found| cue(*kind, &found.range())));
    }
    let words = words(&folded);
    let named = words.filter(|(_, word)| {
        word.len() >= TOOL_NAME_BYTES_MIN && word.contains('_') && known_tool_names.contains(*word)
    });
    cues.extend(named.take(CUES_MAX).map(|(range, _)| cue(CueKind::ToolName, &range)));
    cues
}

/// The words of a text as tools are named: letters, digits, `_` and `-`.
fn words(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let is_other = |other: char| !other.is_ascii_alphanumeric() && other != '_' && other != '-';
    let mut at = 0;
    text.split(is_other).filter_map(move |word| {
        let start = at;
        let end = start + word.len();
        let separator = text.get(end..).and_then(|rest| rest.chars().next());
        at = end + separator.map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start..end, word))
    })
}

/// Runs of characters that do not show.
fn invisible(text: &str) -> Vec<Cue> {
    /// One is a joint in an emoji or a word; a row of them carries something.
    const ZERO_WIDTH_MIN: usize = 3;
    let mut cues: Vec<Cue> = Vec::new();
    if text.is_ascii() {
        return cues;
    }
    let mut run: Option<(Cue, usize)> = None;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        run = match (run, invisible_kind(character)) {
            (Some((cue, count)), Some(kind)) if cue.kind == kind => {
                Some((Cue { end, ..cue }, count + 1))
            }
            (before, kind) => {
                cues.extend(before.filter(|run| is_cue(run, ZERO_WIDTH_MIN)).map(|(cue, _)| cue));
                kind.map(|kind| (cue(kind, &(at..end)), 1))
            }
        };
        if cues.len() >= CUES_MAX {
            return cues;
        }
    }
    cues.extend(run.filter(|run| is_cue(run, ZERO_WIDTH_MIN)).map(|(cue, _)| cue));
    cues
}

fn is_cue((cue, count): &(Cue, usize), zero_width_min: usize) -> bool {
    cue.kind != CueKind::ZeroWidth || *count >= zero_width_min
}

fn invisible_kind(character: char) -> Option<CueKind> {
    match character {
        '\u{e0000}'..='\u{e007f}' => Some(CueKind::TagCharacters),
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Some(CueKind::ZeroWidth),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(CueKind::Bidirectional),
        _ => None,
    }
}

/// Our own words for each kind, not those of any collection of attacks.
const PHRASE_TEXTS: [(CueKind, &str); 7] = [
    (
        CueKind::RoleTag,
        r"(?i)<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>|\[/?INST\]|<</?SYS>>|</?(?:start_of_turn|end_of_turn)>",
    ),
    (
        CueKind::RoleTag,
        r"(?im)^[ \t#*]{0,6}(?:system|assistant|developer)[ \t]{0,2}(?:message|prompt|instructions?)?[*]{0,2}:|</?(?:system|assistant|developer)(?:[-_](?:message|prompt|reminder|instructions?))?>",
    ),
    (
        CueKind::Override,
        r"(?i)\b(?:ignore|disregard|forget|override|bypass|do not follow|stop following)\b[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|preceding|existing|original|all|any|your|system)\b[^.!?\n]{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|commands?|orders?|context|messages?)\b",
    ),
    (
        CueKind::Override,
        r"(?i)\b(?:new|updated|real|actual|following)\s{1,3}(?:instructions?|task|objective|orders?)\b[^.!?\n]{0,20}\b(?:override|supersede|replace|take precedence|take priority)|\bfrom now on,? you\b|\byour (?:new|real|actual) (?:task|goal|objective|instructions?)\b",
    ),
    (
        CueKind::Addressed,
        r"(?i)\b(?:ai|llm|language model|chatbot|assistant|agent|model)\b(?:[ ]?[,:;-]|[ ]{1,2}(?:reading|processing|summari[sz]ing|handling|that reads?|who reads?)\b)[^.!?\n]{0,60}\b(?:please|must|should|need to|have to|send|forward|call|use|run|execute|transfer|delete|visit|open|click|reply|write|create|include|invite|update|add)\b",
    ),
    (
        CueKind::Addressed,
        r"(?i)\b(?:before|after|while|when)\b[^.!?\n]{0,24}\b(?:you(?:'re| are)?|the (?:assistant|agent|model))\b[^.!?\n]{0,40}\b(?:the user'?s?|original)\b[^.!?\n]{0,24}\b(?:task|request|question|query)\b|\b(?:if you are|as) an? (?:ai|llm|language model|assistant|agent)\b",
    ),
    (
        CueKind::Secrecy,
        r"(?i)\b(?:do not|don't|never|without)\b[^.!?\n]{0,16}\b(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|notify(?:ing)?|alert(?:ing)?|reveal(?:ing)?|show(?:ing)?|ask(?:ing)?)\b[^.!?\n]{0,24}\b(?:user|human|owner|operator|anyone|anybody|them)\b|\bkeep (?:this|it) (?:secret|hidden|between us)\b",
    ),
];

/// One that does not compile is missing, which a test excludes: cues only add to a score.
static PHRASES: LazyLock<Vec<(CueKind, Regex)>> = LazyLock::new(|| {
    let compiled = PHRASE_TEXTS.iter().map(|(kind, text)| Some((*kind, compile(text).ok()?)));
    compiled.flatten().collect()
});

#[cfg(test)]
mod tests;
