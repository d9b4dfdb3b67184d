//! An answer that comes as a whole, and Gemini's stream that comes as a list.

pub(crate) mod chat;
pub(crate) mod gemini;
pub(crate) mod item;
pub(crate) mod messages;
mod partial;
pub(crate) mod responses;
pub(crate) mod said;
pub(crate) mod shape;

use pathwarden_json::{Document, JsonFault, Kind, edit};

use crate::Api;
use crate::answer::{Output, Ruling};

use said::Said;
use shape::{Shape, fit};

/// The body of an answer, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    api: Api,
    document: Document,
    output: Output,
}

/// Why an answer cannot be read, or rulings cannot be carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseFault {
    /// Two clients could read it differently.
    #[error("the answer is not JSON")]
    NotJson {
        /// Where.
        source: JsonFault,
    },
    /// It is none that the protocol knows.
    #[error("the answer is not in the form of its protocol: expected {expected}")]
    Shape {
        /// What.
        expected: &'static str,
    },
    /// Another number of rulings than calls, or arguments that are no object.
    #[error("there is not one ruling for each call of the answer")]
    Rulings,
}

impl Response {
    /// Reads a body. One that tells of an error of the provider has an empty [`Output`].
    ///
    /// # Errors
    ///
    /// The body, and [`ResponseFault`].
    pub fn parse(api: Api, body: Vec<u8>) -> Result<Self, (Vec<u8>, ResponseFault)> {
        let document = match Document::parse(body) {
            Ok(document) => document,
            Err((body, source)) => return Err((body, ResponseFault::NotJson { source })),
        };
        match read(api, &document) {
            Ok(output) => Ok(Self { api, document, output }),
            Err(Shape(expected)) => Err((document.into_bytes(), ResponseFault::Shape { expected })),
        }
    }

    /// What the model said; its calls are the ones to rule on, in order.
    #[must_use]
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// The body with the rulings carried out; byte-identical when all are [`Ruling::Release`].
    ///
    /// # Errors
    ///
    /// [`ResponseFault::Rulings`].
    pub fn rule(&self, rulings: &[Ruling]) -> Result<Vec<u8>, ResponseFault> {
        let calls = &self.output.calls;
        if !fit(calls, rulings) {
            return Err(ResponseFault::Rulings);
        }
        let root = self.document.value();
        let parts = match self.api {
            Api::ChatCompletions => chat::rule(root, rulings),
            Api::Responses => responses::rule(root, calls, rulings),
            Api::Messages => messages::rule(root, rulings),
            Api::GenerateContent => gemini::rule(root, rulings),
        };
        Ok(edit::splice(self.document.text(), parts))
    }
}

fn read(api: Api, document: &Document) -> Result<Output, Shape> {
    let (root, mut said) = (document.value(), Said::default());
    let is_list = root.kind() == Kind::Array && api == Api::GenerateContent;
    if root.kind() != Kind::Object && !is_list {
        return Err(Shape("an object"));
    }
    match api {
        Api::ChatCompletions => chat::read(root, &mut said)?,
        Api::Responses => responses::read(root, &mut said)?,
        Api::Messages => messages::read(root, &mut said)?,
        Api::GenerateContent => gemini::read(root, &mut said)?,
    }
    Ok(said.output)
}

#[cfg(test)]
mod tests;
