//! Kills a real node at random moments, with traffic, and holds it to what it had promised.
//!
//! Acknowledged means kept: a record that a strict answer names stands at its index for ever, a
//! session that was started and an answer that was taken are there after the restart, nothing was
//! done without its record, and every permit that the kill left open is closed as unknown.

mod chance;
mod check;
mod end;
pub mod flip;
mod told;
mod traffic;
mod view;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use pathwarden_types::{ActionId, Mode};

use self::chance::Chance;
use self::check::{Counts, Restart, unknown};
use self::end::Kept;
use self::told::Notes;
use self::traffic::Traffic;
use self::view::View;
use crate::node::{Home, Node, Programs, until};

/// The most time that traffic runs before the kill, in ms.
const TRAFFIC_MS_MAX: u64 = 400;

/// How often the published checkpoint is kept while there is traffic.
const KEEP_EVERY: Duration = Duration::from_millis(20);

/// The configuration of the node that is killed. Checkpoints come often, so that kills fall between
/// and into them.
const CONFIGURATION: &str = r#"
[organisation]
domains = ["northgate.example"]
[agents.clerk]
owner = "the crash loop"
[servers.desk]
inside = true
[servers.desk.tools]
look = "read"
send = "send"
remove = "delete"
[ledger]
publish_every_ms = 50
batch_window_ms = 20
"#;

/// How a node is to be tormented.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often it is killed.
    pub rounds: u32,
    /// Where chance starts from.
    pub seed: u64,
    /// The whole log is verified after every so many kills; at least 1.
    pub verify_every: u32,
}

/// Runs the plan on a fresh home, and says how it goes.
///
/// # Errors
///
/// When a promise was broken, naming it, or something could not be run. The home is then kept.
pub async fn run(programs: &Programs, plan: &Plan, say: &mut impl Write) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    writeln!(say, "crash: {} rounds, seed {}", plan.rounds, plan.seed)?;
    let programs = programs.copy_to(&folder.path().join("programs"))?;
    match Torment::new(&programs, folder.path(), plan)?.run(plan, say).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let kept = folder.keep();
            Err(error.context(format!(
                "seed {}; the home is kept in `{}`",
                plan.seed,
                kept.display()
            )))
        }
    }
}

/// A node, its clients, and what is remembered of its lives.
struct Torment {
    home: Arc<Home>,
    effects: std::path::PathBuf,
    notes: Arc<Notes>,
    traffic: Traffic,
    chance: Chance,
    view: View,
    kept: Kept,
    total: Counts,
}

impl Torment {
    fn new(programs: &Programs, folder: &Path, plan: &Plan) -> Result<Self> {
        let home = Arc::new(Home::init(programs, &folder.join("home"), CONFIGURATION)?);
        let effects = folder.join("effects");
        let notes = Arc::new(Notes::new(&effects)?);
        let mut chance = Chance::new(plan.seed);
        let traffic = Traffic::new(Arc::clone(&home), Arc::clone(&notes), &mut chance)?;
        let view = View::new(&home.path("ledger"));
        let kept = Kept::default();
        Ok(Self { home, effects, notes, traffic, chance, view, kept, total: Counts::default() })
    }

    async fn run(mut self, plan: &Plan, say: &mut impl Write) -> Result<()> {
        let began = Instant::now();
        let mut node = self.home.up()?;
        self.view.catch_up()?;
        for round in 1..=plan.rounds {
            let verify = round.is_multiple_of(plan.verify_every) || round == plan.rounds;
            let killed = self.until_killed(node).await?;
            if verify {
                self.home.verify(&[])?.success().context("verify the log of a dead node")?;
            }
            node = self.home.up()?;
            self.after_restart(round, killed)?;
            if verify {
                self.home.pathwarden(&["ledger", "verify"])?.success().context("verify the log")?;
                let seconds = began.elapsed().as_secs();
                let records = self.view.leaves.len();
                writeln!(say, "{round:4} kills  {records:7} records  {seconds:4} s")?;
            }
        }
        self.kept.keep(&self.home)?;
        let end = end::look_back(&self.home, &self.kept, &self.view)?;
        node.stop()?;
        self.home.verify(&[])?.success().context("verify the log at the end")?;
        self.summary(say, &end, began.elapsed())
    }

