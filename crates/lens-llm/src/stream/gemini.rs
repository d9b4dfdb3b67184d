//! The events of Gemini's `streamGenerateContent?alt=sse`: each is a chunk with whole parts.
//!
//! A chunk with a call is complete at once, unless the call says that it continues; then all is held
//! until its end.

use crate::answer::Ruling;
use crate::response::gemini::Calls;
use crate::response::said::Said;
use crate::response::shape::{Shape, member, quoted};

use super::event::Event;
use super::{Lens, Turn};

#[derive(Debug, Default)]
pub(super) struct Gemini {
    calls: Calls,
}

impl Lens for Gemini {
    fn read(&mut self, event: &Event, said: &mut Said) -> Result<Turn, Shape> {
        let Some(chunk) = event.object() else { return Ok(Turn::Pass) };
        if member(chunk, "error").is_some() && member(chunk, "candidates").is_none() {
            self.calls.clear();
            return Ok(Turn::Abandon);
        }
        self.calls.read(chunk, event.number, said)?;
        if self.calls.is_open() {
            return Ok(Turn::Hold);
        }
        let calls = self.calls.calls();
        Ok(if calls.is_empty() { Turn::Pass } else { Turn::Complete(calls) })
    }

    fn pass(&self, event: &Event) -> Vec<u8> {
        event.raw().to_vec()
    }

    fn rule(&mut self, held: &[Event], rulings: &[Ruling]) -> Vec<u8> {
        let ruled = |event: &Event| {
            let parts = event.object().map(|chunk| self.calls.rule(chunk, event.number, rulings));
            event.spliced(parts.unwrap_or_default())
        };
        let out = held.iter().flat_map(ruled).collect();
        self.calls.clear();
        out
    }

    fn is_whole(&self) -> bool {
        self.calls.finished
    }

    fn stop(&self, words: &str) -> (&'static str, String) {
        let words = quoted(words);
        let error =
            format!("{{\"code\":403,\"message\":{words},\"status\":\"PERMISSION_DENIED\"}}");
        ("", format!("{{\"error\":{error}}}"))
    }
}
