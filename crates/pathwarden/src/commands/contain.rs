//! `contain` and `release`.

use std::process::ExitCode;

use anyhow::bail;
use pathwarden_types::{Restriction, Target, Verb};
use pathwarden_wire::{Containments, PointRow};
use serde::Serialize;

use crate::cli::{At, Contain, Release};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, args: Contain, out: &Out) -> anyhow::Result<ExitCode> {
    if args.target == "list" && args.verbs.is_empty() {
        let standing: Containments = client(at)?.get("/v1/containments").await?;
        return show(&standing, out);
    }
    let (verbs, tool) = read_verbs(&args.verbs)?;
    if tool.is_empty() && verbs.contains(&Verb::DisableTool) {
        bail!("`disable-tool` needs the name of a tool after it");
    }
    let ttl_ms = u64::try_from(args.ttl.as_millis()).unwrap_or(u64::MAX);
    let (target, by, reason) = (args.target, person(args.by)?, args.reason);
    let contain = pathwarden_wire::Contain { target, verbs, tool, ttl_ms, by, reason };
    let standing: Containments = client(at)?.post("/v1/containments", &contain).await?;
    show(&standing, out)
}

pub(crate) async fn release(at: &At, args: Release, out: &Out) -> anyhow::Result<ExitCode> {
    let (verbs, tool) = read_verbs(&args.verbs)?;
    let client = client(at)?;
    let before: Containments = client.get("/v1/containments").await?;
    let (target, by) = (args.target, person(args.by)?);
    let release = pathwarden_wire::Release { target, verbs, tool, by };
    let after: Containments = client.post("/v1/containments/release", &release).await?;
    let given_back = given_back(&before, &after, &release);
    if out.is_json() {
        out.document(&Released { given_back, after: &after })?;
        return Ok(status(&after));
    }
    for one in &given_back {
        out.line(format!("given back: {} of {}", out.strong(&taken(one)), one.target));
    }
    show(&after, out)
}

/// What `release` says to a program.
#[derive(Serialize)]
struct Released<'a> {
    given_back: Vec<&'a Restriction>,
    #[serde(flatten)]
    after: &'a Containments,
}

/// What stood before and does not any more. What lapsed meanwhile for others is not meant.
fn given_back<'a>(
    before: &'a Containments,
    after: &Containments,
    release: &pathwarden_wire::Release,
) -> Vec<&'a Restriction> {
    let is_meant = |one: &Restriction| {
        (release.verbs.is_empty() || release.verbs.contains(&one.verb))
            && is_called(&one.target, &release.target)
    };
    let stands = |one: &Restriction| after.standing.iter().any(|other| other.restriction == *one);
    let before = before.standing.iter().map(|one| &one.restriction);
    before.filter(|one| is_meant(one) && !stands(one)).collect()
}

/// Whether a person may have meant this target by the text.
fn is_called(target: &Target, text: &str) -> bool {
    match target {
        Target::Session { session } => text.parse() == Ok(*session),
        Target::Agent { agent } => text.strip_prefix("agent:").unwrap_or(text) == agent.as_str(),
        Target::Server { server } => {
            text.strip_prefix("server:").unwrap_or(text) == server.as_str()
        }
    }
}

/// What is taken, with the tool where it is one.
pub(super) fn taken(restriction: &Restriction) -> String {
    let Restriction { verb, tool, .. } = restriction;
    if tool.is_empty() { verb.to_string() } else { format!("{verb} {}", one_line(tool, 120)) }
}

/// Verbs in a row; the word after `disable-tool` is the tool.
fn read_verbs(words: &[String]) -> anyhow::Result<(Vec<Verb>, String)> {
    let (mut verbs, mut tool) = (Vec::new(), String::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let verb: Verb = word.parse()?;
        if verb == Verb::DisableTool && !tool.is_empty() {
            bail!("one tool at a time: run it once for each");
        }
        if verb == Verb::DisableTool {
            tool = words.next().cloned().unwrap_or_default();
        }
        verbs.push(verb);
    }
    Ok((verbs, tool))
}

/// What stands, and who has applied it. Fails while somebody has not.
fn show(standing: &Containments, out: &Out) -> anyhow::Result<ExitCode> {
    if out.is_json() {
        out.document(standing)?;
    } else {
        if standing.standing.is_empty() {
            out.line("nothing is taken from anybody");
        }
        for one in &standing.standing {
            out.line(format!(
                "{} {} until {}, by {}: {}",
                out.strong(&taken(&one.restriction)),
                one.restriction.target,
                time(one.expires),
                one_line(&one.by, 60),
                one_line(&one.reason, 120),
            ));
        }
        for point in &standing.points {
            out.line(point_line(point));
        }
    }
    Ok(status(standing))
}

fn status(standing: &Containments) -> ExitCode {
    let all_applied = standing.points.iter().all(|point| point.applied);
    if all_applied { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn point_line(point: &PointRow) -> String {
    let took = point.after_us.map_or_else(String::new, |us| {
        let whole = us / 1_000;
        format!(" in {whole}.{} ms", (us % 1_000) / 100)
    });
    match (point.applied, point.failed.is_empty()) {
        (true, _) => format!("  applied      {}{took}", point.point),
        (false, false) => format!("  NOT APPLIED  {}: {}", point.point, point.failed.join("; ")),
        (false, true) => {
            format!("  NOT APPLIED  {} (last heard of at epoch {})", point.point, point.epoch)
        }
    }
}
