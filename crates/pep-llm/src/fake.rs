//! A decision point for tests: what the name of a model or of a tool says is what is answered.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pathwarden_decide::{Permit, Release};
use pathwarden_types::{
    ActionId, Agent, ApprovalId, DecidedAt, Digest, Emission, Finding, Millis, Mode, Obligation,
    Operation, OperationKind, Receipt, Verdict,
};
use pathwarden_wire::{
    Answer, Ask, Asking, Catalogue, Emitted, Fault, FaultKind, Found, Held, Join, Joined, ModelPdp,
    Observe, Pdp, Refusal, Report, Reported, Said, Seen, ShownWindow, Withheld,
};
use serde_json::Value;
use tokio::sync::watch;

/// The session of every fake.
pub(crate) const SESSION: &str = "0af7651916cd43dd8448eb211c80319c";

/// What stands in the place of a text that was cut out.
pub(crate) const CUT: &str = "<cut>";

/// A decision point that keeps what it was told.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) windows: watch::Sender<Vec<ShownWindow>>,
    pub(crate) asks: watch::Sender<Vec<Ask>>,
    /// Those that are on record.
    pub(crate) emissions: watch::Sender<Vec<Emitted>>,
    pub(crate) said: watch::Sender<Vec<Said>>,
    pub(crate) reports: watch::Sender<Vec<Report>>,
    pub(crate) observed: watch::Sender<Vec<Observe>>,
    pub(crate) findings: watch::Sender<Vec<Finding>>,
    /// The person's answer to what is held.
    pub(crate) person: watch::Sender<Option<bool>>,
    /// How many questions of [`Pdp::wait`] are open.
    pub(crate) waiting: watch::Sender<usize>,
    /// Emissions are not put on record before this is over.
    pub(crate) is_slow: watch::Sender<bool>,
    /// The policy in force.
    pub(crate) policy: watch::Sender<u8>,
    /// Pieces of any window that the model must see otherwise.
    pub(crate) instead: watch::Sender<Vec<(usize, String)>>,
    pub(crate) refuses_said: AtomicBool,
    pub(crate) refuses_windows: AtomicBool,
    next: AtomicU64,
    /// Used for nothing but to show that no permit is given twice.
    released: Mutex<Vec<ActionId>>,
}

/// The first `count` of what was kept, once there are so many.
pub(crate) async fn first<T: Clone>(kept: &watch::Sender<Vec<T>>, count: usize) -> Vec<T> {
    kept.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
}

impl Fake {
    fn mint(&self) -> ActionId {
        let number = self.next.fetch_add(1, Ordering::SeqCst) + 1;
        ActionId::from_bytes(number.to_be_bytes()).unwrap()
    }

    fn release(&self, action: ActionId, canonical: Digest, obligations: Vec<Obligation>) -> Answer {
        let mut released = self.released.lock().unwrap();
        assert!(!released.contains(&action), "one action is let through once");
        released.push(action);
        let verdict = if obligations.is_empty() { Verdict::Allow } else { Verdict::Constrain };
        let receipt = Receipt { index: Some(0), leaf: canonical, mode: Mode::Strict };
        let release = Release { action, canonical, verdict, obligations, receipt };
        #[expect(clippy::disallowed_methods, reason = "the fake stands for a node and its client")]
        let permit = Permit::received(release, &canonical).unwrap();
        Answer::Release(permit)
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, Fault> {
        let action = ask.minted.expect("whatever is asked about was minted before");
        let release = |obligations| Ok(self.release(action, ask.canonical, obligations));
        let unresolved = Obligation::Redact { pointer: "/new/0".to_owned(), classes: Vec::new() };
        match (ask.operation.kind, ask.operation.name.as_str()) {
            (_, "deny") => Ok(refuse(action)),
            (_, "hold") => Ok(held(action)),
            (_, "fault") => Err(down()),
            (_, "unresolved") => release(vec![unresolved]),
            (_, "watch") => {
                release(vec![Obligation::Watch, Obligation::RateLimit { per_minute: 1 }])
            }
            (OperationKind::ModelCall, "redact") => release(redactions(&ask.arguments)),
            (OperationKind::ModelCall, "redact-nothing") => release(vec![rewrite("/new/99")]),
            (_, "rewrite") => release(vec![rewrite("/to")]),
            (_, "rewrite-nothing") => release(vec![rewrite("/nothing")]),
            _ => release(Vec::new()),
        }
    }
}

/// One obligation for each new text with a secret in it.
fn redactions(arguments: &str) -> Vec<Obligation> {
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    let new = arguments["new"].as_array().unwrap().iter().enumerate();
    let secret = new.filter(|(_, text)| text.as_str().unwrap().contains("SECRET"));
    secret.map(|(number, _)| rewrite(&format!("/new/{number}"))).collect()
}

fn rewrite(pointer: &str) -> Obligation {
    Obligation::Rewrite { pointer: pointer.to_owned(), value: CUT.to_owned() }
}

fn held(action: ActionId) -> Answer {
    let approval = ApprovalId::from_bytes([7; 8]).unwrap();
    Answer::Held(Held { action, approval, expires: Millis(u64::MAX), near: None })
}

fn refuse(action: ActionId) -> Answer {
    Answer::Refuse(Refusal { action, code: "no_outsiders".into(), advice: "ask first".into() })
}

fn down() -> Fault {
    Fault::new(FaultKind::LedgerUnavailable, "the ledger is full", "make room")
}

fn keep<T>(kept: &watch::Sender<Vec<T>>, one: T) {
    kept.send_modify(|all| all.push(one));
}

/// Counts a question as long as it is open.
struct Open<'a>(&'a watch::Sender<usize>);

