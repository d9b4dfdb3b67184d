//! Telling the decision point what happened.

use pathwarden_lens_mcp::{Body, Id, Message, MessageFault, outcome};
use pathwarden_types::{ActionId, Effect, Observation, ObservationKind, Outcome};
use pathwarden_wire::{Fault, Observe, Report};

use super::{Exchange, Expect, Open, in_time};
use crate::refusal;

/// The longest detail of an effect, in bytes. Part of it are words of the server, which must not fill
/// the ledger.
const DETAIL_BYTES_MAX: usize = 1 << 10;

impl Exchange {
    /// Does what is expected of a response, and gives what the client gets: the response as it came,
    /// or an error in its place when it could not be recorded.
    pub(crate) async fn settle(&self, expect: Expect, response: Message) -> Vec<u8> {
        match self.record(expect, &response).await {
            Ok(()) => response.into_bytes(),
            Err(fault) => {
                tracing::error!(%fault, advice = fault.advice, "answer withheld, not recorded");
                refusal::withheld(id_of(&response), &fault)
            }
        }
    }

    async fn record(&self, expect: Expect, response: &Message) -> Result<(), Fault> {
        let is_error = matches!(response.body(), Body::Response { is_error: true, .. });
        match expect {
            Expect::Decided(open) => {
                let (outcome, detail) = outcome(response);
                let result = result_text(response);
                let bytes = response.text().len();
                self.close(open, outcome, detail, Some((result, bytes))).await
            }
            Expect::Seen(kind) if !is_error => {
                self.observe(kind, None, result_text(response)).await
            }
            Expect::Seen(_) | Expect::Plain => Ok(()),
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
        self.close(open, outcome, detail.to_owned(), Some((answer, bytes))).await
    }

    async fn close(
        &self,
        open: Open,
        outcome: Outcome,
        mut detail: String,
        answer: Option<(String, usize)>,
    ) -> Result<(), Fault> {
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        let response_bytes = answer.as_ref().map_or(0, |(_, bytes)| *bytes);
        let effect = Effect {
            outcome,
            request_bytes: open.request_bytes,
            response_bytes: u64::try_from(response_bytes).unwrap_or(u64::MAX),
            elapsed_ms: u64::try_from(open.released.elapsed().as_millis()).unwrap_or(u64::MAX),
            detail,
        };
        let result = answer.map(|(text, _)| text);
        let report = Report { session: self.session, action: open.action, effect, result };
        in_time(&self.limits, self.pdp.report(report)).await
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
        in_time(&self.limits, self.pdp.observe(observe)).await
    }

    /// Records a message that was refused. It goes nowhere either way, so a fault is only logged.
    pub(crate) async fn observe_malformed(&self, content: &str) {
        let content = content.chars().take(MessageFault::BEGINNING_BYTES_MAX).collect();
        if let Err(fault) = self.observe(ObservationKind::Malformed, None, content).await {
            tracing::error!(%fault, advice = fault.advice, "refused message not recorded");
        }
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
    use crate::fake::Fake;

    #[tokio::test]
    async fn the_detail_of_an_effect_is_cut_at_its_limit_between_characters() {
        let fake = Arc::new(Fake::new());
        let server = "server".parse().unwrap();
        let exchange =
            Exchange::join(fake.clone(), server, String::new(), Limits::default()).await.unwrap();
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
