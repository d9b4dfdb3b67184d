//! What processes do to a machine, and what is taken from whom.

use pathwarden_types::{
    Choice, HostAct, HostAttempt, HostVerb, Operation, OperationKind, Restriction, Target,
    ToolClass, Verb, Verdict,
};

use crate::support::{FILES, MAIL, World};

fn act(verb: HostVerb, place: &str) -> HostAct {
    HostAct { verb, place: place.to_owned(), what: "/x".to_owned(), in_workspace: false }
}

fn attempt(acts: Vec<HostAct>) -> String {
    serde_json::to_string(&HostAttempt { acts, ..HostAttempt::default() }).expect("JSON")
}

/// An action on the machine with these arguments.
fn on_host(world: &mut World, kind: OperationKind, arguments: &str) -> pathwarden_types::Action {
    let mut action = world.action(FILES, "x", arguments);
    let server = "host".parse().expect("a name");
    action.operation = Operation { kind, server, name: "x".to_owned() };
    action
}

fn rules(decision: &pathwarden_decide::Decision) -> Vec<&str> {
    decision.decided.hits.iter().map(|hit| hit.rule.as_str()).collect()
}

#[test]
fn what_a_process_does_is_judged_by_place() {
    let mut world = World::new("tidy the folder");
    for (kind, done, want) in [
        (OperationKind::File, act(HostVerb::Read, "workspace"), Verdict::Allow),
        (OperationKind::File, act(HostVerb::Read, "credential"), Verdict::Deny),
        (OperationKind::Connect, act(HostVerb::Reach, "outside"), Verdict::Hold),
        (OperationKind::Exec, act(HostVerb::Run, "system"), Verdict::Allow),
    ] {
        let action = on_host(&mut world, kind, &attempt(vec![done.clone()]));
        assert_eq!(world.decide(&action).decided.verdict, want, "{done:?}");
    }
}

#[test]
fn only_looking_is_a_read() {
    let mut world = World::new("");
    let read = attempt(vec![act(HostVerb::Read, "workspace")]);
    let both = attempt(vec![act(HostVerb::Read, "workspace"), act(HostVerb::Write, "workspace")]);
    for (arguments, want) in [(read, ToolClass::Read), (both, ToolClass::Write)] {
        let action = on_host(&mut world, OperationKind::File, &arguments);
        assert_eq!(world.decide(&action).decided.class, want);
    }
}

#[test]
fn programs_are_loaded_and_devices_written_where_nothing_may_be_changed() {
    let mut world = World::new("");
    for (verb, place, goes) in [
        (HostVerb::Run, "workspace", true),
        (HostVerb::Read, "workspace", true),
        (HostVerb::Write, "workspace", false),
        (HostVerb::Write, "device", true),
    ] {
        let arguments = attempt(vec![act(verb, place)]);
        let mut action = on_host(&mut world, OperationKind::File, &arguments);
        let target = Target::Session { session: action.session };
        action.restrictions =
            vec![Restriction { target, verb: Verb::ReadOnly, tool: String::new() }];
        assert_eq!(world.decide(&action).decided.verdict.lets_through(), goes, "{verb:?} {place}");
    }
}

#[test]
fn arguments_of_another_shape_are_refused() {
    let mut world = World::new("");
    let many = attempt(vec![act(HostVerb::Read, "workspace"); HostAttempt::ACTS_MAX + 1]);
    for arguments in ["{}", r#"{"program":"","program_place":"","acts":[],"x":1}"#, many.as_str()] {
        let action = on_host(&mut world, OperationKind::Exec, arguments);
        let decision = world.decide(&action);
        assert_eq!(decision.decided.verdict, Verdict::Deny, "{arguments:.60}");
        assert!(rules(&decision).contains(&"engine.unreadable_arguments"));
    }
    let most = attempt(vec![act(HostVerb::Read, "workspace"); HostAttempt::ACTS_MAX]);
    let action = on_host(&mut world, OperationKind::Exec, &most);
    assert_eq!(world.decide(&action).decided.verdict, Verdict::Allow);
}

