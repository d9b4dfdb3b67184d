//! Builds the engine's value from the typed input, field by field: several times faster than going
//! through JSON text.

use std::collections::BTreeMap;

use pathwarden_types::{Ratio, Risk, SignalKind, Term, ToolClass};
use regorus::Value;

use crate::limits::ARGUMENTS_DEPTH_MAX;
use crate::{
    ActionFacts, AgentFacts, ApprovalState, ConductFacts, Content, Input, OriginFacts, PurposeFacts,
};
use crate::{
    HostActFacts, HostFacts, ModelFacts, ServerToolFacts, SessionFacts, SupplyFacts, Target,
    TargetKind, TaskFacts,
};

/// The input cannot be told to the engine exactly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ShapeFault {
    /// The arguments are nested deeper than [`ARGUMENTS_DEPTH_MAX`].
    TooDeep,
    /// A number that is no finite 64-bit number.
    Number,
}

macro_rules! shaper {
    ($($field:ident),+ $(,)?) => {
        /// Builds inputs for one judge. Holds the field names as values, so that they are neither
        /// allocated per judgement nor shared between workers.
        #[derive(Debug)]
        pub(crate) struct Shaper {
            $($field: Value,)+
        }

        impl Shaper {
            pub(crate) fn new() -> Self {
                Self { $($field: Value::from(stringify!($field)),)+ }
            }
        }
    };
}

shaper! {
    action, actions, acts, agent, approval, arguments, arguments_bytes, asked, asks_everything,
    asks_secret, authenticates,
    band, claim, class, conduct, confidence, contents, count, cue, deviations, doubts, escalations,
    excess, given_by, host, impact, in_workspace, inside, kind, left_open, likelihood, looping, model, name, now_ms, ordered,
    origins, outward, owner, place, pointer, program, program_place, purpose, reasons, refused, repeats, restricted_seen, reversible,
    risk, role, score, server, server_inside, server_tools, server_url, session, sets_credential, standing, stated, supply, targets, task,
    terms, text, tool, trust, untrusted_seen, value, verb, weight, what, words,
}

impl Shaper {
    /// The engine's value of `input`: the same as of its JSON, which a test shows.
    pub(crate) fn input(&self, input: &Input) -> Result<Value, ShapeFault> {
        Ok(object([
            (&self.action, self.action_facts(&input.action)?),
            (&self.agent, self.agent_facts(&input.agent)),
            (&self.task, self.task_facts(&input.task)),
            (&self.session, self.session_facts(&input.session)),
            (&self.purpose, self.purpose_facts(&input.purpose)),
            (&self.conduct, self.conduct_facts(&input.conduct)),
            (&self.supply, self.supply_facts(&input.supply)),
            (&self.model, self.model_facts(&input.model)),
            (&self.host, self.host_facts(&input.host)),
            (&self.origins, list(input.origins.iter().map(|origin| self.origin(origin)))),
            (&self.targets, list(input.targets.iter().map(|target| self.target(target)))),
            (&self.contents, list(input.contents.iter().map(|content| self.content(content)))),
            (&self.approval, Value::from(approval_name(input.approval))),
            (&self.risk, self.fused(&input.risk)),
            (&self.now_ms, Value::from(input.now_ms)),
        ]))
    }

    fn action_facts(&self, action: &ActionFacts) -> Result<Value, ShapeFault> {
        Ok(object([
            (&self.kind, Value::from(action.kind.as_str())),
            (&self.server, Value::from(action.server.as_str())),
            (&self.server_inside, Value::from(action.server_inside)),
            (&self.name, Value::from(action.name.as_str())),
            (&self.class, Value::from(class_name(action.class))),
            (&self.arguments, json(&action.arguments, ARGUMENTS_DEPTH_MAX)?),
            (&self.arguments_bytes, Value::from(action.arguments_bytes)),
            (&self.claim, Value::from(action.claim.as_str())),
        ]))
    }

