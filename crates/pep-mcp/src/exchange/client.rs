//! Messages from the client.

use pathwarden_lens_mcp::{
    Body, Id, Intent, Message, MessageFault, RewriteFault, Route, Shape, client_notification,
    client_request, compose, rewrite,
};
use pathwarden_types::{Obligation, Operation, OperationKind};
use pathwarden_wire::{Answer, Ask, Fault, FaultKind};
use tokio::sync::Notify;

use super::report::NotSent;
use super::{Cleared, Exchange, Expect, Released, in_time};
use crate::hold::{self, Final, Signs};
use crate::refusal;

/// What is done with a message from the client.
pub(crate) enum FromClient {
    /// An action: see [`Exchange::decide`].
    Decide(Box<Attempt>),
    /// A request that acts on nothing.
    Request { cleared: Cleared, id: Id, expect: Expect },
    /// A notification or a response: nothing comes back.
    OneWay(Cleared),
    /// The client does not want an answer any more. To be passed on if the server has the request.
    Cancel { request: Id, cleared: Cleared },
    /// Not passed on.
    Refused(Refused),
}

/// A message of the client that is not passed on.
pub(crate) struct Refused {
    /// What came, for the record.
    pub(crate) content: String,
    /// What the client is told, if it waits for an answer.
    pub(crate) answer: Option<Vec<u8>>,
    /// Whether it was a proper message, of a method that we do not know.
    pub(crate) unknown_method: bool,
}

/// An action to be decided.
pub(crate) struct Attempt {
    pub(crate) message: Message,
    pub(crate) id: Id,
    pub(crate) intent: Intent,
}

/// What becomes of an attempt.
pub(crate) enum Decision {
    /// It goes to the server.
    Go(Released),
    /// It does not; the client is told so.
    Answer(Vec<u8>),
    /// The client has cancelled it before it was let through; nobody waits for an answer.
    Cancelled,
}

impl Exchange {
    /// Reads one message of the client.
    pub(crate) fn read_client(&self, bytes: Vec<u8>) -> FromClient {
        let content = beginning(&bytes);
        match Message::parse(bytes, self.limits.message_bytes_max) {
            Ok(message) => self.route(message, content),
            Err(fault) => FromClient::Refused(unreadable(&fault, content.as_bytes())),
        }
    }

    fn route(&self, message: Message, content: String) -> FromClient {
        match message.body().clone() {
            Body::Request { id, method } => self.request(message, id, &method, content),
            Body::Notification { method } if method == "notifications/cancelled" => {
                match message.cancelled() {
                    Some(request) => FromClient::Cancel { request, cleared: pass(message) },
                    None => FromClient::Refused(Refused::silently(content)),
                }
            }
            Body::Notification { method } if client_notification(&method) => {
                FromClient::OneWay(pass(message))
            }
            Body::Notification { .. } => FromClient::Refused(Refused::silently(content)),
            Body::Response { .. } => FromClient::OneWay(pass(message)),
        }
    }

    fn request(&self, message: Message, id: Id, method: &str, content: String) -> FromClient {
        let refuse = |code, words: &str, unknown_method| {
            let answer = Some(compose::error(Some(&id), code, words));
            FromClient::Refused(Refused { content, answer, unknown_method })
        };
        match client_request(method) {
            Some(Route::Decide) => match Intent::of(&message, &self.server) {
                Ok(intent) => FromClient::Decide(Box::new(Attempt { message, id, intent })),
                Err(fault) => refuse(compose::INVALID_PARAMS, &fault.to_string(), false),
            },
            Some(Route::Forward(seen)) => {
                let expect = seen.map_or(Expect::Plain, Expect::Seen);
                FromClient::Request { cleared: pass(message), id, expect }
            }
            None => refuse(compose::METHOD_NOT_FOUND, UNKNOWN_METHOD, true),
        }
    }

