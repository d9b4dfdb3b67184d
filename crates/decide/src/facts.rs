//! From an action and its session to what a policy is told.

use std::collections::BTreeSet;

use pathwarden_classify as classify;
use pathwarden_policy::{
    ActionFacts, AgentFacts, ApprovalState, ConductFacts, Content, Input, ModelFacts, OriginFacts,
    PurposeFacts, ServerToolFacts, SessionFacts, SupplyFacts, Target, TargetKind, TaskFacts,
};
use pathwarden_purpose::{Act, Tool};
use pathwarden_types::{
    Action, Agent, Claim, Decided, GivenBy, Millis, OperationKind, Origin, Risk, ToolClass,
};
use serde_json::Value;

use crate::leaves::{self, Part, PartKind, TooLarge};
use crate::origins::{self, Doing, ORIGINS_MAX, Traced};
use crate::recipients::{self, Place};
use crate::{Settings, State, asks, host, links, reading};

/// The most targets that one action may have; one past it is refused.
const TARGETS_MAX: usize = 256;

/// The most pieces of sensitive content that one action may have; one past it is refused.
const CONTENTS_MAX: usize = 1_024;

/// Whom an action reaches and what sensitive content it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Survey {
    targets: Vec<Target>,
    traced: Vec<Traced>,
    links: BTreeSet<String>,
    contents: Vec<Content>,
}

/// What a policy is told, with the risk still to be added.
pub(crate) fn input(
    settings: &Settings,
    state: &State,
    action: &Action,
    arguments: Value,
    survey: Survey,
    now: Millis,
) -> Input {
    let server = settings.server(&action.operation.server);
    let (tool, class) = tool_of(settings, state, action);
    let Survey { targets, traced, contents, .. } = survey;
    let origins: Vec<OriginFacts> = traced.iter().map(Traced::facts).collect();
    let kind = action.operation.kind;
    let model = model_facts(kind, &arguments);
    let asked = (asks::asks_secret(kind, &arguments), asks::asks_everything(kind, &arguments));
    Input {
        action: ActionFacts {
            kind: action.operation.kind,
            server: action.operation.server.to_string(),
            server_inside: server.inside,
            name: action.operation.name.clone(),
            class,
            arguments_bytes: u64::try_from(action.arguments.len()).unwrap_or(u64::MAX),
            arguments,
            claim: action.claim.map_or("unseen", Claim::as_str).to_owned(),
        },
        agent: agent_facts(state.agent()),
        task: TaskFacts { stated: state.task_is_stated(), text: state.task_text().to_owned() },
        session: SessionFacts {
            actions: state.step(),
            refused: state.refused(),
            repeats: state.repeats(&action.operation, action.canonical),
            looping: state.looping(&action.operation, action.canonical).to_owned(),
            untrusted_seen: state.untrusted_seen(),
            restricted_seen: state.restricted_seen(),
        },
        purpose: purpose_facts(state, &tool, &origins, asked),
        conduct: ConductFacts::default(),
        supply: supply_facts(action),
        model,
        host: host::facts(settings, action),
        targets,
        origins,
        contents,
        approval: ApprovalState::None,
        risk: Risk::none(),
        now_ms: now.0,
    }
}

fn agent_facts(agent: &Agent) -> AgentFacts {
    AgentFacts {
        name: agent.name.to_string(),
        owner: agent.owner.clone(),
        role: agent.role.clone(),
        purpose: agent.purpose.clone(),
    }
}

/// What a tool does, and what that does to the world.
fn tool_of(settings: &Settings, state: &State, action: &Action) -> (Tool, ToolClass) {
    let (tool, inferred) = state.tool(&action.operation);
    // Whoever serves the model, a call of it does nothing but think.
    if action.operation.kind == OperationKind::ModelCall {
        return (tool, inferred);
    }
    if action.operation.kind.is_on_host() {
        return (tool, host::class(action.operation.kind, host::host_attempt(action).as_ref()));
    }
    let server = settings.server(&action.operation.server);
    (tool, server.class_of(&action.operation.name, inferred))
}

