//! What a client answers to a server that asked: it tells the server something, so it is decided.

use pathwarden_lens_mcp::{Id, Intent, Message, compose};
use pathwarden_wire::{Fault, FaultKind};

use super::client::{Refused, pass};
use super::{Cleared, Exchange};
use pathwarden_pep::{Final, in_time, settle};

/// A response of the client.
pub(crate) struct Reply {
    /// Of the server's request, if it names one.
    pub(crate) id: Option<Id>,
    message: Box<Message>,
}

impl Reply {
    pub(super) fn new(id: Option<Id>, message: Message) -> Self {
        Self { id, message: Box::new(message) }
    }

    /// It answers nothing: text that a client sends unasked goes nowhere.
    pub(crate) fn unasked(self) -> Refused {
        Refused::unknown(&self.message, None)
    }
}

impl Exchange {
    /// What the server gets: the reply as far as it may go, or an error in its place. Nothing for a
    /// reply that says nothing of any request.
    pub(crate) async fn reply(&self, reply: Reply) -> Option<Cleared> {
        let Reply { id, message } = reply;
        match self.let_reply(*message).await {
            Ok(cleared) => Some(cleared),
            Err(fault) => {
                tracing::warn!(%fault, advice = fault.advice, "an answer of the client is not passed on");
                let words = format!("the client's answer was stopped: {}", fault.message);
                let bytes = compose::error(Some(&id?), compose::REFUSED, &words);
                Some(Cleared { bytes })
            }
        }
    }

    async fn let_reply(&self, message: Message) -> Result<Cleared, Fault> {
        let intent = Intent::of_reply(&message, &self.server).map_err(|fault| {
            Fault::new(FaultKind::Malformed, fault.to_string(), "answer with less")
        })?;
        let Some(intent) = intent else { return Ok(pass(message)) };
        let root = intent.root;
        let ask = self.question(intent, false, None)?;
        let canonical = ask.canonical;
        let first = in_time(&self.limits.patience, self.pdp.ask(ask)).await?;
        match settle(&*self.pdp, &self.limits.patience, first, canonical, &mut |_, _| {}).await? {
            Final::Release(permit) => self.spend(permit, root, message).await,
            Final::Refuse(refusal) => {
                Err(Fault::new(FaultKind::Forbidden, refusal.code, refusal.advice))
            }
            Final::AskPerson(_) | Final::Waits(_) => {
                Err(Fault::new(FaultKind::Forbidden, "a person has not approved it", "ask later"))
            }
        }
    }
}