impl<'a> Open<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Pdp for Fake {
    fn join(&self, _: Join) -> Asking<'_, Joined> {
        let agent = Agent {
            name: "tester".parse().unwrap(),
            owner: String::new(),
            role: String::new(),
            purpose: String::new(),
        };
        let joined = Joined { session: SESSION.parse().unwrap(), agent, hold_ms: u64::MAX };
        Box::pin(async { Ok(joined) })
    }

    fn ask(&self, ask: Ask) -> Asking<'_, Answer> {
        Box::pin(async move {
            let answer = self.answer(&ask);
            keep(&self.asks, ask);
            answer
        })
    }

    fn wait(&self, action: ActionId, asked: Digest, up_to_ms: u64) -> Asking<'_, Answer> {
        Box::pin(async move {
            let _open = Open::new(&self.waiting);
            let mut person = self.person.subscribe();
            let answer = async { *person.wait_for(Option::is_some).await.unwrap() };
            Ok(match tokio::time::timeout(Duration::from_millis(up_to_ms), answer).await {
                Err(_) => held(action),
                Ok(Some(true)) => self.release(action, asked, Vec::new()),
                Ok(_) => refuse(action),
            })
        })
    }

    fn report(&self, report: Report) -> Asking<'_, Reported> {
        keep(&self.reports, report);
        Box::pin(async { Ok(Reported::default()) })
    }

    fn observe(&self, observe: Observe) -> Asking<'_, ()> {
        keep(&self.observed, observe);
        Box::pin(async { Ok(()) })
    }

    fn catalogue(&self, _: Catalogue) -> Asking<'_, Withheld> {
        Box::pin(async { panic!("models have no catalogue") })
    }

    fn found(&self, found: Found) -> Asking<'_, ()> {
        keep(&self.findings, found.finding);
        Box::pin(async { Ok(()) })
    }

    fn changes(&self, _: u64, _: u64) -> Asking<'_, u64> {
        Box::pin(async { panic!("nobody waits for changes here") })
    }
}

impl ModelPdp for Fake {
    fn window(&self, window: ShownWindow) -> Asking<'_, Seen> {
        keep(&self.windows, window);
        let seen = Seen {
            action: self.mint(),
            policy: Digest::of(&[*self.policy.borrow()]),
            instead: self.instead.borrow().clone(),
        };
        let is_down = self.refuses_windows.load(Ordering::SeqCst);
        Box::pin(async move { if is_down { Err(down()) } else { Ok(seen) } })
    }

    fn emitted(&self, emitted: Emitted) -> Asking<'_, Emission> {
        Box::pin(async move {
            self.is_slow.subscribe().wait_for(|is_slow| !is_slow).await.unwrap();
            if emitted.name == "unrecorded" {
                return Err(down());
            }
            let is_governed = emitted.name.starts_with("governed");
            let operation = Operation {
                kind: OperationKind::ToolCall,
                server: "agent".parse().unwrap(),
                name: emitted.name.clone(),
            };
            let emission = Emission {
                action: self.mint(),
                model_call: emitted.model_call,
                call: emitted.call.clone(),
                operation,
                arguments: Digest::of(emitted.arguments.as_bytes()),
                canonical: emitted.canonical,
                decided: if is_governed { DecidedAt::Execution } else { DecidedAt::Emission },
                confidence: emitted.confidence,
                words: Vec::new(),
            };
            keep(&self.emissions, emitted);
            Ok(emission)
        })
    }

    fn said(&self, said: Said) -> Asking<'_, ()> {
        keep(&self.said, said);
        let is_down = self.refuses_said.load(Ordering::SeqCst);
        Box::pin(async move { if is_down { Err(down()) } else { Ok(()) } })
    }
}
