//! Reading what stands beside the rules: contracts, lists of threats, profiles.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, bail};
use pathwarden_behaviour::{Baseline, ContractSpec, Contracts};
use pathwarden_decide::{FeedFile, Files};
use pathwarden_intel::Feed;
use pathwarden_types::Name;
use pathwarden_wire::Profile;
use serde::Deserialize;
use serde_json::Value;

/// The file of contracts.
const CONTRACTS: &str = "contracts.toml";
/// The folder of threat lists. A folder in it is a MISP feed.
pub(crate) const LISTS: &str = "intel";
/// The folder of profiles.
pub(crate) const PROFILES: &str = "profiles";
/// What names the files of a MISP feed.
const MANIFEST: &str = "manifest.json";

/// The longest file of contracts, in bytes: far more than a person reviews.
const CONTRACTS_BYTES_MAX: u64 = 1 << 20;
/// The longest list of threats, in bytes: two of them fit into the payload that a policy is kept as.
const LIST_BYTES_MAX: u64 = 4 << 20;
/// The most lists of threats.
const LISTS_MAX: usize = 1_024;
/// The longest profile, in bytes: several times what an agent of a few dozen tools needs.
pub(crate) const PROFILE_BYTES_MAX: u64 = 1 << 20;
/// The most profiles.
const PROFILES_MAX: usize = 256;

/// What was found beside the rules, and everything that is wrong with it.
pub(super) struct Found {
    pub(super) files: Files,
    /// Each with its file and what to do.
    pub(super) faults: Vec<String>,
}

/// Which baselines are wanted.
pub(super) enum Profiles {
    /// Those of the files.
    Read,
    /// These.
    Keep(Vec<Baseline>),
}

/// Reads everything that stands beside the rules of a folder.
pub(super) fn read(dir: &Path, profiles: Profiles) -> Found {
    let mut shelf = Shelf { dir, faults: Vec::new() };
    let contracts = shelf.contracts();
    let feeds = shelf.lists();
    let baselines = match profiles {
        Profiles::Read => shelf.profiles(),
        Profiles::Keep(baselines) => baselines,
    };
    Found { files: Files { contracts, feeds, baselines }, faults: shelf.faults }
}

/// Reads a profile's file: one that was learned, or a bare baseline.
pub(crate) fn read_profile(path: &Path) -> anyhow::Result<Profile> {
    let text = bounded(path, PROFILE_BYTES_MAX)?;
    profile(&text).with_context(|| format!("`{}` is no profile; learn it again", path.display()))
}

fn profile(text: &str) -> serde_json::Result<Profile> {
    let value: Value = serde_json::from_str(text)?;
    if value.get("baseline").is_some() {
        return serde_json::from_value(value);
    }
    Ok(Profile { baseline: serde_json::from_value(value)?, learned: None })
}

/// The text of a file that is no longer than this.
fn bounded(path: &Path, most: u64) -> anyhow::Result<String> {
    let shown = path.display();
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path).with_context(|| format!("read `{shown}`"))?.is_file() {
        bail!("`{shown}` is no file: put one there, or take it away");
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("read `{shown}`"))?;
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .with_context(|| format!("read `{shown}`"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        bail!("`{shown}` has more than {most} bytes: shorten it");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The contracts of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(default)]
    contract: Vec<ContractSpec>,
}

/// A policy's folder, while it is read.
struct Shelf<'a> {
    dir: &'a Path,
    faults: Vec<String>,
}

/// Something in a folder.
struct Entry {
    name: String,
    is_folder: bool,
}

