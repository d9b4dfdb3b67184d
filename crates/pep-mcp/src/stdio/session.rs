//! One run: what the readers of both sides share, and what they do with each message.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use pathwarden_lens_mcp::{Id, Listing, MessageFault, compose};
use pathwarden_types::Outcome;
use pathwarden_wire::Fault;
use tokio::io::AsyncRead;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::asked::Asked;
use super::lines::{Line, Lines};
use super::news::News;
use super::program;
use super::table::{Cancelled, Table, TableFault};
use crate::exchange::{
    Attempt, Cleared, Decision, Exchange, Expect, FromClient, FromServer, Refused, Released, Reply,
};
use crate::refusal::withheld;

/// Messages of the server that are worked on at once, while their order is kept.
const SERVER_MESSAGES_AT_ONCE: usize = 64;

/// What is known of the program behind the server.
#[derive(Default)]
pub(super) struct Acquaintance {
    /// Whether it was recorded which program it is.
    is_known: tokio::sync::Mutex<bool>,
    /// Told when the server answers: by then everything that starts it has.
    spoke: watch::Sender<bool>,
}

/// The id of a question of ours to a server that nobody has greeted.
const PROBE: &str = "pathwarden-probe";

/// One client and one server.
pub(super) struct Session {
    pub(super) exchange: Exchange,
    pub(super) table: Table,
    pub(super) asked: Asked,
    pub(super) news: News,
    /// The server's process.
    pub(super) pid: Option<u32>,
    pub(super) acquaintance: Acquaintance,
    pub(super) to_client: Sender<Vec<u8>>,
    pub(super) to_server: Sender<Cleared>,
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl Session {
    /// Reads the client until it closes its end.
    pub(super) async fn read_client(self: Arc<Self>, input: impl AsyncRead + Unpin) {
        let bytes_max = self.exchange.limits().message_bytes_max;
        let mut lines = Lines::new(input, bytes_max);
        loop {
            match lines.next().await {
                Ok(Some(Line::Whole(line))) => self.client_line(line).await,
                Ok(Some(Line::TooLong { beginning, ending })) => {
                    let fault = MessageFault::too_long(bytes_max, &beginning, &ending);
                    self.refuse(Refused::unreadable(fault)).await;
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "reading from the client");
                    return;
                }
            }
        }
    }

    async fn client_line(self: &Arc<Self>, line: Vec<u8>) {
        match self.exchange.read_client(line, None) {
            FromClient::Decide(attempt) => match self.table.decide(&attempt.id) {
                Ok(cancelled) => self.spawn(Arc::clone(self).decide(*attempt, cancelled)),
                Err(fault) => self.busy(&attempt.id, fault).await,
            },
            FromClient::Request { cleared, id, expect, .. } => match self.table.send(&id, expect) {
                Ok(()) => self.send(cleared).await,
                Err(fault) => self.busy(&id, fault).await,
            },
            FromClient::Begun(cleared) => {
                self.send(cleared).await;
                self.news.begin();
            }
            FromClient::OneWay(cleared) => self.send(cleared).await,
            FromClient::Reply(reply) => {
                if reply.id.as_ref().is_some_and(|id| self.asked.answered(id)) {
                    self.spawn(Arc::clone(self).reply(reply));
                } else {
                    self.refuse(reply.unasked()).await;
                }
            }
            FromClient::Cancel { request, cleared } => {
                if self.table.cancel(&request) == Cancelled::Sent {
                    self.send(cleared).await;
                    tokio::spawn(expire(Arc::downgrade(self), request));
                }
            }
            FromClient::Refused(refused) => self.refuse(refused).await,
        }
    }

    async fn reply(self: Arc<Self>, reply: Reply) {
        if let Some(cleared) = self.exchange.reply(reply).await {
            self.send(cleared).await;
        }
    }

    /// Tells the client whenever its list of tools has changed.
    pub(super) async fn tell_news(self: Arc<Self>) {
        let mut since = 0;
        loop {
            match self.exchange.changes(since).await {
                Ok(now) => {
                    if since != 0 && now != since {
                        for message in self.news.tools_changed() {
                            self.tell(message).await;
                        }
                    }
                    since = now;
                }
                // The list itself is fresh whenever it is asked for.
                Err(_) => sleep(self.exchange.limits().patience.sign).await,
            }
        }
    }

