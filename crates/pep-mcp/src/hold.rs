//! Waiting for a person.

use std::time::Duration;

use pathwarden_decide::Permit;
use pathwarden_types::Digest;
use pathwarden_wire::{Answer, Fault, Held, NearQuestion, Pdp, Refusal};
use tokio::time::{Instant, interval_at, sleep_until};

use crate::Limits;

/// Tells a waiting client that it waits: the question, and how often it was told so before.
pub(crate) type Signs<'a> = dyn FnMut(&Held, u64) + Send + 'a;

/// What comes of an answer, once it is not waited for any longer.
pub(crate) enum Final {
    Release(Permit),
    Refuse(Refusal),
    /// The person behind the client is to be asked.
    AskPerson(NearQuestion),
    /// Nobody has answered in time; the question stands.
    Waits(Held),
}

/// Follows a first answer until it is final or [`Limits::hold`] is over, telling the client that it waits
/// meanwhile.
///
/// # Errors
///
/// What the node says; it means refuse.
pub(crate) async fn settle(
    pdp: &dyn Pdp,
    limits: &Limits,
    first: Answer,
    asked: Digest,
    signs: &mut Signs<'_>,
) -> Result<Final, Fault> {
    let mut held = match first {
        Answer::Release(permit) => return Ok(Final::Release(permit)),
        Answer::Refuse(refusal) => return Ok(Final::Refuse(refusal)),
        Answer::Held(Held { near: Some(question), .. }) => return Ok(Final::AskPerson(question)),
        Answer::Held(held) => held,
    };
    let end = Instant::now() + limits.hold;
    let mut told = 0;
    signs(&held, told);
    let mut ticks = interval_at(Instant::now() + limits.sign, limits.sign);
    loop {
        let up_to_ms = u64::try_from(limits.wait.as_millis()).unwrap_or(u64::MAX);
        let mut waiting = pdp.wait(held.action, asked, up_to_ms);
        // A node that does not keep its own time is as good as none.
        let late = Instant::now() + limits.wait + limits.pdp;
        let answer = loop {
            tokio::select! {
                answer = &mut waiting => break answer?,
                _ = ticks.tick() => {
                    told += 1;
                    signs(&held, told);
                }
                () = sleep_until(late.min(end)) => return Ok(Final::Waits(held)),
            }
        };
        drop(waiting);
        held = match answer {
            Answer::Release(permit) => return Ok(Final::Release(permit)),
            Answer::Refuse(refusal) => return Ok(Final::Refuse(refusal)),
            Answer::Held(held) if Instant::now() < end => held,
            Answer::Held(held) => return Ok(Final::Waits(held)),
        };
        // A node that answers «wait» at once, again and again, does not make this loop spin.
        tokio::time::sleep(PAUSE).await;
    }
}

/// Between two questions to the node about one held action.
const PAUSE: Duration = Duration::from_millis(10);
