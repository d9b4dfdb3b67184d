//! What an agent sends to a model: the window, part by part, and the tools.
//!
//! Every text that the model reads is in some [`Part`]. What this code does not know is a part too, as it
//! stands, so that no member of a body is a way past those who look at the parts.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use pathwarden_json::edit::splice;
use pathwarden_json::{Document, Json, JsonFault, Kind, Pointer, PointerFault, push_string};

use crate::{Api, CallKind};
use reader::Reader;

mod blocks;
mod chat;
mod fields;
mod gemini;
mod items;
mod messages;
mod plain;
mod reader;
mod responses;
mod tools;

/// A request to a model, proven and read, with its bytes as they came.
#[derive(Clone)]
pub struct Request {
    api: Api,
    document: Document,
    read: Reader,
}

/// Something that stands in the window of a model.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The way to it in the body: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The text: of a string as it reads, of everything else its JSON text, with no more escapes in its
    /// strings than JSON needs.
    pub text: String,
    /// Whether `pointer` leads to a string that reads `text`; else `text` is the JSON text of what stands
    /// there.
    pub is_string: bool,
    /// The id of the call that this is, or answers; made from its place where the API has none.
    pub call: Option<String>,
    /// The tool of a call and of its result, the file or title of a document, or who speaks.
    pub name: Option<String>,
}

/// What a part of a window is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PartKind {
    /// What the developer tells the model, schemas of the answer and late tools included.
    System,
    /// What the user says.
    User,
    /// What the model said earlier, or is said to have said.
    Assistant,
    /// What the model reasoned earlier, in words.
    Reasoning,
    /// A call that the model made earlier; the text is its arguments.
    Call,
    /// What a tool gave back, be it run by the agent or by the provider.
    ToolResult,
    /// Text of a document or of a search result that the agent put into the window.
    Document,
    /// What holds no words that can be read here: images, sound, files, encrypted content, references to
    /// what the provider keeps, and every kind of block that this code does not know.
    Media,
    /// A summary of earlier parts that the API itself marks as one.
    Compaction,
}

/// A tool that the agent offers, and runs itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Declared {
    /// The name by which the model calls it.
    pub name: String,
    /// What the model is told about it; empty where nothing is said.
    pub description: String,
    /// How calls of it are spelled.
    pub kind: CallKind,
    /// The JSON text of the whole declaration.
    pub text: String,
}

/// A tool that the provider runs: nobody here sees its calls before they are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerTool {
    /// What it is, as the provider spells it: `mcp`, `web_search`, `code_execution_20250825`,
    /// `googleSearch`.
    pub kind: String,
    /// The label of a server, or the name of the tool; `kind` where it has neither.
    pub name: String,
    /// The server that the provider will call.
    pub server_url: Option<String>,
    /// The JSON text of `require_approval`. Without one, OpenAI asks before every call.
    pub approval: Option<String>,
    /// The JSON text of the whole declaration, with `…` in the place of credentials.
    pub text: String,
}

