//! Telling the decision point what happened.

use std::collections::BTreeSet;

use pathwarden_json::edit::splice;
use pathwarden_lens_mcp::{
    Body, Id, Intent, Listing, Message, MessageFault, asks, compose, outcome, params_of_tools,
};
use pathwarden_types::{
    ActionId, Effect, FindingKind, ItemKind, Obligation, Observation, ObservationKind, Outcome,
};
use pathwarden_wire::{
    Answer, Catalogue, CatalogueItem, Fault, FaultKind, Observe, Report, Reported,
};

use super::{Exchange, Expect, Open};
use crate::refusal;
use pathwarden_pep::in_time;

/// The longest detail of an effect, in bytes. Part of it are words of the server, which must not fill
/// the ledger.
const DETAIL_BYTES_MAX: usize = 1 << 10;

impl Exchange {
    /// Does what is expected of a response, and gives what the client gets: the response as it came,
    /// or an error in its place when it could not be recorded.
    pub(crate) async fn settle(&self, expect: Expect, response: Message) -> Vec<u8> {
        match self.record(expect, &response).await {
            Ok(Shown::AsItCame) => response.into_bytes(),
            Ok(Shown::Instead(bytes)) => bytes,
            Err(fault) => {
                tracing::error!(%fault, advice = fault.advice, "answer withheld, not recorded");
                refusal::withheld(id_of(&response), &fault)
            }
        }
    }

    async fn record(&self, expect: Expect, response: &Message) -> Result<Shown, Fault> {
        let is_error = matches!(response.body(), Body::Response { is_error: true, .. });
        match expect {
            Expect::Decided(open, others) => {
                let (outcome, detail) = outcome(response);
                for other in others {
                    self.close(other, outcome, detail.clone(), None).await?;
                }
                let result = result_text(response);
                let bytes = response.text().len();
                let reported = self.close(open, outcome, detail, Some((result, bytes))).await?;
                let asked = self.look_at_asks(response).await?;
                return Ok(match (asked, reported.instead) {
                    (Shown::AsItCame, Some(instead)) => Shown::Instead(changed(response, instead)),
                    (asked, _) => asked,
                });
            }
            Expect::Listed(listing, kind) if !is_error => {
                let asked = self.look_at_asks(response).await?;
                let listed = self.list(listing, kind, response).await?;
                return Ok(match asked {
                    Shown::AsItCame => listed,
                    stopped @ Shown::Instead(_) => stopped,
                });
            }
            Expect::Seen(kind) | Expect::Listed(_, kind) => {
                self.observe(kind, None, result_text(response)).await?;
            }
            Expect::Plain => {}
        }
        self.look_at_asks(response).await
    }

    /// Records what a server offers, and gives what of it the agent may see.
    async fn list(
        &self,
        listing: Listing,
        kind: ObservationKind,
        response: &Message,
    ) -> Result<Shown, Fault> {
        let listed = listing.read(response).map_err(|unnamed| {
            Fault::new(FaultKind::Malformed, unnamed.to_string(), "mend the server")
        })?;
        for (tool, params) in params_of_tools(response) {
            self.params.learn(&self.server, tool, params);
        }
        let items = listed.into_iter().map(|item| CatalogueItem {
            kind: item.kind,
            name: item.name,
            start: item.span.start,
            end: item.span.end,
        });
        let withheld = self.catalogue(kind, result_text(response), items.collect()).await?;
        if withheld.is_empty() {
            Ok(Shown::AsItCame)
        } else {
            Ok(Shown::Instead(listing.without(response, &withheld)))
        }
    }

    /// Records what a server offers; gives the names of what is not to be shown.
    async fn catalogue(
        &self,
        kind: ObservationKind,
        content: String,
        items: Vec<CatalogueItem>,
    ) -> Result<BTreeSet<String>, Fault> {
        let (session, server) = (self.session, self.server.clone());
        let catalogue = Catalogue { session, server, kind, content, items };
        Ok(in_time(&self.limits.patience, self.pdp.catalogue(catalogue)).await?.names)
    }

