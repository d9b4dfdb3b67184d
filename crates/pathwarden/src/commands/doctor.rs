//! `doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use pathwarden_pep_linux::doctor;
use pathwarden_pep_linux::doctor::Ability;
use pathwarden_wire::{Fault, Health, PolicyStatus};
use serde::Serialize;

use crate::cli::At;
use crate::commands::policy::unmatched;
use crate::commands::run::checks::workspace;
use crate::home::{Home, client};
use crate::out::{Out, one_line};
use crate::snapshot;

/// One thing that was looked at.
#[derive(Clone, Serialize)]
struct Check {
    what: &'static str,
    fault: Option<String>,
    /// What is no fault, and worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

pub(crate) async fn run(at: &At, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    let checks = match made(&home) {
        Ok(()) => [of_home(&home), vec![tier(&home)], of_node(at).await].concat(),
        // Everything else in it would be missing for the same reason. A node elsewhere needs none of it.
        Err(error) => {
            let is_elsewhere = at.endpoint.is_some() && at.token.is_some();
            let node = if is_elsewhere { of_node(at).await } else { Vec::new() };
            [vec![check("there is a home", Err(error)), tier(&home)], node].concat()
        }
    };
    let sound = checks.iter().all(|check| check.fault.is_none());
    if out.is_json() {
        out.document(&checks)?;
    } else {
        print(&checks, out);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether there is a home to look into.
fn made(home: &Home) -> anyhow::Result<()> {
    let dir = home.dir().display();
    match home.is_made() {
        Ok(true) => Ok(()),
        Ok(false) => bail!(
            "there is none in `{dir}`; make one with `pathwarden init`, or name another with --home"
        ),
        Err(error) => bail!("`{dir}` cannot be looked into ({error}); name another with --home"),
    }
}

fn of_home(home: &Home) -> Vec<Check> {
    vec![
        check("the configuration is sound", home.config().map(drop)),
        policy(home),
        check("the signing key is there and only yours", private(&home.signing_key())),
        check("the token key is there and only yours", private(&home.token_key())),
        check("the verifier key can be read", home.load_verifier_key().map(drop)),
        check("there is room for the ledger", room(home)),
    ]
}

async fn of_node(at: &At) -> Vec<Check> {
    let (health, policy) = match health(at).await {
        Ok(told) => told,
        Err(error) => return vec![check("the node answers", Err(error))],
    };
    let writable = if health.ledger_writable {
        Ok(())
    } else {
        Err(anyhow!("it takes no records: new actions are denied; make room"))
    };
    let loaded = policy.refused_reload.map_or(Ok(()), |why| Err(anyhow!(why)));
    vec![
        check("the node answers", Ok(())),
        check("the ledger takes records", writable),
        check("the latest policy decides", loaded),
    ]
}

/// What this machine gives to hold an agent with. Less than everything is no fault: it is worth knowing.
fn tier(home: &Home) -> Check {
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
    // It is no fault of the machine: another folder will do.
    let unfit = workspace(None, home.dir()).err();
    let unfit = unfit.map(|error| format!("`pathwarden run` cannot work in this folder: {error}"));
    let lacking = abilities.iter().filter(|ability| !ability.has).map(missing);
    let notes = unfit.into_iter().chain(lacking).collect();
    let result = match landlock {
        true => Ok(()),
        false => Err(anyhow!("it has neither tier; see the notes")),
    };
    Check { notes, ..check(what, result) }
}

/// What is missing, and what to do.
pub(crate) fn missing(ability: &Ability) -> String {
    let Ability { name, detail, advice, .. } = ability;
    let is_root = rustix::process::geteuid().is_root();
    match *name {
        // Its detail is the place where it is mounted.
        "cgroup2" if detail.starts_with('/') && is_root => {
            format!("{name} is mounted at {detail}, but not writable: run outside of a container")
        }
        "cgroup2" if detail.starts_with('/') => {
            format!("{name} is mounted at {detail}, but not writable for this user: run as root")
        }
        _ => format!("{name} is missing ({detail}): {advice}"),
    }
}

fn check(what: &'static str, result: anyhow::Result<()>) -> Check {
    Check { what, fault: result.err().as_ref().map(told), notes: Vec::new() }
}

/// An error with its causes, and with the advice of the node or of whoever did not reach it.
fn told(error: &anyhow::Error) -> String {
    match error.chain().find_map(|cause| cause.downcast_ref::<Fault>()) {
        Some(fault) => format!("{error:#}; {}", fault.advice),
        None => format!("{error:#}"),
    }
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
    let metadata = fs::metadata(path).with_context(|| format!("look at `{}`", path.display()))?;
    let mode = metadata.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    bail!("others may read `{}`; run chmod 600 on it", path.display())
}

/// Bytes that must be free for the next segment of the ledger.
const ROOM_BYTES_MIN: u64 = 128 << 20;

fn room(home: &Home) -> anyhow::Result<()> {
    let ledger = home.ledger();
    let disk = rustix::fs::statvfs(&ledger);
    let disk = disk.with_context(|| format!("look at `{}`", ledger.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= ROOM_BYTES_MIN {
        return Ok(());
    }
    bail!("only {} MiB are free; make room before actions are denied", free >> 20)
}

async fn health(at: &At) -> anyhow::Result<(Health, PolicyStatus)> {
    let client = client(at)?;
    Ok((client.get("/v1/health").await?, client.get("/v1/policy").await?))
}
