//! `replay`.

use std::process::ExitCode;

use pathwarden_types::SessionId;
use pathwarden_wire::Replay;

use crate::cli::At;
use crate::home::client;
use crate::out::Out;

pub(crate) async fn run(
    at: &At,
    session: Option<SessionId>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let path = match session {
        Some(session) => format!("/v1/replay?session={session}"),
        None => "/v1/replay".to_owned(),
    };
    let replay: Replay = client(at)?.get(&path).await?;
    if out.is_json() {
        out.document(&replay)?;
    } else {
        print(&replay, out);
    }
    let same = replay.differences.is_empty() && replay.not_replayable == 0;
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(replay: &Replay, out: &Out) {
    out.line(format!(
        "{} decisions in {} session(s) decided again in {} ms: {} identical byte for byte, {} \
         different, {} not replayable",
        replay.decisions,
        replay.sessions,
        replay.elapsed_ms,
        replay.identical,
        replay.decisions - replay.identical - replay.not_replayable,
        replay.not_replayable,
    ));
    for difference in &replay.differences {
        out.line(format!(
            "  record {} action {}: {}",
            difference.index, difference.action, difference.detail
        ));
    }
}