/// Why a body is not a request that this code can answer for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// Not JSON that every parser reads alike.
    #[error("the body is not strict JSON")]
    NotJson(#[source] JsonFault),
    /// Requests of all APIs are objects.
    #[error("the body is not an object")]
    NotAnObject,
    /// Not what the API has there.
    #[error("at `{at}` the API has {expected}")]
    Shape {
        /// A pointer into the body.
        at: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A name that some servers read as another one.
    #[error("in `{at}` the name `{found}` may be read as `{meant}`; spell it so")]
    LookAlike {
        /// A pointer to the object.
        at: String,
        /// The name as sent.
        found: String,
        /// The name that it may be read as.
        meant: &'static str,
    },
    /// More than this code looks through.
    #[error("a request may have at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}

/// Why a body could not be rewritten; the request must then be refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteFault {
    /// Not a pointer.
    #[error("`{pointer}` is not a pointer")]
    Pointer {
        /// As given.
        pointer: String,
        /// What is wrong.
        #[source]
        source: PointerFault,
    },
    /// Leads to nothing.
    #[error("there is nothing at `{0}` in the body")]
    Missing(String),
    /// Only a string can be replaced by a text, and only JSON by JSON.
    #[error("what stands at `{0}` in the body cannot be replaced by this text")]
    NotAString(String),
    /// Of two texts for one place, neither can be kept.
    #[error("two texts are given for `{0}`")]
    Twice(String),
}

impl Request {
    /// How many parts a window may have. In a window of a million tokens each has then some sixty, which
    /// is less than any run of an agent needs.
    pub const PARTS_MAX: usize = 16_384;
    /// How many tools may be declared, of both kinds together: some thirty times what the APIs take.
    pub const TOOLS_MAX: usize = 4_096;

    /// Reads the body of a request. The model is that of the path where the body names none.
    ///
    /// # Errors
    ///
    /// The bytes as they came, and [`RequestFault`].
    pub fn parse(
        api: Api,
        body: Vec<u8>,
        model_of_path: Option<&str>,
    ) -> Result<Self, (Vec<u8>, RequestFault)> {
        let document = Document::parse(body)
            .map_err(|(body, source)| (body, RequestFault::NotJson(source)))?;
        match Reader::read(api, document.value(), model_of_path) {
            Ok(read) => Ok(Self { api, document, read }),
            Err(fault) => Err((document.into_bytes(), fault)),
        }
    }

    /// The way of calling that it was read as.
    #[must_use]
    pub const fn api(&self) -> Api {
        self.api
    }

    /// The model that is asked for; empty where a template at the provider names it (OpenAI `prompt`).
    #[must_use]
    pub fn model(&self) -> &str {
        &self.read.model
    }

    /// Whether the body asks for a stream.
    #[must_use]
    pub const fn streams(&self) -> bool {
        self.read.streams
    }

    /// The window, in the order in which the model reads it.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.read.parts
    }

    /// The tools that the agent runs, late ones included.
    #[must_use]
    pub fn tools(&self) -> &[Declared] {
        &self.read.tools
    }

    /// The tools that the provider runs, late ones included.
    #[must_use]
    pub fn server_tools(&self) -> &[ServerTool] {
        &self.read.server_tools
    }

    /// The text of the list of tools exactly as sent. It may hold credentials: to be compared and hashed,
    /// not to be shown.
    #[must_use]
    pub fn tools_text(&self) -> Option<&str> {
        self.document.text().get(self.read.tools_at.clone()?)
    }

    /// The bytes as they came.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.document.text().as_bytes()
    }

    /// What the provider keeps of the window, by its id there: an earlier answer, a conversation, a
    /// thread or cached content. The parts are then not the whole window.
    #[must_use]
    pub fn continues(&self) -> Option<String> {
        self.read.continues.clone()
    }

    /// The body with the parts at these pointers replaced, strings by texts and other values by JSON texts;
    /// every other byte is as it was.
    ///
    /// # Errors
    ///
    /// [`RewriteFault`].
    pub fn rewrite(&self, changes: &[(String, String)]) -> Result<Vec<u8>, RewriteFault> {
        let known = self.read.parts.iter().zip(&self.read.spans);
        let known: BTreeMap<&str, _> =
            known.map(|(part, span)| (part.pointer.as_str(), (part.is_string, span))).collect();
        let mut spans = BTreeMap::new();
        for (pointer, text) in changes {
            let (is_string, span) = match known.get(pointer.as_str()) {
                Some((is_string, span)) => (*is_string, (*span).clone()),
                None => (true, self.find_string(pointer)?),
            };
            let mut new = String::with_capacity(text.len() + 2);
            if is_string {
                push_string(&mut new, text);
            } else if Json::parse(text.as_bytes()).is_ok() {
                new.push_str(text);
            } else {
                return Err(RewriteFault::NotAString(pointer.clone()));
            }
            if spans.insert(span.start, (span, new)).is_some() {
                return Err(RewriteFault::Twice(pointer.clone()));
            }
        }
        Ok(splice(self.document.text(), spans.into_values().collect()))
    }

    /// The place of a string that is no part.
    fn find_string(&self, pointer: &str) -> Result<Range<usize>, RewriteFault> {
        let way: Pointer = pointer
            .parse()
            .map_err(|source| RewriteFault::Pointer { pointer: pointer.to_owned(), source })?;
        let found = way.find(self.document.value());
        let found = found.ok_or_else(|| RewriteFault::Missing(pointer.to_owned()))?;
        if found.kind() != Kind::String {
            return Err(RewriteFault::NotAString(pointer.to_owned()));
        }
        Ok(found.span())
    }
}

/// Without the content, which may be secret.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("api", &self.api)
            .field("model", &self.read.model)
            .field("parts", &self.read.parts.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