    /// Lets traffic run on a node for a moment, and kills it.
    async fn until_killed(&mut self, node: Node) -> Result<Instant> {
        let running = self.traffic.begin(&mut self.chance);
        let notes = Arc::clone(&self.notes);
        let begun = until("the first release, or a client that ended", async || {
            Ok((!notes.told().released.is_empty() || running.has_ended()).then_some(()))
        });
        begun.await?;
        if running.has_ended() {
            self.traffic.end(running).await?;
            bail!("a client ended before the node");
        }
        let moment = Instant::now() + Duration::from_millis(self.chance.below(TRAFFIC_MS_MAX));
        while let Some(left) = moment.checked_duration_since(Instant::now()) {
            self.kept.keep(&self.home)?;
            tokio::time::sleep(left.min(KEEP_EVERY)).await;
        }
        let killed = Instant::now();
        node.kill()?;
        let ended = tokio::time::timeout(Duration::from_secs(10), self.traffic.end(running));
        ended.await.context("the clients did not notice that the node is gone")??;
        self.kept.keep(&self.home)?;
        Ok(killed)
    }

    fn after_restart(&mut self, round: u32, killed: Instant) -> Result<()> {
        let unknown_before = unknown(&self.view);
        self.view.catch_up().context("read the ledger after the restart")?;
        ensure!(self.view.starts == round + 1, "the ledger tells of another number of starts");
        let (told, effects) = (self.notes.take(), effects(&self.effects)?);
        let mut broken = Vec::new();
        let view = &self.view;
        let restart = Restart { view, told: &told, effects: &effects, killed, unknown_before };
        let counts = restart.check(&mut broken);
        if !broken.is_empty() {
            bail!("round {round}: broken promises:\n  {}", broken.join("\n  "));
        }
        self.total.strict += counts.strict;
        self.total.batched += counts.batched;
        self.total.answers += counts.answers;
        self.total.batched_lost += counts.batched_lost;
        self.total.oldest_lost = self.total.oldest_lost.max(counts.oldest_lost);
        self.total.unknown += counts.unknown;
        Ok(())
    }

    fn summary(&self, say: &mut impl Write, end: &end::Found, took: Duration) -> Result<()> {
        let Counts { strict, batched, answers, batched_lost, oldest_lost, unknown } = self.total;
        let effects = effects(&self.effects)?.len();
        writeln!(say, "killed {} times in {} s:", self.view.starts - 1, took.as_secs())?;
        writeln!(say, "  {:7} records, {effects} effects", self.view.leaves.len())?;
        writeln!(say, "  {strict:7} strict releases, {answers} answers: none lost")?;
        writeln!(
            say,
            "  {batched:7} batched releases, {batched_lost} lost, released at most {} ms before a \
             kill (window {} ms and a commit)",
            oldest_lost.as_millis(),
            check::BATCH_WINDOW.as_millis()
        )?;
        writeln!(say, "  {unknown:7} permits left open by a kill: all closed as unknown")?;
        writeln!(
            say,
            "  {:7} checkpoints kept: every one is a prefix of the log ({} shown by \
             pathwarden-verify --against)",
            end.checkpoints, end.against
        )?;
        writeln!(
            say,
            "  {:7} decisions replayed in {} ms: 0 differences",
            end.replay.decisions, end.replay.elapsed_ms
        )?;
        Ok(())
    }
}

/// What was done, by action.
fn effects(path: &Path) -> Result<BTreeMap<ActionId, Mode>> {
    let text = fs::read_to_string(path).context("read the effects file")?;
    let mut effects = BTreeMap::new();
    for line in text.lines() {
        let (action, mode) = line.split_once(' ').context("an effect is an action and a mode")?;
        let mode = if mode == "strict" { Mode::Strict } else { Mode::Batched };
        let again = effects.insert(action.parse()?, mode);
        ensure!(again.is_none(), "the effect of action {action} happened twice");
    }
    Ok(effects)
}
