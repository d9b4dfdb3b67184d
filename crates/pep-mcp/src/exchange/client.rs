//! Messages from the client.

use pathwarden_decide::Permit;
use pathwarden_lens_mcp::{
    Body, Id, Intent, Message, MessageFault, RewriteFault, Route, Shape, client_notification,
    client_request, compose, rewrite,
};
use pathwarden_types::{Obligation, Outcome};
use pathwarden_wire::{Ask, Fault, FaultKind};
use tokio::sync::Notify;

use super::{Cleared, Exchange, Expect, Released, in_time};
use crate::Limits;
use crate::hold::{self, Final, Signs};
use crate::refusal::Refusing;

/// What is done with a message from the client.
pub(crate) enum FromClient {
    /// An action: see [`Exchange::decide`].
    Decide(Box<Attempt>),
    /// A request that acts on nothing.
    Request { cleared: Cleared, id: Id, expect: Expect },
    /// A notification: nothing comes back.
    OneWay(Cleared),
    /// A response, to be passed on if the server asked.
    Reply(Reply),
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
    /// Whether it was a proper message, though not one to pass on.
    pub(crate) is_message: bool,
}

/// A response of the client.
pub(crate) struct Reply {
    /// Of the server's request, if it names one.
    pub(crate) id: Option<Id>,
    message: Box<Message>,
}

impl Reply {
    /// It answers a request of the server.
    pub(crate) fn pass(self) -> Cleared {
        pass(*self.message)
    }

    /// It answers nothing: text that a client sends unasked goes nowhere.
    pub(crate) fn unasked(self) -> Refused {
        Refused::unknown(&self.message, None)
    }
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
        match Message::parse(bytes, self.limits.message_bytes_max) {
            Ok(message) => self.route_client(message),
            Err(fault) => FromClient::Refused(Refused::unreadable(fault)),
        }
    }

    fn route_client(&self, message: Message) -> FromClient {
        match message.body().clone() {
            Body::Request { id, method } => self.client_request(message, id, &method),
            Body::Notification { method } if method == "notifications/cancelled" => {
                match message.cancelled() {
                    Some(request) => FromClient::Cancel { request, cleared: pass(message) },
                    None => FromClient::Refused(Refused::unknown(&message, None)),
                }
            }
            Body::Notification { method } if client_notification(&method) => {
                FromClient::OneWay(pass(message))
            }
            Body::Notification { .. } => FromClient::Refused(Refused::unknown(&message, None)),
            Body::Response { id, .. } => {
                FromClient::Reply(Reply { id, message: Box::new(message) })
            }
        }
    }

    fn client_request(&self, message: Message, id: Id, method: &str) -> FromClient {
        match client_request(method) {
            Some(Route::Decide) => match Intent::of(&message, &self.server) {
                Ok(intent) => FromClient::Decide(Box::new(Attempt { message, id, intent })),
                Err(fault) => {
                    let words = fault.to_string();
                    let answer = compose::error(Some(&id), compose::INVALID_PARAMS, &words);
                    FromClient::Refused(Refused::unknown(&message, Some(answer)))
                }
            },
            Some(Route::Forward(_)) if method == "ping" && !message.is_bare() => {
                let words = "`ping` has no `params` but `_meta`";
                let answer = compose::error(Some(&id), compose::INVALID_PARAMS, words);
                FromClient::Refused(Refused::unknown(&message, Some(answer)))
            }
            Some(Route::Forward(seen)) => {
                let expect = seen.map_or(Expect::Plain, Expect::Seen);
                FromClient::Request { cleared: pass(message), id, expect }
            }
            None => {
                let answer = compose::error(Some(&id), compose::METHOD_NOT_FOUND, UNKNOWN_METHOD);
                FromClient::Refused(Refused::unknown(&message, Some(answer)))
            }
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
        let Attempt { message, id, intent } = attempt;
        let told = Refusing::new(&intent.operation, &id);
        let answer = tokio::select! {
            answer = self.ask(intent, signs) => answer,
            // Dropping the question is safe: the node closes what it opened.
            () = cancelled.notified() => return Decision::Cancelled,
        };
        match answer {
            Ok(Final::Release(permit)) => self.release(permit, message, &told).await,
            Ok(Final::Refuse(refusal)) => Decision::Answer(told.refused(&refusal)),
            Err(fault) => {
                tracing::warn!(%fault, advice = fault.advice, "an action was refused undecided");
                Decision::Answer(told.undecided(&fault))
            }
        }
    }

    async fn ask(&self, intent: Intent, signs: &mut Signs<'_>) -> Result<Final, Fault> {
        if intent.arguments.len() > Ask::ARGUMENTS_BYTES_MAX {
            return Err(Fault::new(
                FaultKind::TooMuch,
                format!("arguments are longer than {} bytes", Ask::ARGUMENTS_BYTES_MAX),
                "send less at once",
            ));
        }
        let Intent { operation, arguments, canonical, parent } = intent;
        let ask = Ask { session: self.session, operation, arguments, canonical, parent };
        let first = in_time(&self.limits, self.pdp.ask(ask)).await?;
        hold::settle(&*self.pdp, &self.limits, first, canonical, signs).await
    }

    /// Spends the permit on the message, obligations fulfilled.
    async fn release(&self, permit: Permit, message: Message, told: &Refusing<'_>) -> Decision {
        match fulfil(permit.obligations(), message, &self.limits) {
            Ok(bytes) => {
                let (cleared, open) = Cleared::by(permit, bytes);
                Decision::Go(Released { cleared, id: told.id.clone(), open })
            }
            Err(unfulfilled) => {
                let (_, open) = Cleared::by(permit, Vec::new());
                let why = format!("not sent, because {unfulfilled}");
                self.close_without(open, Outcome::Failed, &why).await;
                Decision::Answer(told.undecided(&Fault::new(
                    FaultKind::Conflict,
                    "it may happen only in a changed form, and could not be changed so",
                    format!("tell an operator that {unfulfilled}"),
                )))
            }
        }
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
    /// A proper message that is not passed on, and what its sender is told.
    fn unknown(message: &Message, answer: Option<Vec<u8>>) -> Self {
        Self { content: message.text().to_owned(), answer, is_message: true }
    }

    /// A message that could not be read: a request, and what may be one, is answered.
    pub(crate) fn unreadable(fault: MessageFault) -> Self {
        let answer = match fault.shape {
            Shape::Response => None,
            Shape::Call | Shape::Unclear => {
                Some(compose::error(fault.id.as_ref(), fault.code(), &fault.to_string()))
            }
        };
        Self { content: fault.beginning, answer, is_message: false }
    }
}

/// A message that acts on nothing, as it came.
pub(super) fn pass(message: Message) -> Cleared {
    Cleared { bytes: message.into_bytes() }
}

/// Why an obligation could not be fulfilled.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfulfilled {
    #[error("an argument could not be rewritten: {0}")]
    Rewrite(RewriteFault),
    #[error("the message was, once rewritten, {0}")]
    Message(MessageFault),
    #[error("an obligation to redact was not resolved by the node")]
    Redact,
}

/// The bytes to send: as they came, with what the obligations change.
fn fulfil(
    obligations: &[Obligation],
    mut message: Message,
    limits: &Limits,
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
