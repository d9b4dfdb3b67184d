//! Inputs: generated ones, and a corpus in which every rule of the pack fires.

use pathwarden_types::{
    Band, GivenBy, HostVerb, OperationKind, Ratio, Risk, Signal, SignalKind, Term, ToolClass,
};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    ActionFacts, AgentFacts, ApprovalState, ConductFacts, Content, Input, OriginFacts, PurposeFacts,
};
use crate::{
    HostActFacts, HostFacts, ModelFacts, ServerToolFacts, SessionFacts, SupplyFacts, Target,
    TargetKind, TaskFacts,
};

const CLASSES: [ToolClass; 8] = [
    ToolClass::Read,
    ToolClass::Write,
    ToolClass::Send,
    ToolClass::Configure,
    ToolClass::Delete,
    ToolClass::Pay,
    ToolClass::Execute,
    ToolClass::Unknown,
];

const SIGNALS: [SignalKind; 10] = [
    SignalKind::Identity,
    SignalKind::Permissions,
    SignalKind::PromptContext,
    SignalKind::Tool,
    SignalKind::Destination,
    SignalKind::Behaviour,
    SignalKind::DataClassification,
    SignalKind::ThreatIntelligence,
    SignalKind::ApprovalHistory,
    SignalKind::Confidence,
];

const CONTENTS: [&str; 8] = [
    "iban",
    "payment_card",
    "routing_number",
    "tax_id",
    "bank_account",
    "secret",
    "email",
    "of_a_later_version",
];

/// A harmless read.
pub(super) fn read() -> Input {
    Input {
        action: ActionFacts {
            kind: OperationKind::ToolCall,
            server: "files".to_owned(),
            server_inside: true,
            name: "read_file".to_owned(),
            class: ToolClass::Read,
            arguments: json!({"path": "invoices/1.txt", "limit": 10}),
            arguments_bytes: 37,
            claim: "unseen".to_owned(),
        },
        agent: AgentFacts {
            name: "invoices".to_owned(),
            owner: "finance".to_owned(),
            role: "finance".to_owned(),
            purpose: "handle invoices".to_owned(),
        },
        task: TaskFacts { stated: true, text: "ask for tax documents".to_owned() },
        session: SessionFacts {
            actions: 3,
            refused: 0,
            repeats: 0,
            looping: "none".to_owned(),
            untrusted_seen: false,
            restricted_seen: false,
        },
        purpose: purpose(false),
        conduct: ConductFacts::default(),
        supply: SupplyFacts::unseen(),
        model: ModelFacts::default(),
        host: HostFacts::default(),
        targets: Vec::new(),
        origins: Vec::new(),
        contents: Vec::new(),
        approval: ApprovalState::None,
        risk: Risk {
            score: Ratio::ZERO,
            likelihood: Ratio::ZERO,
            impact: Ratio::ZERO,
            band: Band::Low,
            terms: vec![term(SignalKind::Destination, Ratio::ZERO)],
        },
        now_ms: 1_700_000_000_000,
    }
}

pub(super) fn purpose(asked: bool) -> PurposeFacts {
    PurposeFacts {
        acts: vec!["look".to_owned()],
        asked,
        left_open: false,
        ordered: false,
        reversible: true,
        outward: false,
        authenticates: false,
        sets_credential: false,
        asks_secret: false,
        asks_everything: false,
    }
}

pub(super) fn origin(role: &str, given_by: GivenBy) -> OriginFacts {
    let (pointer, role) = ("/to".to_owned(), role.to_owned());
    OriginFacts { pointer, role, given_by, cue: 0 }
}

const BANDS: [Band; 5] = [Band::Low, Band::Guarded, Band::Elevated, Band::High, Band::Severe];

/// A mail to one recipient.
pub(super) fn send(given_by: GivenBy, inside: bool) -> Input {
    let mut input = read();
    input.action.class = ToolClass::Send;
    input.action.name = "send_mail".to_owned();
    input.action.arguments = json!({"to": "a@vendor.example", "body": "hello"});
    input.purpose = purpose(true);
    input.targets = vec![Target {
        pointer: "/to".to_owned(),
        kind: TargetKind::Email,
        value: "a@vendor.example".to_owned(),
        inside,
        given_by,
    }];
    input
}

