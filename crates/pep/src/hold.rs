//! Waiting for a person.

use std::time::Duration;

use pathwarden_decide::Permit;
use pathwarden_types::Digest;
use pathwarden_wire::{Answer, Fault, FaultKind, Held, NearQuestion, Pdp, Refusal};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

/// How long an enforcement point waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// How long a decision, a record of an observation or a report may take; then it counts as failed,
    /// and what depends on it is refused.
    pub pdp: Duration,
    /// How long one question to the node for a held action stays open before it is put again.
    pub wait: Duration,
    /// The longest that a held action waits here, whatever the node says.
    pub hold: Duration,
    /// How often a client that waits for a person is told so; shorter than the time-outs of clients.
    pub sign: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            pdp: Duration::from_secs(30),
            wait: Duration::from_secs(15),
            hold: Duration::from_hours(24),
            sign: Duration::from_secs(5),
        }
    }
}

/// What the decision point answers, or a fault when it takes longer than [`Patience::pdp`].
///
/// # Errors
///
/// What the node says, or that it says nothing; either means refuse.
pub async fn in_time<T>(
    patience: &Patience,
    asking: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout(patience.pdp, asking).await.unwrap_or_else(|_| {
        Err(Fault::new(
            FaultKind::Unreachable,
            "the node did not answer in time",
            "try again; an operator can look with `pathwarden doctor`",
        ))
    })
}

/// Tells a waiting client that it waits: the question, and how often it was told so before.
pub type Signs<'a> = dyn FnMut(&Held, u64) + Send + 'a;

/// What comes of an answer, once it is not waited for any longer.
pub enum Final {
    /// It may happen.
    Release(Permit),
    /// It may not.
    Refuse(Refusal),
    /// The person behind the client is to be asked.
    AskPerson(NearQuestion),
    /// Nobody has answered in time; the question stands.
    Waits(Held),
}

/// Follows a first answer until it is final or [`Patience::hold`] is over, telling the client that it waits
/// meanwhile.
///
/// # Errors
///
/// What the node says; it means refuse.
pub async fn settle(
    pdp: &dyn Pdp,
    patience: &Patience,
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
    let end = Instant::now() + patience.hold;
    let mut told = 0;
    signs(&held, told);
    let mut ticks = interval_at(Instant::now() + patience.sign, patience.sign);
    loop {
        let up_to_ms = u64::try_from(patience.wait.as_millis()).unwrap_or(u64::MAX);
        let mut waiting = pdp.wait(held.action, asked, up_to_ms);
        // A node that does not keep its own time is as good as none.
        let late = Instant::now() + patience.wait + patience.pdp;
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
