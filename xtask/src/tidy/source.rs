//! Rules about source files: purity of cores, sizes, crate docs, tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Fault;
use super::crates::{Crate, Workspace};
use super::tokens::{TestCode, Tokens};

/// Lines of a shipped function, from `fn` to the closing brace.
const MAX_FUNCTION_LINES: usize = 70;

/// Lines of a shipped file, test modules not counted.
const MAX_FILE_LINES: usize = 600;

/// The three parts of a crate doc, in lower case.
const CRATE_DOC_PARTS: [&str; 3] = ["what it is for", "what it never does", "where to start"];

/// What a core must not touch. `core::net` has the address types that a parser may need.
const IMPURE: [&str; 7] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

const SPLIT_FUNCTION: &str = "split it into phases that each fit in the head (aim: 40 lines)";
const SPLIT_FILE: &str = "one idea per file: move a part to `NAME/part.rs` (aim: 350 lines)";
const WRITE_DOC: &str = "a crate doc says what it is for, what it never does, where to start";
const STAY_PURE: &str = "take it as an argument, or do it in a shell above this core";
const RENAME_MOD: &str = "call it `NAME.rs`, beside the folder `NAME/`";
const RUN_TEST: &str = "a test that cannot run here reports itself as skipped";
const WAIT_FOR_STATE: &str = "wait for the state itself, not for time to pass";
const STAY_SAFE: &str = "put it into `src/sys.rs` of a `kernel-*` crate, behind a safe function";
/// How an exception from the lint begins.
const UNSAFE: &str = "#![expect(unsafe_code";
const FIX_SYNTAX: &str = "tidy reads only what the compiler reads";

/// Checks all files of all crates and returns how many there are.
///
/// # Errors
///
/// When a folder or file cannot be read.
pub(super) fn check(workspace: &Workspace, faults: &mut Vec<Fault>) -> Result<usize> {
    let mut files = 0;
    for found in &workspace.crates {
        files += check_crate(&workspace.root, found, faults)?;
    }
    Ok(files)
}

fn check_crate(root: &Path, found: &Crate, faults: &mut Vec<Fault>) -> Result<usize> {
    let mut paths = Vec::new();
    list_rust_files(&root.join(found.folder()), &mut paths)?;
    let mut files = Vec::new();
    let mut test_paths = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
        match Tokens::parse(&text) {
            Ok(tokens) => {
                let tests = tokens.test_code();
                test_paths.extend(tests.modules.iter().map(|module| module_path(&name, module)));
                files.push(SourceFile { name, text, tokens, tests });
            }
            Err(error) => {
                let message = format!("cannot be read as Rust: {error}");
                faults.push(Fault::new(&name, 1, message, FIX_SYNTAX));
            }
        }
    }
    for file in &mut files {
        if is_test_file(found.folder(), &file.name, &test_paths) {
            file.tests.lines.push(0..usize::MAX);
        }
        file.check(found, faults);
    }
    Ok(files.len())
}

/// Where the code of `mod MODULE;` in a file is, without the ending `.rs`.
fn module_path(file: &Path, module: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") | None => folder.join(module),
        Some(stem) => folder.join(stem).join(module),
    }
}

/// Whether a file is test code as a whole: under `tests` or `benches`, or part of a test module.
fn is_test_file(folder: &Path, file: &Path, test_paths: &BTreeSet<PathBuf>) -> bool {
    let inside = file.strip_prefix(folder).unwrap_or(file);
    inside.starts_with("tests")
        || inside.starts_with("benches")
        || file.with_extension("").ancestors().any(|path| test_paths.contains(path))
}

fn list_rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !matches!(name, "target" | "node_modules") && !name.starts_with('.') {
                list_rust_files(&path, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}

/// One file, split.
struct SourceFile {
    name: PathBuf,
    text: String,
    tokens: Tokens,
    tests: TestCode,
}

impl SourceFile {
    fn check(&self, found: &Crate, faults: &mut Vec<Fault>) {
        let mut fault = |line, message: String, advice| {
            faults.push(Fault::new(&self.name, line, message, advice));
        };
        if self.name.ends_with("mod.rs") {
            fault(1, "a file named `mod.rs`".to_owned(), RENAME_MOD);
        }
        if self.name == found.entry {
            for part in self.absent_doc_parts() {
                fault(1, format!("the crate doc lacks `{part}`"), WRITE_DOC);
            }
        }
        if let Some(line) = self.unsafe_code() {
            fault(line, "code that the compiler cannot check".to_owned(), STAY_SAFE);
        }
        for line in self.tokens.ignored_tests() {
            fault(line, "an ignored test".to_owned(), RUN_TEST);
        }
        for (path, line) in self.tokens.paths() {
            if self.tests.holds(line) {
                if path.ends_with("thread::sleep") {
                    fault(line, "a test that sleeps".to_owned(), WAIT_FOR_STATE);
                }
            } else if found.is_core() && is_impure(&path) {
                fault(line, format!("a core uses `{path}`"), STAY_PURE);
            }
        }
        if found.is_shipped() {
            for (line, message, advice) in self.oversize() {
                fault(line, message, advice);
            }
        }
    }

    /// The line of an exception from the lint against unsafe code, outside the one file of the crates that
    /// speak to the kernel, and their tests.
    fn unsafe_code(&self) -> Option<usize> {
        let speaks_to_kernel =
            self.name.starts_with("crates")
                && self.name.iter().nth(1).is_some_and(|name| {
                    name.to_str().is_some_and(|name| name.starts_with("kernel-"))
                });
        if speaks_to_kernel && (self.name.ends_with("src/sys.rs") || self.tests.holds(1)) {
            return None;
        }
        let at = self.text.lines().position(|line| line.trim().starts_with(UNSAFE))?;
        Some(at + 1)
    }

    fn absent_doc_parts(&self) -> Vec<&'static str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("//!"));
        let doc = lines.collect::<Vec<_>>().join(" ").to_lowercase();
        CRATE_DOC_PARTS.into_iter().filter(|part| !doc.contains(part)).collect()
    }

    fn oversize(&self) -> Vec<(usize, String, &'static str)> {
        let mut found = Vec::new();
        for function in self.tokens.functions() {
            let lines = function.last - function.first + 1;
            if lines > MAX_FUNCTION_LINES && !self.tests.holds(function.first) {
                let message = format!(
                    "`{}` has {lines} lines, at most {MAX_FUNCTION_LINES} are allowed",
                    function.name
                );
                found.push((function.first, message, SPLIT_FUNCTION));
            }
        }
        let shipped = (1..=self.text.lines().count()).filter(|line| !self.tests.holds(*line));
        let lines = shipped.count();
        if lines > MAX_FILE_LINES {
            let message = format!(
                "the file has {lines} lines outside tests, at most {MAX_FILE_LINES} are allowed"
            );
            found.push((1, message, SPLIT_FILE));
        }
        found
    }
}

