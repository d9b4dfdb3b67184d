//! Messages from the client.

use pathwarden_decide::Permit;
use pathwarden_lens_mcp::headers::{self, Header};
use pathwarden_lens_mcp::{
    Body, Era, EraFault, FIRST_MODERN, Id, Intent, Listing, Message, MessageFault, PersonSaid,
    Resume, RewriteFault, Root, Route, Shape, ask_person, client_notification, client_request,
    compose, rewrite,
};
use pathwarden_types::{FindingKind, Obligation, Outcome};
use pathwarden_wire::{Ask, Comeback, Fault, FaultKind};
use tokio::sync::Notify;

use super::{Cleared, Exchange, Expect, Open, Released, Reply};
use crate::Limits;
use crate::refusal::Refusing;
use pathwarden_pep::{Final, Signs, in_time, settle};

/// What a transport carries beside a message: the headers of a request over HTTP, none over stdio.
pub(crate) type Carried<'a> = Option<&'a (dyn Fn(&str) -> Header<'a> + Sync)>;

/// What is done with a message from the client.
pub(crate) enum FromClient {
    /// An action: see [`Exchange::decide`].
    Decide(Box<Attempt>),
    /// A request that acts on nothing.
    Request { cleared: Cleared, id: Id, expect: Expect, era: Era },
    /// A notification: nothing comes back.
    OneWay(Cleared),
    /// The notification of a legacy client that it has begun.
    Begun(Cleared),
    /// A response, to be passed on if the server asked, once it is decided.
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
    /// How a client over HTTP is told.
    pub(crate) told: Told,
    /// What is out of order, if it is more than a mistake.
    pub(crate) finding: Option<(FindingKind, String)>,
}

/// How a client over HTTP is told that its message is not passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Told {
    /// In the answer: it was a proper message.
    InAnswer,
    /// As a bad request.
    BadRequest,
    /// As something that is not there.
    NotFound,
}

/// An action to be decided.
pub(crate) struct Attempt {
    pub(crate) message: Message,
    pub(crate) id: Id,
    pub(crate) era: Era,
    /// What it attempts, the call itself last.
    pub(crate) intents: Vec<Intent>,
    /// The answer of the person behind the client, when it comes back with one.
    resume: Option<Resume>,
}

impl Attempt {
    /// The tool that it calls, if it calls one.
    pub(crate) fn tool(&self) -> Option<&str> {
        let call = self.intents.iter().find(|intent| intent.root == Root::Arguments);
        call.map(|intent| intent.operation.name.as_str())
    }

    /// The answer when too many of its kind are under way.
    pub(crate) fn busy(&self, most: usize) -> Vec<u8> {
        match self.intents.last() {
            Some(intent) => Refusing::new(self.era, &intent.operation, &self.id).busy(most),
            None => Exchange::busy(&self.id, "too many calls are under way"),
        }
    }

    /// Whether the person behind the client can be asked and the call come back with the answer. A call
    /// that carries the state of its server has no room for ours.
    fn is_near_person(&self) -> bool {
        self.era == Era::Modern
            && self.message.shows_forms()
            && self.message.param("requestState").is_none()
            && self.message.param("inputResponses").is_none()
            && self.intents.len() == 1
    }
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
    pub(crate) fn read_client(&self, bytes: Vec<u8>, carried: Carried<'_>) -> FromClient {
        match Message::parse(bytes, self.limits.message_bytes_max) {
            Ok(message) => self.route_client(message, carried),
            Err(fault) => FromClient::Refused(Refused::unreadable(fault)),
        }
    }

    fn route_client(&self, message: Message, carried: Carried<'_>) -> FromClient {
        match message.body().clone() {
            Body::Request { id, method } => self.client_request(message, id, &method, carried),
            Body::Notification { method } if method == "notifications/cancelled" => {
                match message.cancelled() {
                    Some(request) => FromClient::Cancel { request, cleared: pass(message) },
                    None => FromClient::Refused(Refused::unknown(&message, None)),
                }
            }
            Body::Notification { method } if method == "notifications/initialized" => {
                FromClient::Begun(pass(message))
            }
            Body::Notification { method } if client_notification(&method) => {
                FromClient::OneWay(pass(message))
            }
            Body::Notification { .. } => FromClient::Refused(Refused::unknown(&message, None)),
            Body::Response { id, .. } => FromClient::Reply(Reply::new(id, message)),
        }
    }

