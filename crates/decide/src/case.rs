//! One action before the engine: the stages it passes, in order.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use pathwarden_json::{Json, canonical};
use pathwarden_policy::{ApprovalState, ConductFacts, Input, Judgement};
use pathwarden_types::{
    Action, ApprovalNeed, Containment, Digest, Millis, Obligation, OperationKind, Origin, RuleHit,
    Trust, Verdict,
};
use serde_json::Value;

use crate::conduct::Report;
use crate::facts::Survey;
use crate::risk::Evidence;
use crate::state::{Binding, Standing};
use crate::{Engine, Reading, State, facts, host, obligations, risk};

/// One action before the engine.
pub(crate) struct Case<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) state: &'a State,
    pub(crate) action: &'a Action,
    pub(crate) now: Millis,
    pub(crate) input: Input,
    /// What the arguments name.
    pub(crate) reading: Reading,
    pub(crate) verdict: Verdict,
    pub(crate) hits: Vec<RuleHit>,
    pub(crate) obligations: Vec<Obligation>,
    pub(crate) containment: Vec<Containment>,
    pub(crate) need: Option<ApprovalNeed>,
    /// Where the arguments that decide something came from.
    pub(crate) origins: Vec<Origin>,
    /// Links in the arguments, of any spelling.
    links: BTreeSet<String>,
    /// What the action makes of what the session did.
    report: Report,
}

/// A stage goes on, or ends the case with one hit of the engine's own.
type Step = ControlFlow<RuleHit>;

/// One check with its name.
type Stage = (&'static str, fn(&mut Case<'_>) -> Step);

/// The stages, cheapest certain answer first. The order is written here and nowhere else.
pub(crate) const STAGES: &[Stage] = &[
    ("session", |case| case.session_is_open()),
    ("containment", |case| case.nothing_is_contained()),
    ("room", |case| case.permits_are_few()),
    ("canonicalise", |case| case.read_arguments()),
    ("approval", |case| case.look_up_approval()),
    ("conduct", |case| case.compare_conduct()),
    ("risk", |case| case.assess_risk()),
    ("policy", |case| case.judge_by_policy()),
    ("obligations", |case| case.resolve_obligations()),
    ("rate", |case| case.count_rate()),
    ("person", |case| case.satisfy_hold()),
];

impl<'a> Case<'a> {
    pub(crate) fn new(
        engine: &'a mut Engine,
        state: &'a State,
        action: &'a Action,
        now: Millis,
    ) -> Self {
        let nothing = Value::Object(serde_json::Map::new());
        let settings = engine.snapshot().settings();
        let input = facts::input(settings, state, action, nothing, Survey::default(), now);
        Self {
            engine,
            state,
            action,
            now,
            input,
            reading: Reading::of_arguments(&action.operation, &action.arguments),
            verdict: Verdict::Deny,
            hits: Vec::new(),
            obligations: Vec::new(),
            containment: Vec::new(),
            need: None,
            origins: Vec::new(),
            links: BTreeSet::new(),
            report: Report::default(),
        }
    }

    /// Passes every stage until one ends the case.
    pub(crate) fn pass(&mut self) {
        for (_, stage) in STAGES {
            if let ControlFlow::Break(hit) = stage(self) {
                self.refuse(hit);
                return;
            }
        }
    }

    fn refuse(&mut self, hit: RuleHit) {
        self.verdict = self.verdict.max(Verdict::Deny);
        self.obligations.clear();
        self.need = None;
        self.hits.push(hit);
    }

    fn session_is_open(&mut self) -> Step {
        if self.state.is_open() {
            return Step::Continue(());
        }
        refusal("engine.session_closed", "the session has ended", "start a new session")
    }

    fn nothing_is_contained(&mut self) -> Step {
        let supply = self.action.supply.as_ref();
        if supply.is_some_and(|supply| supply.trust == Trust::Disabled) {
            return refusal(
                "engine.tool_disabled",
                "a person switched this tool off",
                "go on without it",
            );
        }
        for restriction in &self.action.restrictions {
            let class = self.input.action.class;
            if let Some((reason, advice)) = host::refusal_by(restriction, self.action, class) {
                return refusal("engine.contained", reason, advice);
            }
        }
        if !self.state.is_isolated() {
            return Step::Continue(());
        }
        self.verdict = Verdict::Isolate;
        refusal(
            "engine.isolated",
            "the session is isolated",
            "end the work; a person must look at it",
        )
    }

