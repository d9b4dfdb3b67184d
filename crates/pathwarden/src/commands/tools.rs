//! `mcp tools`.

use std::process::ExitCode;

use pathwarden_wire::{Pins, SwitchTool};

use crate::cli::{At, Switch, Tools};
use crate::home::{client, person};
use crate::out::{Out, one_line};

pub(crate) async fn run(at: &At, command: Tools, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    let switch = |switch: Switch, disabled| -> anyhow::Result<SwitchTool> {
        let Switch { server, tool, agent, by } = switch;
        Ok(SwitchTool { server, tool, agent, disabled, by: person(by)? })
    };
    let path = "/v1/tools/switch";
    let pins: Pins = match command {
        Tools::List => client.get("/v1/pins").await?,
        Tools::Disable(tool) => client.post(path, &switch(tool, true)?).await?,
        Tools::Enable(tool) => client.post(path, &switch(tool, false)?).await?,
    };
    if out.is_json() {
        out.document(&pins.disabled)?;
        return Ok(ExitCode::SUCCESS);
    }
    if pins.disabled.is_empty() {
        out.line("no tool is switched off");
    }
    for row in pins.disabled {
        let whom = row.agent.map_or_else(|| "all".to_owned(), |agent| agent.to_string());
        let (server, tool) = (row.server.to_string(), one_line(&row.tool, 120));
        out.line(format!(
            "off  {}  for {whom}, by {}",
            out.strong(&format!("{server} {tool}")),
            row.by
        ));
    }
    Ok(ExitCode::SUCCESS)
}