    /// Records which program runs as the server, told as JSON text.
    pub(crate) async fn program(&self, program: String) -> Result<(), Fault> {
        let item = CatalogueItem {
            kind: ItemKind::Program,
            name: String::new(),
            start: 0,
            end: program.len(),
        };
        // What is not to be shown of it is not used either: the engine sees to that.
        self.catalogue(ObservationKind::ServerHello, program, vec![item]).await.map(drop)
    }

    /// Asks about everything that a result asks of the client. One refusal withholds the result: a
    /// client answers all or nothing.
    async fn look_at_asks(&self, response: &Message) -> Result<Shown, Fault> {
        match self.let_asks(response).await {
            Ok(()) => Ok(Shown::AsItCame),
            Err(why) => Ok(self.stopped(response, why).await),
        }
    }

    /// Asks about everything that a message asks of the client; why it may not, if it may not.
    pub(super) async fn let_asks(&self, message: &Message) -> Result<(), String> {
        for intent in asks(message, &self.server).map_err(|fault| fault.to_string())? {
            let name = intent.operation.name.clone();
            let let_through = self.let_ask(intent).await;
            let_through.map_err(|fault| format!("{name}: {}", fault.message))?;
        }
        Ok(())
    }

    /// Asks about something that a server wants of the client. Nobody is waited for: whoever has to
    /// approve it can, and the server asks again.
    pub(super) async fn let_ask(&self, intent: Intent) -> Result<(), Fault> {
        let ask = self.question(intent, false, None)?;
        match in_time(&self.limits.patience, self.pdp.ask(ask)).await? {
            // What a server asks is passed on as it is or not at all.
            Answer::Release(permit) if permit.obligations().iter().any(changes) => {
                let open = Open::of(permit, 0);
                self.close_without(open, Outcome::Failed, "not passed on").await;
                Err(Fault::new(FaultKind::Forbidden, "it would have to be changed", ""))
            }
            Answer::Release(permit) => {
                self.close_without(Open::of(permit, 0), Outcome::Done, "").await;
                Ok(())
            }
            Answer::Refuse(refusal) => {
                Err(Fault::new(FaultKind::Forbidden, refusal.code, refusal.advice))
            }
            Answer::Held(held) => {
                let message = format!("it waits for approval {}", held.approval);
                Err(Fault::new(FaultKind::Forbidden, message, "call again when it is answered"))
            }
        }
    }

    async fn stopped(&self, response: &Message, why: String) -> Shown {
        self.found(FindingKind::ServerAsk, self.server.as_str(), why.clone()).await;
        let words = format!("the server asked for something that it may not have: {why}");
        Shown::Instead(compose::error(id_of(response), compose::REFUSED, &words))
    }

    /// Closes every permit that an answer would have closed.
    pub(crate) async fn close_all(&self, expect: Expect, outcome: Outcome, detail: &str) {
        if let Expect::Decided(open, others) = expect {
            for open in others.into_iter().chain([open]) {
                self.close_without(open, outcome, detail).await;
            }
        }
    }

    /// Closes a permit whose answer did not come, or is not one.
    pub(crate) async fn close_without(&self, open: Open, outcome: Outcome, detail: &str) {
        let action = open.action;
        if let Err(fault) = self.close(open, outcome, detail.to_owned(), None).await {
            tracing::error!(%fault, advice = fault.advice, %action, "permit not closed");
        }
    }

    /// Closes a permit by an answer of another form than a message.
    pub(crate) async fn close_with(
        &self,
        open: Open,
        outcome: Outcome,
        detail: &str,
        answer: String,
    ) -> Result<(), Fault> {
        let bytes = answer.len();
        self.close(open, outcome, detail.to_owned(), Some((answer, bytes))).await.map(drop)
    }

