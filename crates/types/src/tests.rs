use proptest::prelude::*;

use crate::{
    ActionId, Agent, Approval, ApprovalAnswer, ApprovalId, Choice, Confidentiality, Decided,
    Digest, Effect, Event, Finding, FindingKind, Identity, Integrity, Item, ItemKind, Label,
    Millis, Mode, Name, Obligation, Observation, ObservationKind, Operation, OperationKind,
    Outcome, Position, Ratio, Record, Risk, Ruling, SessionId, Supply, Task, TaskSource, ToolClass,
    Trust, Verdict,
};

proptest! {
    #[test]
    fn ids_print_what_they_parse(session: [u8; 16], action: [u8; 8], digest: [u8; 32]) {
        if let Ok(id) = SessionId::from_bytes(session) {
            prop_assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
        }
        if let Ok(id) = ActionId::from_bytes(action) {
            prop_assert_eq!(id.to_string().parse::<ActionId>(), Ok(id));
        }
        let digest = Digest::from_bytes(digest);
        prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn a_record_survives_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Record::from_bytes(&bytes);
    }

    #[test]
    fn a_product_is_at_most_its_factors(a in 0..=Ratio::STEPS, b in 0..=Ratio::STEPS) {
        let (a, b) = (Ratio::of(a), Ratio::of(b));
        prop_assert!(a.times(b) <= a.min(b));
        prop_assert_eq!(a.complement().complement(), a);
    }
}

#[test]
fn verdicts_are_ordered_by_restraint() {
    let order =
        [Verdict::Allow, Verdict::Constrain, Verdict::Hold, Verdict::Deny, Verdict::Isolate];
    assert!(order.is_sorted());
}

#[test]
fn an_id_of_zeros_is_refused() {
    assert!("00000000000000000000000000000000".parse::<SessionId>().is_err());
    assert!("0000000000000000".parse::<ActionId>().is_err());
}

#[test]
fn upper_case_hex_is_refused_because_one_id_has_one_spelling() {
    assert!("00000000000000AB".parse::<ActionId>().is_err());
}

#[test]
fn names_that_hide_something_are_refused() {
    for text in ["", "a\nb", "pay\u{202e}roll", "zero\u{200b}width", &"x".repeat(257)] {
        assert!(text.parse::<Name>().is_err(), "{text:?}");
    }
    assert!("x".repeat(256).parse::<Name>().is_ok());
}

/// A decision with something in most of its fields.
fn decided(answer: &ApprovalAnswer) -> Decided {
    let name = |text: &str| text.parse::<Name>().expect("a name");
    let digest = Digest::of(b"x");
    let action = ActionId::of(&digest);
    let approval = ApprovalId::of(&digest);
    let asked = Approval {
        id: approval,
        expires: Millis(1),
        role: String::new(),
        shown: digest,
        answer: Some(answer.clone()),
    };
    Decided {
        action,
        position: Position { step: 1, parent: None, previous: Some(action) },
        operation: Operation {
            kind: OperationKind::ToolCall,
            server: name("mail"),
            name: "send_mail".to_owned(),
        },
        class: ToolClass::Send,
        arguments: digest,
        canonical: digest,
        prompt: digest,
        retrieved: vec![digest],
        policy: digest,
        verdict: Verdict::Constrain,
        hits: vec![],
        obligations: vec![
            Obligation::Watch,
            Obligation::RateLimit { per_minute: 3 },
            Obligation::Rewrite { pointer: "/body".to_owned(), value: "x".to_owned() },
        ],
        supply: Some(Supply { trust: Trust::Changed, reasons: vec!["x".to_owned()] }),
        claim: None,
        restrictions: Vec::new(),
        origins: Vec::new(),
        containment: vec![],
        risk: Risk::none(),
        confidence: Ratio::ONE,
        approval: Some(asked),
        mode: Mode::Strict,
        identity: Identity { principal: "agent:invoices".to_owned(), credential: digest },
    }
}

fn item() -> Item {
    let server = "files".parse().expect("a name");
    Item { server, kind: ItemKind::Tool, name: "read_file".to_owned() }
}

fn finding(action: ActionId) -> Finding {
    Finding {
        kind: FindingKind::ItemChanged,
        server: None,
        subject: "read_file".to_owned(),
        detail: "its description changed".to_owned(),
        action: Some(action),
    }
}

/// One record of each kind.
fn records() -> Vec<Record> {
    let name = |text: &str| text.parse::<Name>().expect("a name");
    let digest = Digest::of(b"x");
    let action = ActionId::of(&digest);
    let agent = Agent {
        name: name("invoices"),
        owner: "accounts payable".to_owned(),
        role: String::new(),
        purpose: String::new(),
    };
    let task = Task { prompt: digest, stated_by: TaskSource::Person(name("dana")) };
    let observation =
        Observation { kind: ObservationKind::Result, server: name("files"), action: Some(action) };
    let label = Label {
        integrity: Integrity::Untrusted,
        confidentiality: Confidentiality::Restricted,
        readers: None,
        origins: ["files".to_owned()].into(),
    };
    let effect = Effect {
        outcome: Outcome::Unknown,
        request_bytes: 1,
        response_bytes: 2,
        elapsed_ms: 3,
        detail: "\"quoted\"".to_owned(),
        measured: None,
    };
    let answer = ApprovalAnswer { choice: Choice::Approve, by: name("dana"), note: String::new() };
    let approval = ApprovalId::of(&digest);
    let decided = decided(&answer);
    [
        Event::NodeStarted { software: "0.1.0".to_owned() },
        Event::PolicyLoaded { policy: digest },
        Event::SessionStarted { agent, task, join_key: Some("process 1".to_owned()) },
        Event::SessionEnded { reason: "done".to_owned() },
        Event::Observed { observation, content: digest, content_bytes: 9, label },
        Event::Decided(Box::new(decided)),
        Event::Answered { action, approval, answer: Some(answer) },
        Event::Closed { action, effect },
        Event::Offered { item: item(), content: digest, trust: Trust::Known, reasons: vec![] },
        Event::Ruled {
            item: item(),
            content: digest,
            ruling: Ruling::Accept,
            by: name("dana"),
            note: String::new(),
        },
        Event::Switched {
            server: name("files"),
            tool: "delete_file".to_owned(),
            agent: None,
            disabled: true,
            by: name("dana"),
        },
        Event::Found { finding: finding(action) },
    ]
    .into_iter()
    .map(|event| Record {
        version: Record::VERSION,
        at: Millis(7),
        node: "pathwarden.local/00000000".to_owned(),
        session: Some(SessionId::of(&digest)),
        event,
    })
    .collect()
}

#[test]
fn every_kind_of_record_prints_what_it_parses() {
    for record in records() {
        let bytes = record.to_bytes().expect("bytes");
        let again = Record::from_bytes(&bytes).expect("the record that was written");
        assert_eq!(again, record);
        assert_eq!(again.to_bytes().expect("bytes"), bytes);
    }
}
