//! `mcp pins`.

mod changes;

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use pathwarden_client::Client;
use pathwarden_types::{Item, ItemKind, Name, Ruling, Trust};
use pathwarden_wire::{PinRow, PinShown, Pins as AllPins, RulePin};

use crate::cli::{At, Kind, Pinned, Pins, RulePinned};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, command: Pins, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    match command {
        Pins::List { server, open } => {
            let pins: AllPins = client.get("/v1/pins").await?;
            let wanted = |row: &PinRow| {
                server.as_ref().is_none_or(|server| row.item.server == *server)
                    && (!open || row.trust != Trust::Known)
            };
            let none = if pins.items.is_empty() {
                "nothing is pinned; a server is when its lists are first asked for"
            } else {
                "nothing of that kind; without `--open` and `--server` every item is listed"
            };
            list(pins.items.into_iter().filter(wanted).collect(), none, out)?;
        }
        Pins::Diff(pinned) => diff(&shown(&client, pinned).await?, out)?,
        Pins::Accept(rule) => give(&client, rule, Ruling::Accept, out).await?,
        Pins::Revoke(rule) => give(&client, rule, Ruling::Revoke, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(rows: Vec<PinRow>, none: &str, out: &Out) -> anyhow::Result<()> {
    if out.is_json() {
        return out.document(&rows);
    }
    if rows.is_empty() {
        out.line(none);
    }
    for row in rows {
        out.line(format!(
            "{:<9} {}  {}",
            row.trust.as_str(),
            out.strong(&one_line(&row.item.to_string(), 160)),
            out.faint(&format!("since {}", time(row.touched))),
        ));
        for reason in &row.reasons {
            out.line(format!("          {}", one_line(reason, 200)));
        }
    }
    Ok(())
}

async fn shown(client: &Client, pinned: Pinned) -> anyhow::Result<PinShown> {
    let Pinned { server, name, kind } = pinned;
    let item = match kind.map(item_kind) {
        Some(kind) if name.is_empty() && !kind.is_whole_server() => bail!(
            "say which {} of `{server}`; see `pathwarden mcp pins list {server}`",
            kind.as_str()
        ),
        Some(kind) => Item { server, kind, name },
        None => {
            let pins: AllPins = client.get("/v1/pins").await?;
            only(pins.items.into_iter().map(|row| row.item), &server, &name)?
        }
    };
    Ok(client.get(&format!("/v1/pins/{}", item.id())).await?)
}

const fn item_kind(kind: Kind) -> ItemKind {
    match kind {
        Kind::Tool => ItemKind::Tool,
        Kind::Prompt => ItemKind::Prompt,
        Kind::Template => ItemKind::Template,
        Kind::Instructions => ItemKind::Instructions,
        Kind::Program => ItemKind::Program,
    }
}

/// The item of this name, whatever its kind.
fn only(items: impl Iterator<Item = Item>, server: &Name, name: &str) -> anyhow::Result<Item> {
    let named: Vec<Item> =
        items.filter(|item| item.server == *server && item.name == name).collect();
    match named.as_slice() {
        [item] => Ok(item.clone()),
        [] if name.is_empty() => {
            bail!("say what of `{server}`; see `pathwarden mcp pins list {server}`")
        }
        [] => bail!(
            "`{server}` has shown nothing that is called `{name}`; see `pathwarden mcp pins list {server}`"
        ),
        several => {
            let kinds: Vec<&str> = several.iter().map(|item| item.kind.as_str()).collect();
            bail!("`{server}` has more than one of this name; add --kind {}", kinds.join(" or "))
        }
    }
}

fn diff(shown: &PinShown, out: &Out) -> anyhow::Result<()> {
    if out.is_json() {
        return out.document(shown);
    }
    let PinShown { pin, accepted, current } = shown;
    out.line(format!(
        "{}: {}",
        out.strong(&one_line(&pin.item.to_string(), 160)),
        pin.trust.as_str()
    ));
    for reason in &pin.reasons {
        out.line(format!("  because {}", one_line(reason, 200)));
    }
    let current = current.as_deref().ok_or_else(|| anyhow!("its present form is gone"))?;
    for line in changes::between(accepted.as_deref(), current, out) {
        out.line(format!("  {line}"));
    }
    out.line(out.faint(&format!("  form {}", pin.current)));
    Ok(())
}

async fn give(client: &Client, rule: RulePinned, ruling: Ruling, out: &Out) -> anyhow::Result<()> {
    let RulePinned { pinned, seen, note, by } = rule;
    let shown = shown(client, pinned).await?;
    let content = shown.pin.current;
    if seen.is_some_and(|seen| seen.is_empty() || !content.to_string().starts_with(&seen)) {
        bail!(
            "{} has another form by now; look at it with `pathwarden mcp pins diff`",
            shown.pin.item
        );
    }
    let item = shown.pin.item.clone();
    let rule = RulePin { item, content, ruling, by: person(by)?, note };
    let row: PinRow = client.post("/v1/rulings", &rule).await?;
    if out.is_json() {
        return out.document(&row);
    }
    if ruling == Ruling::Accept {
        diff(&shown, out)?;
    }
    let item = one_line(&row.item.to_string(), 160);
    out.line(format!("{item} is {} now", out.strong(row.trust.as_str())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Item, ItemKind};

    use super::only;

    #[test]
    fn an_item_is_found_without_its_kind_where_only_one_has_the_name() {
        let item = |server: &str, kind, name: &str| Item {
            server: server.parse().expect("a name"),
            kind,
            name: name.to_owned(),
        };
        let items = [
            item("host", ItemKind::Program, "/srv/just"),
            item("sums", ItemKind::Tool, "add"),
            item("sums", ItemKind::Prompt, "add"),
            item("sums", ItemKind::Tool, "list"),
        ];
        let found = |server: &str, name| {
            only(items.iter().cloned(), &server.parse().expect("a name"), name)
                .map_err(|error| error.to_string())
        };
        assert_eq!(found("host", "/srv/just"), Ok(items[0].clone()));
        assert_eq!(found("sums", "list"), Ok(items[3].clone()));
        let error = found("sums", "add").expect_err("two of them");
        assert!(error.ends_with("add --kind tool or prompt"), "{error}");
        let error = found("host", "add").expect_err("none");
        assert!(error.contains("pins list host"), "{error}");
    }
}