    fn permits_are_few(&mut self) -> Step {
        if self.state.open().count() < State::OPEN_MAX {
            return Step::Continue(());
        }
        refusal(
            "engine.too_many_open",
            &format!("{} actions of this session have not been reported", State::OPEN_MAX),
            "wait until what was begun has ended",
        )
    }

    fn read_arguments(&mut self) -> Step {
        let canonical = Json::parse(self.action.arguments.as_bytes()).map(canonical);
        if canonical.is_ok_and(|bytes| Digest::of(&bytes) == self.action.canonical)
            && let Ok(value @ Value::Object(_)) = serde_json::from_str(&self.action.arguments)
        {
            return self.survey(value);
        }
        refusal(
            "engine.unreadable_arguments",
            "the arguments are not one JSON object with unique keys, or not what their digest says",
            "send the arguments as one plain JSON object",
        )
    }

    fn survey(&mut self, arguments: Value) -> Step {
        if self.action.operation.kind.is_on_host() {
            return self.survey_host(arguments);
        }
        let settings = self.engine.snapshot().settings();
        match facts::survey(settings, self.state, self.action, &arguments) {
            // Arguments that name more than is remembered could plant an address unseen.
            Ok(survey) if !self.reading.overflowed => {
                (self.origins, self.links) = (survey.origins(), survey.links());
                self.input =
                    facts::input(settings, self.state, self.action, arguments, survey, self.now);
                Step::Continue(())
            }
            _ => refusal(
                "engine.arguments_too_large",
                "the arguments have too many parts, targets or pieces of sensitive content",
                "do it in smaller pieces",
            ),
        }
    }

    /// What processes do is judged by what it does and where, not by where values came from.
    fn survey_host(&mut self, arguments: Value) -> Step {
        if host::host_attempt(self.action).is_none() {
            return refusal(
                "engine.unreadable_arguments",
                "the arguments are not what is done to a machine, or too much at once",
                "do it in smaller pieces",
            );
        }
        let (settings, survey) = (self.engine.snapshot().settings(), Survey::default());
        self.input = facts::input(settings, self.state, self.action, arguments, survey, self.now);
        Step::Continue(())
    }

    fn look_up_approval(&mut self) -> Step {
        let policy = self.engine.snapshot().version();
        let binding = Binding::new(&self.action.operation, self.action.canonical, policy);
        if let Some(question) = self.state.question_about(self.action.id) {
            if question.binding != binding {
                return refusal(
                    "engine.approval_stale",
                    "the policy changed while a person was asked",
                    "try again; the question will be put anew",
                );
            }
            match question.standing {
                Standing::Refused => {
                    let advice = "a person refused this; do not try it again";
                    return refusal("engine.approval_refused", "a person refused", advice);
                }
                Standing::Lapsed => {
                    let advice = "nobody answered in time; ask again when somebody is there";
                    return refusal("engine.approval_lapsed", "nobody answered in time", advice);
                }
                Standing::Asked | Standing::Approved if question.approval.expires <= self.now => {
                    let advice = "the approval came too late or was not used in time; ask again";
                    return refusal("engine.approval_lapsed", "the approval has lapsed", advice);
                }
                Standing::Asked | Standing::Approved | Standing::Used => {}
            }
        }
        let approved = self
            .state
            .question_bound(&binding, self.now)
            .is_some_and(|question| question.standing == Standing::Approved);
        if approved {
            self.input.approval = ApprovalState::Approved;
        }
        Step::Continue(())
    }

    fn compare_conduct(&mut self) -> Step {
        let (state, action) = (self.state, self.action);
        // What an agent does with its tools is its conduct: not that it thinks, nor what their processes do.
        let kind = action.operation.kind;
        if kind == OperationKind::ModelCall || kind.is_on_host() {
            return Step::Continue(());
        }
        let approved = self.input.approval == ApprovalState::Approved;
        let (id, class) = ((action.id, self.now), self.input.action.class);
        let conduct = state.conduct();
        let event = conduct.call(id, &action.operation, class, Some(&self.reading), approved);
        let knowledge = self.engine.snapshot().knowledge();
        let agent = state.agent();
        let baseline = knowledge.baseline(&agent.name, &agent.purpose);
        self.report = conduct.report(&event, agent, knowledge.contracts(), baseline);
        self.input.conduct = ConductFacts {
            deviations: self.report.deviations.clone(),
            excess: self.report.excess.clone(),
            escalations: self.report.escalations.clone(),
        };
        Step::Continue(())
    }