    async fn refuse(&self, refused: Refused) {
        self.exchange.observe_malformed(&refused.content).await;
        if let Some((kind, detail)) = refused.finding {
            self.exchange.found(kind, self.exchange.server_name().as_str(), detail).await;
        }
        if let Some(answer) = refused.answer {
            self.tell(answer).await;
        }
    }

    async fn busy(&self, id: &Id, fault: TableFault) {
        self.tell(Exchange::busy(id, &fault.to_string())).await;
    }

    async fn decide(self: Arc<Self>, attempt: Attempt, cancelled: Arc<Notify>) {
        let id = attempt.id.clone();
        let token = attempt.message.progress_token().map(str::to_owned);
        let to_client = self.to_client.clone();
        let mut signs = |held: &pathwarden_wire::Held, told: u64| {
            if let Some(token) = &token {
                let words = format!("waiting for approval {}", held.approval);
                // A client that does not read its messages misses this one.
                let _ = to_client.try_send(compose::progress(token, told + 1, &words));
            }
        };
        if let Err(fault) = self.know_program_first().await {
            self.tell(withheld(Some(&id), &fault)).await;
            return self.table.ended(&id);
        }
        match self.exchange.decide(attempt, &cancelled, &mut signs).await {
            Decision::Go(released) => self.go(released).await,
            Decision::Answer(answer) => {
                self.tell(answer).await;
                self.table.ended(&id);
            }
            Decision::Cancelled => self.table.ended(&id),
        }
    }

    /// Sends what was released, and leaves in the table what must happen to its answer.
    async fn go(&self, released: Released) {
        let Released { cleared, id, expect, .. } = released;
        if let Err(expect) = self.table.released(&id, expect) {
            self.unanswered(&id, expect, "the server has ended").await;
        } else if self.to_server.send(cleared).await.is_err() {
            // Whoever takes it from the table answers it.
            if let Some((id, expect)) = self.table.answered(&id) {
                self.unanswered(&id, expect, "the server has ended").await;
            }
        }
    }

    async fn send(&self, cleared: Cleared) {
        // When the server is gone, its reader ends and answers what is open.
        let _ = self.to_server.send(cleared).await;
    }