    fn client_request(
        &self,
        message: Message,
        id: Id,
        method: &str,
        carried: Carried<'_>,
    ) -> FromClient {
        let era = match self.era(&message, &id, carried) {
            Ok(era) => era,
            Err(refused) => return FromClient::Refused(*refused),
        };
        let wrong = |message: &Message, words: &str| {
            let answer = compose::error(Some(&id), compose::INVALID_PARAMS, words);
            FromClient::Refused(Refused::unknown(message, Some(answer)))
        };
        match client_request(era, method) {
            Some(Route::Decide) => self.attempt(message, id, era),
            Some(Route::Forward(_)) if method == "ping" && !message.is_bare() => {
                wrong(&message, "`ping` has no `params` but `_meta`")
            }
            Some(Route::Forward(seen)) => {
                let expect = match (Listing::answering(method), seen) {
                    (Some(listing), Some(kind)) => Expect::Listed(listing, kind),
                    (_, Some(kind)) => Expect::Seen(kind),
                    (_, None) => Expect::Plain,
                };
                FromClient::Request { cleared: pass(message), id, expect, era }
            }
            None => {
                let answer = compose::error(Some(&id), compose::METHOD_NOT_FOUND, UNKNOWN_METHOD);
                let told = if era == Era::Modern { Told::NotFound } else { Told::InAnswer };
                FromClient::Refused(Refused { told, ..Refused::unknown(&message, Some(answer)) })
            }
        }
    }

    /// The era of a request, if it says of itself what it must, and headers say the same.
    fn era(&self, message: &Message, id: &Id, carried: Carried<'_>) -> Result<Era, Box<Refused>> {
        let bad =
            |answer| Refused { told: Told::BadRequest, ..Refused::unknown(message, Some(answer)) };
        let of_header = carried.map(|header| header(headers::PROTOCOL_VERSION));
        if of_header == Some(Header::Unusable) {
            let words = format!("`{}` is there more than once", headers::PROTOCOL_VERSION);
            let answer = compose::error(Some(id), compose::HEADER_MISMATCH, &words);
            return Err(Box::new(bad(answer)));
        }
        let says_modern =
            matches!(of_header, Some(Header::One(version)) if version >= FIRST_MODERN);
        if message.era() == Era::Legacy && !says_modern {
            return Ok(Era::Legacy);
        }
        let said = message.check_era();
        if let Err(fault @ EraFault::Meta { .. }) = &said {
            let words = fault.to_string();
            let answer = compose::error(Some(id), compose::INVALID_PARAMS, &words);
            return Err(Box::new(bad(answer)));
        }
        if let Some(header) = carried {
            self.same_headers(message, id, header)?;
        }
        match said {
            Ok(()) => Ok(Era::Modern),
            Err(EraFault::Unsupported { requested }) => {
                Err(Box::new(bad(compose::not_spoken(id, &requested))))
            }
            Err(other) => {
                let words = other.to_string();
                Err(Box::new(bad(compose::error(Some(id), compose::INVALID_PARAMS, &words))))
            }
        }
    }

    /// Sees to it that headers and body are one request.
    fn same_headers<'a>(
        &self,
        message: &Message,
        id: &Id,
        header: &(dyn Fn(&str) -> Header<'a> + Sync),
    ) -> Result<(), Box<Refused>> {
        let tool = message.param("name").and_then(|name| name.string()).unwrap_or_default();
        let params = self.params.of(&self.server, &tool);
        match headers::check(message, &params, header) {
            Ok(()) => Ok(()),
            Err(mismatch) => {
                let words = mismatch.to_string();
                let answer = compose::error(Some(id), compose::HEADER_MISMATCH, &words);
                let finding = Some((FindingKind::HeaderMismatch, words));
                let refused = Refused::unknown(message, Some(answer));
                Err(Box::new(Refused { told: Told::BadRequest, finding, ..refused }))
            }
        }
    }

