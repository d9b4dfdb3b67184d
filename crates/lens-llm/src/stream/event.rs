//! One event of a stream, read.

use std::borrow::Cow;

use pathwarden_json::{Document, Json, JsonFault, Kind, edit};

use crate::response::shape::{Shape, member};
use crate::sse::Frame;

use super::StreamFault;

/// An event and what its data is.
#[derive(Clone, Debug)]
pub(super) struct Event {
    frame: Frame,
    /// Its place in the stream.
    pub(super) number: u64,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// A comment, or a heartbeat.
    Empty,
    /// `[DONE]`.
    Done,
    Object(Document),
}

impl Event {
    pub(super) fn of(frame: Frame, number: u64) -> Result<Self, StreamFault> {
        let body = match frame.data.as_deref().map(<[u8]>::trim_ascii) {
            None | Some(b"") => Body::Empty,
            Some(b"[DONE]") => Body::Done,
            Some(_) => Body::Object(object(frame.data.clone().unwrap_or_default())?),
        };
        Ok(Self { frame, number, body })
    }

    /// The bytes as they came.
    pub(super) fn raw(&self) -> &[u8] {
        &self.frame.raw
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// The object that it carries.
    pub(super) fn object(&self) -> Option<Json<'_>> {
        match &self.body {
            Body::Object(document) => Some(document.value()),
            Body::Empty | Body::Done => None,
        }
    }

    /// What kind of event it is: the `type` of its object, or its name. Clients read either, so the two
    /// must agree when both are there.
    pub(super) fn kind(&self) -> Result<Cow<'_, str>, Shape> {
        let name = Some(self.frame.name.as_str()).filter(|name| !matches!(*name, "" | "message"));
        let Some(kind) = self.object().and_then(|object| member(object, "type")) else {
            return Ok(Cow::Borrowed(name.unwrap_or_default()));
        };
        let kind = kind.string().ok_or(Shape("a string as the type of an event"))?;
        if name.is_some_and(|name| name != kind) {
            return Err(Shape("an event with the name of its type"));
        }
        Ok(kind)
    }

    /// The event with these parts of its data replaced.
    pub(super) fn spliced(&self, parts: Vec<(std::ops::Range<usize>, String)>) -> Vec<u8> {
        match &self.body {
            Body::Object(document) if !parts.is_empty() => {
                self.frame.with_data(&edit::splice(document.text(), parts))
            }
            Body::Object(_) | Body::Empty | Body::Done => self.raw().to_vec(),
        }
    }
}

fn object(data: Vec<u8>) -> Result<Document, StreamFault> {
    let document = Document::parse(data).map_err(|(_, source): (_, JsonFault)| {
        // The place is enough: the text of an answer is nothing for a log.
        StreamFault::NotJson { source }
    })?;
    if document.value().kind() != Kind::Object {
        return Err(Shape("an object as the data of an event").into());
    }
    Ok(document)
}

/// The bytes of these events as they came.
pub(super) fn raw(events: &[Event]) -> Vec<u8> {
    events.iter().flat_map(|event| event.raw().iter().copied()).collect()
}
