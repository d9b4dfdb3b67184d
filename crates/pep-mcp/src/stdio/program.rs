//! Which program runs as the server: its processes, the files that they run, and the packages that these
//! belong to.
//!
//! What is asked of the operating system is what runs, not what was typed: `npx` and `uvx` start
//! something else each time. Only Linux is asked; elsewhere nothing is known, and nothing is pinned.

use std::collections::BTreeMap;
use std::ffi::OsStr;
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

/// What runs below this process and as it, as JSON text that is equal as long as it is the same. What
/// cannot be told of it is part of the text, so that a program that hides is not the one that was known.
/// `None` where no process can be looked at.
pub(super) fn of(pid: u32) -> Option<String> {
    let mut files = BTreeMap::new();
    for process in tree(pid) {
        if is_over(process) {
            continue;
        }
        let folder = PathBuf::from(format!("/proc/{process}"));
        let Ok(exe) = fs::read_link(folder.join("exe")) else {
            if !is_over(process) {
                files.insert("a process that cannot be read".to_owned(), Digest::of(b""));
            }
            continue;
        };
        // The image that runs, whatever lies under its name by now.
        files.insert(named(&exe), digest_of(&folder.join("exe")));
        for file in code(process, &exe) {
            files.insert(named(&file), digest_of(&file));
        }
        files.extend(typed_code(process).map(|text| ("typed code".to_owned(), text)));
    }
    let is_there = Path::new(&format!("/proc/{pid}")).is_dir();
    (is_there && !files.is_empty()).then(|| text(&files))
}

/// Whether the process has ended and only waits to be collected (`proc_pid_stat(5)`, states Z and X).
fn is_over(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('Z' | 'X') | None)
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

fn is_interpreter(exe: &Path) -> bool {
    let name = exe.file_name().and_then(OsStr::to_str).unwrap_or_default();
    INTERPRETERS.iter().any(|interpreter| name.starts_with(interpreter))
}

fn arguments(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// The files that an interpreter runs: its first argument that is one, with the record of its package, or
/// the module that it is told to run. Other arguments, and those of other programs, are data, which may
/// change.
fn code(pid: u32, exe: &Path) -> Vec<PathBuf> {
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    let (true, Ok(folder)) = (is_interpreter(exe), folder) else { return Vec::new() };
    let arguments = arguments(pid);
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        if argument == "-m" {
            let module = rest.next().map(String::as_str).unwrap_or_default();
            return module_files(module, &folder, arguments.first().map_or("", String::as_str));
        }
        let path = fs::canonicalize(folder.join(argument)).ok().filter(|path| path.is_file());
        if let Some(script) = path.filter(|_| !argument.starts_with('-')) {
            return package_of(&script).into_iter().chain([script]).collect();
        }
    }
    Vec::new()
}

/// The files of a Python module: below the folder that it runs in, or where its interpreter has packages.
fn module_files(module: &str, folder: &Path, interpreter: &str) -> Vec<PathBuf> {
    let relative = PathBuf::from(module.replace('.', "/"));
    let home = Path::new(interpreter).parent().and_then(Path::parent);
    let versions = home.and_then(|home| fs::read_dir(home.join("lib")).ok());
    let packages = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("site-packages"));
    for root in std::iter::once(folder.to_owned()).chain(packages) {
        let file = root.join(&relative).with_extension("py");
        if file.is_file() {
            return vec![file];
        }
        if root.join(&relative).is_dir() {
            let entries = fs::read_dir(root.join(&relative)).into_iter().flatten().flatten();
            let sources = entries.map(|entry| entry.path());
            let mut files: Vec<PathBuf> = sources.filter(|path| path.is_file()).collect();
            files.sort();
            files.truncate(MODULE_FILES_MAX);
            return files;
        }
    }
    Vec::new()
}

/// The most files of one module that are looked at.
const MODULE_FILES_MAX: usize = 256;

/// Code that stands in the command line itself.
fn typed_code(pid: u32) -> Option<Digest> {
    let arguments = arguments(pid);
    let at = arguments.iter().position(|argument| matches!(&**argument, "-c" | "-e" | "--eval"))?;
    arguments.get(at + 1).map(|code| Digest::of(code.as_bytes()))
}

/// What is in a file; of one that cannot be read, that it cannot.
fn digest_of(path: &Path) -> Digest {
    let is_small = fs::metadata(path).is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten();
    Digest::of(&bytes.unwrap_or_else(|| b"cannot be read".to_vec()))
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
    use std::process::{Child, Command, Stdio};

    use super::{children, named, of};

    /// A program that is killed with its test.
    struct Running(Child);

    impl Running {
        fn start(command: &mut Command) -> Self {
            Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
        }

        /// Waits for its first byte.
        fn ready(mut self) -> Self {
            let out = self.0.stdout.as_mut().unwrap();
            std::io::Read::read_exact(out, &mut [0]).unwrap();
            self
        }

        fn text(&self) -> String {
            of(self.0.id()).unwrap()
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_running_program_is_known_by_its_files() {
        let cat = || Running::start(Command::new("sh").args(["-c", "echo; exec cat"])).ready();
        let (one, two) = (cat(), cat());
        while !one.text().contains("/cat\"") || !two.text().contains("/cat\"") {
            std::thread::yield_now();
        }
        assert_eq!(one.text(), two.text());
        assert_eq!(of(u32::MAX), None);
    }

    #[test]
    fn a_child_that_has_ended_hides_nothing() {
        // The shell becomes a program that never collects the shell's child.
        let parent = Running::start(Command::new("sh").args(["-c", "true & exec cat"]));
        let is_left = |pid: &u32| super::is_over(*pid);
        while !children(parent.0.id()).iter().any(is_left) || !parent.text().contains("/cat\"") {
            std::thread::yield_now();
        }
        assert!(!parent.text().contains("cannot be read"), "{}", parent.text());
    }

    #[test]
    fn code_is_known_however_it_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str], body: &str| {
            std::fs::create_dir_all(folder.path().join("mod")).unwrap();
            std::fs::write(folder.path().join("mod/__main__.py"), body).unwrap();
            std::fs::write(folder.path().join("main.py"), body).unwrap();
            let mut python = Command::new("python3");
            Running::start(python.args(arguments).current_dir(folder.path())).ready().text()
        };
        let (one, two) = ("print(1,flush=1);input()", "print(2,flush=1);input()");
        for arguments in [&["-m", "mod"][..], &["main.py"], &["-u", "main.py", "x"]] {
            assert_ne!(run(arguments, one), run(arguments, two), "{arguments:?}");
            assert_eq!(run(arguments, one), run(arguments, one), "{arguments:?}");
        }
        assert_ne!(run(&["-c", one], ""), run(&["-c", two], ""));
    }

    #[test]
    fn folders_that_a_runner_makes_anew_do_not_count() {
        let a = named(Path::new("/root/.npm/_npx/1a/node_modules/x/dist/index.js"));
        assert_eq!(a, named(Path::new("/root/.npm/_npx/2b/node_modules/x/dist/index.js")));
        assert_eq!(named(Path::new("/usr/bin/python3")), "/usr/bin/python3");
    }
}
