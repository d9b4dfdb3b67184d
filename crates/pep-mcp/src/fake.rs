//! A decision point for tests: what a tool's name says is what is answered.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pathwarden_decide::{Permit, Release};
use pathwarden_types::{
    ActionId, Agent, ApprovalId, Digest, Finding, Millis, Mode, Obligation, OperationKind, Receipt,
    Verdict,
};
use pathwarden_wire::{
    Answer, Ask, Asking, Catalogue, Fault, FaultKind, Found, Held, Join, Joined, NearQuestion,
    Observe, Pdp, Refusal, Report, Reported, Withheld,
};
use tokio::sync::watch;

/// The session of every fake.
pub(crate) const SESSION: &str = "0af7651916cd43dd8448eb211c80319c";

/// A decision point that keeps what it was told.
pub(crate) struct Fake {
    pub(crate) asks: watch::Sender<Vec<Ask>>,
    pub(crate) reports: watch::Sender<Vec<Report>>,
    pub(crate) observed: watch::Sender<Vec<Observe>>,
    pub(crate) catalogues: watch::Sender<Vec<Catalogue>>,
    pub(crate) findings: watch::Sender<Vec<Found>>,
    /// What is not to be shown of any list.
    pub(crate) withheld: watch::Sender<Withheld>,
    /// Counts what changed.
    pub(crate) changed: watch::Sender<u64>,
    /// The person's answer to what is held.
    pub(crate) person: watch::Sender<Option<bool>>,
    /// How many questions of [`Pdp::wait`] were dropped unanswered or answered.
    pub(crate) waiting: watch::Sender<u64>,
    pub(crate) refuses_reports: AtomicBool,
    pub(crate) refuses_observations: AtomicBool,
    next: AtomicU64,
    releases: Mutex<Vec<(ActionId, Digest)>>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            asks: watch::Sender::default(),
            reports: watch::Sender::default(),
            observed: watch::Sender::default(),
            catalogues: watch::Sender::default(),
            findings: watch::Sender::default(),
            withheld: watch::Sender::default(),
            changed: watch::Sender::new(1),
            person: watch::Sender::default(),
            waiting: watch::Sender::default(),
            refuses_reports: AtomicBool::new(false),
            refuses_observations: AtomicBool::new(false),
            next: AtomicU64::new(1),
            releases: Mutex::default(),
        }
    }

    /// The first `count` reports, once there are so many.
    pub(crate) async fn reported(&self, count: usize) -> Vec<Report> {
        self.reports.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
    }

    /// The first `count` observations, once there are so many.
    pub(crate) async fn seen(&self, count: usize) -> Vec<Observe> {
        self.observed.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
    }

    /// The first `count` catalogues, once there are so many.
    pub(crate) async fn catalogued(&self, count: usize) -> Vec<Catalogue> {
        self.catalogues.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
    }

    /// The first `count` questions, once there are so many.
    pub(crate) async fn asked(&self, count: usize) -> Vec<Ask> {
        self.asks.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
    }

    /// The first finding, once there is one.
    pub(crate) async fn finding(&self) -> Finding {
        let mut findings = self.findings.subscribe();
        findings.wait_for(|all| !all.is_empty()).await.unwrap()[0].finding.clone()
    }

    fn release(&self, action: ActionId, canonical: Digest, obligations: Vec<Obligation>) -> Answer {
        self.releases.lock().unwrap().push((action, canonical));
        let verdict = if obligations.is_empty() { Verdict::Allow } else { Verdict::Constrain };
        let receipt = Receipt { index: Some(0), leaf: canonical, mode: Mode::Strict };
        let release = Release { action, canonical, verdict, obligations, receipt };
        #[expect(clippy::disallowed_methods, reason = "the fake stands for a node and its client")]
        let permit = Permit::received(release, &canonical).unwrap();
        Answer::Release(permit)
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, Fault> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let action = ActionId::from_bytes(number.to_be_bytes()).unwrap();
        let pointer = |pointer: &str| pointer.to_owned();
        let rewrite =
            |at: &str| Obligation::Rewrite { pointer: pointer(at), value: "<cut>".into() };
        let redact = Obligation::Redact { pointer: pointer("/to"), classes: Vec::new() };
        Ok(match ask.operation.name.as_str() {
            "deny" => refuse(action),
            "fault" => return Err(down()),
            _ if ask.resume.as_ref().is_some_and(|back| back.approve == Some(false)) => {
                refuse(action)
            }
            _ if ask.resume.is_some() => self.release(action, ask.canonical, Vec::new()),
            _ if ask.operation.kind != OperationKind::ToolCall && ask.arguments.contains("PIN") => {
                refuse(action)
            }
            "hold" if ask.near_person => near(action),
            "hold" => held(action),
            "rewrite" => self.release(action, ask.canonical, vec![rewrite("/to")]),
            "rewrite-nothing" => self.release(action, ask.canonical, vec![rewrite("/nothing")]),
            "redact" => self.release(action, ask.canonical, vec![redact]),
            "watch" => self.release(
                action,
                ask.canonical,
                vec![Obligation::Watch, Obligation::RateLimit { per_minute: 1 }],
            ),
            _ => self.release(action, ask.canonical, Vec::new()),
        })
    }
}