pub(super) fn contents(classes: &[&str]) -> Vec<Content> {
    let content = |class: &&str| Content {
        pointer: "/body".to_owned(),
        class: (*class).to_owned(),
        count: 1,
    };
    classes.iter().map(content).collect()
}

/// Inputs in which every rule fires that the typed door lets fire.
pub(super) fn corpus() -> Vec<Input> {
    let mut inputs = vec![read()];
    for class in CLASSES {
        for approval in [ApprovalState::None, ApprovalState::Approved] {
            let mut input = read();
            input.action.class = class;
            input.approval = approval;
            inputs.push(input);
        }
    }
    for given_by in [GivenBy::Task, GivenBy::Content, GivenBy::OutsideContent, GivenBy::Nobody] {
        for inside in [true, false] {
            let mut input = send(given_by, inside);
            inputs.push(input.clone());
            input.contents = contents(&["iban", "email"]);
            inputs.push(input.clone());
            input.contents = contents(&["secret"]);
            input.session.untrusted_seen = true;
            inputs.push(input.clone());
            for class in [ToolClass::Pay, ToolClass::Read, ToolClass::Write] {
                input.action.class = class;
                inputs.push(input.clone());
            }
        }
    }
    for (class, role) in [(ToolClass::Pay, "target"), (ToolClass::Write, "credential")] {
        for given_by in [GivenBy::Task, GivenBy::Nobody, GivenBy::OutsideContent, GivenBy::Ordered]
        {
            let mut input = read();
            input.action.class = class;
            input.origins = vec![origin(role, given_by)];
            input.purpose = purpose(true);
            input.purpose.sets_credential = role == "credential";
            inputs.push(input);
        }
    }
    for (class, role) in [(ToolClass::Read, "target"), (ToolClass::Execute, "command")] {
        let mut input = read();
        input.action.class = class;
        input.origins = vec![origin(role, GivenBy::Nobody)];
        inputs.push(input);
    }
    for which in 0..2 {
        let mut input = read();
        let words = vec!["words".to_owned()];
        if which == 0 {
            input.conduct.deviations = words;
        } else {
            input.conduct.excess = words;
        }
        inputs.push(input);
    }
    for band in BANDS {
        let mut input = read();
        input.risk.band = band;
        input.purpose.left_open = true;
        inputs.push(input.clone());
        input.purpose = purpose(false);
        input.purpose.ordered = true;
        input.action.class = ToolClass::Write;
        inputs.push(input);
    }
    inputs.extend(repeats().chain(supplies()).chain(asks()).chain(models()));
    inputs
}

/// Calls that are made again and again, and refused again and again.
fn repeats() -> impl Iterator<Item = Input> {
    [(7, 4), (8, 0), (0, 5), (100, 100)].into_iter().map(|(repeats, refused)| {
        let mut input = read();
        input.action.class = ToolClass::Write;
        input.session.looping = if repeats < 8 { "throttle" } else { "break" }.to_owned();
        input.session.repeats = repeats;
        input.session.refused = refused;
        input
    })
}

/// What stands in every way that it can.
fn supplies() -> impl Iterator<Item = Input> {
    ["known", "changed", "suspect", "revoked"].into_iter().map(|trust| {
        let supply = SupplyFacts { trust: trust.to_owned(), reasons: Vec::new() };
        Input { supply, ..read() }
    })
}

/// Servers that ask, and clients that answer them.
fn asks() -> Vec<Input> {
    let mut inputs = Vec::new();
    for kind in OperationKind::ALL {
        for inside in [true, false] {
            let mut input = read();
            input.action.kind = kind;
            input.action.server_inside = inside;
            if kind == OperationKind::Reply {
                input.action.class = ToolClass::Write;
                input.task.stated = false;
            }
            inputs.push(input.clone());
            input.targets = send(GivenBy::Nobody, false).targets;
            for target in &mut input.targets {
                target.kind = TargetKind::Url;
            }
            inputs.push(input.clone());
            input.targets.clear();
            input.purpose.asks_secret = true;
            inputs.push(input.clone());
            input.purpose.asks_secret = false;
            input.purpose.asks_everything = true;
            inputs.push(input);
        }
    }
    inputs
}

