//! `agent`.

use std::process::ExitCode;

use crate::cli::{Agent, At};
use crate::home::Home;
use crate::out::Out;
use anyhow::bail;

pub(crate) fn run(at: &At, command: &Agent, out: &Out) -> anyhow::Result<ExitCode> {
    let Agent::Token { agent, reach } = command;
    let home = Home::new(at)?;
    if !home.config()?.agents.contains_key(agent) {
        bail!("there is no agent `{agent}`; add a table [agents.{agent}] to pathwarden.toml");
    }
    let token = home.load_token_key()?.for_agent(agent, None, reach.reach());
    if out.is_json() {
        out.document(&serde_json::json!({ "agent": agent, "token": token }))?;
    } else {
        out.line(token);
    }
    Ok(ExitCode::SUCCESS)
}
