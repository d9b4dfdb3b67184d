//! `memory`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pathwarden_client::Client;
use pathwarden_types::{EntryId, Integrity};
use pathwarden_wire::{MemoryRow, MemoryShown, MemoryWish, RuleMemory, RuledMemory, VersionShown};
use similar::{ChangeTag, TextDiff};

use crate::cli::{At, Memory, Person, Remembered};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, command: Memory, out: &Out) -> anyhow::Result<ExitCode> {
    let client = client(at)?;
    match command {
        Memory::List { store, open } => list(&client, store, open, out).await?,
        Memory::Show(entry) => show(&shown(&client, entry).await?, out)?,
        Memory::Diff { entry, from, to } => {
            diff(&shown(&client, entry).await?, from, to, out)?;
        }
        Memory::Quarantine { entry, from, person } => {
            rule(&client, entry, MemoryWish::Quarantine { from }, person, out).await?;
        }
        Memory::Release { entry, person } => {
            rule(&client, entry, MemoryWish::Release, person, out).await?;
        }
        Memory::Rollback { entry, to, person } => {
            rule(&client, entry, MemoryWish::RollBack { to }, person, out).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, store: Option<String>, open: bool, out: &Out) -> anyhow::Result<()> {
    let rows: Vec<MemoryRow> = client.get("/v1/memory").await?;
    let is_open = |row: &MemoryRow| {
        row.trust == Integrity::Untrusted
            || matches!(row.standing.as_str(), "quarantined" | "rolled_back")
    };
    let wanted = |row: &MemoryRow| {
        store.as_ref().is_none_or(|store| row.entry.store == *store) && (!open || is_open(row))
    };
    let is_nothing_known = rows.is_empty();
    let rows: Vec<MemoryRow> = rows.into_iter().filter(wanted).collect();
    if out.is_json() {
        return out.document(&rows);
    }
    if rows.is_empty() {
        out.line(match is_nothing_known {
            true => "no agent was seen to remember anything; see [memory] in pathwarden.toml",
            false => "nothing of that kind; `pathwarden memory list` has everything",
        });
    }
    for row in rows {
        print_row(&row, out);
    }
    Ok(())
}

fn print_row(row: &MemoryRow, out: &Out) {
    out.line(format!(
        "{:<11} {:<11} {}  {}",
        row.standing,
        trust(row.trust),
        out.strong(&one_line(&row.entry.to_string(), 160)),
        out.faint(&format!(
            "version {}, read {} times, written {}",
            row.latest,
            row.reads,
            time(row.touched)
        )),
    ));
}

const fn trust(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Trusted => "trusted",
        Integrity::FirstParty => "first-party",
        Integrity::Untrusted => "untrusted",
    }
}

async fn shown(client: &Client, entry: Remembered) -> anyhow::Result<MemoryShown> {
    let id = EntryId::new(entry.store, entry.key).id();
    Ok(client.get(&format!("/v1/memory/{id}")).await?)
}

fn show(shown: &MemoryShown, out: &Out) -> anyhow::Result<()> {
    if out.is_json() {
        return out.document(shown);
    }
    print_row(&shown.row, out);
    for version in &shown.versions {
        print_version(version, out);
    }
    for made in &shown.descendants {
        out.line(format!("  made from it: {made}"));
    }
    for decision in &shown.decisions {
        let how = if decision.is_matched { "took a value from it" } else { "had it in context" };
        out.line(format!(
            "  {} {}.{} {} {how}",
            out.faint(&decision.action.to_string()),
            decision.operation.server,
            one_line(&decision.operation.name, 60),
            out.verdict(decision.verdict),
        ));
    }
    Ok(())
}

fn print_version(version: &VersionShown, out: &Out) {
    let session = version.session.map(|session| format!(" in {session}")).unwrap_or_default();
    out.line(format!(
        "  {} {} {}  {}",
        out.strong(&format!("version {}", version.number)),
        version.standing,
        trust(version.trust),
        out.faint(&format!("by {}{session}, {}", version.by, time(version.at))),
    ));
    for parent in &version.derived_from {
        out.line(format!("    made from {parent}"));
    }
    let text = version.text.as_deref().unwrap_or("(its text is gone)");
    out.line(format!("    {}", one_line(text, 400)));
}

fn diff(shown: &MemoryShown, from: Option<u64>, to: Option<u64>, out: &Out) -> anyhow::Result<()> {
    let to = to.unwrap_or(shown.row.latest);
    let from = from.unwrap_or_else(|| to.saturating_sub(1));
    let text = |number: u64| -> anyhow::Result<String> {
        if number == 0 {
            return Ok(String::new());
        }
        let version = shown.versions.iter().find(|version| version.number == number);
        let version = version.with_context(|| format!("there is no version {number}"))?;
        version.text.clone().with_context(|| format!("the text of version {number} is gone"))
    };
    let (before, after) = (text(from)?, text(to)?);
    if out.is_json() {
        let both = serde_json::json!({ "from": from, "before": before, "to": to, "after": after });
        return out.document(&both);
    }
    out.line(format!("{}: version {from} to {to}", out.strong(&shown.row.entry.to_string())));
    for change in TextDiff::from_lines(&before, &after).iter_all_changes() {
        let line = one_line(change.value().trim_end_matches('\n'), 400);
        out.line(match change.tag() {
            ChangeTag::Equal => format!("  {line}"),
            ChangeTag::Delete => out.removed(&format!("- {line}")),
            ChangeTag::Insert => out.added(&format!("+ {line}")),
        });
    }
    Ok(())
}

async fn rule(
    client: &Client,
    entry: Remembered,
    wish: MemoryWish,
    who: Person,
    out: &Out,
) -> anyhow::Result<()> {
    let Person { note, by } = who;
    let entry = EntryId::new(entry.store, entry.key);
    let rule = RuleMemory { entry, wish, by: person(by)?, note };
    let ruled: RuledMemory = client.post("/v1/memory/rulings", &rule).await?;
    if out.is_json() {
        return out.document(&ruled);
    }
    if ruled.entries.is_empty() {
        bail!("nothing was concerned by it");
    }
    for row in &ruled.entries {
        print_row(row, out);
    }
    Ok(())
}
