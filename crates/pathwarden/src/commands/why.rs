//! `why`.

use std::process::ExitCode;

use pathwarden_types::{ActionId, GivenBy, Obligation, Ratio};
use pathwarden_wire::{OriginShown, SnippetShown, Why};

use crate::cli::At;
use crate::home::client;
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, action: ActionId, out: &Out) -> anyhow::Result<ExitCode> {
    let why: Why = client(at)?.get(&format!("/v1/actions/{action}/why")).await?;
    if out.is_json() {
        out.document(&why)?;
        return Ok(ExitCode::SUCCESS);
    }
    let decided = &why.decided;
    out.line(format!(
        "{} {} on {}: {}",
        out.strong(&decided.action.to_string()),
        one_line(&decided.operation.name, 80),
        decided.operation.server,
        out.verdict(decided.verdict),
    ));
    out.line(format!("decided   {} as step {}", time(why.at), decided.position.step));
    out.line(format!("record    {} of the ledger, {:?}", why.index, decided.mode).to_lowercase());
    out.line(format!("policy    {}", decided.policy));
    out.line(format!("asked by  {}", decided.identity.principal));
    if !why.task.is_empty() {
        out.line(format!("task      {}", one_line(&why.task, 200)));
    }
    let arguments = why.arguments.as_deref().unwrap_or("(erased)");
    out.line(format!("arguments {}", one_line(arguments, 400)));
    rules(&why, out);
    origins(&why, out);
    risk(&why, out);
    if let Some(effect) = &why.effect {
        let outcome = format!("{:?}", effect.outcome).to_lowercase();
        out.line(out.strong("effect"));
        out.line(format!(
            "  {outcome} in {} ms, {} bytes out, {} bytes back",
            effect.elapsed_ms, effect.request_bytes, effect.response_bytes
        ));
        if !effect.detail.is_empty() {
            out.line(format!("  {}", one_line(&effect.detail, 200)));
        }
    }
    changes(&why, out);
    Ok(ExitCode::SUCCESS)
}

fn rules(why: &Why, out: &Out) {
    out.line(out.strong("rules that spoke"));
    for hit in &why.decided.hits {
        let place = match hit.line {
            0 => "the engine".to_owned(),
            line => format!("{}:{line}", hit.file),
        };
        out.line(format!("  {:9} {} ({place})", out.verdict(hit.verdict), hit.rule));
        out.line(format!("            {}", one_line(&hit.reason, 200)));
        if !hit.advice.is_empty() {
            out.line(format!("            the agent was told: {}", one_line(&hit.advice, 200)));
        }
    }
    for obligation in &why.decided.obligations {
        out.line(format!("  {}", in_words(obligation)));
    }
    if let Some(approval) = &why.decided.approval {
        let answer = match &approval.answer {
            None => "is asked".to_owned(),
            Some(answer) => format!("{} said {:?} ({})", answer.by, answer.choice, answer.note),
        };
        out.line(format!("  approval {} {answer}", approval.id));
    }
}

/// Who gave the values that decide something, each with the place where it stood.
fn origins(why: &Why, out: &Out) {
    if why.origins.is_empty() {
        return;
    }
    out.line(out.strong("where the values came from"));
    for OriginShown { origin, snippet } in &why.origins {
        let giver = match origin.given_by {
            GivenBy::Task => "the task",
            GivenBy::Content => "content of your own",
            GivenBy::Record => "a field of a record",
            GivenBy::Pointed => "text that the task points to",
            GivenBy::Nobody => "nobody",
            GivenBy::OutsideContent => "text of outsiders",
            GivenBy::Ordered => "a sentence that orders this",
        };
        let from = origin.place.map(|place| format!(", in what {} returned", place.action));
        out.line(format!(
            "  {} {}: {giver}{}",
            origin.role,
            origin.pointer,
            from.unwrap_or_default()
        ));
        if let Some(SnippetShown { before, value, after }) = snippet {
            let shown = |text: &str| one_line(text, SNIPPET_CHARS_MAX);
            let value = out.strong(&shown(value));
            out.line(format!("            …{}{value}{}…", shown(before), shown(after)));
        }
    }
}

/// How much of each part of a place is shown, in characters.
const SNIPPET_CHARS_MAX: usize = 160;

fn in_words(obligation: &Obligation) -> String {
    match obligation {
        Obligation::Rewrite { pointer, value } => {
            format!("must send {pointer} as `{}`", one_line(value, 400))
        }
        Obligation::Redact { pointer, classes } => {
            format!("must cut {} out of {pointer}", classes.join(", "))
        }
        Obligation::RateLimit { per_minute } => format!("at most {per_minute} a minute"),
        Obligation::Watch => "marked for a person to look at".to_owned(),
    }
}

fn risk(why: &Why, out: &Out) {
    let risk = &why.decided.risk;
    out.line(format!(
        "{} {} = likelihood {} × impact {}, confidence {}",
        out.strong("risk"),
        risk.score,
        risk.likelihood,
        risk.impact,
        why.decided.confidence,
    ));
    for term in risk.terms.iter().filter(|term| term.signal.confidence > Ratio::ZERO) {
        let kind = format!("{:?}", term.signal.kind);
        out.line(format!(
            "  {kind:19} {} × weight {} × sure {}  {}",
            term.signal.value, term.weight, term.signal.confidence, term.signal.words
        ));
    }
}

fn changes(why: &Why, out: &Out) {
    if why.would_change.is_empty() {
        return;
    }
    out.line(out.strong("what would have changed the answer"));
    for change in &why.would_change {
        let silent = match change.silent.as_slice() {
            [] => String::new(),
            rules => format!(" (without {})", rules.join(", ")),
        };
        out.line(format!("  {:9} if {}{silent}", out.verdict(change.verdict), change.if_instead));
    }
}