    /// Asks about an action, waits for a person where one is asked, and fulfils the obligations.
    /// Nothing but a permit makes it go.
    pub(crate) async fn decide(
        &self,
        attempt: Attempt,
        cancelled: &Notify,
        signs: &mut Signs<'_>,
    ) -> Decision {
        let answer = tokio::select! {
            answer = self.ask(&attempt.intent, signs) => answer,
            // Dropping the question is safe: the node closes what it opened.
            () = cancelled.notified() => return Decision::Cancelled,
        };
        let Attempt { message, id, intent } = attempt;
        let what = words(&intent.operation);
        match answer {
            Ok(Final::Release(permit)) => {
                match fulfil(permit.obligations(), message.clone(), &self.limits) {
                    Ok(bytes) => {
                        let (cleared, open) = Cleared::by(permit, bytes);
                        Decision::Go(Released { cleared, id, open })
                    }
                    Err(unfulfilled) => {
                        let fault = self.not_sent(permit, NotSent::Obligation(&unfulfilled)).await;
                        Decision::Answer(refusal::undecided(&message, &id, &what, &fault))
                    }
                }
            }
            Ok(Final::Refuse(refused)) => {
                Decision::Answer(refusal::refused(&message, &id, &what, &refused))
            }
            Err(fault) => {
                tracing::warn!(%fault, advice = fault.advice, %what, "refused, not decided");
                Decision::Answer(refusal::undecided(&message, &id, &what, &fault))
            }
        }
    }

    async fn ask(&self, intent: &Intent, signs: &mut Signs<'_>) -> Result<Final, Fault> {
        if intent.arguments.len() > Ask::ARGUMENTS_BYTES_MAX {
            return Err(Fault::new(
                FaultKind::TooMuch,
                format!("arguments are longer than {} bytes", Ask::ARGUMENTS_BYTES_MAX),
                "send less at once",
            ));
        }
        let ask = Ask {
            session: self.session,
            operation: intent.operation.clone(),
            arguments: intent.arguments.clone(),
            canonical: intent.canonical,
            parent: intent.parent,
        };
        let first: Answer = in_time(&self.limits, self.pdp.ask(ask)).await?;
        hold::settle(&*self.pdp, &self.limits, first, intent.canonical, signs).await
    }

    /// What the client is told of a request that cannot be opened.
    pub(crate) fn busy(id: &Id, why: &str) -> Vec<u8> {
        compose::error(Some(id), compose::INVALID_REQUEST, why)
    }
}

const UNKNOWN_METHOD: &str = "this method is of no revision of MCP that Pathwarden speaks \
                              (2025-06-18, 2025-11-25), so it is not passed on; begin with \
                              `initialize`";

impl Refused {
    const fn silently(content: String) -> Self {
        Self { content, answer: None, unknown_method: true }
    }
}

/// What is done with a message that could not be read: a request and what may be one are answered.
pub(crate) fn unreadable(fault: &MessageFault, content: &[u8]) -> Refused {
    let answer = match fault.shape {
        Shape::Response => None,
        Shape::Call | Shape::Unclear => {
            Some(compose::error(fault.id.as_ref(), fault.code(), &fault.to_string()))
        }
    };
    Refused { content: beginning(content), answer, unknown_method: false }
}

/// A message that acts on nothing, as it came.
pub(super) fn pass(message: Message) -> Cleared {
    Cleared { bytes: message.into_bytes() }
}

/// The longest part of a refused message that is recorded, in bytes.
const RECORDED_BYTES_MAX: usize = 4096;

/// The part of what came that is recorded when it is refused.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    let cut = bytes.get(..RECORDED_BYTES_MAX).unwrap_or(bytes);
    String::from_utf8_lossy(cut).into_owned()
}

fn words(operation: &Operation) -> String {
    let kind = match operation.kind {
        OperationKind::ToolCall => "tool",
        OperationKind::ResourceRead => "resource",
        OperationKind::PromptGet => "prompt",
    };
    format!("{kind} {} of {}", operation.name, operation.server)
}

/// Why an obligation could not be fulfilled.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfulfilled {
    #[error("an argument could not be rewritten: {0}")]
    Rewrite(RewriteFault),
    #[error("after rewriting, the message is {0}")]
    Message(MessageFault),
    #[error("an obligation to redact was not resolved by the node")]
    Redact,
}

/// The bytes to send: as they came, with what the obligations change.
fn fulfil(
    obligations: &[Obligation],
    mut message: Message,
    limits: &crate::Limits,
) -> Result<Vec<u8>, Unfulfilled> {
    for obligation in obligations {
        match obligation {
            Obligation::Rewrite { pointer, value } => {
                let bytes = rewrite(&message, pointer, value).map_err(Unfulfilled::Rewrite)?;
                message = Message::parse(bytes, limits.message_bytes_max)
                    .map_err(Unfulfilled::Message)?;
            }
            Obligation::Redact { .. } => return Err(Unfulfilled::Redact),
            // The engine's, before the permit; nothing is left to do here.
            Obligation::RateLimit { .. } | Obligation::Watch => {}
        }
    }
    Ok(message.into_bytes())
}
