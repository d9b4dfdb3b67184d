//! The search: what a text holds, then what that holds, breadth first, so that a limit cuts off
//! what is hidden deepest.

use std::{mem, ops::Range, sync::Arc};

use crate::{
    DEPTH_MAX, Effort, INFLATED_BYTES_MAX, MIRRORED_BYTES_MAX, OUTPUT_BYTES_MAX, OUTPUT_BYTES_MIN,
    OUTPUT_RATIO_MAX, Step, VIEWS_MAX, View, Views,
    digits::{self, Coding},
    escape, inflate,
    map::{Kind, Map},
    mirror, plain,
};

/// The texts that `text` holds under codings that software writes, never the text itself.
#[must_use]
pub fn views(text: &str) -> Views {
    views_of(text, Effort::Usual)
}

/// The texts that `text` holds, never the text itself.
#[must_use]
pub fn views_of(text: &str, effort: Effort) -> Views {
    let root = View {
        text: String::new(),
        steps: Vec::new(),
        start: 0,
        end: text.len(),
        maps: Vec::new(),
        done: Vec::new(),
    };
    let bytes = (text.len().saturating_mul(OUTPUT_RATIO_MAX)).saturating_add(OUTPUT_BYTES_MIN);
    let mut search = Search {
        found: Views::default(),
        bytes_left: bytes.min(OUTPUT_BYTES_MAX),
        is_mirrored: effort == Effort::Thorough && text.len() <= MIRRORED_BYTES_MAX,
    };
    search.look_into(text, &root);
    let mut at = 0;
    while let Some(view) = search.found.views.get_mut(at) {
        // Taken out while it is looked into, because what is found goes into the same list.
        let text = mem::take(&mut view.text);
        let view = View { text: String::new(), ..view.clone() };
        search.look_into(&text, &view);
        if let Some(view) = search.found.views.get_mut(at) {
            view.text = text;
        }
        at += 1;
    }
    search.found
}

struct Search {
    found: Views,
    bytes_left: usize,
    is_mirrored: bool,
}

impl Search {
    /// Adds what `text`, the text of `parent`, holds.
    fn look_into(&mut self, text: &str, parent: &View) {
        if parent.steps.len() >= DEPTH_MAX {
            return;
        }
        self.escapes(text, parent);
        self.digits(text, parent, &digits::BASE64);
        self.digits(text, parent, &digits::HEX);
        if self.is_mirrored && text.len() <= MIRRORED_BYTES_MAX {
            self.mirrors(text, parent);
        }
    }

    fn escapes(&mut self, text: &str, parent: &View) {
        let mut present = Vec::new();
        for step in escape::STEPS.into_iter().filter(|step| !parent.done.contains(step)) {
            let Some(decoded) = escape::decode(text, step) else { continue };
            if let Some(view) = self.add(parent, &[step], decoded.text, decoded.map) {
                // Of two codings side by side one order is enough: the other gives the same.
                view.done.clone_from(&present);
            }
            present.push(step);
        }
    }

    fn digits(&mut self, text: &str, parent: &View, coding: &'static Coding) {
        let mut bytes = Vec::new();
        for run in digits::runs(text, coding) {
            // What the parent copied from its own parent was seen there.
            let is_seen = parent.steps.last().is_some_and(|last| escape::STEPS.contains(last))
                && parent.maps.last().is_some_and(|map| map.is_copied(&run.range));
            if is_seen {
                continue;
            }
            for alignment in run.alignments() {
                run.decode(alignment, &mut bytes);
                for (range, text) in plain::stretches(&bytes) {
                    let source = run.source(alignment, &range);
                    let map = Map::one(&source, Kind::Coded);
                    self.add(parent, &[coding.step], text.to_owned(), map);
                }
                self.inflated(parent, &mut vec![coding.step], &bytes, &run.range);
            }
        }
    }

    /// What is compressed in decoded bytes, also twice.
    fn inflated(&mut self, parent: &View, steps: &mut Vec<Step>, bytes: &[u8], run: &Range<usize>) {
        if parent.steps.len() + steps.len() >= DEPTH_MAX {
            return;
        }
        for inflated in inflate::all(bytes, INFLATED_BYTES_MAX.min(self.bytes_left)) {
            self.found.overflowed |= inflated.is_cut;
            // Counted whether or not it is a text: it was work.
            self.bytes_left = self.bytes_left.saturating_sub(inflated.bytes.len());
            steps.push(inflated.step);
            for (_, text) in plain::stretches(&inflated.bytes) {
                self.add(parent, steps, text.to_owned(), Map::one(run, Kind::Coded));
            }
            self.inflated(parent, steps, &inflated.bytes, run);
            steps.pop();
        }
    }

    fn mirrors(&mut self, text: &str, parent: &View) {
        type Mirror = fn(&str) -> String;
        let all: [(Step, Mirror, Kind); 2] = [
            (Step::Rot13, mirror::rot13, Kind::Copied),
            (Step::Reversed, mirror::reversed, Kind::Coded),
        ];
        for (step, mirrored, kind) in all {
            // Twice is the text itself, and of the two together one order is enough.
            let is_seen = parent.steps.iter().any(|before| *before >= step);
            if !is_seen && plain::is_text(text) {
                self.add(parent, &[step], mirrored(text), Map::one(&(0..text.len()), kind));
            }
        }
    }

    fn add(&mut self, parent: &View, steps: &[Step], text: String, map: Map) -> Option<&mut View> {
        if self.found.views.len() >= VIEWS_MAX || text.len() > self.bytes_left {
            self.found.overflowed = true;
            return None;
        }
        self.bytes_left -= text.len();
        let steps = parent.steps.iter().chain(steps).copied().collect();
        let mut maps = parent.maps.clone();
        maps.push(Arc::new(map));
        let mut view = View { text, steps, start: 0, end: 0, maps, done: Vec::new() };
        let Range { start, end } = view.span(0..view.text.len());
        (view.start, view.end) = (start, end);
        self.found.views.push(view);
        self.found.views.last_mut()
    }
}
