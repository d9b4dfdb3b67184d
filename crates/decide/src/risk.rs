//! The ten signals and how they add up, in fixed point: `1 - prod(1 - weight * value * confidence)` is
//! how likely the action is a misuse (a noisy-or), and times its impact it is the risk. A signal that
//! is not measured says so with a confidence of zero.

use pathwarden_intel::Hit;
use pathwarden_policy::{ApprovalState, Input, OriginFacts};
use pathwarden_types::{Band, GivenBy, Ratio, Risk, Signal, SignalKind, Term, ToolClass};

use crate::conduct::Report;
use crate::settings::RiskSettings;

/// Everything that the signals are read from.
pub(crate) struct Evidence<'a> {
    pub(crate) input: &'a Input,
    pub(crate) report: &'a Report,
    /// The listing of a target that counts most.
    pub(crate) listed: Option<&'a Hit>,
    /// Whether any list of threats is loaded.
    pub(crate) has_intel: bool,
    /// Whether the operator states what the tool does.
    pub(crate) is_stated: bool,
    /// Whether a person refused an action of this operation in this session.
    pub(crate) was_refused: bool,
    /// Whether more was read than is remembered.
    pub(crate) is_forgetful: bool,
    /// Whether this session lately did what called for a person.
    pub(crate) is_alert: bool,
    /// How sure the model was when it emitted the call, where its provider tells.
    pub(crate) said_with: Option<Ratio>,
}

/// Value and confidence in percent, and why.
type Measured = (u16, u16, String);

