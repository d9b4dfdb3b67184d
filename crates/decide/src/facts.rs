//! From an action and its session to what a policy is told.

use pathwarden_classify as classify;
use pathwarden_policy::{
    ActionFacts, AgentFacts, ApprovalState, Content, GivenBy, Input, SessionFacts, Target,
    TargetKind, TaskFacts,
};
use pathwarden_types::{Action, Agent, Millis, Risk, ToolClass};
use serde_json::Value;

use crate::leaves::{self, Leaf};
use crate::{Settings, State, reading};

/// The most targets that one action may have; one past it is refused.
pub const TARGETS_MAX: usize = 256;

/// Keys of arguments that name whom an action reaches.
const RECIPIENT_KEYS: &[&str] = &[
    "to",
    "cc",
    "bcc",
    "recipient",
    "recipients",
    "reply_to",
    "email",
    "emails",
    "address",
    "attendees",
    "participants",
    "invitees",
    "share_with",
];

/// What a policy is told, with the risk still to be added.
pub(crate) fn input(
    settings: &Settings,
    state: &State,
    action: &Action,
    arguments: Value,
    now: Millis,
) -> Input {
    let server = settings.server(&action.operation.server);
    let class = server.class_of(action.operation.kind, &action.operation.name);
    let (targets, contents) = survey(settings, state, class, &arguments);
    Input {
        action: ActionFacts {
            kind: action.operation.kind,
            server: action.operation.server.to_string(),
            server_inside: server.inside,
            name: action.operation.name.clone(),
            class,
            arguments_bytes: u64::try_from(action.arguments.len()).unwrap_or(u64::MAX),
            arguments,
        },
        agent: agent_facts(state.agent()),
        task: TaskFacts { stated: state.task_is_stated(), text: state.task_text().to_owned() },
        session: SessionFacts {
            actions: state.step(),
            refused: state.refused(),
            repeats: state.repeats(&action.operation, action.canonical),
            untrusted_seen: state.untrusted_seen(),
            restricted_seen: state.restricted_seen(),
        },
        targets,
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

/// Whom the arguments reach, and what sensitive content they hold.
fn survey(
    settings: &Settings,
    state: &State,
    class: ToolClass,
    arguments: &Value,
) -> (Vec<Target>, Vec<Content>) {
    let mut targets = Vec::new();
    let mut contents = Vec::new();
    for leaf in leaves::of(arguments) {
        let found = targets_in(&leaf, class);
        for (kind, value) in &found {
            targets.push(Target {
                pointer: leaf.pointer.clone(),
                kind: *kind,
                inside: is_inside(settings, *kind, value),
                given_by: state.given_by(value),
                value: value.clone(),
            });
        }
        contents.extend(contents_in(&leaf.pointer, &leaf.text));
    }
    for (pointer, name) in leaves::names(arguments) {
        contents.extend(contents_in(&pointer, name));
    }
    targets.sort_by(|a, b| (&a.pointer, &a.value).cmp(&(&b.pointer, &b.value)));
    contents.sort_by(|a, b| (&a.pointer, &a.class).cmp(&(&b.pointer, &b.class)));
    contents.dedup_by(|later, first| {
        let same = later.pointer == first.pointer && later.class == first.class;
        if same {
            first.count += later.count;
        }
        same
    });
    (targets, contents)
}

fn targets_in(leaf: &Leaf<'_>, class: ToolClass) -> Vec<(TargetKind, String)> {
    let text = leaf.text.trim();
    let key = leaf.key.to_ascii_lowercase();
    let emails: Vec<String> = classify::emails(text).collect();
    if !emails.is_empty() && (RECIPIENT_KEYS.contains(&key.as_str()) || is_one_address(text)) {
        return emails.into_iter().map(|email| (TargetKind::Email, email)).collect();
    }
    let urls: Vec<String> = classify::urls(text).collect();
    if !urls.is_empty() && !text.contains(char::is_whitespace) {
        return urls.into_iter().map(|url| (TargetKind::Url, url)).collect();
    }
    if class == ToolClass::Pay && is_account(&key, text) {
        return vec![(TargetKind::Account, reading::account(text))];
    }
    Vec::new()
}

/// Whether the whole text is one address, bare or as `Name <address>`.
fn is_one_address(text: &str) -> bool {
    let bare = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    !bare.contains(char::is_whitespace) && classify::emails(bare).count() == 1
}

fn is_account(key: &str, text: &str) -> bool {
    key.contains("iban")
        || key.contains("account")
        || classify::find(text).iter().any(|finding| {
            finding.class == classify::Class::Iban
                && finding.start == 0
                && finding.end == text.len()
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
        .filter(|finding| classify::is_restricted(finding.class))
        .map(|finding| Content {
            pointer: pointer.to_owned(),
            class: finding.class.as_str().to_owned(),
            count: 1,
        })
        .collect()
}

/// Whether nobody we know of named one of the targets.
pub(crate) fn has_made_up_target(input: &Input) -> bool {
    input.targets.iter().any(|target| target.given_by == GivenBy::Nobody)
}

#[cfg(test)]
mod tests {
    use super::{host_of, is_one_address};

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

    #[test]
    fn a_sentence_with_an_address_is_not_an_address() {
        assert!(is_one_address("a@b.example"));
        assert!(is_one_address("Ann Example <a@b.example>"));
        assert!(!is_one_address("write to a@b.example today"));
    }
}