/// Calls of models with tools that their providers run, and calls of tools that no model emitted.
fn models() -> Vec<Input> {
    let mut inputs = Vec::new();
    for (kind, url, approval) in [
        ("web_search", "", ""),
        ("mcp", "https://mcp.acme.example", "always"),
        ("mcp", "https://mcp.acme.example", "never"),
        ("mcp", "", "always"),
        ("mcp_approval_response", "", "given"),
    ] {
        let mut input = send(GivenBy::Nobody, false);
        input.action.kind = OperationKind::ModelCall;
        input.action.class = ToolClass::Read;
        input.contents = contents(&["secret", "iban"]);
        input.model = server_tool(kind, url, approval);
        inputs.push(input.clone());
        input.targets.clear();
        input.action.server_inside = false;
        inputs.push(input);
    }
    for claim in ["emitted", "altered", "orphan"] {
        let mut input = read();
        input.action.claim = claim.to_owned();
        inputs.push(input.clone());
        input.action.class = ToolClass::Write;
        inputs.push(input);
    }
    inputs.extend(on_host());
    inputs
}

/// What processes do, in which every rule of `host.rego` fires.
fn on_host() -> Vec<Input> {
    use HostVerb::{Change, Reach, Read, Run, Write};
    use OperationKind::{Connect, Effect, Exec, File};
    let attempts = [
        (File, (Read, "workspace")),
        (File, (Read, "credential")),
        (File, (Write, "workspace")),
        (File, (Change, "persistence")),
        (Exec, (Run, "system")),
        (Exec, (Run, "elsewhere")),
        (Connect, (Reach, "named")),
        (Connect, (Reach, "outside")),
    ];
    let effects = [
        ("declared", (Reach, "outside")),
        ("undeclared", (Read, "workspace")),
        ("undeclared", (Reach, "outside")),
        ("deviation", (Read, "workspace")),
        ("orphan", (Read, "credential")),
    ];
    let mut inputs = Vec::new();
    for (kind, act) in attempts {
        inputs.push(host_input(kind, "attempt", act, &[]));
    }
    for (standing, act) in effects {
        inputs.push(host_input(Effect, standing, act, &[]));
    }
    for doubt in ["opaque", "privilege"] {
        inputs.push(host_input(Exec, "attempt", (Run, "system"), &[doubt]));
    }
    for place in ["system", "toolchain"] {
        let mut input = host_input(Exec, "attempt", (Run, place), &[]);
        input.supply.trust = "changed".to_owned();
        inputs.push(input);
    }
    // A project's own secrets and settings.
    for place in ["credential", "persistence"] {
        for verb in [Read, Write] {
            let mut input = host_input(File, "attempt", (verb, place), &[]);
            input.host.acts.iter_mut().for_each(|act| act.in_workspace = true);
            inputs.push(input);
        }
    }
    let mut canary = read();
    canary.action.server = "pathwarden-canary".to_owned();
    inputs.push(canary);
    inputs
}

pub(super) const HOST_PLACES: [&str; 19] = [
    "workspace",
    "system",
    "toolchain",
    "temporary",
    "device",
    "process",
    "home",
    "credential",
    "persistence",
    "control",
    "warden",
    "elsewhere",
    "node",
    "own",
    "named",
    "resolver",
    "loopback",
    "outside",
    "of_a_later_version",
];

const HOST_DOUBTS: [&str; 6] =
    ["opaque", "decoded", "fetched_code", "privilege", "listens", "of_a_later_version"];

fn host_input(
    kind: OperationKind,
    standing: &str,
    (verb, place): (HostVerb, &str),
    doubts: &[&str],
) -> Input {
    let mut input = read();
    input.action.kind = kind;
    input.action.server = "host".to_owned();
    input.action.server_inside = false;
    input.action.class = if verb == HostVerb::Read { ToolClass::Read } else { ToolClass::Write };
    input.host = HostFacts {
        program: "/usr/bin/git".to_owned(),
        program_place: "system".to_owned(),
        acts: vec![HostActFacts {
            verb,
            place: place.to_owned(),
            what: "/w/x".to_owned(),
            in_workspace: false,
        }],
        doubts: doubts.iter().map(|doubt| (*doubt).to_owned()).collect(),
        server: "notes".to_owned(),
        tool: String::new(),
        standing: standing.to_owned(),
    };
    input
}