/// How a signal is measured.
type Measure = fn(&Evidence<'_>) -> Measured;

/// Every signal with its weight in percent, in the order of [`SignalKind`].
const SIGNALS: &[(SignalKind, u16, Measure)] = &[
    (SignalKind::Identity, 20, identity),
    (SignalKind::Permissions, 30, permissions),
    (SignalKind::PromptContext, 80, prompt_context),
    (SignalKind::Tool, 20, tool),
    (SignalKind::Destination, 30, destination),
    (SignalKind::Behaviour, 50, behaviour),
    (SignalKind::DataClassification, 40, data_classification),
    (SignalKind::ThreatIntelligence, 90, threat_intelligence),
    (SignalKind::ApprovalHistory, 30, approval_history),
    (SignalKind::Confidence, 20, confidence_signal),
];

/// The fused risk of an action.
pub(crate) fn assess(evidence: &Evidence<'_>, settings: &RiskSettings) -> Risk {
    let terms: Vec<Term> = SIGNALS
        .iter()
        .map(|(kind, weight, measure)| {
            let (value, confidence, words) = measure(evidence);
            let (value, confidence) = (percent(value), percent(confidence));
            let weight = settings.weights.get(kind).copied().unwrap_or_else(|| percent(*weight));
            Term { signal: Signal { kind: *kind, value, confidence, words }, weight }
        })
        .collect();
    let harmless = terms.iter().fold(Ratio::ONE, |left, term| {
        let push = term.weight.times(term.signal.value).times(term.signal.confidence);
        left.times(push.complement())
    });
    let likelihood = harmless.complement();
    let impact = impact(evidence.input);
    let score = likelihood.times(impact);
    let mut risk = Risk { score, likelihood, impact, band: Band::Low, terms };
    risk.band = band(&risk, evidence.is_alert, settings);
    risk
}

/// Where the score lies. A session that lately called for a person is given less room, so that it does
/// not go back and forth over the edge of a band.
fn band(risk: &Risk, is_alert: bool, settings: &RiskSettings) -> Band {
    /// How much less room, in ten-thousandths.
    const ALERT_STEPS: u16 = 500;
    /// Below this, little is known of an action.
    const CONFIDENCE_MIN: Ratio = Ratio::of(2_500);
    /// From here on, an action of which little is known needs a person.
    const IMPACT_HIGH: Ratio = Ratio::of(8_000);
    let slack = if is_alert { ALERT_STEPS } else { 0 };
    let score = risk.score.steps();
    let edges = [Band::Guarded, Band::Elevated, Band::High, Band::Severe];
    let reached = edges
        .into_iter()
        .zip(settings.bands)
        .filter(|(_, edge)| score >= edge.steps().saturating_sub(slack))
        .map(|(band, _)| band)
        .max()
        .unwrap_or(Band::Low);
    let is_blind = confidence(risk) < CONFIDENCE_MIN && risk.impact >= IMPACT_HIGH;
    if is_blind { reached.max(Band::High) } else { reached }
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

fn percent(value: u16) -> Ratio {
    Ratio::of(value.saturating_mul(Ratio::STEPS / 100))
}

fn in_percent(ratio: Ratio) -> u16 {
    ratio.steps() / (Ratio::STEPS / 100)
}

fn identity(evidence: &Evidence<'_>) -> Measured {
    let agent = &evidence.input.agent;
    let doubt = if evidence.input.task.stated { 0 } else { 40 };
    (doubt, 100, format!("`{}`, which {} answers for", agent.name, agent.owner))
}

fn permissions(evidence: &Evidence<'_>) -> Measured {
    if let Some(words) = evidence.report.escalations.first() {
        (80, 90, words.clone())
    } else if !evidence.input.action.server_inside {
        (70, 80, "nobody vouches for the server".to_owned())
    } else if evidence.is_stated {
        (0, 100, "the operator states what this tool does".to_owned())
    } else {
        (10, 60, "what this tool does is read from its own words".to_owned())
    }
}

/// Whether the action makes sense for the task, and who gave the values that decide something.
fn prompt_context(evidence: &Evidence<'_>) -> Measured {
    let input = evidence.input;
    let worst = input.origins.iter().max_by_key(|origin| origin.given_by);
    let given_by = worst.map_or(GivenBy::Task, |origin| origin.given_by);
    let (value, confidence, words) = match given_by {
        GivenBy::Ordered => (100, 95, "content that was read orders this"),
        GivenBy::OutsideContent => (80, 85, "a value stands only in text of outsiders"),
        _ if has_made_up_target(input) => (60, 70, "nobody named whom this reaches"),
        _ if !input.task.stated => (50, 60, "nobody stated a task"),
        _ if input.action.class.has_effect() && !is_asked(input) => {
            (50, 60, "the task does not ask for this kind of action")
        }
        GivenBy::Nobody => (25, 50, "a value was named by nobody"),
        GivenBy::Pointed => (15, 60, "a value stands in text that the task points to"),
        GivenBy::Record => (5, 60, "every value is given by the task or a record"),
        GivenBy::Task | GivenBy::Content => (0, 80, "every value is given by the task or by us"),
    };
    let cue = worst.filter(|origin| is_outside(origin)).map_or(0, |origin| origin.cue);
    let cue = u16::try_from(cue).map_or(Ratio::ONE, Ratio::of);
    if in_percent(cue) > value {
        (in_percent(cue), confidence, format!("{words}, which reads like an attempt to steer"))
    } else {
        (value, confidence, words.to_owned())
    }
}

fn is_outside(origin: &OriginFacts) -> bool {
    origin.given_by >= GivenBy::Pointed && origin.given_by != GivenBy::Nobody
}

fn is_asked(input: &Input) -> bool {
    input.purpose.asked || input.purpose.left_open || input.purpose.authenticates
}

/// Whether nobody we know of named one of the targets.
fn has_made_up_target(input: &Input) -> bool {
    input.targets.iter().any(|target| target.given_by == GivenBy::Nobody)
}

fn tool(evidence: &Evidence<'_>) -> Measured {
    let action = &evidence.input.action;
    let words = format!("{:?} on `{}`", action.class, action.server).to_lowercase();
    (harm(action.class), if action.class == ToolClass::Unknown { 50 } else { 90 }, words)
}

fn destination(evidence: &Evidence<'_>) -> Measured {
    let targets = &evidence.input.targets;
    let outside = targets.iter().filter(|target| !target.inside);
    let worst = outside.clone().map(|target| target.given_by).max();
    let value = match worst {
        None => 0,
        Some(GivenBy::Task) => 10,
        Some(GivenBy::Content | GivenBy::Record) => 25,
        Some(GivenBy::Pointed) => 40,
        Some(GivenBy::Nobody) => 70,
        Some(GivenBy::OutsideContent) => 85,
        Some(GivenBy::Ordered) => 100,
    };
    match (targets.len(), outside.count()) {
        (0, _) => (0, 40, "no target found".to_owned()),
        (_, 0) => (0, 90, "all targets are inside".to_owned()),
        (all, outside) => (value, 80, format!("{outside} of {all} targets are outside")),
    }
}

/// The gravest of what the session did and is doing.
fn behaviour(evidence: &Evidence<'_>) -> Measured {
    let (session, report) = (&evidence.input.session, evidence.report);
    let looping = match session.looping.as_str() {
        "warn" => 30,
        "throttle" => 60,
        "break" => 100,
        _ => 0,
    };
    let refused = u16::try_from(session.refused.min(5)).unwrap_or(5) * 16;
    let novelty = report
        .novelty
        .as_ref()
        .map_or(0, |novelty| in_percent(novelty.value.times(novelty.confidence)));
    let mut found = vec![
        (looping, format!("this call was made {} times before", session.repeats)),
        (refused, format!("{} actions of this session were refused", session.refused)),
        (in_percent(report.haste.0), report.haste.1.clone()),
        (novelty, report.novelty.as_ref().map(|found| found.words.clone()).unwrap_or_default()),
    ];
    found.extend(report.deviations.iter().map(|words| (100, words.clone())));
    found.extend(report.excess.iter().map(|words| (100, words.clone())));
    // Of equally grave ones the first: the order is written above.
    let gravest = found.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best });
    match gravest {
        Some((value, words)) if value > 0 => (value, 80, words),
        _ => (0, 80, "nothing unusual in this session".to_owned()),
    }
}