    fn agent_facts(&self, agent: &AgentFacts) -> Value {
        object([
            (&self.name, Value::from(agent.name.as_str())),
            (&self.owner, Value::from(agent.owner.as_str())),
            (&self.role, Value::from(agent.role.as_str())),
            (&self.purpose, Value::from(agent.purpose.as_str())),
        ])
    }

    fn task_facts(&self, task: &TaskFacts) -> Value {
        object([
            (&self.stated, Value::from(task.stated)),
            (&self.text, Value::from(task.text.as_str())),
        ])
    }

    fn session_facts(&self, session: &SessionFacts) -> Value {
        object([
            (&self.actions, Value::from(session.actions)),
            (&self.refused, Value::from(session.refused)),
            (&self.repeats, Value::from(session.repeats)),
            (&self.looping, Value::from(session.looping.as_str())),
            (&self.untrusted_seen, Value::from(session.untrusted_seen)),
            (&self.restricted_seen, Value::from(session.restricted_seen)),
        ])
    }

    fn purpose_facts(&self, purpose: &PurposeFacts) -> Value {
        object([
            (&self.acts, list(purpose.acts.iter().map(|act| Value::from(act.as_str())))),
            (&self.asked, Value::from(purpose.asked)),
            (&self.left_open, Value::from(purpose.left_open)),
            (&self.ordered, Value::from(purpose.ordered)),
            (&self.reversible, Value::from(purpose.reversible)),
            (&self.outward, Value::from(purpose.outward)),
            (&self.authenticates, Value::from(purpose.authenticates)),
            (&self.sets_credential, Value::from(purpose.sets_credential)),
            (&self.asks_secret, Value::from(purpose.asks_secret)),
            (&self.asks_everything, Value::from(purpose.asks_everything)),
        ])
    }

    fn conduct_facts(&self, conduct: &ConductFacts) -> Value {
        let words = |words: &[String]| list(words.iter().map(|words| Value::from(words.as_str())));
        object([
            (&self.deviations, words(&conduct.deviations)),
            (&self.excess, words(&conduct.excess)),
            (&self.escalations, words(&conduct.escalations)),
        ])
    }

    fn supply_facts(&self, supply: &SupplyFacts) -> Value {
        let reasons = supply.reasons.iter().map(|words| Value::from(words.as_str()));
        object([(&self.trust, Value::from(supply.trust.as_str())), (&self.reasons, list(reasons))])
    }

    fn origin(&self, origin: &OriginFacts) -> Value {
        object([
            (&self.pointer, Value::from(origin.pointer.as_str())),
            (&self.role, Value::from(origin.role.as_str())),
            (&self.given_by, Value::from(origin.given_by.as_str())),
            (&self.cue, Value::from(origin.cue)),
        ])
    }

    fn model_facts(&self, model: &ModelFacts) -> Value {
        let tool = |tool: &ServerToolFacts| {
            object([
                (&self.kind, Value::from(tool.kind.as_str())),
                (&self.name, Value::from(tool.name.as_str())),
                (&self.server_url, Value::from(tool.server_url.as_str())),
                (&self.approval, Value::from(tool.approval.as_str())),
            ])
        };
        object([(&self.server_tools, list(model.server_tools.iter().map(tool)))])
    }

    fn host_facts(&self, host: &HostFacts) -> Value {
        let act = |act: &HostActFacts| {
            object([
                (&self.verb, Value::from(act.verb.as_str())),
                (&self.place, Value::from(act.place.as_str())),
                (&self.what, Value::from(act.what.as_str())),
                (&self.in_workspace, Value::from(act.in_workspace)),
            ])
        };
        let doubts = host.doubts.iter().map(|doubt| Value::from(doubt.as_str()));
        object([
            (&self.program, Value::from(host.program.as_str())),
            (&self.program_place, Value::from(host.program_place.as_str())),
            (&self.acts, list(host.acts.iter().map(act))),
            (&self.doubts, list(doubts)),
            (&self.server, Value::from(host.server.as_str())),
            (&self.tool, Value::from(host.tool.as_str())),
            (&self.standing, Value::from(host.standing.as_str())),
        ])
    }

