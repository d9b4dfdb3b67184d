//! The decision point behind a socket.

use pathwarden_decide::Permit;
use pathwarden_types::{ActionId, Digest};
use pathwarden_wire::{
    Answer, AnswerBody, Ask, Asking, AwaitChange, AwaitOrders, Catalogue, Fault, FaultKind, Found,
    Join, Joined, Observe, Orders, Pdp, PointPdp, Report, Reported, Wait, Withheld,
};

use crate::Client;

impl Pdp for Client {
    fn join(&self, join: Join) -> Asking<'_, Joined> {
        Box::pin(async move { self.post("/v1/join", &join).await })
    }

    fn ask(&self, ask: Ask) -> Asking<'_, Answer> {
        Box::pin(async move {
            let asked = ask.canonical;
            answer(self.post("/v1/actions", &ask).await?, &asked)
        })
    }

    fn wait(&self, action: ActionId, asked: Digest, up_to_ms: u64) -> Asking<'_, Answer> {
        Box::pin(async move {
            let wait = Wait { asked, up_to_ms };
            let path = format!("/v1/actions/{action}/wait");
            answer(self.post(&path, &wait).await?, &asked)
        })
    }

    fn report(&self, report: Report) -> Asking<'_, Reported> {
        Box::pin(async move { self.post("/v1/effects", &report).await })
    }

    fn observe(&self, observe: Observe) -> Asking<'_, ()> {
        Box::pin(async move { self.post("/v1/observations", &observe).await })
    }

    fn catalogue(&self, catalogue: Catalogue) -> Asking<'_, Withheld> {
        Box::pin(async move { self.post("/v1/catalogues", &catalogue).await })
    }

    fn found(&self, found: Found) -> Asking<'_, ()> {
        Box::pin(async move { self.post("/v1/findings/new", &found).await })
    }

    fn changes(&self, since: u64, up_to_ms: u64) -> Asking<'_, u64> {
        Box::pin(async move { self.post("/v1/changes", &AwaitChange { since, up_to_ms }).await })
    }
}

impl PointPdp for Client {
    fn orders(&self, await_orders: AwaitOrders) -> Asking<'_, Orders> {
        Box::pin(async move { self.post("/v1/points/orders", &await_orders).await })
    }
}

fn answer(body: AnswerBody, asked: &Digest) -> Result<Answer, Fault> {
    match body {
        AnswerBody::Release(release) => {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the client of a node: the answer came over its authenticated API"
            )]
            let permit = Permit::received(release, asked);
            permit.map(Answer::Release).map_err(|error| {
                let advice = "check that client and node are of the same version";
                Fault::new(FaultKind::Internal, error.to_string(), advice)
            })
        }
        AnswerBody::Refuse(refusal) => Ok(Answer::Refuse(refusal)),
        AnswerBody::Held(held) => Ok(Answer::Held(held)),
    }
}
