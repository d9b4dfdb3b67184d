//! `ledger`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use pathwarden_types::ActionId;
use pathwarden_wire::Export;

use crate::cli::{At, Ledger};
use crate::home::{Home, client};
use crate::out::Out;

pub(crate) async fn run(at: &At, command: Ledger, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        Ledger::Verify => verify(at, out).await,
        Ledger::Prove { action, out: file } => prove(at, action, file, out).await,
        Ledger::Export => export(at, out).await,
    }
}

/// Lets the node cover every record with a checkpoint, when it runs, and then asks the verifier,
/// which shares no code with the node.
async fn verify(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    if let Ok(client) = client(at) {
        let _: Result<String, _> = client.post("/v1/ledger/publish", &()).await;
    }
    let status = verifier()
        .arg("log")
        .arg(home.ledger())
        .arg("--key")
        .arg(home.verifier_key())
        .args(out.is_json().then_some("--json"))
        .status()
        .context("run `pathwarden-verify` (it is built and installed beside `pathwarden`)")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The verifier that was installed with this program; else the one on the path.
fn verifier() -> Command {
    let beside = env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("pathwarden-verify")))
        .filter(|program| program.exists());
    let mut command = Command::new(beside.unwrap_or_else(|| PathBuf::from("pathwarden-verify")));
    command.env_remove("PATHWARDEN_TOKEN");
    command
}

async fn prove(
    at: &At,
    action: ActionId,
    file: Option<PathBuf>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let proof = client(at)?.text(&format!("/v1/actions/{action}/proof")).await?;
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{action}.tlog-proof")));
    fs::write(&file, proof).with_context(|| format!("write `{}`", file.display()))?;
    if out.is_json() {
        out.document(&serde_json::json!({ "action": action, "proof": file }))?;
    } else {
        out.line(format!("wrote {}", file.display()));
        out.line(format!(
            "check it anywhere: pathwarden-verify proof {} --key {}",
            file.display(),
            Home::new(at)?.verifier_key().display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    let mut first = Some(0);
    while let Some(from) = first {
        let page: Export = client.get(&format!("/v1/ledger/records?first={from}")).await?;
        for record in &page.records {
            out.line(record);
        }
        if page.next.is_some_and(|next| next <= from) {
            bail!("the node's pages do not go on");
        }
        first = page.next;
    }
    Ok(ExitCode::SUCCESS)
}