    fn target(&self, target: &Target) -> Value {
        object([
            (&self.pointer, Value::from(target.pointer.as_str())),
            (&self.kind, Value::from(target_name(target.kind))),
            (&self.value, Value::from(target.value.as_str())),
            (&self.inside, Value::from(target.inside)),
            (&self.given_by, Value::from(target.given_by.as_str())),
        ])
    }

    fn content(&self, content: &Content) -> Value {
        object([
            (&self.pointer, Value::from(content.pointer.as_str())),
            (&self.class, Value::from(content.class.as_str())),
            (&self.count, Value::from(content.count)),
        ])
    }

    fn fused(&self, risk: &Risk) -> Value {
        object([
            (&self.score, ratio(risk.score)),
            (&self.likelihood, ratio(risk.likelihood)),
            (&self.impact, ratio(risk.impact)),
            (&self.band, Value::from(risk.band.as_str())),
            (&self.terms, list(risk.terms.iter().map(|term| self.term(term)))),
        ])
    }

    fn term(&self, term: &Term) -> Value {
        object([
            (&self.kind, Value::from(signal_name(term.signal.kind))),
            (&self.value, ratio(term.signal.value)),
            (&self.confidence, ratio(term.signal.confidence)),
            (&self.words, Value::from(term.signal.words.as_str())),
            (&self.weight, ratio(term.weight)),
        ])
    }
}

/// The engine's value of any JSON nested at most `depth` deep.
pub(crate) fn json(value: &serde_json::Value, depth: usize) -> Result<Value, ShapeFault> {
    let below = depth.checked_sub(1).ok_or(ShapeFault::TooDeep);
    Ok(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => self::number(number)?,
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => {
            let below = below?;
            let items: Result<Vec<_>, _> = items.iter().map(|item| json(item, below)).collect();
            Value::from(items?)
        }
        serde_json::Value::Object(fields) => {
            let below = below?;
            let field = |(name, field): (&String, _)| -> Result<_, ShapeFault> {
                Ok((Value::from(name.as_str()), json(field, below)?))
            };
            Value::from(fields.iter().map(field).collect::<Result<BTreeMap<_, _>, _>>()?)
        }
    })
}

fn number(number: &serde_json::Number) -> Result<Value, ShapeFault> {
    if let Some(number) = number.as_u64() {
        Ok(Value::from(number))
    } else if let Some(number) = number.as_i64() {
        Ok(Value::from(number))
    } else {
        number.as_f64().filter(|float| float.is_finite()).map(Value::from).ok_or(ShapeFault::Number)
    }
}

fn object<const N: usize>(fields: [(&Value, Value); N]) -> Value {
    let fields: BTreeMap<_, _> =
        fields.into_iter().map(|(name, value)| (name.clone(), value)).collect();
    Value::from(fields)
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::from(items.collect::<Vec<_>>())
}

fn ratio(ratio: Ratio) -> Value {
    Value::from(u64::from(ratio.steps()))
}

const fn class_name(class: ToolClass) -> &'static str {
    match class {
        ToolClass::Read => "read",
        ToolClass::Write => "write",
        ToolClass::Send => "send",
        ToolClass::Configure => "configure",
        ToolClass::Delete => "delete",
        ToolClass::Pay => "pay",
        ToolClass::Execute => "execute",
        ToolClass::Unknown => "unknown",
    }
}

const fn target_name(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Email => "email",
        TargetKind::Url => "url",
        TargetKind::Account => "account",
    }
}

const fn approval_name(approval: ApprovalState) -> &'static str {
    match approval {
        ApprovalState::None => "none",
        ApprovalState::Approved => "approved",
    }
}

const fn signal_name(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::Identity => "identity",
        SignalKind::Permissions => "permissions",
        SignalKind::PromptContext => "prompt_context",
        SignalKind::Tool => "tool",
        SignalKind::Destination => "destination",
        SignalKind::Behaviour => "behaviour",
        SignalKind::DataClassification => "data_classification",
        SignalKind::ThreatIntelligence => "threat_intelligence",
        SignalKind::ApprovalHistory => "approval_history",
        SignalKind::Confidence => "confidence",
    }
}