fn data_classification(evidence: &Evidence<'_>) -> Measured {
    let input = evidence.input;
    let leaves = input.action.class != ToolClass::Pay && input.action.class.has_effect();
    match input.contents.first() {
        Some(content) if leaves => (100, 90, format!("{} at {}", content.class, content.pointer)),
        Some(content) => (20, 90, format!("{} at {}", content.class, content.pointer)),
        None if input.session.restricted_seen && leaves => {
            (30, 50, "restricted content was read before".to_owned())
        }
        None => (0, 70, "nothing restricted found".to_owned()),
    }
}

fn threat_intelligence(evidence: &Evidence<'_>) -> Measured {
    match evidence.listed {
        Some(hit) => (100, in_percent(hit.confidence), hit.words.clone()),
        None if evidence.has_intel => (0, 60, "no target is listed".to_owned()),
        None => (0, 0, "not measured: no list of threats is loaded".to_owned()),
    }
}

fn approval_history(evidence: &Evidence<'_>) -> Measured {
    match evidence.input.approval {
        ApprovalState::Approved => (0, 100, "a person approved this very action".to_owned()),
        ApprovalState::None if evidence.was_refused => {
            (70, 80, "a person refused such an action in this session".to_owned())
        }
        ApprovalState::None => (0, 0, "not measured: nobody was asked".to_owned()),
    }
}

/// How much of what decides something has no known origin.
fn confidence_signal(evidence: &Evidence<'_>) -> Measured {
    let origins = &evidence.input.origins;
    let unknown = origins.iter().filter(|origin| origin.given_by == GivenBy::Nobody).count();
    let share = unknown.saturating_mul(100).checked_div(origins.len()).unwrap_or(0);
    let share = u16::try_from(share).unwrap_or(100);
    let doubt = evidence.said_with.map_or(0, |sure| in_percent(sure.complement()));
    if doubt > share {
        (doubt, 60, format!("the model was {} % sure of what it said", 100 - doubt))
    } else if evidence.is_forgetful {
        (80, 90, "more was read than is remembered".to_owned())
    } else {
        (share, 60, format!("{unknown} of {} values have no known origin", origins.len()))
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

/// How much harm the action can do: its class, and more when it reaches outside or cannot be undone.
fn impact(input: &Input) -> Ratio {
    let outside = input.targets.iter().any(|target| !target.inside);
    let more = match (outside, input.purpose.reversible) {
        (true, false) => 20,
        (true, true) | (false, false) => 10,
        (false, true) => 0,
    };
    let base = harm(input.action.class);
    percent(
        if input.action.class == ToolClass::Read { base + more / 2 } else { base + more }.min(100),
    )
}
