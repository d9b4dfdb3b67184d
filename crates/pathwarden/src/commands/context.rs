//! `context`, `diff` and `compare`.

use std::process::ExitCode;

use pathwarden_types::{ActionId, Integrity, SessionId};
use pathwarden_wire::{Comparison, ContextDiff, ContextShown, PieceShown};

use crate::cli::At;
use crate::home::client;
use crate::out::{Out, one_line};

/// How much of a piece is shown, in characters.
const PIECE_CHARS_MAX: usize = 300;

/// Shows what stood in the window at a model call.
pub(crate) async fn run(at: &At, action: ActionId, out: &Out) -> anyhow::Result<ExitCode> {
    let shown: ContextShown = client(at)?.get(&format!("/v1/actions/{action}/context")).await?;
    if out.is_json() {
        out.document(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(format!(
        "{} {} of {} in session {}",
        out.strong("model call"),
        shown.call,
        one_line(&shown.model, 80),
        shown.session
    ));
    let before = shown.before.map(|call| format!(" since {call}")).unwrap_or_default();
    let gone = if shown.gone > 0 { format!(", {} pieces gone", shown.gone) } else { String::new() };
    out.line(format!("window {}{before}{gone}", shown.change));
    if let Some(spawned_by) = shown.spawned_by {
        out.line(format!("a sub-agent, told what to do by {spawned_by}"));
    }
    if let Some(kept) = &shown.continues {
        out.line(format!("goes on with what the provider keeps as {}", one_line(kept, 80)));
    }
    for piece in &shown.pieces {
        print_piece(piece, if piece.is_new { "+" } else { " " }, out);
    }
    if let Some(said) = &shown.said {
        print_said(said, out);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_piece(piece: &PieceShown, mark: &str, out: &Out) {
    let integrity = match piece.integrity {
        Integrity::Trusted => "trusted",
        Integrity::FirstParty => "first-party",
        Integrity::Untrusted => "untrusted",
    };
    let name = piece.name.as_deref().map(|name| format!(" {}", one_line(name, 60)));
    let action = piece.action.map(|action| format!(" {action}")).unwrap_or_default();
    let head = format!(
        "{mark} {:<14} {integrity:<11} {:>7} bytes{}{action}",
        piece.kind.as_str(),
        piece.bytes,
        name.unwrap_or_default()
    );
    out.line(if piece.integrity == Integrity::Untrusted { out.removed(&head) } else { head });
    let text = piece.text.as_deref().unwrap_or("(its content is gone)");
    out.line(format!("    {}", out.faint(&one_line(text, PIECE_CHARS_MAX))));
}

fn print_said(said: &serde_json::Value, out: &Out) {
    let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    out.line(out.strong("said"));
    for (name, words) in [("reasoning", text("reasoning")), ("text", text("text"))] {
        if !words.is_empty() {
            out.line(format!("    {name}: {}", one_line(words, PIECE_CHARS_MAX)));
        }
    }
    let calls = said.get("calls").and_then(serde_json::Value::as_array);
    for call in calls.into_iter().flatten() {
        let of =
            |name: &str| call.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let arguments = one_line(of("arguments"), PIECE_CHARS_MAX);
        out.line(format!("    call {} {} {arguments}", of("action"), one_line(of("name"), 80)));
    }
}

/// Shows two windows beside each other.
pub(crate) async fn diff(
    at: &At,
    first: ActionId,
    second: ActionId,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/actions/{first}/context/diff?against={second}");
    let diff: ContextDiff = client(at)?.get(&path).await?;
    if out.is_json() {
        out.document(&diff)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(format!("{} pieces stand in both windows", diff.both));
    for piece in &diff.only_first {
        print_piece(piece, "-", out);
    }
    for piece in &diff.only_second {
        print_piece(piece, "+", out);
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows where two runs part.
pub(crate) async fn compare(
    at: &At,
    first: SessionId,
    second: SessionId,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/sessions/{first}/compare?against={second}");
    let compared: Comparison = client(at)?.get(&path).await?;
    if out.is_json() {
        out.document(&compared)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(parting) = &compared.parting else {
        out.line(format!("the runs are the same in all {} model calls", compared.same_calls));
        return Ok(ExitCode::SUCCESS);
    };
    out.line(format!("{} model calls are the same; then {}", compared.same_calls, parting.words));
    for (session, call, text) in [
        (first, parting.first_call, &parting.first_text),
        (second, parting.second_call, &parting.second_text),
    ] {
        let call = call.map_or_else(|| "has no such call".to_owned(), |call| format!("at {call}"));
        out.line(format!("{} {session} {call}", out.strong("run")));
        if let Some(text) = text {
            out.line(format!("    {}", one_line(text, 1_000)));
        }
    }
    Ok(ExitCode::SUCCESS)
}