    fn attempt(&self, message: Message, id: Id, era: Era) -> FromClient {
        let resume = Resume::of(&message).filter(|_| era == Era::Modern);
        let message = match &resume {
            None => Ok(message),
            Some(_) => Message::parse(Resume::strip(&message), self.limits.message_bytes_max),
        };
        let message = match message {
            Ok(message) => message,
            Err(fault) => return FromClient::Refused(Refused::unreadable(fault)),
        };
        match Intent::all_of(&message, &self.server) {
            Ok(intents) if intents.is_empty() => {
                FromClient::Request { cleared: pass(message), id, expect: Expect::Plain, era }
            }
            Ok(intents) => {
                FromClient::Decide(Box::new(Attempt { message, id, era, intents, resume }))
            }
            Err(fault) => {
                let words = fault.to_string();
                let answer = compose::error(Some(&id), compose::INVALID_PARAMS, &words);
                FromClient::Refused(Refused::unknown(&message, Some(answer)))
            }
        }
    }

    /// Asks about everything that an attempt does, waits for a person where one is asked, and fulfils
    /// the obligations. Nothing but a permit for each makes it go.
    pub(crate) async fn decide(
        &self,
        mut attempt: Attempt,
        cancelled: &Notify,
        signs: &mut Signs<'_>,
    ) -> Decision {
        let near_person = attempt.is_near_person();
        let mut resume = attempt.resume.take().map(comeback);
        let Attempt { mut message, id, era, intents, .. } = attempt;
        let mut opens = Vec::with_capacity(intents.len());
        for intent in intents {
            let told = Refusing::new(era, &intent.operation, &id);
            let root = intent.root;
            let asking = self.ask(intent, near_person, resume.take(), signs);
            let answer = tokio::select! {
                answer = asking => answer,
                // Dropping the question is safe: the node closes what it opened.
                () = cancelled.notified() => {
                    self.abandon(opens).await;
                    return Decision::Cancelled;
                }
            };
            let permit = match permitted(&told, &id, answer) {
                Ok(permit) => permit,
                Err(instead) => {
                    self.abandon(opens).await;
                    return Decision::Answer(instead);
                }
            };
            match fulfil(permit.obligations(), root, message, &self.limits) {
                Ok(fulfilled) => {
                    message = fulfilled;
                    opens.push(Open::of(permit, message.text().len()));
                }
                Err(unfulfilled) => {
                    opens.push(Open::of(permit, 0));
                    self.abandon(opens).await;
                    return Decision::Answer(told.undecided(&not_fulfilled(&unfulfilled)));
                }
            }
        }
        let Some(main) = opens.pop() else { return Decision::Cancelled };
        let cleared = pass(message);
        Decision::Go(Released { cleared, id, expect: Expect::Decided(main, opens) })
    }

    async fn ask(
        &self,
        intent: Intent,
        near_person: bool,
        resume: Option<Comeback>,
        signs: &mut Signs<'_>,
    ) -> Result<Final, Fault> {
        let ask = self.question(intent, near_person, resume)?;
        let canonical = ask.canonical;
        let first = in_time(&self.limits.patience, self.pdp.ask(ask)).await?;
        settle(&*self.pdp, &self.limits.patience, first, canonical, signs).await
    }

    /// The question to the decision point about an intent.
    pub(super) fn question(
        &self,
        intent: Intent,
        near_person: bool,
        resume: Option<Comeback>,
    ) -> Result<Ask, Fault> {
        if intent.arguments.len() > Ask::ARGUMENTS_BYTES_MAX {
            return Err(Fault::new(
                FaultKind::TooMuch,
                format!("arguments are longer than {} bytes", Ask::ARGUMENTS_BYTES_MAX),
                "send less at once",
            ));
        }
        let Intent { operation, arguments, canonical, parent, .. } = intent;
        let session = self.session;
        Ok(Ask {
            session,
            operation,
            arguments,
            canonical,
            parent,
            near_person,
            resume,
            minted: None,
        })
    }

    /// Closes what was let through and is not sent after all.
    async fn abandon(&self, opens: Vec<Open>) {
        for open in opens {
            self.close_without(open, Outcome::Failed, "not sent").await;
        }
    }