impl Shelf<'_> {
    fn fault(&mut self, below: &str, words: &str) {
        let mut lines = words.trim_end().lines();
        let mut fault = format!("{below}: {}", lines.next().unwrap_or_default());
        for line in lines {
            fault.push_str(&format!("\n    {line}"));
        }
        self.faults.push(fault);
    }

    /// The text of a file below the folder; a fault when it cannot be read.
    fn text(&mut self, below: &str, most: u64) -> Option<String> {
        match bounded(&self.dir.join(below), most) {
            Ok(text) => Some(text),
            Err(error) => {
                self.fault(below, &format!("{error:#}"));
                None
            }
        }
    }

    /// What is in a folder, by name; nothing when it is not there. Notes for people are left out.
    fn list(&mut self, below: &str) -> Vec<Entry> {
        let entries = match fs::read_dir(self.dir.join(below)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.fault(below, &format!("cannot be listed: {error}"));
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.as_ref().ok().and_then(|entry| entry.file_name().into_string().ok());
            let (Ok(entry), Some(name)) = (entry, name) else {
                self.fault(below, "holds a file whose name is not text: rename it");
                continue;
            };
            if !name.starts_with('.') && name != "README.md" {
                found.push(Entry { name, is_folder: entry.path().is_dir() });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn contracts(&mut self) -> Vec<ContractSpec> {
        // Only what is not there at all is not meant: what cannot be read forbids something.
        let there = fs::symlink_metadata(self.dir.join(CONTRACTS));
        if there.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Vec::new();
        }
        let Some(text) = self.text(CONTRACTS, CONTRACTS_BYTES_MAX) else { return Vec::new() };
        let contracts = match toml::from_str::<Declared>(&text) {
            Ok(declared) => declared.contract,
            Err(error) => {
                self.fault(CONTRACTS, &error.to_string());
                return Vec::new();
            }
        };
        if let Err(faults) = Contracts::compile(contracts.clone()) {
            for fault in faults.0 {
                self.fault(CONTRACTS, &fault.to_string());
            }
        }
        contracts
    }

    fn lists(&mut self) -> Vec<FeedFile> {
        let mut feeds = Vec::new();
        let entries = self.list(LISTS);
        let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        for entry in &entries {
            if entry.is_folder {
                self.misp(&entry.name, &mut feeds);
                continue;
            }
            for named in self.feed(&entry.name, &mut feeds) {
                if !names.contains(named.as_str()) {
                    let words =
                        format!("names `{named}`, which is not there: fetch all of the feed");
                    self.fault(&format!("{LISTS}/{}", entry.name), &words);
                }
            }
        }
        if feeds.len() > LISTS_MAX {
            let words =
                format!("has {} lists, at most {LISTS_MAX} are read: join them", feeds.len());
            self.fault(LISTS, &words);
        }
        feeds
    }

    /// A folder with a MISP feed: its manifest, and what that names.
    fn misp(&mut self, folder: &str, feeds: &mut Vec<FeedFile>) {
        let manifest = format!("{folder}/{MANIFEST}");
        if !self.dir.join(LISTS).join(&manifest).exists() {
            let words = format!("has no `{MANIFEST}`: put single lists into `{LISTS}` itself");
            return self.fault(&format!("{LISTS}/{folder}"), &words);
        }
        for named in self.feed(&manifest, feeds).into_iter().take(LISTS_MAX) {
            self.feed(&format!("{folder}/{named}"), feeds);
        }
    }

    /// Reads one list; gives the files that it names.
    fn feed(&mut self, name: &str, feeds: &mut Vec<FeedFile>) -> Vec<String> {
        let below = format!("{LISTS}/{name}");
        // Past the limit no more is read: one more is counted, so that the limit is told of.
        if feeds.len() > LISTS_MAX {
            return Vec::new();
        }
        let Some(text) = self.text(&below, LIST_BYTES_MAX) else { return Vec::new() };
        let name: Name = match name.parse() {
            Ok(name) => name,
            Err(error) => {
                self.fault(&below, &format!("{error}: rename the file"));
                return Vec::new();
            }
        };
        match Feed::parse(&name, text.as_bytes()) {
            Ok(feed) => {
                feeds.push(FeedFile { name, text });
                feed.files
            }
            Err(error) => {
                self.fault(&below, &format!("{:#}", anyhow::Error::from(error)));
                Vec::new()
            }
        }
    }

    fn profiles(&mut self) -> Vec<Baseline> {
        let mut baselines: Vec<Baseline> = Vec::new();
        let entries = self.list(PROFILES);
        let files = entries.iter().filter(|entry| entry.name.ends_with(".json"));
        let count = files.clone().count();
        if count > PROFILES_MAX {
            self.fault(PROFILES, &format!("has {count} files, at most {PROFILES_MAX} are read"));
        }
        for entry in files.take(PROFILES_MAX) {
            let below = format!("{PROFILES}/{}", entry.name);
            let Some(text) = self.text(&below, PROFILE_BYTES_MAX) else { continue };
            match profile(&text) {
                Ok(Profile { baseline, .. }) => {
                    if baselines.iter().any(|other| is_same_version(other, &baseline)) {
                        let words = format!(
                            "another file is version {} of `{}` as well: keep one",
                            baseline.version, baseline.agent
                        );
                        self.fault(&below, &words);
                    }
                    baselines.push(baseline);
                }
                Err(error) => {
                    self.fault(&below, &format!("is no profile ({error}): learn it again"));
                }
            }
        }
        baselines
    }
}

fn is_same_version(a: &Baseline, b: &Baseline) -> bool {
    (&a.agent, &a.task, a.version) == (&b.agent, &b.task, b.version)
}
