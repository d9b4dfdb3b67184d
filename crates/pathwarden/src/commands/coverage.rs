//! `coverage`: what enforcement points saw, and how much of it was decided.

use std::collections::BTreeMap;
use std::process::ExitCode;

use pathwarden_types::{Coverage, PointPhase, PointStanding, SessionId};
use pathwarden_wire::{ActionPath, Containments, PathEventKind, SessionRow};
use serde::Serialize;

use crate::cli::At;
use crate::home::client;
use crate::out::Out;

/// The coverage of one session.
#[derive(Serialize)]
struct Covered {
    session: SessionId,
    agent: String,
    points: Vec<PointStanding>,
    planes: Vec<Coverage>,
}

/// How many sessions are looked at where none is named, the latest first.
const SESSIONS_MAX: usize = 20;

pub(crate) async fn run(at: &At, only: Option<SessionId>, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    let sessions = match only {
        Some(session) => vec![session],
        None => {
            let rows: Vec<SessionRow> = client.get("/v1/sessions").await?;
            rows.iter().rev().take(SESSIONS_MAX).map(|row| row.session).collect()
        }
    };
    let live: Containments = client.get("/v1/containments").await?;
    let mut all = Vec::new();
    for session in sessions {
        let path: ActionPath = client.get(&format!("/v1/sessions/{session}/path")).await?;
        all.push(covered(&path, &live));
    }
    if out.is_json() {
        out.document(&all)?;
    } else {
        print(&all, out);
    }
    let sound =
        all.iter().all(|one| one.points.iter().all(|point| point.phase != PointPhase::NotReady));
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The latest standing of each point, and the planes that the gateways govern.
fn covered(path: &ActionPath, live: &Containments) -> Covered {
    let mut points: BTreeMap<String, PointStanding> = BTreeMap::new();
    for event in &path.events {
        if let PathEventKind::Point { standing } = &event.what {
            points.insert(standing.point.clone(), standing.clone());
        }
    }
    for row in live.points.iter().filter(|row| row.session == Some(path.session)) {
        // What it said at its end is the last word.
        let is_done = points.get(&row.point).is_some_and(|last| last.phase == PointPhase::Done);
        if let Some(standing) = row.standing.as_ref().filter(|_| !is_done) {
            points.insert(row.point.clone(), standing.clone());
        }
    }
    let mut planes: BTreeMap<String, Coverage> = BTreeMap::new();
    for step in path.steps.iter().filter(|step| !step.operation.kind.is_on_host()) {
        let plane = step.operation.kind.as_str();
        let of = planes.entry(plane.to_owned()).or_default();
        of.plane = plane.to_owned();
        let is_done = step.outcome.is_some();
        let is_decided = !step.verdicts.is_empty();
        of.observed += u64::from(is_done || is_decided);
        of.governed += u64::from(is_decided);
        of.refused += u64::from(is_decided && !step.verdicts.iter().any(|one| one.lets_through()));
    }
    for plane in points.values().flat_map(|point| &point.coverage) {
        let of = planes.entry(plane.plane.clone()).or_default();
        of.plane.clone_from(&plane.plane);
        of.observed += plane.observed;
        of.governed += plane.governed;
        of.refused += plane.refused;
    }
    Covered {
        session: path.session,
        agent: path.agent.name.to_string(),
        points: points.into_values().collect(),
        planes: planes.into_values().collect(),
    }
}

fn print(all: &[Covered], out: &Out) {
    if all.is_empty() {
        out.line("no sessions yet: `pathwarden run -- COMMAND` starts one");
    }
    for one in all {
        out.line(format!("{} {} ({})", out.strong("session"), one.session, one.agent));
        for point in &one.points {
            let phase = match point.phase {
                PointPhase::Ready => "ready",
                PointPhase::NotReady => {
                    "NOT READY: a canary got through, or a part of it is broken"
                }
                PointPhase::Done => "done",
            };
            out.line(format!("  point {} ({}): {phase}", point.point, point.tier));
            for canary in &point.canaries {
                let word = if canary.refused { "refused" } else { "LET THROUGH" };
                out.line(format!("    canary {:9} {word}", canary.name));
            }
            if point.lost > 0 {
                out.line(format!("    {} events lost: what was seen is not all", point.lost));
            }
        }
        for plane in &one.planes {
            out.line(format!("  {}", plane_line(plane)));
        }
    }
}

fn plane_line(plane: &Coverage) -> String {
    let percent = match plane.observed {
        0 => 1_000,
        observed => plane.governed.saturating_mul(1_000) / observed,
    };
    format!(
        "{:14} {:>7} governed of {:>7} observed ({}.{} %), {} refused",
        plane.plane,
        plane.governed,
        plane.observed,
        percent / 10,
        percent % 10,
        plane.refused
    )
}
