//! `findings`.

use std::process::ExitCode;

use pathwarden_wire::FindingRow;

use crate::cli::At;
use crate::home::client;
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let rows: Vec<FindingRow> = client(at)?.get("/v1/findings").await?;
    if out.is_json() {
        out.document(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        out.line("nothing was out of order");
    }
    for FindingRow { at, session, finding } in rows {
        let server = finding.server.map(|name| name.to_string()).unwrap_or_default();
        out.line(format!(
            "{}  {:<22} {}  {}",
            out.faint(&time(at)),
            out.strong(finding.kind.as_str()),
            one_line(&server, 40),
            one_line(&finding.subject, 120),
        ));
        let session = session.map(|id| format!("  (session {id})")).unwrap_or_default();
        out.line(format!("    {}{session}", one_line(&finding.detail, 400)));
    }
    Ok(ExitCode::SUCCESS)
}
