//! From sources to a bundle, or to everything that is wrong with them.

mod check;
mod depth;

use std::collections::BTreeMap;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::{Program, RuleType};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{CompiledPolicy, Engine, Rc};

use crate::builtins;
use crate::bundle::{ENTRY_POINT, Parts};
use crate::limits::{ARGUMENTS_DEPTH_MAX, INTERPRETER_CHECK_STEPS, INTERPRETER_TIME_MAX};
use crate::scan::{Token, tokens};
use crate::{CompileFault, RulePlace, Source, value};

/// Compiles `sources`.
pub(crate) fn compile(mut sources: Vec<Source>) -> Result<Parts, Vec<CompileFault>> {
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let mut faults = check::files(&sources);
    let rules = check::rules(&sources, &mut faults);
    if faults.is_empty() && rules.is_empty() {
        let advice = "write rules as `decision contains {\"rule\": …} if {…}`";
        faults.push(fault_of("no rule adds to `decision`", "", advice));
    }
    if !faults.is_empty() {
        faults.sort();
        faults.dedup();
        return Err(faults);
    }
    let mut engine = link(&sources, Source::is_rules).map_err(one)?;
    let program = program(&mut engine).map_err(one)?;
    faults.extend(calls(&program, &sources));
    faults.extend(depth::check(&program));
    if faults.is_empty() { Ok(parts(sources, rules, program, engine)) } else { Err(faults) }
}

fn one(fault: CompileFault) -> Vec<CompileFault> {
    vec![fault]
}

fn parts(
    sources: Vec<Source>,
    rules: Vec<RulePlace>,
    program: Arc<Program>,
    engine: Engine,
) -> Parts {
    let places: BTreeMap<_, _> =
        rules.iter().map(|place| (place.rule.clone(), (place.file.clone(), place.line))).collect();
    let can_fail = builtins::can_fail(&program);
    Parts { sources, rules, places, program, data: engine.get_data(), engine, can_fail }
}

/// An engine with the data and those Rego files that `takes` picks.
pub(crate) fn link(
    sources: &[Source],
    takes: impl Fn(&Source) -> bool,
) -> Result<Engine, CompileFault> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    engine.set_gather_prints(true);
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: INTERPRETER_TIME_MAX,
        check_interval: INTERPRETER_CHECK_STEPS,
    });
    for source in sources {
        if source.is_data() {
            add_data(&mut engine, source)?;
        } else if takes(source) {
            engine
                .add_policy(source.path.clone(), source.text.clone())
                .map_err(|error| fault_of(&error.to_string(), &source.path, "write Rego v1"))?;
        }
    }
    Ok(engine)
}

fn add_data(engine: &mut Engine, source: &Source) -> Result<(), CompileFault> {
    let fault = |line: usize, message: String| CompileFault {
        file: source.path.clone(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        message,
        advice: "write one JSON object whose keys no other data file has".to_owned(),
    };
    let json: serde_json::Value = serde_json::from_str(&source.text)
        .map_err(|error| fault(error.line(), format!("not JSON: {error}")))?;
    let data = value::json(&json, ARGUMENTS_DEPTH_MAX)
        .map_err(|_| fault(0, "a number out of range, or too deep".to_owned()))?;
    engine.add_data(data).map_err(|error| fault(0, error.to_string()))
}

/// The bytecode of the rules.
fn program(engine: &mut Engine) -> Result<Arc<Program>, CompileFault> {
    const ADVICE: &str = "change the rule; `policies/README.md` says what rules may use";
    let compiled: CompiledPolicy = engine
        .compile_with_entrypoint(&Rc::from(ENTRY_POINT))
        .map_err(|error| fault_of(&error.to_string(), "", ADVICE))?;
    let program = Compiler::compile_from_policy(&compiled, &[ENTRY_POINT])
        .map_err(|error| fault_of(&error.to_string(), "", ADVICE))?;
    let is_set = program
        .rule_infos
        .iter()
        .any(|rule| rule.name == ENTRY_POINT && matches!(rule.rule_type, RuleType::PartialSet));
    if is_set && !program.has_host_await() {
        Ok(program)
    } else {
        let message = "`decision` is not a set that rules add to";
        let advice = "write every rule as `decision contains {…} if {…}`";
        Err(fault_of(message, "", advice))
    }
}

/// A fault for every call of a function that rules may not call.
fn calls(program: &Program, sources: &[Source]) -> Vec<CompileFault> {
    let names = program.builtin_info_table.iter().map(|call| call.name.as_str());
    names
        .filter(|name| !builtins::is_allowed(name))
        .map(|name| {
            let (file, line) = find_call(name, sources).unwrap_or_default();
            CompileFault {
                file,
                line,
                message: format!("`{name}` may not be called from a rule"),
                advice: "use the functions that `policies/README.md` lists".to_owned(),
            }
        })
        .collect()
}

fn find_call(name: &str, sources: &[Source]) -> Option<(String, u32)> {
    sources.iter().filter(|source| source.is_rules()).find_map(|source| {
        let spots = tokens(&source.text);
        let spot = spots.iter().find(|spot| spot.token == Token::Word(name))?;
        Some((source.path.clone(), spot.line))
    })
}

/// A fault from the engine's words, which look like `\n--> FILE:LINE:COLUMN\n…\nerror: MESSAGE`.
pub(crate) fn fault_of(error: &str, file: &str, advice: &str) -> CompileFault {
    let (file, line, message) =
        place_of(error).unwrap_or_else(|| (file.to_owned(), 0, error.trim().replace('\n', " ")));
    CompileFault { file, line, message, advice: advice.to_owned() }
}

/// File, line and message in the engine's words for an error.
pub(crate) fn place_of(error: &str) -> Option<(String, u32, String)> {
    let (_, rest) = error.split_once("--> ")?;
    let (place, rest) = rest.split_once('\n')?;
    let (place, _column) = place.rsplit_once(':')?;
    let (file, line) = place.rsplit_once(':')?;
    let (_, message) = rest.split_once("\nerror: ")?;
    let message = message.trim().replace('\n', " ");
    Some((file.to_owned(), line.parse().ok()?, message))
}
