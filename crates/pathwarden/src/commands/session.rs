//! `session`.

use std::process::ExitCode;

use pathwarden_wire::{EndSession, SessionRow, SessionStanding, StartSession, Started};

use crate::cli::{At, Session};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, command: Session, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    match command {
        Session::Start { agent, task, by, reach } => {
            let start = StartSession { agent, task, stated_by: person(by)?, reach: reach.reach() };
            let started: Started = client.post("/v1/sessions", &start).await?;
            if out.is_json() {
                out.document(&started)?;
            } else {
                out.line(format!("session {}", started.session));
                out.line(format!("token   {}", started.token));
                out.line("give the token to the agent as PATHWARDEN_TOKEN");
            }
        }
        Session::List => {
            let rows: Vec<SessionRow> = client.get("/v1/sessions").await?;
            if out.is_json() {
                out.document(&rows)?;
            } else {
                print(&rows, out);
            }
        }
        Session::End { session, reason } => {
            let path = format!("/v1/sessions/{session}/end");
            let () = client.post(&path, &EndSession { reason }).await?;
            if out.is_json() {
                out.document(&serde_json::json!({ "ended": session }))?;
            } else {
                out.line(format!("ended {session}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(rows: &[SessionRow], out: &Out) {
    if rows.is_empty() {
        out.line("no sessions yet: `pathwarden session start --agent NAME --task TEXT`");
        return;
    }
    let head = format!(
        "{:32}  {:24}  {:8}  {:7}  {:7}  {:7}  {:16}  task",
        "session", "started", "standing", "actions", "refused", "waiting", "agent"
    );
    out.line(out.strong(&head));
    for row in rows {
        let standing = match row.standing {
            SessionStanding::Open => "open",
            SessionStanding::Isolated => "isolated",
            SessionStanding::Ended => "ended",
        };
        out.line(format!(
            "{:32}  {:24}  {standing:8}  {:7}  {:7}  {:7}  {:16}  {}",
            row.session,
            time(row.started),
            row.actions,
            row.refused,
            row.waiting,
            one_line(row.agent.as_str(), 16),
            one_line(&row.task, 60),
        ));
    }
}