fn any_host() -> impl Strategy<Value = HostFacts> {
    let acts = (
        prop::sample::select(HostVerb::ALL.as_slice()),
        prop::sample::select(HOST_PLACES.as_slice()),
        any::<bool>(),
    )
        .prop_map(|(verb, place, in_workspace)| HostActFacts {
            verb,
            place: place.to_owned(),
            what: "/x".to_owned(),
            in_workspace,
        });
    let standings = ["", "attempt", "orphan", "undeclared", "declared", "deviation"].as_slice();
    (
        prop::collection::vec(acts, 0..3),
        prop::sample::select(standings),
        prop::option::of(prop::sample::select(HOST_DOUBTS.as_slice())),
    )
        .prop_map(|(acts, standing, doubt)| HostFacts {
            program: String::new(),
            program_place: "workspace".to_owned(),
            acts,
            doubts: doubt.into_iter().map(str::to_owned).collect(),
            server: String::new(),
            tool: String::new(),
            standing: standing.to_owned(),
        })
}

fn server_tool(kind: &str, url: &str, approval: &str) -> ModelFacts {
    let tool = ServerToolFacts {
        kind: kind.to_owned(),
        name: "x".to_owned(),
        server_url: url.to_owned(),
        approval: approval.to_owned(),
    };
    ModelFacts { server_tools: vec![tool] }
}

fn any_model() -> impl Strategy<Value = ModelFacts> {
    let kinds = prop::sample::select(["mcp", "web_search"].as_slice());
    let approvals = prop::sample::select(["always", "never", ""].as_slice());
    prop::option::of((kinds, "[a-z]{0,6}", approvals)).prop_map(|tool| match tool {
        Some((kind, url, approval)) => server_tool(kind, &url, approval),
        None => ModelFacts::default(),
    })
}

fn term(kind: SignalKind, value: Ratio) -> Term {
    let signal = Signal { kind, value, confidence: Ratio::ONE, words: "measured".to_owned() };
    Term { signal, weight: Ratio::of(5_000) }
}

fn any_ratio() -> impl Strategy<Value = Ratio> {
    (0..=Ratio::STEPS).prop_map(Ratio::of)
}

pub(super) fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        // Eighths, because the engine's own JSON parser rounds long fractions carelessly.
        any::<i32>().prop_map(|eighths| serde_json::Value::from(f64::from(eighths) / 8.0)),
        "\\PC{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_action() -> impl Strategy<Value = ActionFacts> {
    let kinds = OperationKind::ALL.as_slice();
    (
        prop::sample::select(kinds),
        "\\PC{0,8}",
        any::<bool>(),
        "\\PC{0,8}",
        prop::sample::select(CLASSES.as_slice()),
        prop::collection::btree_map("[a-z]{1,4}", any_json(), 0..4),
        any::<u64>(),
        prop::sample::select(["unseen", "emitted", "altered", "orphan"].as_slice()),
    )
        .prop_map(
            |(kind, server, server_inside, name, class, arguments, arguments_bytes, claim)| {
                let arguments = serde_json::Value::Object(arguments.into_iter().collect());
                ActionFacts {
                    kind,
                    server,
                    server_inside,
                    name,
                    class,
                    arguments,
                    arguments_bytes,
                    claim: claim.to_owned(),
                }
            },
        )
}

fn any_session() -> impl Strategy<Value = SessionFacts> {
    let levels = prop::sample::select(["none", "warn", "throttle", "break"].as_slice());
    (0..20_u64, 0..10_u64, 0..16_u64, levels, any::<bool>(), any::<bool>()).prop_map(
        |(actions, refused, repeats, looping, untrusted_seen, restricted_seen)| SessionFacts {
            actions,
            refused,
            repeats,
            looping: looping.to_owned(),
            untrusted_seen,
            restricted_seen,
        },
    )
}

