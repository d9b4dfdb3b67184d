//! `doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use pathwarden_pep_linux::doctor;
use pathwarden_wire::{Health, PolicyStatus};
use serde::Serialize;

use crate::cli::At;
use crate::commands::policy::unmatched;
use crate::home::{Home, client};
use crate::out::{Out, one_line};
use crate::snapshot;

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    fault: Option<String>,
    /// What is no fault, and worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

pub(crate) async fn run(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    let mut checks = vec![
        check("the configuration is sound", home.config().map(drop)),
        policy(&home),
        check("the signing key is there and only yours", private(&home.signing_key())),
        check("the token key is there and only yours", private(&home.token_key())),
        check("the verifier key can be read", home.load_verifier_key().map(drop)),
        check("there is room for the ledger", room(&home)),
    ];
    checks.extend(tier());
    match health(at).await {
        Ok((health, policy)) => {
            checks.push(check("the node answers", Ok(())));
            let writable = if health.ledger_writable {
                Ok(())
            } else {
                Err(anyhow::anyhow!("it takes no records: new actions are denied; make room"))
            };
            checks.push(check("the ledger takes records", writable));
            let loaded = policy.refused_reload.map_or(Ok(()), |why| Err(anyhow::anyhow!(why)));
            checks.push(check("the latest policy decides", loaded));
        }
        Err(error) => checks.push(check("the node answers", Err(error))),
    }
    let sound = checks.iter().all(|check| check.fault.is_none());
    if out.is_json() {
        out.document(&checks)?;
    } else {
        print(&checks, out);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What this machine gives to hold an agent with. Less than everything is no fault: it is worth knowing.
fn tier() -> Vec<Check> {
    let folder = std::env::current_dir().unwrap_or_else(|_| Path::new("/").to_owned());
    let abilities = doctor::abilities(&folder);
    let (kernel, landlock) = (
        abilities.iter().all(|ability| ability.has),
        abilities
            .iter()
            .filter(|ability| matches!(ability.name, "landlock" | "seccomp_notify"))
            .all(|ability| ability.has),
    );
    let what = match (kernel, landlock) {
        (true, _) => "`pathwarden run` has the tier kernel here",
        (false, true) => "`pathwarden run` has the tier landlock here",
        (false, false) => "`pathwarden run` can hold an agent here",
    };
    let notes = abilities.iter().filter(|ability| !ability.has).map(|ability| {
        format!("{} is missing ({}): {}", ability.name, ability.detail, ability.advice)
    });
    let notes = notes.collect();
    let result = match landlock {
        true => Ok(()),
        false => Err(anyhow::anyhow!("it has neither tier; see the notes")),
    };
    vec![Check { notes, ..check(what, result) }]
}

fn check(what: &'static str, result: anyhow::Result<()>) -> Check {
    Check { what, fault: result.err().map(|error| format!("{error:#}")), notes: Vec::new() }
}

fn print(checks: &[Check], out: &Out) {
    for check in checks {
        match &check.fault {
            None => out.line(format!("ok     {}", check.what)),
            Some(fault) => out.line(format!("FAULT  {}: {fault}", check.what)),
        }
        for note in &check.notes {
            out.line(format!("note   {}", one_line(note, 400)));
        }
    }
}

/// The policy with what stands beside it. An entry that cannot be matched is worth a note: nobody is
/// protected by it.
fn policy(home: &Home) -> Check {
    let load = || {
        let config = home.config()?;
        let snapshot = snapshot::load(&home.below(&config.policy_dir), config.settings)?;
        Ok(unmatched(&pathwarden_warden::knowledge(&snapshot)))
    };
    let (notes, result) = match load() {
        Ok(notes) => (notes, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    Check { notes, ..check("the policy compiles", result) }
}

fn private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    anyhow::bail!("others may read `{}`; run chmod 600 on it", path.display())
}

/// Bytes that must be free for the next segment of the ledger.
const ROOM_BYTES_MIN: u64 = 128 << 20;

fn room(home: &Home) -> anyhow::Result<()> {
    let disk = rustix::fs::statvfs(home.ledger())?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= ROOM_BYTES_MIN {
        return Ok(());
    }
    anyhow::bail!("only {} MiB are free; make room before actions are denied", free >> 20)
}

async fn health(at: &At) -> anyhow::Result<(Health, PolicyStatus)> {
    let client = client(at)?;
    Ok((client.get("/v1/health").await?, client.get("/v1/policy").await?))
}