    /// The permit on its way to the server in one piece, for what is decided alone.
    pub(super) async fn spend(
        &self,
        permit: Permit,
        root: Root,
        message: Message,
    ) -> Result<Cleared, Fault> {
        match fulfil(permit.obligations(), root, message, &self.limits) {
            Ok(message) => {
                let (cleared, open) = Cleared::by(permit, message.into_bytes());
                self.close_without(open, Outcome::Done, "").await;
                Ok(cleared)
            }
            Err(unfulfilled) => {
                let why = format!("not sent, because {unfulfilled}");
                self.close_without(Open::of(permit, 0), Outcome::Failed, &why).await;
                Err(not_fulfilled(&unfulfilled))
            }
        }
    }

    /// A question of ours to the server that asks for nothing but an answer, be it an error: the modern
    /// revision has no `ping`.
    pub(crate) fn probe(id: &str) -> Cleared {
        Cleared { bytes: compose::ping(id) }
    }

    /// The answer instead of a request that cannot be opened.
    pub(crate) fn busy(id: &Id, why: &str) -> Vec<u8> {
        compose::error(Some(id), compose::INVALID_REQUEST, why)
    }
}

fn comeback(resume: Resume) -> Comeback {
    let approve = match resume.answer {
        PersonSaid::Yes => Some(true),
        PersonSaid::No => Some(false),
        PersonSaid::Nothing => None,
    };
    Comeback { state: resume.state, approve }
}

/// The permit, or what the client is told in its place.
fn permitted(
    told: &Refusing<'_>,
    id: &Id,
    answer: Result<Final, Fault>,
) -> Result<Permit, Vec<u8>> {
    Err(match answer {
        Ok(Final::Release(permit)) => return Ok(permit),
        Ok(Final::Refuse(refusal)) => told.refused(&refusal),
        Ok(Final::AskPerson(question)) => ask_person(id, &question.words, &question.state),
        Ok(Final::Waits(held)) => told.waits(&held),
        Err(fault) => {
            tracing::warn!(%fault, advice = fault.advice, "an action was refused undecided");
            told.undecided(&fault)
        }
    })
}

fn not_fulfilled(unfulfilled: &Unfulfilled) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "it may happen only in a changed form, and could not be changed so",
        format!("tell an operator that {unfulfilled}"),
    )
}

const UNKNOWN_METHOD: &str = "this method is of no revision of MCP that Pathwarden speaks \
                              (2025-06-18, 2025-11-25, 2026-07-28), so it is not passed on";

impl Refused {
    /// A proper message that is not passed on, and what its sender is told.
    pub(super) fn unknown(message: &Message, answer: Option<Vec<u8>>) -> Self {
        let content = message.text().to_owned();
        Self { content, answer, told: Told::InAnswer, finding: None }
    }

    /// A message that could not be read: a request, and what may be one, is answered.
    pub(crate) fn unreadable(fault: MessageFault) -> Self {
        let answer = match fault.shape {
            Shape::Response => None,
            Shape::Call | Shape::Unclear => {
                Some(compose::error(fault.id.as_ref(), fault.code(), &fault.to_string()))
            }
        };
        Self { content: fault.beginning, answer, told: Told::BadRequest, finding: None }
    }
}

/// A message that acts on nothing, or whose permits are spent, as it is.
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

/// The message to send: as it came, with what the obligations change.
fn fulfil(
    obligations: &[Obligation],
    root: Root,
    mut message: Message,
    limits: &Limits,
) -> Result<Message, Unfulfilled> {
    for obligation in obligations {
        match obligation {
            Obligation::Rewrite { pointer, value } => {
                let bytes =
                    rewrite(&message, root, pointer, value).map_err(Unfulfilled::Rewrite)?;
                message = Message::parse(bytes, limits.message_bytes_max)
                    .map_err(Unfulfilled::Message)?;
            }
            Obligation::Redact { .. } => return Err(Unfulfilled::Redact),
            // The engine's, before the permit; nothing is left to do here.
            Obligation::RateLimit { .. } | Obligation::Watch => {}
        }
    }
    Ok(message)
}
