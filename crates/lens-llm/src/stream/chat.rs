//! The chunks of OpenAI's Chat Completions API.
//!
//! All chunks are held from the first fragment of a call through the chunk with the finish reason of its
//! choice. Fragments are put together as OpenAI's client does it; where other clients would read
//! something else, that is a fault.

mod compose;

use std::collections::BTreeMap;

use pathwarden_json::{Json, Kind};

use crate::answer::{Call, Ruling};
use crate::response::chat::{Form, Written, envelope, inner, tokens, words};
use crate::response::said::Said;
use crate::response::shape::{Shape, items, member, number, rebuild, strict_text, text};

use super::event::{Event, raw};
use super::{Lens, Turn, openai_error};

#[derive(Debug, Default)]
pub(super) struct Chat {
    choices: BTreeMap<u64, Choice>,
    asked: Vec<Asked>,
    whole: bool,
}

#[derive(Debug, Default)]
struct Choice {
    /// By index.
    calls: Vec<Draft>,
    alone: Option<Draft>,
    finished: bool,
}

/// A call that is being written.
#[derive(Clone, Debug, Default)]
struct Draft {
    written: Written,
    is_named: bool,
    /// What vendors add to a call, such as the signature of a thought: members of an object.
    extras: String,
}

#[derive(Debug)]
struct Asked {
    choice: u64,
    draft: Draft,
    call: Call,
}

impl Lens for Chat {
    fn read(&mut self, event: &Event, said: &mut Said) -> Result<Turn, Shape> {
        if event.is_done() {
            self.whole = true;
            return self.turn(true, said);
        }
        let Some(chunk) = event.object() else { return Ok(Turn::Pass) };
        envelope(chunk, said);
        let choices = items(chunk, "choices")?;
        if choices.is_empty() && member(chunk, "error").is_some() {
            self.choices.values_mut().for_each(Choice::give_up);
            return Ok(Turn::Abandon);
        }
        for choice in choices {
            let index = number(choice, "index").unwrap_or_default();
            self.choices.entry(index).or_default().read(choice, said)?;
        }
        self.turn(false, said)
    }

    fn pass(&self, event: &Event) -> Vec<u8> {
        event.raw().to_vec()
    }

    fn rule(&mut self, held: &[Event], rulings: &[Ruling]) -> Vec<u8> {
        let asked = std::mem::take(&mut self.asked);
        if rulings.iter().all(|ruling| *ruling == Ruling::Release) {
            return raw(held);
        }
        compose::compose(held, &asked, rulings)
    }

    fn is_whole(&self) -> bool {
        self.whole
    }

    fn stop(&self, words: &str) -> (&'static str, String) {
        ("", format!("{{\"error\":{}}}", openai_error(words)))
    }
}

impl Chat {
    fn turn(&mut self, is_end: bool, said: &mut Said) -> Result<Turn, Shape> {
        let calling = |choice: &&Choice| choice.alone.is_some() || !choice.calls.is_empty();
        let mut calling = self.choices.values().filter(calling).peekable();
        if calling.peek().is_none() {
            return Ok(Turn::Pass);
        }
        if !is_end && calling.any(|choice| !choice.finished) {
            return Ok(Turn::Hold);
        }
        for (index, choice) in &mut self.choices {
            choice.finished |= is_end;
            for draft in choice.calls.drain(..).chain(choice.alone.take()) {
                let call = draft.written.call(said)?;
                self.asked.push(Asked { choice: *index, draft, call });
            }
        }
        Ok(Turn::Complete(self.asked.iter().map(|asked| asked.call.clone()).collect()))
    }
}

impl Choice {
    fn read(&mut self, choice: Json<'_>, said: &mut Said) -> Result<(), Shape> {
        tokens(choice, said);
        if member(choice, "message").is_some_and(|message| carries_calls(message)) {
            return Err(Shape("calls in the delta of a chunk"));
        }
        if let Some(delta) = member(choice, "delta") {
            words(delta, said);
            for fragment in items(delta, "tool_calls")? {
                self.fragment(fragment)?;
            }
            if let Some(inner) = member(delta, "function_call") {
                self.check()?;
                self.alone.get_or_insert_default().append(Form::Alone, inner)?;
            }
        }
        let finish = text(choice, "finish_reason").filter(|reason| !reason.is_empty());
        self.finished |= finish.is_some();
        said.finish(finish);
        Ok(())
    }

    fn fragment(&mut self, fragment: Json<'_>) -> Result<(), Shape> {
        self.check()?;
        if fragment.kind() != Kind::Object {
            return Err(Shape("an object as a fragment of a call"));
        }
        let index = number(fragment, "index").and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or(Shape("a fragment of a call with its index"))?;
        if index == self.calls.len() {
            self.calls.push(Draft { extras: extras(fragment), ..Draft::default() });
        }
        // OpenAI's client takes an index as a place in a list, others as a name; without gaps both agree.
        let draft =
            self.calls.get_mut(index).ok_or(Shape("calls with indexes that have no gaps"))?;
        merge(&mut draft.written.id, strict_text(fragment, "id")?.as_deref())?;
        if let Some((form, inner)) = inner(fragment)? {
            draft.append(form, inner)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Shape> {
        if self.finished {
            return Err(Shape("no fragment of a call after the reason why its choice is finished"));
        }
        Ok(())
    }

    fn give_up(&mut self) {
        self.calls.clear();
        self.alone = None;
        self.finished = true;
    }
}

impl Draft {
    fn append(&mut self, form: Form, inner: Json<'_>) -> Result<(), Shape> {
        if self.is_named && self.written.form != form {
            return Err(Shape("a call of one kind"));
        }
        self.written.form = form;
        self.is_named = true;
        merge(&mut self.written.name, strict_text(inner, "name")?.as_deref())?;
        let fragment = strict_text(inner, form.carrier())?;
        self.written.text.push_str(fragment.as_deref().unwrap_or_default());
        Ok(())
    }
}

/// A name or an id comes once. Vendors repeat it, and clients disagree on whether to append it: another
/// one than before is a fault.
fn merge(slot: &mut String, value: Option<&str>) -> Result<(), Shape> {
    match value {
        None | Some("") => Ok(()),
        Some(value) if slot.is_empty() => {
            slot.push_str(value);
            Ok(())
        }
        Some(value) if slot == value => Ok(()),
        Some(_) => Err(Shape("one name and one id for a call")),
    }
}

fn extras(fragment: Json<'_>) -> String {
    let known = ["index", "id", "type", "function", "custom"].map(|name| (name, None));
    let rest = rebuild(fragment, &known);
    let rest = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    rest.unwrap_or_default().to_owned()
}

fn carries_calls(message: Json<'_>) -> bool {
    member(message, "tool_calls").is_some_and(|calls| calls.items().next().is_some())
        || member(message, "function_call").is_some()
}