    async fn tell(&self, bytes: Vec<u8>) {
        // When the client is gone, its reader ends.
        let _ = self.to_client.send(bytes).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Reads the server until it closes its end. Messages are worked on side by side and passed on in
    /// the order in which the server sent them.
    pub(super) async fn read_server(self: Arc<Self>, output: impl AsyncRead + Unpin) {
        let bytes_max = self.exchange.limits().message_bytes_max;
        let (queue, ready) = mpsc::channel(SERVER_MESSAGES_AT_ONCE);
        let passing = tokio::spawn(Arc::clone(&self).pass_in_order(ready));
        let mut lines = Lines::new(output, bytes_max);
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "reading from the server");
                    break;
                }
            };
            let (done, result) = oneshot::channel();
            if queue.send(result).await.is_err() {
                break;
            }
            let session = Arc::clone(&self);
            tokio::spawn(async move {
                let _ = done.send(session.server_line(line, bytes_max).await);
            });
        }
        drop(queue);
        let _ = passing.await;
    }

    async fn pass_in_order(
        self: Arc<Self>,
        mut ready: mpsc::Receiver<oneshot::Receiver<Option<Vec<u8>>>>,
    ) {
        while let Some(result) = ready.recv().await {
            if let Ok(Some(bytes)) = result.await {
                self.tell(bytes).await;
            }
        }
    }

    /// What the client gets of a line from the server.
    async fn server_line(&self, line: Line, bytes_max: usize) -> Option<Vec<u8>> {
        let read = match line {
            Line::Whole(line) => self.exchange.read_server(line).await,
            Line::TooLong { beginning, ending } => {
                let fault = MessageFault::too_long(bytes_max, &beginning, &ending);
                self.exchange.broken(&fault).await
            }
        };
        match read {
            FromServer::Pass(bytes) => Some(bytes),
            FromServer::Request(id, bytes) => {
                self.asked.open(&id);
                Some(bytes)
            }
            FromServer::Answer(cleared) => {
                self.send(cleared).await;
                None
            }
            FromServer::Acknowledged(granted, bytes) => {
                if let Some(expect) = self.table.subscribed(&granted.subscription) {
                    self.exchange.close_all(expect, Outcome::Done, "").await;
                    if granted.tools_changed {
                        self.news.subscribe(granted.subscription);
                    }
                }
                Some(bytes)
            }
            FromServer::Response(id, response) => match self.table.answered(&id) {
                Some((_, expect)) => {
                    self.news.over(&id);
                    if matches!(expect, Expect::Listed(Listing::Hello, _))
                        && let Err(fault) = self.know_program().await
                    {
                        return Some(withheld(Some(&id), &fault));
                    }
                    Some(self.exchange.settle(expect, response).await)
                }
                None if id.text() == format!("\"{PROBE}\"") => {
                    self.acquaintance.spoke.send_replace(true);
                    None
                }
                None => {
                    self.exchange.observe_unasked(&response).await;
                    None
                }
            },
            FromServer::Broken(id, why) => {
                let (id, expect) = self.table.answered(&id?)?;
                self.close(expect, &why).await;
                Some(compose::error(Some(&id), compose::SERVER_BROKEN, &why))
            }
        }
    }

    /// Sees to it that it is recorded which program runs as the server before anything is decided. A
    /// client that does not greet the server must not get around that.
    async fn know_program_first(&self) -> Result<(), Fault> {
        if *self.acquaintance.is_known.lock().await {
            return Ok(());
        }
        let mut spoke = self.acquaintance.spoke.subscribe();
        self.send(Exchange::probe(PROBE)).await;
        // A server that does not answer is looked at as it is.
        let _ = timeout(self.exchange.limits().grace, spoke.wait_for(|spoke| *spoke)).await;
        self.know_program().await
    }

    /// Records which program runs as the server: by now everything that starts it has.
    async fn know_program(&self) -> Result<(), Fault> {
        let mut is_known = self.acquaintance.is_known.lock().await;
        let Some(pid) = self.pid else { return Ok(()) };
        let told = tokio::task::spawn_blocking(move || program::of(pid)).await;
        if let Some(program) = told.ok().flatten() {
            self.exchange.program(program).await?;
        }
        *is_known = true;
        Ok(())
    }

    async fn close(&self, expect: Expect, why: &str) {
        self.exchange.close_all(expect, Outcome::Unknown, why).await;
    }

    /// Closes and answers a request that the server will not answer.
    async fn unanswered(&self, id: &Id, expect: Expect, why: &str) {
        self.close(expect, why).await;
        self.tell(compose::error(Some(id), compose::SERVER_BROKEN, why)).await;
    }

    /// Ends everything that is open: each permit is closed, and each request answered, unless the end
    /// `is_urgent`: whoever stops us reads nothing any more, and some clients fail on what comes then.
    pub(super) async fn finish(&self, why: &str, is_urgent: bool) {
        let open = self.table.close();
        let mut ids = Vec::with_capacity(open.len());
        for (id, expect) in open {
            self.close(expect, why).await;
            ids.push(id);
        }
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ending = async {
            for id in ids.into_iter().filter(|_| !is_urgent) {
                self.tell(compose::error(Some(&id), compose::SERVER_BROKEN, why)).await;
            }
            while tasks.join_next().await.is_some() {}
        };
        let _ = timeout(self.exchange.limits().grace, ending).await;
    }
}

/// A cancelled request is given some time to be answered anyway; then nobody knows what it did.
async fn expire(session: Weak<Session>, id: Id) {
    let Some(limits) = session.upgrade().map(|session| *session.exchange.limits()) else { return };
    sleep(limits.resume).await;
    let Some(session) = session.upgrade() else { return };
    if let Some((_, expect)) = session.table.answered(&id) {
        session.close(expect, "cancelled by the client, and not answered since").await;
    }
}
