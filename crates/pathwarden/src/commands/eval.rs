//! `eval`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use flate2::read::MultiGzDecoder;
use pathwarden_config::Config;
use pathwarden_decide::{Settings, Snapshot};
use pathwarden_eval::{Decision, Evaluation, Event, settings};
use pathwarden_policy::Source;
use pathwarden_types::{Name, Ratio, Term, Verdict};
use serde::Serialize;

use crate::cli::Eval;
use crate::out::Out;
use crate::{init, snapshot};

pub(crate) fn run(args: &Eval, out: &Out) -> anyhow::Result<ExitCode> {
    let mut lasts = last_events(&args.events)?;
    let mut evaluation = Evaluation::new(policy(args)?, args.server.clone());
    let mut to = open_out(&args.out)?;
    let mut tally = Tally::default();
    let mut progress = Progress::start(lasts.values().max().map_or(0, |last| last + 1));
    for (number, line) in lines(&args.events)?.enumerate() {
        let line = line.with_context(|| format!("read `{}`", args.events.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let event = Event::parse(&line).with_context(|| place(&args.events, number))?;
        let begun = Instant::now();
        let decision = evaluation.feed(&event);
        let elapsed = begun.elapsed();
        if let Some(decision) = decision {
            tally.count(&decision, elapsed);
            let elapsed = (!args.steady).then_some(elapsed);
            write_line(&mut to, &decision, elapsed).context("write a decision")?;
        }
        if lasts.get(&event.session) == Some(&number) {
            evaluation.forget(&event.session);
            lasts.remove(&event.session);
        }
        progress.at(number);
    }
    progress.end();
    to.flush().context("write the decisions")?;
    if args.summary {
        tally.show(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy of the folder that was named, or the shipped pack.
fn policy(args: &Eval) -> anyhow::Result<Snapshot> {
    let settings = match &args.config {
        Some(file) => configured(file, &args.server)?,
        None => settings(args.server.clone()),
    };
    match &args.policy {
        Some(dir) => snapshot::load(dir, settings),
        None => {
            let pack = init::rules()
                .map(|(path, text)| Source { path: path.to_owned(), text: text.to_owned() });
            Snapshot::build(settings, pack.collect()).context("compile the shipped policy")
        }
    }
}

/// The settings of a configuration file, which must know the tools' server: what a stranger's tools do
/// is unknown, and every decision would say no more than that.
fn configured(file: &Path, server: &Name) -> anyhow::Result<Settings> {
    let text = fs::read_to_string(file).with_context(|| format!("read `{}`", file.display()))?;
    let config = Config::parse(&text)
        .map_err(|faults| anyhow!("`{}` has faults:\n{faults}", file.display()))?;
    if !config.settings.servers.contains_key(server) {
        let known: Vec<String> =
            config.settings.servers.keys().map(|name| format!("`{name}`")).collect();
        bail!(
            "`{}` does not know the server `{server}`; add the section [servers.{server}], or name \
             with --server one of those that it knows: {}",
            file.display(),
            if known.is_empty() { "there is none".to_owned() } else { known.join(", ") }
        );
    }
    Ok(config.settings)
}

/// The number of the last line of each session, after which it can be forgotten.
fn last_events(path: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    /// As little of a line as that needs.
    #[derive(serde::Deserialize)]
    struct Of {
        session: String,
    }
    let mut lasts = BTreeMap::new();
    for (number, line) in lines(path)?.enumerate() {
        let line = line.with_context(|| format!("read `{}`", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let of: Of = serde_json::from_str(&line).with_context(|| place(path, number))?;
        lasts.insert(of.session, number);
    }
    if lasts.is_empty() {
        bail!("`{}` has no events", path.display());
    }
    Ok(lasts)
}

fn place(path: &Path, number: usize) -> String {
    format!("line {} of `{}`", number + 1, path.display())
}

/// The lines of a file, unpacked where it is gzipped.
fn lines(path: &Path) -> anyhow::Result<impl Iterator<Item = std::io::Result<String>>> {
    let file = File::open(path).with_context(|| format!("open `{}`", path.display()))?;
    let mut file = BufReader::new(file);
    let begins = file.fill_buf().with_context(|| format!("read `{}`", path.display()))?;
    let is_gzip = begins.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = BufReader::new(reader);
    Ok(std::iter::from_fn(move || next_line(&mut reader).transpose()))
}

fn next_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let most = u64::try_from(Event::BYTES_MAX).unwrap_or(u64::MAX);
    let read = reader.take(most).read_line(&mut line)?;
    if read >= Event::BYTES_MAX {
        let what = format!("a line of more than {} bytes", Event::BYTES_MAX);
        return Err(std::io::Error::other(what));
    }
    Ok((read > 0).then_some(line))
}

fn open_out(path: &Path) -> anyhow::Result<BufWriter<Box<dyn Write>>> {
    let to: Box<dyn Write> = if path == Path::new("-") {
        Box::new(std::io::stdout())
    } else {
        Box::new(File::create(path).with_context(|| format!("write `{}`", path.display()))?)
    };
    Ok(BufWriter::new(to))
}

/// One line of the output.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    decision: Verdict,
    risk: f64,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lat_us: Option<u128>,
    terms: Vec<LineTerm<'a>>,
}

/// One signal: how much it adds is the product of the three numbers.
#[derive(Serialize)]
struct LineTerm<'a> {
    signal: pathwarden_types::SignalKind,
    value: f64,
    confidence: f64,
    weight: f64,
    words: &'a str,
}

fn write_line(
    to: &mut impl Write,
    decision: &Decision,
    elapsed: Option<Duration>,
) -> anyhow::Result<()> {
    let decided = &decision.decided.decided;
    let line = Line {
        id: &decision.id,
        decision: decided.verdict,
        risk: share(decided.risk.score),
        rule: rule(decision),
        lat_us: elapsed.map(|elapsed| elapsed.as_micros()),
        terms: decided.risk.terms.iter().map(line_term).collect(),
    };
    serde_json::to_writer(&mut *to, &line)?;
    to.write_all(b"\n")?;
    Ok(())
}

fn line_term(term: &Term) -> LineTerm<'_> {
    LineTerm {
        signal: term.signal.kind,
        value: share(term.signal.value),
        confidence: share(term.signal.confidence),
        weight: share(term.weight),
        words: &term.signal.words,
    }
}

/// The rule that decided: the first of those with the verdict.
fn rule(decision: &Decision) -> &str {
    let decided = &decision.decided.decided;
    let of_verdict = decided.hits.iter().find(|hit| hit.verdict == decided.verdict);
    of_verdict.or(decided.hits.first()).map_or("", |hit| hit.rule.as_str())
}

fn share(ratio: Ratio) -> f64 {
    f64::from(ratio.steps()) / f64::from(Ratio::STEPS)
}

/// What was decided, counted.
#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<String, u64>,
    rules: BTreeMap<(String, String), u64>,
    sessions: BTreeSet<String>,
    micros: Vec<u128>,
}

impl Tally {
    fn count(&mut self, decision: &Decision, elapsed: Duration) {
        let verdict = decision.decided.decided.verdict.to_string();
        *self.verdicts.entry(verdict.clone()).or_default() += 1;
        *self.rules.entry((verdict, rule(decision).to_owned())).or_default() += 1;
        self.sessions.extend(decision.decided.record.session.map(|session| session.to_string()));
        self.micros.push(elapsed.as_micros());
    }

    fn show(mut self, out: &Out) -> anyhow::Result<()> {
        self.micros.sort_unstable();
        let at = |percent: usize| {
            let place = self.micros.len().saturating_mul(percent) / 100;
            self.micros.get(place.min(self.micros.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        let (p50, p99) = (at(50), at(99));
        if out.is_json() {
            let rules: BTreeMap<&str, u64> =
                self.rules.iter().map(|((_, rule), count)| (rule.as_str(), *count)).collect();
            return out.document(&serde_json::json!({
                "sessions": self.sessions.len(), "actions": self.micros.len(),
                "verdicts": self.verdicts, "rules": rules,
                "lat_us": { "p50": p50, "p99": p99 },
            }));
        }
        out.line(format!("{} actions in {} sessions", self.micros.len(), self.sessions.len()));
        for (verdict, count) in &self.verdicts {
            out.line(format!("  {verdict:<10} {count:>7}"));
        }
        out.line("by rule:");
        for ((verdict, rule), count) in &self.rules {
            out.line(format!("  {verdict:<10} {count:>7}  {rule}"));
        }
        out.line(format!(
            "a decision took {p50} us at the median, {p99} us at the 99th percentile"
        ));
        Ok(())
    }
}

/// How far it is, on a terminal.
struct Progress {
    of: usize,
    shown: bool,
}

impl Progress {
    fn start(of: usize) -> Self {
        Self { of, shown: std::io::stderr().is_terminal() }
    }

    fn at(&mut self, number: usize) {
        const EVERY: usize = 512;
        if self.shown && number.is_multiple_of(EVERY) {
            let _ = write!(std::io::stderr(), "\r{} of {} events", number, self.of);
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
