//! `path`.

use std::process::ExitCode;

use pathwarden_types::{
    ActionId, Claim, HostAct, HostAttempt, HostVerb, Integrity, Measured, MeasuredAct,
    OperationKind, Outcome, PointPhase, PointStanding, SessionId, Verdict,
};
use pathwarden_wire::{ActionPath, PathEvent, PathEventKind, SaidShown, Step, WindowShown};

use crate::cli::At;
use crate::commands::contain::taken;
use crate::home::client;
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, session: SessionId, out: &Out) -> anyhow::Result<ExitCode> {
    let path: ActionPath = client(at)?.get(&format!("/v1/sessions/{session}/path")).await?;
    if out.is_json() {
        out.document(&path)?;
        return Ok(ExitCode::SUCCESS);
    }
    let agent = &path.agent;
    out.line(format!(
        "{} {} ({}, answered for by {})",
        out.strong("session"),
        path.session,
        agent.name,
        if agent.owner.is_empty() { "nobody" } else { &agent.owner },
    ));
    let task = if path.task.is_empty() { "(nobody stated one)" } else { &path.task };
    out.line(format!("{} {}", out.strong("task"), one_line(task, 200)));
    let (canaries, steps): (Vec<Step>, Vec<Step>) =
        path.steps.iter().cloned().partition(is_refused_canary);
    print(&steps, None, "", out);
    if !canaries.is_empty() {
        let count = canaries.len();
        out.line(out.faint(&format!("and {count} canaries refused; --json shows them")));
    }
    for event in &path.events {
        print_event(event, out);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether an enforcement point tried something here, and was refused as it should be.
fn is_refused_canary(step: &Step) -> bool {
    let is_on_canary = |act: &HostAct| {
        act.place == "warden" && (act.verb == HostVerb::Reach || act.what.contains("/canary/"))
    };
    let is_canary = step.operation.server.as_str() == "pathwarden-canary"
        || step.host.as_ref().is_some_and(|host| host.acts.iter().any(is_on_canary));
    is_canary && !step.verdicts.iter().any(|verdict| verdict.lets_through())
}

/// Prints the actions that `parent` caused, each with what it caused below it.
fn print(steps: &[Step], parent: Option<ActionId>, indent: &str, out: &Out) {
    let is_known = |id: ActionId| steps.iter().any(|step| step.action == id);
    let children: Vec<&Step> =
        steps.iter().filter(|step| step.parent.filter(|id| is_known(*id)) == parent).collect();
    for (number, step) in children.iter().enumerate() {
        let last = number + 1 == children.len();
        let (branch, stem) = if last { ("└─", "  ") } else { ("├─", "│ ") };
        print_step(step, &format!("{indent}{branch} "), &format!("{indent}{stem}   "), out);
        // An action cannot be its own cause: ids are given by the node, causes come before.
        if step.parent != Some(step.action) {
            print(steps, Some(step.action), &format!("{indent}{stem} "), out);
        }
    }
}

fn print_step(step: &Step, first: &str, rest: &str, out: &Out) {
    let verdicts: Vec<String> = step.verdicts.iter().map(|verdict| out.verdict(*verdict)).collect();
    let outcome = match (step.outcome, step.elapsed_ms) {
        (Some(Outcome::Done), Some(ms)) => format!(" → done in {ms} ms"),
        (Some(Outcome::Failed), _) => " → failed".to_owned(),
        (Some(Outcome::Unknown), _) => " → unknown".to_owned(),
        _ => String::new(),
    };
    let state = match (step.verdicts.is_empty(), step.claim) {
        (true, _) => out.faint("emitted, never carried out"),
        (false, Some(Claim::Altered)) => format!("{} altered", verdicts.join(" then ")),
        (false, Some(Claim::Orphan)) => format!("{} orphan", verdicts.join(" then ")),
        // It has happened, whatever is said about it.
        (false, _) if step.operation.kind == OperationKind::Effect => {
            format!("happened, judged {}", verdicts.join(" then "))
        }
        (false, Some(Claim::Emitted) | None) => verdicts.join(" then "),
    };
    out.line(format!(
        "{first}{} {}.{} {state}{outcome}",
        out.faint(&step.action.to_string()),
        step.operation.server,
        one_line(&step.operation.name, 60),
    ));
    if let Some(window) = &step.window {
        print_window(window, rest, out);
    }
    if let Some(said) = &step.said {
        print_said(said, rest, out);
    }
    if let Some(host) = &step.host {
        print_host(host, rest, out);
    }
    if let Some(measured) = &step.measured {
        print_measured(measured, rest, out);
    }
    if step.verdicts.iter().any(|verdict| *verdict != Verdict::Allow) {
        for because in &step.because {
            out.line(format!("{rest}{}: {}", because.rule, one_line(&because.reason, 160)));
        }
    }
}

/// What a process does to the machine.
fn print_host(host: &HostAttempt, rest: &str, out: &Out) {
    for act in &host.acts {
        let line = format!("{} {} {}", act.verb.as_str(), act.place, one_line(&act.what, 90));
        out.line(format!("{rest}{}", out.faint(&line)));
    }
    if !host.doubts.is_empty() {
        out.line(format!("{rest}{}", out.faint(&host.doubts.join(", "))));
    }
}

/// What the kernel saw, beside what the server said.
fn print_measured(measured: &Measured, rest: &str, out: &Out) {
    let lost = if measured.lost > 0 { ", events lost" } else { "" };
    let started = measured.processes;
    out.line(format!("{rest}measured: {started} processes started{lost}"));
    for MeasuredAct { act, times, sent_bytes, received_bytes, refused, .. } in &measured.acts {
        let bytes = match (sent_bytes, received_bytes) {
            (0, 0) => String::new(),
            _ => format!(", {sent_bytes} bytes out, {received_bytes} in"),
        };
        let refused = if *refused { ", refused" } else { "" };
        let what = one_line(&act.what, 80);
        let (verb, place) = (act.verb.as_str(), &act.place);
        out.line(format!("{rest}  {verb} {place} {what} ({times} times{bytes}{refused})"));
    }
    if measured.more > 0 {
        out.line(format!("{rest}  and {} more", measured.more));
    }
}

/// What else happened.
fn print_event(event: &PathEvent, out: &Out) {
    let words = match &event.what {
        PathEventKind::Found { finding } => format!(
            "{} {} {}: {}",
            out.strong("finding"),
            finding.kind.as_str(),
            one_line(&finding.subject, 60),
            one_line(&finding.detail, 160)
        ),
        PathEventKind::Contained { standing } => format!(
            "{} {} of {} until {}, by {}",
            out.strong("contained"),
            taken(&standing.restriction),
            standing.restriction.target,
            time(standing.expires),
            one_line(&standing.by, 80)
        ),
        PathEventKind::Released { restriction, by } => {
            let (released, target) = (out.strong("released"), &restriction.target);
            format!("{released} {} of {target}, by {by}", taken(restriction))
        }
        PathEventKind::Point { standing } => point_words(standing, out),
    };
    out.line(format!("{} {words}", out.faint(&time(event.at))));
}

fn point_words(standing: &PointStanding, out: &Out) -> String {
    let phase = match standing.phase {
        PointPhase::Ready => "ready",
        PointPhase::NotReady => "NOT READY",
        PointPhase::Done => "done",
    };
    let refused = standing.canaries.iter().filter(|canary| canary.refused).count();
    let planes = standing
        .coverage
        .iter()
        .map(|plane| format!("{} {}/{} governed", plane.plane, plane.governed, plane.observed));
    let planes: Vec<String> = planes.collect();
    format!(
        "{} {} {phase} ({}), {refused} of {} canaries refused{}{}",
        out.strong("point"),
        standing.point,
        standing.tier,
        standing.canaries.len(),
        if planes.is_empty() { "" } else { "; " },
        planes.join(", ")
    )
}

/// What was new in the window of a model call.
fn print_window(window: &WindowShown, rest: &str, out: &Out) {
    if matches!(window.change.as_str(), "truncated" | "compacted" | "rewritten") {
        out.line(format!("{rest}window {}", window.change));
    }
    for piece in &window.added {
        let integrity = match piece.integrity {
            Integrity::Trusted => "",
            Integrity::FirstParty => " (first-party)",
            Integrity::Untrusted => " (untrusted)",
        };
        let text = one_line(piece.text.as_deref().unwrap_or("(gone)"), 90);
        let line = format!("in  {}{integrity}: {text}", piece.kind.as_str());
        let is_untrusted = piece.integrity == Integrity::Untrusted;
        out.line(format!("{rest}{}", if is_untrusted { line } else { out.faint(&line) }));
    }
}

fn print_said(said: &SaidShown, rest: &str, out: &Out) {
    for (what, text) in [("thought", &said.reasoning), ("said", &said.text)] {
        if !text.is_empty() {
            out.line(format!(
                "{rest}{}",
                out.faint(&format!("out {what}: {}", one_line(text, 90)))
            ));
        }
    }
}
