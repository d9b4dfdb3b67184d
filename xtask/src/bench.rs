//! Benchmarks: builds them with the programs that they run, runs them, and keeps their tables.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use clap::Args;

/// Every benchmark, in the order of the document.
const NAMES: [&str; 11] = [
    "decision", "sessions", "ingest", "scan", "trace", "memory", "ledger", "verify", "replay",
    "mcp-http", "llm",
];

/// What is built: the benchmarks, and the programs that some of them run.
const PACKAGES: [&str; 3] = ["pathwarden-bench", "pathwarden", "pathwarden-verify"];

/// Where the tables are kept, between markers.
const DOCUMENT: &str = "docs/PERFORMANCE.md";

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Which ones; all when none is named.
    #[arg(value_parser = NAMES)]
    names: Vec<String>,
    /// Put the tables into docs/PERFORMANCE.md.
    #[arg(long, conflicts_with_all = ["quick", "json"])]
    write: bool,
    /// Only see whether they work: a few seconds, figures that mean little.
    #[arg(long)]
    quick: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Builds for release and measures.
///
/// # Errors
///
/// When something does not build, fails while it is measured, or the document has no place for it.
pub(crate) fn run(bench: &Bench) -> Result<ExitCode> {
    build()?;
    if !bench.write {
        let mut command = measuring();
        command.args(&bench.names);
        command.args(bench.quick.then_some("--quick")).args(bench.json.then_some("--json"));
        let status = command.status().context("run the benchmarks")?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let all = NAMES.map(str::to_owned);
    for name in if bench.names.is_empty() { &all[..] } else { &bench.names } {
        let circumstances = circumstances(name)?;
        let output = measuring().arg(name).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "`{name}` failed");
        let table = String::from_utf8(output.stdout).context("read the table")?;
        let before = fs::read_to_string(DOCUMENT).with_context(|| format!("read {DOCUMENT}"))?;
        fs::write(DOCUMENT, placed(&before, name, &format!("{table}\n{circumstances}"))?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn build() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--quiet"]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    ensure!(command.status().context("run cargo")?.success(), "the build failed");
    Ok(())
}

fn measuring() -> Command {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let mut command = Command::new(Path::new(&target).join("release/pathwarden-bench"));
    command.arg("--dir").arg(target);
    command
}

/// The text with `table` between the markers of `name`.
fn placed(text: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- bench:{name} -->"), format!("<!-- /bench:{name} -->"));
    let missing = || format!("{DOCUMENT} has no `{begin}` … `{end}`");
    let (head, rest) = text.split_once(&begin).with_context(missing)?;
    let (_, tail) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{head}{begin}\n\n{}\n\n{end}{tail}", table.trim()))
}

/// What a reader must know of the run: command, date, machine, version, and who else was busy.
fn circumstances(name: &str) -> Result<String> {
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let day = date.split('T').next().unwrap_or_default();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    Ok(format!(
        "`cargo xtask bench {name} --write`, {day}, version {}, {cores} cores of {model}, load average \
         {load} before the run.",
        env!("CARGO_PKG_VERSION")
    ))
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn a_table_replaces_the_one_before_and_nothing_else() {
        let text = "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n";
        let once = placed(text, "x", "new\n").unwrap_or_default();
        assert_eq!(once, "a\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nb\n");
        assert_eq!(placed(&once, "x", "new").unwrap_or_default(), once);
        assert!(placed(text, "y", "new").is_err());
    }
}
