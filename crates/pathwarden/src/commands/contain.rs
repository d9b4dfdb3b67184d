//! `contain` and `release`.

use std::process::ExitCode;

use anyhow::bail;
use pathwarden_types::Verb;
use pathwarden_wire::{Containments, PointRow};

use crate::cli::{At, Contain, Release};
use crate::home::{client, person};
use crate::out::{Out, one_line, time};

pub(crate) async fn run(at: &At, args: Contain, out: &Out) -> anyhow::Result<ExitCode> {
    if args.target == "list" && args.verbs.is_empty() {
        let standing: Containments = client(at)?.get("/v1/containments").await?;
        return show(&standing, out);
    }
    let (verbs, tool) = read_verbs(&args.verbs)?;
    let ttl_ms = u64::try_from(args.ttl.as_millis()).unwrap_or(u64::MAX);
    let (target, by, reason) = (args.target, person(args.by)?, args.reason);
    let contain = pathwarden_wire::Contain { target, verbs, tool, ttl_ms, by, reason };
    let standing: Containments = client(at)?.post("/v1/containments", &contain).await?;
    show(&standing, out)
}

pub(crate) async fn release(at: &At, args: Release, out: &Out) -> anyhow::Result<ExitCode> {
    let verbs = args.verbs.iter().map(|verb| verb.parse()).collect::<Result<Vec<Verb>, _>>()?;
    let release = pathwarden_wire::Release { target: args.target, verbs, by: person(args.by)? };
    let standing: Containments = client(at)?.post("/v1/containments/release", &release).await?;
    show(&standing, out)
}

/// Verbs in a row; the word after `disable-tool` is the tool.
fn read_verbs(words: &[String]) -> anyhow::Result<(Vec<Verb>, String)> {
    let (mut verbs, mut tool) = (Vec::new(), String::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let verb: Verb = word.parse()?;
        if verb == Verb::DisableTool {
            match words.next() {
                Some(name) if tool.is_empty() => tool.clone_from(name),
                Some(_) => bail!("one tool at a time: run `contain` once for each"),
                None => bail!("`disable-tool` needs the name of a tool after it"),
            }
        }
        verbs.push(verb);
    }
    Ok((verbs, tool))
}

/// What stands, and who has applied it. Fails while somebody has not.
fn show(standing: &Containments, out: &Out) -> anyhow::Result<ExitCode> {
    let all_applied = standing.points.iter().all(|point| point.applied);
    if out.is_json() {
        out.document(standing)?;
    } else {
        if standing.standing.is_empty() {
            out.line("nothing is taken from anybody");
        }
        for one in &standing.standing {
            out.line(format!(
                "{} {} until {}, by {}: {}",
                out.strong(&one.restriction.verb.to_string()),
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
    Ok(if all_applied { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
