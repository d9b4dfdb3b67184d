//! `path`.

use std::process::ExitCode;

use pathwarden_types::{ActionId, Claim, Integrity, Outcome, SessionId, Verdict};
use pathwarden_wire::{ActionPath, SaidShown, Step, WindowShown};

use crate::cli::At;
use crate::home::client;
use crate::out::{Out, one_line};

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
    print(&path.steps, None, "", out);
    Ok(ExitCode::SUCCESS)
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
    if step.verdicts.iter().any(|verdict| *verdict != Verdict::Allow) {
        for because in &step.because {
            out.line(format!("{rest}{}: {}", because.rule, one_line(&because.reason, 160)));
        }
    }
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
