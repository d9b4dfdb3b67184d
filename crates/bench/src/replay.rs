//! Deciding again what a node recorded.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use pathwarden_store::{Options, Store};
use pathwarden_types::Operation;
use pathwarden_warden::{Parts, TokenKey, Warden};
use pathwarden_wire::{Answer, Ask, Fault, Pdp, Reach, Report, StartSession};

use crate::ledger::signer;
use crate::measure::{Effort, Samples};
use crate::report::{Aim, Cell, Table};
use crate::work;

const SESSIONS: u64 = 100;
const STEPS: u64 = 50;

/// Measures the replay of sessions of reads and mails.
pub(crate) fn run(effort: Effort, dir: &Path) -> Result<Table> {
    let warden = node(&dir.join("log"))?;
    let sessions = (SESSIONS / effort.smaller).max(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        for session in 0..sessions {
            act(&warden, session * STEPS).await?;
        }
        anyhow::Ok(())
    })?;
    // A batched record has its place once something after it is on disk.
    runtime.block_on(act(&warden, sessions * STEPS))?;
    let mut samples = Samples::default();
    for round in 0..=effort.rounds {
        let start = Instant::now();
        let replay = warden.replay(None).map_err(told)?;
        ensure!(replay.identical == replay.decisions, "replay differs: {replay:?}");
        if round > 0 {
            samples.call(start.elapsed());
            samples.did(replay.decisions, start.elapsed());
        }
    }
    Ok(Table {
        title: "Replay",
        notes: vec![format!(
            "`replay` of {} sessions of {STEPS} steps (9 of 10 small reads with results of 3 KB, else a \
             mail of 1 KB), one thread: the ledger is read, every result is read and folded again, \
             every decision is taken again and compared byte for byte.",
            sessions + 1
        )],
        columns: vec!["", "decisions", "p50 of a whole replay"],
        rows: vec![vec![
            Cell::text("replay"),
            Cell::Rate(samples.rate()),
            Cell::Micros(samples.p50()),
        ]],
        aims: vec![Aim::at_least("≥ 50 k decisions/s per core", Cell::Rate(samples.rate()), 50e3)],
    })
}

fn node(log: &Path) -> Result<Arc<Warden>> {
    let signer = signer()?;
    let key = signer.verifier_key().clone();
    pathwarden_store::create(log, key.name(), &signer)?;
    let (store, _) = Store::open(log, &key, signer, Options::new(Warden::keys_of))?;
    let agent = work::agent()?;
    Ok(Warden::start(Parts {
        node: key.name().to_owned(),
        store,
        snapshot: work::snapshot()?,
        load_policy: Box::new(|| work::snapshot().map_err(|error| error.to_string())),
        tokens: TokenKey::new(&[7; TokenKey::BYTES]),
        agents: [(agent.name.clone(), agent)].into(),
        near: std::collections::BTreeSet::new(),
        reached: std::collections::BTreeSet::new(),
        hold_ms: 0,
        stores: pathwarden_memory::Stores::default(),
        effect_ms_max: 600_000,
    })?)
}

/// One session from start to end.
async fn act(warden: &Arc<Warden>, first: u64) -> Result<()> {
    let start = StartSession {
        agent: work::agent()?.name,
        task: work::TASK.to_owned(),
        stated_by: "dana".parse()?,
        reach: Reach::Everywhere,
    };
    let started = warden.start_session(start).await.map_err(told)?;
    let door = warden.door(warden.authenticate(&started.token).map_err(told)?);
    for step in first..first + STEPS {
        let (operation, arguments) = call(step)?;
        let canonical = work::canonical_of(&arguments)?;
        let session = started.session;
        let ask = Ask {
            session,
            operation,
            arguments,
            canonical,
            parent: None,
            near_person: false,
            resume: None,
            minted: None,
        };
        let permit = match door.ask(ask).await.map_err(told)? {
            Answer::Release(permit) => permit,
            other => return Err(anyhow!("not released: {other:?}")),
        };
        let (action, result) = (permit.action(), Some(work::result(step, 3_000)));
        let report = Report { session, action, effect: work::effect(), result };
        door.report(report).await.map_err(told)?;
    }
    warden.end_session(started.session, "done".to_owned()).map_err(told)
}

fn call(step: u64) -> Result<(Operation, String)> {
    if step % 10 == 9 {
        return Ok((work::tool("mail", "send_mail")?, work::mail_arguments(step, 800)));
    }
    Ok((work::tool("files", "read_text_file")?, work::read_arguments(step)))
}

/// A fault has its own words.
#[expect(clippy::needless_pass_by_value, reason = "this is what `map_err` hands over")]
fn told(fault: Fault) -> anyhow::Error {
    anyhow!("{fault}")
}