fn held(action: ActionId) -> Answer {
    held_with(action, None)
}

fn held_with(action: ActionId, near: Option<NearQuestion>) -> Answer {
    let approval = ApprovalId::from_bytes([7; 8]).unwrap();
    Answer::Held(Held { action, approval, expires: Millis(u64::MAX), near })
}

/// A question that the person behind the client may answer.
fn near(action: ActionId) -> Answer {
    let near = NearQuestion { words: "May it?".into(), state: "pathwarden-state1.x".into() };
    held_with(action, Some(near))
}

fn refuse(action: ActionId) -> Answer {
    Answer::Refuse(Refusal { action, code: "no_outsiders".into(), advice: "ask first".into() })
}

fn down() -> Fault {
    Fault::new(FaultKind::LedgerUnavailable, "the ledger is full", "make room")
}

impl Pdp for Fake {
    fn join(&self, _: Join) -> Asking<'_, Joined> {
        Box::pin(async {
            let agent = Agent {
                name: "tester".parse().unwrap(),
                owner: String::new(),
                role: String::new(),
                purpose: String::new(),
            };
            Ok(Joined { session: SESSION.parse().unwrap(), agent, hold_ms: u64::MAX })
        })
    }

    fn ask(&self, ask: Ask) -> Asking<'_, Answer> {
        Box::pin(async move {
            if ask.operation.name == "mute" {
                std::future::pending::<()>().await;
            }
            let answer = self.answer(&ask);
            self.asks.send_modify(|all| all.push(ask));
            answer
        })
    }

    fn wait(&self, action: ActionId, asked: Digest, up_to_ms: u64) -> Asking<'_, Answer> {
        Box::pin(async move {
            struct Leaving<'a>(&'a watch::Sender<u64>);
            impl Drop for Leaving<'_> {
                fn drop(&mut self) {
                    self.0.send_modify(|count| *count += 1);
                }
            }
            let _leaving = Leaving(&self.waiting);
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
        Box::pin(async move {
            self.reports.send_modify(|all| all.push(report));
            if self.refuses_reports.load(Ordering::SeqCst) {
                Err(down())
            } else {
                Ok(Reported::default())
            }
        })
    }

    fn observe(&self, observe: Observe) -> Asking<'_, ()> {
        Box::pin(async move {
            self.observed.send_modify(|all| all.push(observe));
            if self.refuses_observations.load(Ordering::SeqCst) { Err(down()) } else { Ok(()) }
        })
    }

    fn catalogue(&self, catalogue: Catalogue) -> Asking<'_, Withheld> {
        Box::pin(async move {
            self.catalogues.send_modify(|all| all.push(catalogue));
            if self.refuses_observations.load(Ordering::SeqCst) {
                return Err(down());
            }
            Ok(self.withheld.borrow().clone())
        })
    }

    fn found(&self, found: Found) -> Asking<'_, ()> {
        Box::pin(async move {
            self.findings.send_modify(|all| all.push(found));
            Ok(())
        })
    }

    fn changes(&self, since: u64, up_to_ms: u64) -> Asking<'_, u64> {
        Box::pin(async move {
            let mut changed = self.changed.subscribe();
            let waiting = changed.wait_for(|version| *version != since);
            let waited = tokio::time::timeout(Duration::from_millis(up_to_ms), waiting).await;
            Ok(waited.map_or(since, |version| *version.unwrap()))
        })
    }
}

/// Nothing is known of parameters in headers.
pub(crate) fn params() -> std::sync::Arc<crate::params::Params> {
    std::sync::Arc::new(crate::params::Params::new())
}

/// A tool call with a progress token.
pub(crate) fn call(id: &str, name: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"to":"a@b"}},"_meta":{{"progressToken":"p-{id}"}}}}}}"#
    )
}

/// The cancellation of a request.
pub(crate) fn cancel(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
    )
}