/// How what the action uses stands.
fn supply_facts(action: &Action) -> SupplyFacts {
    action.supply.as_ref().map_or_else(SupplyFacts::unseen, |supply| SupplyFacts {
        trust: supply.trust.as_str().to_owned(),
        reasons: supply.reasons.clone(),
    })
}

/// What a model is given to use, as the arguments of its call say.
fn model_facts(kind: OperationKind, arguments: &Value) -> ModelFacts {
    if kind != OperationKind::ModelCall {
        return ModelFacts::default();
    }
    let tools = arguments.get("server_tools").and_then(Value::as_array);
    let fact = |tool: &Value| {
        let text = |name| tool.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        ServerToolFacts {
            kind: text("kind"),
            name: text("name"),
            server_url: text("server_url"),
            approval: text("approval"),
        }
    };
    ModelFacts { server_tools: tools.into_iter().flatten().map(fact).collect() }
}

fn purpose_facts(
    state: &State,
    tool: &Tool,
    origins: &[OriginFacts],
    (asks_secret, asks_everything): (bool, bool),
) -> PurposeFacts {
    let proves = tool.only_authenticates();
    PurposeFacts {
        acts: tool.acts().iter().map(Act::as_str).map(str::to_owned).collect(),
        asked: state.asked().asks_for(tool),
        left_open: state.asked().is_open(),
        reversible: tool.is_reversible(),
        outward: tool.is_outward(),
        ordered: !proves && state.sources().orders_tool(state.asked(), tool),
        authenticates: proves,
        sets_credential: !proves && origins.iter().any(|origin| origin.role == "credential"),
        asks_secret,
        asks_everything,
    }
}

/// Whom the arguments reach, and what sensitive content they hold.
///
/// # Errors
///
/// [`TooLarge`] when there is more of it than the named limits allow.
pub(crate) fn survey(
    settings: &Settings,
    state: &State,
    action: &Action,
    arguments: &Value,
) -> Result<Survey, TooLarge> {
    let (tool, class) = tool_of(settings, state, action);
    let doing = Doing { tool: &tool, class, kind: action.operation.kind };
    let mut survey = Survey::default();
    leaves::visit(arguments, |part| survey.add(settings, state, doing, part))?;
    let Survey { targets, traced, contents, .. } = &mut survey;
    if targets.len() > TARGETS_MAX || contents.len() > CONTENTS_MAX || traced.len() > ORIGINS_MAX {
        return Err(TooLarge);
    }
    targets.sort_by(|a, b| (&a.pointer, &a.value).cmp(&(&b.pointer, &b.value)));
    targets.dedup();
    contents.sort_by(|a, b| (&a.pointer, &a.class).cmp(&(&b.pointer, &b.class)));
    contents.dedup_by(|later, first| {
        let same = later.pointer == first.pointer && later.class == first.class;
        if same {
            first.count += later.count;
        }
        same
    });
    Ok(survey)
}

impl Survey {
    /// What is recorded of the origins, the most doubtful first.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        let mut origins: Vec<Origin> =
            self.traced.iter().map(|traced| traced.origin.clone()).collect();
        origins.sort_by(|a, b| b.given_by.cmp(&a.given_by).then_with(|| a.pointer.cmp(&b.pointer)));
        origins.truncate(Decided::ORIGINS_MAX);
        origins
    }

    /// Links of any spelling, to look up in lists of threats.
    pub(crate) fn links(&self) -> BTreeSet<String> {
        self.links.clone()
    }

    fn add(&mut self, settings: &Settings, state: &State, doing: Doing<'_>, part: Part<'_>) {
        if self.traced.len() <= ORIGINS_MAX {
            self.traced.extend(origins::of_part(state, doing, part));
        }
        if self.targets.len() <= TARGETS_MAX && doing.has_targets_at(part.pointer) {
            let found = targets_in(part, doing.class).into_iter();
            let found = found.filter(|(kind, value)| doing.reaches(*kind, value, part.pointer));
            for (kind, value) in found.take(TARGETS_MAX + 1) {
                self.targets.push(Target {
                    pointer: part.pointer.to_owned(),
                    kind,
                    inside: is_inside(settings, kind, &value),
                    given_by: given_by(state, kind, &value, doing),
                    value,
                });
            }
        }
        if links::is_link(part.text) && self.links.len() < TARGETS_MAX {
            self.links.insert(part.text.trim().to_owned());
        }
        if self.contents.len() <= CONTENTS_MAX {
            self.contents.extend(contents_in(part.pointer, part.text));
        }
    }
}

