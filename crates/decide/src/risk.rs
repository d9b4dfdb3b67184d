//! The ten signals and how they add up, in fixed point. First cut: what is not measured yet says so
//! with a confidence of zero.

use pathwarden_policy::{ApprovalState, GivenBy, Input};
use pathwarden_types::{Band, Ratio, Risk, Signal, SignalKind, Term, ToolClass};

use crate::facts::has_made_up_target;

/// The fused risk of an action.
pub(crate) fn assess(input: &Input) -> Risk {
    let terms: Vec<Term> = SIGNALS
        .iter()
        .map(|(kind, weight, measure)| {
            let (value, confidence, words) = measure(input);
            let signal = Signal {
                kind: *kind,
                value: percent(value),
                confidence: percent(confidence),
                words,
            };
            Term { signal, weight: percent(*weight) }
        })
        .collect();
    let harmless = terms.iter().fold(Ratio::ONE, |left, term| {
        let push = term.weight.times(term.signal.value).times(term.signal.confidence);
        left.times(push.complement())
    });
    let likelihood = harmless.complement();
    let impact = impact(input);
    Risk { score: likelihood.times(impact), likelihood, impact, band: Band::Low, terms }
}

/// How sure a judgement is: the mean confidence of the signals that were measured at all.
pub(crate) fn confidence(risk: &Risk) -> Ratio {
    let measured: Vec<u32> = risk
        .terms
        .iter()
        .map(|term| u32::from(term.signal.confidence.steps()))
        .filter(|steps| *steps > 0)
        .collect();
    let count = u32::try_from(measured.len()).unwrap_or(u32::MAX).max(1);
    u16::try_from(measured.iter().sum::<u32>() / count).map_or(Ratio::ONE, Ratio::of)
}

/// Value and confidence in percent, and why.
type Measure = fn(&Input) -> (u16, u16, String);

/// Every signal with its weight in percent, in the order of [`SignalKind`].
const SIGNALS: &[(SignalKind, u16, Measure)] = &[
    (SignalKind::Identity, 20, identity),
    (SignalKind::Permissions, 30, not_measured),
    (SignalKind::PromptContext, 50, prompt_context),
    (SignalKind::Tool, 30, tool),
    (SignalKind::Destination, 40, destination),
    (SignalKind::Behaviour, 50, behaviour),
    (SignalKind::DataClassification, 60, data_classification),
    (SignalKind::ThreatIntelligence, 80, not_measured),
    (SignalKind::ApprovalHistory, 20, approval_history),
    (SignalKind::Confidence, 20, not_measured),
];

fn percent(value: u16) -> Ratio {
    Ratio::of(value.saturating_mul(Ratio::STEPS / 100))
}

fn not_measured(_: &Input) -> (u16, u16, String) {
    (0, 0, "not measured".to_owned())
}

fn identity(input: &Input) -> (u16, u16, String) {
    (0, 100, format!("`{}`, which {} answers for", input.agent.name, input.agent.owner))
}

fn prompt_context(input: &Input) -> (u16, u16, String) {
    let named_by = |given_by| input.targets.iter().any(|target| target.given_by == given_by);
    if has_made_up_target(input) {
        (100, 90, "a target was named by nobody".to_owned())
    } else if !input.task.stated {
        (50, 60, "nobody stated a task".to_owned())
    } else if named_by(GivenBy::OutsideContent) {
        (70, 80, "a target is named only by content that outsiders may have written".to_owned())
    } else if named_by(GivenBy::Content) {
        (30, 60, "a target comes from content that was read".to_owned())
    } else {
        (0, 60, "nothing speaks against the task".to_owned())
    }
}

fn tool(input: &Input) -> (u16, u16, String) {
    let class = input.action.class;
    let words = format!("{class:?} on `{}`", input.action.server).to_lowercase();
    (harm(class), if class == ToolClass::Unknown { 50 } else { 90 }, words)
}

fn destination(input: &Input) -> (u16, u16, String) {
    let outside = input.targets.iter().filter(|target| !target.inside).count();
    match (input.targets.len(), outside) {
        (0, _) => (0, 40, "no target found".to_owned()),
        (_, 0) => (0, 90, "all targets are inside".to_owned()),
        (all, outside) => (60, 90, format!("{outside} of {all} targets are outside")),
    }
}

fn behaviour(input: &Input) -> (u16, u16, String) {
    let repeats = u16::try_from(input.session.repeats.min(8)).unwrap_or(8);
    let refused = u16::try_from(input.session.refused.min(5)).unwrap_or(5);
    let value = (repeats * 12).max(refused * 16);
    let words = format!("repeated {repeats} times, {refused} refused in this session");
    (value, 80, words)
}

fn data_classification(input: &Input) -> (u16, u16, String) {
    if let Some(content) = input.contents.first() {
        (100, 90, format!("{} at {}", content.class, content.pointer))
    } else if input.session.restricted_seen && input.action.class.has_effect() {
        (40, 50, "restricted content was read before".to_owned())
    } else {
        (0, 70, "nothing restricted found".to_owned())
    }
}

fn approval_history(input: &Input) -> (u16, u16, String) {
    match input.approval {
        ApprovalState::Approved => (0, 100, "a person approved this very action".to_owned()),
        ApprovalState::None => (0, 0, "not measured".to_owned()),
    }
}

/// How harmful a wrong call of this class is, in percent.
const fn harm(class: ToolClass) -> u16 {
    match class {
        ToolClass::Read => 5,
        ToolClass::Write => 30,
        ToolClass::Send => 50,
        ToolClass::Configure => 70,
        ToolClass::Delete | ToolClass::Pay => 85,
        ToolClass::Execute => 95,
        ToolClass::Unknown => 100,
    }
}

/// How much harm the action can do: its class, and more when it reaches outside.
fn impact(input: &Input) -> Ratio {
    let outside = input.targets.iter().any(|target| !target.inside);
    percent((harm(input.action.class) + if outside { 20 } else { 0 }).min(100))
}
