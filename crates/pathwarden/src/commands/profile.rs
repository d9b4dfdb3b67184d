//! `profile`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use pathwarden_behaviour::{Baseline, drift};
use pathwarden_types::Name;
use pathwarden_wire::{LearnProfile, LearnedProfile, Lessons, Profile as Learned};
use serde_json::{Value, json};

use crate::cli::{At, Profile};
use crate::home::{Home, client};
use crate::out::{Out, one_line, time};
use crate::snapshot::{PROFILE_BYTES_MAX, PROFILES, read_profile};

pub(crate) async fn run(at: &At, command: Profile, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        Profile::Learn { agent, out: file } => learn(at, agent, file, out).await,
        Profile::Show { agent } => show(at, agent.as_ref(), out),
        Profile::Drift { old, new } => compare(&old, &new, out),
    }
}

async fn learn(at: &At, agent: Name, file: Option<PathBuf>, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    let kept = home.profile(&agent);
    let from = match &kept {
        Ok(path) if path.exists() => Some(read_profile(path)?),
        _ => None,
    };
    let file = match file {
        Some(file) => file,
        None => kept?,
    };
    let request = LearnProfile { agent, from };
    let learned: LearnedProfile = client(at)?.post("/v1/profiles/learn", &request).await?;
    if let Some(profile) = &learned.profile {
        write(&file, profile)?;
    }
    if out.is_json() {
        let file = learned.profile.as_ref().map(|_| &file);
        out.document(&json!({ "file": file, "learned": learned }))?;
    } else {
        print(&learned, &file, out);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(learned: &LearnedProfile, file: &Path, out: &Out) {
    for line in lessons(&learned.sessions) {
        out.line(line);
    }
    let Some(Learned { baseline, .. }) = &learned.profile else {
        out.line("nothing new was learned; no file was written");
        return;
    };
    out.line(format!("wrote {}: {}", file.display(), title(baseline)));
    if baseline.version > 1 {
        changes(&learned.drift, out);
    }
    out.line("review it, then: pathwarden policy reload");
}

/// What became of the sessions, one line for each kind that there is.
fn lessons(sessions: &Lessons) -> Vec<String> {
    let Lessons { clean, refused, tainted, empty, unfinished } = *sessions;
    let lines = [
        (clean, "session(s) taught something"),
        (refused, "taught nothing: a call was refused, or held and not approved"),
        (tainted, "taught nothing: content of outsiders was read, or a payload is gone"),
        (empty, "taught nothing: nothing was done"),
        (unfinished, "still at work: for a later version"),
    ];
    let there = lines.iter().filter(|(count, _)| *count > 0);
    there.map(|(count, words)| format!("{count} {words}")).collect()
}

fn title(baseline: &Baseline) -> String {
    format!(
        "version {} of `{}` at `{}`, from {} session(s)",
        baseline.version,
        one_line(&baseline.agent, 60),
        one_line(&baseline.task, 60),
        baseline.sessions
    )
}

fn changes(drift: &[String], out: &Out) {
    if drift.is_empty() {
        out.line("nothing of note changed");
    }
    for words in drift {
        out.line(format!("  {}", one_line(words, 200)));
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, profile: &Learned) -> anyhow::Result<()> {
    let context = || format!("write `{}`", path.display());
    let text = format!("{}\n", serde_json::to_string_pretty(profile)?);
    if u64::try_from(text.len()).is_ok_and(|length| length > PROFILE_BYTES_MAX) {
        bail!("the profile has more than {PROFILE_BYTES_MAX} bytes: give the agent fewer tools");
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).with_context(context)?;
    // The name is not one of a profile, so that nobody loads half of it.
    let whole = path.with_extension("json.new");
    let mut file = fs::File::create(&whole).with_context(context)?;
    file.write_all(text.as_bytes()).with_context(context)?;
    file.sync_all().with_context(context)?;
    fs::rename(&whole, path).with_context(context)
}

fn show(at: &At, agent: Option<&Name>, out: &Out) -> anyhow::Result<ExitCode> {
    let home = Home::new(at)?;
    let profiles = shelf(&home.below(&home.config()?.policy_dir).join(PROFILES))?;
    let is_asked =
        |profile: &Learned| agent.is_none_or(|agent| profile.baseline.agent == agent.as_str());
    let shown: Vec<_> = profiles.into_iter().filter(|(_, profile)| is_asked(profile)).collect();
    if out.is_json() {
        let list = shown.iter().map(|(file, profile)| json!({ "file": file, "profile": profile }));
        out.document(&list.collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if shown.is_empty() {
        out.line("no such profile yet: `pathwarden profile learn --agent NAME`");
    }
    for (file, profile) in &shown {
        describe(file, profile, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The profiles of a folder, by name.
fn shelf(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Learned)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("list `{}`", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    paths.into_iter().map(|path| read_profile(&path).map(|profile| (path, profile))).collect()
}

fn describe(file: &Path, profile: &Learned, out: &Out) -> anyhow::Result<()> {
    out.line(out.strong(&title(&profile.baseline)));
    out.line(format!("  file     {}", file.display()));
    out.line(format!("  sure     {}", profile.baseline.confidence()));
    if let Some(learned) = &profile.learned {
        let (records, node) = (learned.records, one_line(&learned.node, 80));
        out.line(format!("  learned  {} from {records} records of {node}", time(learned.at)));
    }
    let value = serde_json::to_value(&profile.baseline)?;
    let tools = value.get("tools").and_then(Value::as_object).into_iter().flatten();
    for (tool, calls) in tools {
        out.line(format!("  {calls:>7}  {}", one_line(tool, 80)));
    }
    Ok(())
}

fn compare(old: &Path, new: &Path, out: &Out) -> anyhow::Result<ExitCode> {
    let (old, new) = (read_profile(old)?.baseline, read_profile(new)?.baseline);
    if old.agent != new.agent {
        bail!("the profiles are of `{}` and of `{}`: give two of one agent", old.agent, new.agent);
    }
    let words: Vec<String> = drift(&old, &new).into_iter().map(|change| change.words).collect();
    if out.is_json() {
        let document = json!({
            "agent": new.agent, "old": old.version, "new": new.version, "drift": words,
        });
        out.document(&document)?;
    } else {
        out.line(format!("from {}", title(&old)));
        out.line(format!("to   {}", title(&new)));
        changes(&words, out);
    }
    Ok(ExitCode::SUCCESS)
}