    async fn close(
        &self,
        open: Open,
        outcome: Outcome,
        mut detail: String,
        answer: Option<(String, usize)>,
    ) -> Result<Reported, Fault> {
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        let response_bytes = answer.as_ref().map_or(0, |(_, bytes)| *bytes);
        let effect = Effect {
            outcome,
            request_bytes: open.request_bytes,
            response_bytes: u64::try_from(response_bytes).unwrap_or(u64::MAX),
            elapsed_ms: u64::try_from(open.released.elapsed().as_millis()).unwrap_or(u64::MAX),
            detail,
            measured: None,
        };
        let result = answer.map(|(text, _)| text);
        let report = Report { session: self.session, action: open.action, effect, result };
        in_time(&self.limits.patience, self.pdp.report(report)).await
    }

    /// Records something that was seen.
    pub(crate) async fn observe(
        &self,
        kind: ObservationKind,
        action: Option<ActionId>,
        content: String,
    ) -> Result<(), Fault> {
        let observation = Observation { kind, server: self.server.clone(), action };
        let observe = Observe { session: self.session, observation, content };
        in_time(&self.limits.patience, self.pdp.observe(observe)).await
    }

    /// Records a message that was refused. It goes nowhere either way, so a fault is only logged.
    pub(crate) async fn observe_malformed(&self, content: &str) {
        let content = content.chars().take(MessageFault::BEGINNING_BYTES_MAX).collect();
        if let Err(fault) = self.observe(ObservationKind::Malformed, None, content).await {
            tracing::error!(%fault, advice = fault.advice, "refused message not recorded");
        }
    }
}

/// A response with something else in the place of its result.
fn changed(response: &Message, instead: String) -> Vec<u8> {
    let value = response.member("result").or_else(|| response.member("error"));
    let parts = value.map(|value| (value.span(), instead));
    splice(response.text(), parts.into_iter().collect())
}

/// What the client gets of a response.
enum Shown {
    AsItCame,
    Instead(Vec<u8>),
}

/// Whether an obligation changes what it is about.
const fn changes(obligation: &Obligation) -> bool {
    match obligation {
        Obligation::Redact { .. } | Obligation::Rewrite { .. } => true,
        Obligation::RateLimit { .. } | Obligation::Watch => false,
    }
}

/// What the server answered: the text of `result` or of `error`.
pub(super) fn result_text(response: &Message) -> String {
    let value = response.member("result").or_else(|| response.member("error"));
    value.map(|value| value.text().to_owned()).unwrap_or_default()
}

fn id_of(response: &Message) -> Option<&Id> {
    match response.body() {
        Body::Response { id, .. } => id.as_ref(),
        Body::Request { .. } | Body::Notification { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use pathwarden_types::{ActionId, Outcome};

    use super::DETAIL_BYTES_MAX;
    use crate::Limits;
    use crate::exchange::{Exchange, Open};
    use crate::fake::{Fake, params};

    #[tokio::test]
    async fn the_detail_of_an_effect_is_cut_at_its_limit_between_characters() {
        let fake = Arc::new(Fake::new());
        let server = "server".parse().unwrap();
        let exchange =
            Exchange::join(fake.clone(), server, String::new(), params(), Limits::default())
                .await
                .unwrap();
        let fits = "x".repeat(DETAIL_BYTES_MAX);
        let one_more = format!("{fits}x");
        let across = format!("{}é", "x".repeat(DETAIL_BYTES_MAX - 1));
        let cases = [(&fits, &*fits), (&one_more, &*fits), (&across, across.trim_end_matches('é'))];
        for (count, (detail, want)) in cases.into_iter().enumerate() {
            let action = ActionId::from_bytes([1; 8]).unwrap();
            let open = Open { action, request_bytes: 0, released: Instant::now() };
            exchange.close_without(open, Outcome::Failed, detail).await;
            assert_eq!(fake.reported(count + 1).await[count].effect.detail, want);
        }
    }
}