#[test]
fn programs_that_probe_make_the_agent_no_suspect() {
    let mut world = World::new("Ask the vendor at accounts@vendor.example for new tax documents");
    for _ in 0..20 {
        let arguments = attempt(vec![act(HostVerb::Read, "credential")]);
        let action = on_host(&mut world, OperationKind::File, &arguments);
        assert_eq!(world.decide(&action).decided.verdict, Verdict::Deny);
    }
    let harmless = r#"{"to":["accounts@vendor.example"],"body":"Please send a W-9."}"#;
    let action = world.action(MAIL, "send_mail", harmless);
    assert!(world.decide(&action).decided.verdict.lets_through());
}

#[test]
fn what_is_taken_is_refused_and_the_rest_goes_on() {
    let harmless = r#"{"to":["accounts@vendor.example"],"body":"Please send a W-9."}"#;
    let task = "Ask the vendor at accounts@vendor.example for new tax documents";
    let reading = r#"{"path":"a"}"#;
    for (verb, tool, mail_goes, read_goes) in [
        (Verb::NoEgress, "", false, true),
        (Verb::ReadOnly, "", false, true),
        (Verb::NoExec, "", true, true),
        (Verb::DisableTool, "send_mail", false, true),
        (Verb::Freeze, "", false, false),
        (Verb::Terminate, "", false, false),
    ] {
        let mut world = World::new(task);
        let mut check = |server: &str, name: &str, arguments: &str, goes: bool| {
            let mut action = world.action(server, name, arguments);
            let (session, tool) = (action.session, tool.to_owned());
            let target = Target::Session { session };
            action.restrictions = vec![Restriction { target, verb, tool }];
            let decision = world.decide(&action);
            assert_eq!(decision.decided.verdict.lets_through(), goes, "{verb} {name}");
            assert_eq!(rules(&decision).contains(&"engine.contained"), !goes, "{verb} {name}");
            assert_eq!(decision.decided.restrictions, action.restrictions);
        };
        check(MAIL, "send_mail", harmless, mail_goes);
        check(FILES, "read_file", reading, read_goes);
    }
}

#[test]
fn the_node_stays_reachable_when_nothing_may_leave() {
    let mut world = World::new("");
    for (place, want) in [("node", Verdict::Allow), ("named", Verdict::Deny)] {
        let arguments = attempt(vec![act(HostVerb::Reach, place)]);
        let mut action = on_host(&mut world, OperationKind::Connect, &arguments);
        let target = Target::Session { session: action.session };
        action.restrictions =
            vec![Restriction { target, verb: Verb::NoEgress, tool: String::new() }];
        assert_eq!(world.decide(&action).decided.verdict, want, "{place}");
    }
}

#[test]
fn an_effect_that_nobody_asked_for_cuts_its_server_off() {
    let mut world = World::new("");
    let attempt = HostAttempt {
        acts: vec![act(HostVerb::Read, "credential")],
        server: "notes".to_owned(),
        ..HostAttempt::default()
    };
    let arguments = serde_json::to_string(&attempt).expect("JSON");
    let action = on_host(&mut world, OperationKind::Effect, &arguments);
    let decision = world.decide(&action);
    assert_eq!(rules(&decision), ["host.effect_orphan"]);
    let orders = &decision.decided.containment;
    assert_eq!(orders.first().map(|order| order.verb), Some(Verb::NoEgress));
}

#[test]
fn an_address_that_a_person_refused_is_not_asked_about_again() {
    let mut world = World::new("");
    let outside = attempt(vec![act(HostVerb::Reach, "outside")]);
    let first = on_host(&mut world, OperationKind::Connect, &outside);
    assert_eq!(world.decide(&first).decided.verdict, Verdict::Hold);
    world.answer(first.id, Some(Choice::Deny));
    let again = on_host(&mut world, OperationKind::Connect, &outside);
    let decision = world.decide(&again);
    assert_eq!(decision.decided.verdict, Verdict::Deny);
    assert!(rules(&decision).contains(&"engine.refused_by_person"));
}