/// Links and names have many spellings; an address or an account that differs in one letter is another.
fn given_by(state: &State, kind: TargetKind, value: &str, doing: Doing<'_>) -> GivenBy {
    match kind {
        TargetKind::Email if value.contains('@') => state.given_by(value, doing.deciding()),
        TargetKind::Account => state.given_by(value, doing.deciding()),
        TargetKind::Email | TargetKind::Url => state.provenance(value, doing.deciding()).given_by,
    }
}

fn targets_in(part: Part<'_>, class: ToolClass) -> Vec<(TargetKind, String)> {
    let text = part.text.trim();
    let emails = |found: Vec<String>| found.into_iter().map(|to| (TargetKind::Email, to)).collect();
    let place = Place::of(part.pointer);
    match (place, part.kind) {
        // Under a recipient, a key that looks like an address is one.
        (Place::Recipient | Place::BelowRecipient, PartKind::Key) if text.contains('@') => {
            return emails(recipients::in_list(text));
        }
        (_, PartKind::Key) => return Vec::new(),
        (Place::Recipient, PartKind::Text) => return emails(recipients::in_list(text)),
        (Place::BelowRecipient, PartKind::Text) if text.contains('@') => {
            return emails(recipients::in_list(text));
        }
        (Place::Recipient, PartKind::Scalar) if class == ToolClass::Send => {
            return emails(vec![text.to_owned()]);
        }
        (Place::Header | Place::Other, PartKind::Text) if class == ToolClass::Send => {
            let smuggled = recipients::in_header_line(part.text);
            if !smuggled.is_empty() {
                return emails(smuggled);
            }
        }
        _ => {}
    }
    let urls: Vec<String> = classify::urls(text).collect();
    if !urls.is_empty() && !text.contains(char::is_whitespace) {
        return urls.into_iter().map(|url| (TargetKind::Url, url)).collect();
    }
    // A sender is not reached, and what a message says reaches whom the message reaches.
    if let (Place::BelowRecipient | Place::Other, Some(address)) = (place, classify::address(text))
    {
        return vec![(TargetKind::Email, address)];
    }
    let own = part.pointer.rsplit('/').next().unwrap_or_default();
    if class == ToolClass::Pay && is_account(&own.to_ascii_lowercase(), text) {
        return vec![(TargetKind::Account, reading::account(text))];
    }
    Vec::new()
}

fn is_account(key: &str, text: &str) -> bool {
    key.contains("iban")
        || key.contains("account")
        || classify::find(text).iter().any(|piece| {
            piece.class == classify::Class::Iban && piece.start == 0 && piece.end == text.len()
        })
}

fn is_inside(settings: &Settings, kind: TargetKind, value: &str) -> bool {
    match kind {
        TargetKind::Email => {
            value.rsplit_once('@').is_some_and(|(_, host)| settings.is_inside(host))
        }
        TargetKind::Url => host_of(value).is_some_and(|host| settings.is_inside(&host)),
        TargetKind::Account => false,
    }
}

/// The host of a URL. User information and ports do not count, and what is not plain is outside.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(host.to_ascii_lowercase())
}

fn contents_in(pointer: &str, text: &str) -> Vec<Content> {
    classify::find(text)
        .into_iter()
        .filter(|piece| classify::is_restricted(piece.class))
        .map(|piece| Content {
            pointer: pointer.to_owned(),
            class: piece.class.as_str().to_owned(),
            count: 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_of_a_url_is_where_it_goes() {
        for (url, want) in [
            ("https://acme.example/x", "acme.example"),
            ("https://acme.example@evil.example/", "evil.example"),
            ("https://EVIL.example:443?x=acme.example", "evil.example"),
            ("https://evil.example\\@acme.example/", "evil.example"),
        ] {
            assert_eq!(host_of(url).as_deref(), Some(want), "{url}");
        }
    }
}