fn any_target() -> impl Strategy<Value = Target> {
    let kinds = [TargetKind::Email, TargetKind::Url, TargetKind::Account].as_slice();
    let givers = GivenBy::ALL.as_slice();
    let (kinds, givers) = (prop::sample::select(kinds), prop::sample::select(givers));
    ("(/[a-z]{1,3}){0,2}", kinds, "\\PC{0,12}", any::<bool>(), givers).prop_map(
        |(pointer, kind, value, inside, given_by)| Target {
            pointer,
            kind,
            value,
            inside,
            given_by,
        },
    )
}

fn any_content() -> impl Strategy<Value = Content> {
    ("(/[a-z]{1,3}){0,2}", prop::sample::select(CONTENTS.as_slice()), 1..9_u64)
        .prop_map(|(pointer, class, count)| Content { pointer, class: class.to_owned(), count })
}

fn any_risk() -> impl Strategy<Value = Risk> {
    let terms =
        prop::collection::vec((prop::sample::select(SIGNALS.as_slice()), any_ratio()), 0..5);
    let bands = prop::sample::select(BANDS.as_slice());
    (any_ratio(), any_ratio(), any_ratio(), bands, terms).prop_map(
        |(score, likelihood, impact, band, terms)| {
            let terms = terms.into_iter().map(|(kind, value)| term(kind, value)).collect();
            Risk { score, likelihood, impact, band, terms }
        },
    )
}

fn any_purpose() -> impl Strategy<Value = PurposeFacts> {
    (any::<[bool; 9]>(), "[a-z]{0,6}").prop_map(|(flags, act)| {
        let [asked, left_open, ordered, reversible, outward, authenticates, sets_credential, ..] =
            flags;
        let [.., asks_secret, asks_everything] = flags;
        let acts = vec![act];
        PurposeFacts {
            acts,
            asked,
            left_open,
            ordered,
            reversible,
            outward,
            authenticates,
            sets_credential,
            asks_secret,
            asks_everything,
        }
    })
}

fn any_conduct() -> impl Strategy<Value = ConductFacts> {
    let words = || prop::collection::vec("[a-z]{1,4}", 0..2);
    (words(), words(), words()).prop_map(|(deviations, excess, escalations)| ConductFacts {
        deviations,
        excess,
        escalations,
    })
}

fn any_supply() -> impl Strategy<Value = SupplyFacts> {
    let kinds = ["unseen", "known", "changed", "suspect", "revoked", "disabled"].as_slice();
    (prop::sample::select(kinds), prop::collection::vec("[a-z]{1,4}", 0..2))
        .prop_map(|(trust, reasons)| SupplyFacts { trust: trust.to_owned(), reasons })
}

fn any_origin() -> impl Strategy<Value = OriginFacts> {
    let roles = prop::sample::select(["target", "credential", "content"].as_slice());
    let givers = prop::sample::select(GivenBy::ALL.as_slice());
    (roles, givers).prop_map(|(role, given_by)| origin(role, given_by))
}

/// Any input that the decision point could make, weighted towards where rules fire.
pub(super) fn any_input() -> impl Strategy<Value = Input> {
    let approvals = [ApprovalState::None, ApprovalState::Approved].as_slice();
    (
        any_action(),
        ("\\PC{0,6}", "\\PC{0,6}", "\\PC{0,6}", "\\PC{0,6}"),
        (any::<bool>(), "\\PC{0,12}"),
        any_session(),
        (
            any_purpose(),
            any_conduct(),
            prop::collection::vec(any_origin(), 0..3),
            any_supply(),
            any_model(),
            any_host(),
        ),
        prop::collection::vec(any_target(), 0..3),
        prop::collection::vec(any_content(), 0..3),
        prop::sample::select(approvals),
        any_risk(),
        any::<u64>(),
    )
        .prop_map(
            |(action, agent, task, session, why, targets, contents, approval, risk, now_ms)| {
                let (name, owner, role, purpose) = agent;
                Input {
                    action,
                    agent: AgentFacts { name, owner, role, purpose },
                    task: TaskFacts { stated: task.0, text: task.1 },
                    session,
                    purpose: why.0,
                    conduct: why.1,
                    origins: why.2,
                    supply: why.3,
                    model: why.4,
                    host: why.5,
                    targets,
                    contents,
                    approval,
                    risk,
                    now_ms,
                }
            },
        )
}
