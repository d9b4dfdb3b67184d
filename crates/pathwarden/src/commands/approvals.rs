//! `approvals`.

use std::process::ExitCode;

use anyhow::anyhow;
use pathwarden_client::Client;
use pathwarden_types::{ApprovalId, Choice};
use pathwarden_wire::{AnswerApproval, ApprovalRow};

use crate::cli::{Answer, Approvals, At};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, command: Approvals, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    match command {
        Approvals::List => list(&client, out).await?,
        Approvals::Show { approval } => show(&client, approval, out).await?,
        Approvals::Approve(answer) => give(&client, answer, Choice::Approve, out).await?,
        Approvals::Deny(answer) => give(&client, answer, Choice::Deny, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, out: &Out) -> anyhow::Result<()> {
    let rows: Vec<ApprovalRow> = client.get("/v1/approvals").await?;
    if out.is_json() {
        return out.document(&rows);
    }
    if rows.is_empty() {
        out.line("nothing waits for a person");
    }
    for row in rows {
        out.line(format!(
            "{}  {}  {}.{}  until {}",
            out.strong(&row.approval.to_string()),
            text(&row, "/agent/name"),
            text(&row, "/action/server"),
            text(&row, "/action/name"),
            time(row.expires),
        ));
        for reason in row.shown.pointer("/reasons").and_then(|r| r.as_array()).into_iter().flatten()
        {
            out.line(format!("    {}", one_line(reason.as_str().unwrap_or_default(), 160)));
        }
    }
    Ok(())
}

async fn find(client: &Client, approval: ApprovalId) -> anyhow::Result<ApprovalRow> {
    let rows: Vec<ApprovalRow> = client.get("/v1/approvals").await?;
    rows.into_iter()
        .find(|row| row.approval == approval)
        .ok_or_else(|| anyhow!("no question `{approval}` stands; see `pathwarden approvals list`"))
}

async fn show(client: &Client, approval: ApprovalId, out: &Out) -> anyhow::Result<()> {
    let row = find(client, approval).await?;
    if out.is_json() {
        return out.document(&row);
    }
    out.line(format!("{} {}", out.strong("question"), row.approval));
    out.line(format!("agent     {} ({})", text(&row, "/agent/name"), text(&row, "/agent/purpose")));
    out.line(format!("task      {}", one_line(&text(&row, "/task"), 400)));
    out.line(format!(
        "would do  {} on {}",
        text(&row, "/action/name"),
        text(&row, "/action/server")
    ));
    let arguments = row.shown.pointer("/action/arguments").cloned().unwrap_or_default();
    out.line(serde_json::to_string_pretty(&arguments)?);
    for reason in row.shown.pointer("/reasons").and_then(|r| r.as_array()).into_iter().flatten() {
        out.line(format!("because   {}", one_line(reason.as_str().unwrap_or_default(), 200)));
    }
    if !row.role.is_empty() {
        out.line(format!("for       {}", row.role));
    }
    out.line(format!("until     {}", time(row.expires)));
    out.line(format!("answer with `pathwarden approvals approve {}` or `deny`", row.approval));
    Ok(())
}

async fn give(client: &Client, answer: Answer, choice: Choice, out: &Out) -> anyhow::Result<()> {
    let row = find(client, answer.approval).await?;
    let given = AnswerApproval {
        choice,
        by: person(answer.by)?,
        note: answer.note,
        shown_digest: row.shown_digest,
    };
    let () = client.post(&format!("/v1/approvals/{}", answer.approval), &given).await?;
    if out.is_json() {
        return out.document(&serde_json::json!({ "approval": answer.approval, "choice": choice }));
    }
    let done = if choice == Choice::Approve { "approved, once" } else { "denied" };
    out.line(format!("{} {done}", answer.approval));
    Ok(())
}

/// One text of what is shown.
fn text(row: &ApprovalRow, pointer: &str) -> String {
    row.shown.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}