fn is_impure(path: &str) -> bool {
    IMPURE.iter().any(|impure| {
        path.strip_prefix(impure).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }) || path == "Instant::now"
        || path == "SystemTime::now"
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &str =
        "//! **What it is for.** x **What it never does.** y\n//! **Where to start.** z\n";

    fn check(name: &str, floor: u64, text: &str) -> Vec<String> {
        let tokens = Tokens::parse(text).unwrap_or_default();
        let tests = tokens.test_code();
        let (name, text) = (PathBuf::from(name), text.to_owned());
        let found =
            Crate { floor: Some(floor), entry: PathBuf::from("src/lib.rs"), ..Crate::default() };
        let mut faults = Vec::new();
        SourceFile { name, text, tokens, tests }.check(&found, &mut faults);
        faults.into_iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
    }

    #[test]
    fn cores_are_pure_outside_their_tests() {
        let text = "use std::{fs, time::Duration};\nfn f() { std::env::var(x); Instant::now(); }\n\
            #[cfg(test)]\nmod tests { use std::fs; }\nuse std::network;";
        let want = [
            "1: a core uses `std::fs`",
            "2: a core uses `std::env::var`",
            "2: a core uses `Instant::now`",
        ];
        assert_eq!(check("src/a.rs", 2, text), want);
        assert!(check("src/a.rs", 3, text).is_empty());
    }

    #[test]
    fn unsafe_code_stays_in_one_file_of_the_crates_that_speak_to_the_kernel() {
        let text = "#![expect(unsafe_code, reason = \"x\")]\n";
        assert!(check("crates/kernel-x/src/sys.rs", 4, text).is_empty());
        for name in ["crates/kernel-x/src/a.rs", "crates/x/src/sys.rs"] {
            assert_eq!(check(name, 4, text), ["1: code that the compiler cannot check"], "{name}");
        }
    }

    #[test]
    fn sizes_hold_at_the_limit_and_one_past_it() {
        let function = |lines: usize| format!("fn f() {{{}}}", "\n".repeat(lines - 1));
        assert!(check("src/a.rs", 4, &function(70)).is_empty());
        assert_eq!(
            check("src/a.rs", 4, &function(71)),
            ["1: `f` has 71 lines, at most 70 are allowed"]
        );
        assert!(check("src/a.rs", 8, &function(71)).is_empty());
        let file = |lines: usize| "// x\n".repeat(lines);
        assert!(check("src/a.rs", 4, &file(600)).is_empty());
        assert_eq!(check("src/a.rs", 4, &file(601)).len(), 1);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", file(601));
        assert!(check("src/a.rs", 4, &tests).is_empty());
    }

    #[test]
    fn crate_docs_have_three_parts() {
        assert!(check("src/lib.rs", 4, DOC).is_empty());
        let text = DOC.replace("never", "seldom");
        assert_eq!(check("src/lib.rs", 4, &text), ["1: the crate doc lacks `what it never does`"]);
        assert!(check("src/other.rs", 4, "").is_empty());
    }

    #[test]
    fn tests_neither_sleep_nor_hide() {
        let text = "#[test]\n#[ignore]\nfn a() {\n    std::thread::sleep(x);\n}\nfn b() { thread::sleep(x) }";
        assert_eq!(check("src/a.rs", 4, text), ["2: an ignored test", "4: a test that sleeps"]);
        assert_eq!(check("src/a/mod.rs", 4, ""), ["1: a file named `mod.rs`"]);
    }

    #[test]
    fn modules_are_found_where_the_compiler_looks() {
        let check = |file: &str, want: &str| {
            assert_eq!(module_path(Path::new(file), "tests"), Path::new(want));
        };
        check("crates/a/src/lib.rs", "crates/a/src/tests");
        check("crates/a/src/b.rs", "crates/a/src/b/tests");
        let tests = BTreeSet::from([PathBuf::from("crates/a/src/b/tests")]);
        let is_test = |file: &str| is_test_file(Path::new("crates/a"), Path::new(file), &tests);
        assert!(is_test("crates/a/src/b/tests.rs") && is_test("crates/a/src/b/tests/c.rs"));
        assert!(is_test("crates/a/tests/cli/main.rs"));
        assert!(!is_test("crates/a/src/b.rs") && !is_test("crates/a/src/tests_of.rs"));
    }
}
