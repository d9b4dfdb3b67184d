//! Which program runs as the server: its processes, the files that they run, and the packages that these
//! belong to.
//!
//! What is asked of the operating system is what runs, not what was typed: `npx` and `uvx` start
//! something else each time. Only Linux is asked; elsewhere nothing is known, and nothing is pinned.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pathwarden_json::push_string;
use pathwarden_types::Digest;

/// The most processes that are looked at.
const PROCESSES_MAX: usize = 64;

/// The largest file that is hashed, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The most folders that are gone up from a script to its package.
const FOLDERS_UP_MAX: usize = 8;

/// What runs below this process and as it, as JSON text that is equal as long as it is the same; `None`
/// where it cannot be told.
pub(super) fn of(pid: u32) -> Option<String> {
    let mut files = BTreeMap::new();
    for process in tree(pid) {
        let exe = fs::read_link(format!("/proc/{process}/exe")).ok()?;
        files.extend(hashed(&exe));
        if let Some(script) = script(process, &exe) {
            files.extend(package_of(&script).into_iter().filter_map(|path| hashed(&path)));
            files.extend(hashed(&script));
        }
    }
    (!files.is_empty()).then(|| text(&files))
}

/// The process and everything that it started, oldest first.
fn tree(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        for child in children(parent) {
            if found.len() < PROCESSES_MAX && !found.contains(&child) {
                found.push(child);
            }
        }
    }
    found
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers = |list: String| -> Vec<u32> {
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    };
    let mut children: Vec<u32> = lists.flat_map(numbers).collect();
    children.sort_unstable();
    children
}

/// Programs that run other files: what their names begin with.
const INTERPRETERS: [&str; 12] =
    ["bash", "bun", "dash", "deno", "java", "node", "perl", "php", "python", "ruby", "sh", "tsx"];

/// The file that an interpreter runs: its first argument that is one. Other arguments, and those of other
/// programs, are data, which may change.
fn script(pid: u32, exe: &Path) -> Option<PathBuf> {
    let name = exe.file_name()?.to_str()?;
    if !INTERPRETERS.iter().any(|interpreter| name.starts_with(interpreter)) {
        return None;
    }
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments = line.split(|byte| *byte == 0).skip(1);
    let argument = arguments.map(String::from_utf8_lossy).find(|a| !a.starts_with('-'))?;
    let path = fs::canonicalize(folder.join(argument.as_ref())).ok()?;
    path.is_file().then_some(path)
}

/// A file by what it is called and what is in it.
fn hashed(path: &Path) -> Option<(String, Digest)> {
    let is_small = fs::metadata(path).is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten()?;
    Some((named(path), Digest::of(&bytes)))
}

/// A path without the folder that a package runner makes anew each time.
fn named(path: &Path) -> String {
    let text = path.to_string_lossy();
    ["/node_modules/", "/site-packages/"]
        .iter()
        .find_map(|folder| text.rfind(folder).and_then(|at| text.get(at + 1..)))
        .unwrap_or(&text)
        .to_owned()
}

/// What names the package of a script and its version: `package.json` above it, or the record of what was
/// installed beside a Python program.
fn package_of(script: &Path) -> Option<PathBuf> {
    let above = script.ancestors().skip(1).take(FOLDERS_UP_MAX);
    if let Some(found) = above.map(|dir| dir.join("package.json")).find(|path| path.is_file()) {
        return Some(found);
    }
    let name = script.file_name()?.to_str()?.replace('-', "_").to_lowercase();
    let lib = script.parent()?.parent()?.join("lib");
    let versions = fs::read_dir(lib).ok()?.flatten();
    let packages =
        versions.flat_map(|v| fs::read_dir(v.path().join("site-packages")).into_iter().flatten());
    packages.flatten().map(|entry| entry.path()).find_map(|path| {
        let found = path.file_name()?.to_str()?.to_lowercase();
        let is_its = found.starts_with(&format!("{name}-")) && found.ends_with(".dist-info");
        is_its.then(|| path.join("RECORD")).filter(|record| record.is_file())
    })
}

fn text(files: &BTreeMap<String, Digest>) -> String {
    let mut out = String::from("{\"files\":{");
    for (index, (path, digest)) in files.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(&mut out, path);
        out.push(':');
        push_string(&mut out, &digest.to_string());
    }
    out.push_str("}}");
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{named, of};

    #[test]
    fn a_running_program_is_known_by_its_files() {
        let text = of(std::process::id()).unwrap();
        assert_eq!(of(std::process::id()), Some(text.clone()));
        let own = std::env::current_exe().unwrap();
        assert!(text.contains(own.file_name().unwrap().to_str().unwrap()), "{text}");
        assert_eq!(of(u32::MAX), None);
    }

    #[test]
    fn folders_that_a_runner_makes_anew_do_not_count() {
        let a = named(Path::new("/root/.npm/_npx/1a/node_modules/x/dist/index.js"));
        assert_eq!(a, named(Path::new("/root/.npm/_npx/2b/node_modules/x/dist/index.js")));
        assert_eq!(named(Path::new("/usr/bin/python3")), "/usr/bin/python3");
    }
}
