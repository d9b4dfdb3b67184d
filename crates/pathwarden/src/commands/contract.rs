//! `contract`: what tools did to the machine, as contracts to review.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use pathwarden_behaviour::EffectContract;
use pathwarden_types::Name;
use pathwarden_wire::{ActionPath, SessionRow};

use crate::cli::{At, Contract};
use crate::home::client;
use crate::out::Out;

pub(crate) async fn run(at: &At, command: Contract, out: &Out) -> anyhow::Result<ExitCode> {
    let Contract::Learn { server } = command;
    let client = client(at)?;
    let rows: Vec<SessionRow> = client.get("/v1/sessions").await?;
    let mut contracts: BTreeMap<String, EffectContract> = BTreeMap::new();
    for row in rows {
        let path: ActionPath = client.get(&format!("/v1/sessions/{}/path", row.session)).await?;
        learn(&server, &path, &mut contracts);
    }
    if contracts.is_empty() {
        bail!(
            "no call of a tool of `{server}` was measured yet; run the agent with `pathwarden run`, and the \
             server with `pathwarden mcp`"
        );
    }
    if out.is_json() {
        out.document(&contracts)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line("# Learned from what was measured. Read it before you put it into pathwarden.toml.");
    for (tool, contract) in contracts {
        out.line(format!("[servers.{server}.effects.{}]", toml::Value::String(tool)));
        out.line(toml::to_string(&contract)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds what the tools of a server did in one session. What was refused is no part of their work.
fn learn(server: &Name, path: &ActionPath, contracts: &mut BTreeMap<String, EffectContract>) {
    for step in path.steps.iter().filter(|step| step.operation.server == *server) {
        let Some(measured) = &step.measured else { continue };
        let contract = contracts.entry(step.operation.name.clone()).or_default();
        for act in measured.acts.iter().filter(|act| !act.refused) {
            contract.learn(&act.act);
        }
    }
}
