//! `approvals`.

use std::process::ExitCode;

use anyhow::anyhow;
use pathwarden_client::Client;
use pathwarden_types::{ApprovalId, Choice, HostAttempt};
use pathwarden_wire::{AnswerApproval, ApprovalRow};

use crate::cli::{Answer, Approvals, At};
use crate::home::{client, person};
use crate::out::{Out, one_line, pretty, time};

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
    out.line(format!("task      {}", text(&row, "/task")));
    out.line(format!(
        "would do  {} on {}",
        text(&row, "/action/name"),
        text(&row, "/action/server")
    ));
    let arguments = row.shown.pointer("/action/arguments").cloned().unwrap_or_default();
    out.line(pretty(&arguments)?);
    for reason in row.shown.pointer("/reasons").and_then(|r| r.as_array()).into_iter().flatten() {
        out.line(format!("because   {}", one_line(reason.as_str().unwrap_or_default(), 200)));
    }
    if !row.role.is_empty() {
        out.line(format!("for       {}", one_line(&row.role, TEXT_CHARS_MAX)));
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
    // What the machine's own point asks about, it asks once for a session.
    let is_standing = text(&row, "/action/server") == HostAttempt::SERVER;
    let done = match (choice, is_standing) {
        (Choice::Approve, false) => "approved, once",
        (Choice::Approve, true) => "approved, for the session",
        (Choice::Deny, false) => "denied",
        (Choice::Deny, true) => "denied, for the session",
    };
    out.line(format!("{} {done}", answer.approval));
    Ok(())
}

/// The longest text of what is shown, in characters; the arguments are shown whole.
const TEXT_CHARS_MAX: usize = 400;

/// One text of what is shown. It may be the agent's own, so that it must not reach a terminal as it is.
fn text(row: &ApprovalRow, pointer: &str) -> String {
    let text = row.shown.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default();
    one_line(text, TEXT_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn no_text_of_a_question_reaches_a_terminal_raw() {
        let row = serde_json::from_value(serde_json::json!({
            "action": "b7ad6b7169203331", "approval": "b7ad6b7169203331",
            "session": "0af7651916cd43dd8448eb211c80319c", "role": "", "expires": 1,
            "shown": { "action": { "name": "pay\u{1b}[2K\u{9b}1A\u{202e}\nagent     trusted" } },
            "shown_digest": "0".repeat(64),
        }));
        let shown = text(&row.unwrap(), "/action/name");
        assert_eq!(shown, "pay [2K 1A  agent     trusted");
    }
}