    fn assess_risk(&mut self) -> Step {
        // The signals are of what an agent says and is told.
        if self.action.operation.kind.is_on_host() {
            return Step::Continue(());
        }
        let snapshot = self.engine.snapshot();
        let (knowledge, operation) = (snapshot.knowledge(), &self.action.operation);
        let targets = self.input.targets.iter().map(|target| target.value.as_str());
        let targets = targets.chain(self.links.iter().map(String::as_str));
        let listed = knowledge.listed(targets, self.now);
        let server = snapshot.settings().server(&operation.server);
        let evidence = Evidence {
            input: &self.input,
            report: &self.report,
            listed: listed.as_ref(),
            has_intel: knowledge.intel().is_some(),
            is_stated: server.classes.contains_key(&operation.name),
            was_refused: self.state.was_refused(operation),
            is_forgetful: self.state.sources().is_full(),
            is_alert: self.state.is_alert(),
            said_with: self.state.models().confidence(self.action.id),
        };
        self.input.risk = risk::assess(&evidence, &snapshot.settings().risk);
        Step::Continue(())
    }

    fn judge_by_policy(&mut self) -> Step {
        let Judgement { verdict, hits, obligations, approval, containment } =
            self.engine.judge(&self.input);
        self.verdict = verdict;
        self.hits = hits;
        self.obligations = obligations;
        self.containment = containment;
        self.need = approval;
        Step::Continue(())
    }

    fn resolve_obligations(&mut self) -> Step {
        match obligations::resolve(&self.obligations, &self.input.action.arguments) {
            Ok(resolved) => {
                self.obligations = resolved;
                Step::Continue(())
            }
            Err(reason) => refusal(
                "engine.obligation_impossible",
                &reason,
                "leave the restricted part out and try again",
            ),
        }
    }

    fn count_rate(&mut self) -> Step {
        let lowest = self
            .obligations
            .iter()
            .filter_map(|obligation| match obligation {
                Obligation::RateLimit { per_minute } => usize::try_from(*per_minute).ok(),
                _ => None,
            })
            .min();
        match lowest {
            Some(most) if self.state.limited(&self.action.operation, self.now) >= most => refusal(
                "engine.rate_limited",
                &format!("more than {most} such actions in a minute"),
                "wait a minute before the next",
            ),
            _ => Step::Continue(()),
        }
    }

    /// A person's approval satisfies what only asked for a person; it lowers nothing else.
    fn satisfy_hold(&mut self) -> Step {
        if self.verdict == Verdict::Hold && self.input.approval == ApprovalState::Approved {
            self.verdict = self
                .hits
                .iter()
                .map(|hit| hit.verdict)
                .filter(|verdict| *verdict != Verdict::Hold)
                .max()
                .unwrap_or(Verdict::Allow);
            self.need = None;
        }
        let operation = &self.action.operation;
        // Address and server are all there is to it: to try again asks nothing new.
        if self.verdict == Verdict::Hold
            && operation.kind == OperationKind::Connect
            && self.state.was_refused(operation)
        {
            return refusal(
                "engine.refused_by_person",
                "a person refused this address in this session",
                "go on without it",
            );
        }
        let has_room = self.state.questions().count() < State::QUESTIONS_MAX
            && self.state.waiting().count() < State::WAITING_MAX;
        if self.verdict != Verdict::Hold || has_room {
            return Step::Continue(());
        }
        refusal(
            "engine.too_many_questions",
            "too many actions of this session wait for a person",
            "wait for the answers to what was asked before",
        )
    }
}

fn refusal(rule: &str, reason: &str, advice: &str) -> Step {
    Step::Break(RuleHit {
        rule: rule.to_owned(),
        file: String::new(),
        line: 0,
        verdict: Verdict::Deny,
        reason: reason.to_owned(),
        advice: advice.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::STAGES;

    #[test]
    fn the_order_of_checks() {
        let names: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names.join(" > "),
            "session > containment > room > canonicalise > approval > conduct > risk > policy > \
             obligations > rate > person"
        );
    }
}
