mod oracle;

use std::fmt::Write;

use pathwarden_types::{ActionId, Digest, Millis, ToolClass};

use super::{ContractSpec, Contracts, Limits, Monitor};
use crate::event::{Cause, Event, Fact, Money, Phase};
use crate::testing::{call, call_with, id, texts};

fn compile(toml: &str) -> Contracts {
    Contracts::compile(vec![toml::from_str(toml).unwrap()]).unwrap()
}

fn monitor(toml: &str) -> Monitor {
    compile(toml).monitor("writer", "report")
}

/// The rules that each event breaks.
fn broken(toml: &str, events: &[Event]) -> Vec<Vec<String>> {
    let mut monitor = monitor(toml);
    let step = |event| monitor.step(event).into_iter().map(|found| found.rule).collect();
    events.iter().map(step).collect()
}

fn caused(parents: &[u8], event: Event) -> Event {
    Event { cause: Cause::Parents(parents.iter().map(|n| id(*n)).collect()), ..event }
}

fn result(event: Event) -> Event {
    Event { phase: Phase::Result, ..event }
}

const NO_LEAK: &str = r#"
    name = "default"
    [[rules]]
    name = "no leak"
    words = "restricted content was read before"
    on = { facts = ["egress"] }
    require = { any = [
        { event = { facts = ["approved"] } },
        { not = { once = { of = { event = { facts = ["restricted_read"] } } } } },
    ] }
"#;

#[test]
fn egress_after_a_restricted_read_is_found_with_both_events() {
    let mut monitor = monitor(NO_LEAK);
    assert_eq!(monitor.step(&call_with(1, "post", &[Fact::Egress])), []);
    assert_eq!(monitor.step(&result(call_with(2, "read", &[Fact::RestrictedRead]))), []);
    let found = monitor.step(&call_with(3, "post", &[Fact::Egress]));
    assert_eq!(found[0].words, "restricted content was read before");
    assert_eq!(found[0].events, [id(3), id(2)]);
    assert_eq!(monitor.step(&call_with(4, "post", &[Fact::Egress, Fact::Approved])), []);
}

#[test]
fn only_what_led_to_a_call_counts_where_that_is_known() {
    let read = caused(&[], call_with(1, "read", &[Fact::RestrictedRead]));
    let other = caused(&[], call(2, "list"));
    let clean = caused(&[2], call_with(3, "post", &[Fact::Egress]));
    let tainted = caused(&[2, 1], call_with(4, "post", &[Fact::Egress]));
    let unknown = call_with(5, "post", &[Fact::Egress]);
    let events = [read, other, clean, tainted, unknown];
    let counts = |toml: &str| broken(toml, &events).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(NO_LEAK), [0, 0, 0, 1, 1]);
    let over_session = NO_LEAK.replace("on = {", "over = \"session\"\n    on = {");
    assert_eq!(counts(&over_session), [0, 0, 1, 1, 1]);
}

#[test]
fn a_result_is_a_cause_of_what_its_call_leads_to() {
    let events = [
        caused(&[], call(1, "read")),
        caused(&[], call(2, "list")),
        result(call_with(1, "read", &[Fact::RestrictedRead])),
        caused(&[2], call_with(3, "post", &[Fact::Egress])),
        caused(&[1], call_with(4, "post", &[Fact::Egress])),
    ];
    assert_eq!(broken(NO_LEAK, &events).concat(), ["no leak"]);
    assert_eq!(broken(NO_LEAK, &events)[4], ["no leak"]);
}

#[test]
fn an_invented_cause_neither_hides_what_was_read_nor_vouches() {
    let invented = |n, facts: &[Fact]| caused(&[99], call_with(n, "post", facts));
    let read = call_with(1, "read", &[Fact::RestrictedRead]);
    assert_eq!(broken(NO_LEAK, &[read, invented(2, &[Fact::Egress])])[1], ["no leak"]);
    let login = call_with(1, "login", &[Fact::Authenticated]);
    assert_eq!(broken(PAY, &[login, invented(2, &[])])[1], ["who pays"]);
}

#[test]
fn an_invented_cause_does_not_hide_that_it_was_not_always_so() {
    let head = NO_LEAK.split("require").next().unwrap();
    let toml = format!(
        "{head}require = {{ historically = {{ of = {{ not = {{ event = {{ tool = \"read\" }} }} }} }} }}"
    );
    let invented = caused(&[99], call_with(2, "post", &[Fact::Egress]));
    assert_eq!(broken(&toml, &[call(1, "read"), invented.clone()])[1], ["no leak"]);
    assert_eq!(broken(&toml, &[call(1, "list"), invented])[1].len(), 0);
}

#[test]
fn an_invented_cause_does_not_hide_what_was_so_on_one_branch_only() {
    let toml = r#"
        name = "branches"
        [[rules]]
        name = "fresh"
        words = "b came without an a before it"
        on = { tool = "post" }
        never = { once = { of = { all = [
            { event = { tool = "b" } },
            { not = { once = { of = { event = { tool = "a" } } } } },
        ] } } }
    "#;
    let branches = [caused(&[], call(1, "a")), caused(&[], call(2, "b"))];
    let post = |parents: &[u8]| {
        let events = [branches[0].clone(), branches[1].clone(), caused(parents, call(3, "post"))];
        broken(toml, &events)[2].len()
    };
    assert_eq!((post(&[1]), post(&[2]), post(&[99])), (0, 1, 1));
}

#[test]
fn a_forgotten_cause_still_counts_against_the_call() {
    let mut monitor = monitor(NO_LEAK);
    monitor.step(&call_with(1, "read", &[Fact::RestrictedRead]));
    for n in 0..=Limits::CAUSES_MAX {
        let id = ActionId::of(&Digest::of(&n.to_le_bytes()));
        monitor.step(&Event { id, ..caused(&[], call(2, "list")) });
    }
    assert!(monitor.watches_hold_at_most(Limits::CAUSES_MAX));
    let late = caused(&[1], call_with(3, "post", &[Fact::Egress]));
    assert_eq!(monitor.would(&late).len(), 1);
}

#[test]
fn more_causes_than_are_followed_count_as_unknown() {
    let parents: Vec<_> = (10..27).collect();
    let mut events: Vec<_> = parents.iter().map(|n| caused(&[], call(*n, "list"))).collect();
    events.push(caused(&[], call_with(9, "read", &[Fact::RestrictedRead])));
    let post = |n: usize| caused(&parents[..n], call_with(40, "post", &[Fact::Egress]));
    let found = |n| {
        let mut all = events.clone();
        all.push(post(n));
        broken(NO_LEAK, &all).concat().len()
    };
    assert_eq!((found(Limits::PARENTS_MAX), found(Limits::PARENTS_MAX + 1)), (0, 1));
}

const PAY: &str = r#"
    name = "payments"
    [[rules]]
    name = "who pays"
    words = "nobody has proved who they are in the last ten minutes"
    on = { tool = "po*" }
    require = { once = { of = { event = { facts = ["authenticated"] } }, within = { ms = 600000 } } }
"#;

#[test]
fn a_window_of_time_ends_one_ms_after_its_length() {
    let login = call_with(0, "login", &[Fact::Authenticated]);
    let pay = |at| Event { at: Millis(at), ..call(1, "post") };
    assert_eq!(broken(PAY, &[login.clone(), pay(600_000)]).concat().len(), 0);
    assert_eq!(broken(PAY, &[login, pay(600_001)]).concat(), ["who pays"]);
}

#[test]
fn a_window_of_steps_counts_calls_and_no_results() {
    let rule = PAY.replace("ms = 600000", "steps = 2");
    let login = call_with(1, "login", &[Fact::Authenticated]);
    let (list, done) = (call(2, "list"), result(call(2, "list")));
    let near = [login.clone(), list.clone(), done.clone(), call(3, "post")];
    assert_eq!(broken(&rule, &near).concat().len(), 0);
    let far = [login, list, done, call(3, "list"), call(4, "post")];
    assert_eq!(broken(&rule, &far).concat(), ["who pays"]);
}

#[test]
fn where_paths_meet_the_stricter_reading_holds() {
    let rule = |key: &str| {
        format!(
            r#"
            name = "session"
            [[rules]]
            name = "logged in"
            words = "no login without a logout after it"
            on = {{ tool = "pay" }}
            {key} = {{ since = {{
                hold = {{ not = {{ event = {{ tool = "logout" }} }} }},
                from = {{ event = {{ tool = "login" }} }},
            }} }}
            "#
        )
    };
    let events = [
        caused(&[], call(1, "login")),
        caused(&[1], call(2, "list")),
        caused(&[1], call(3, "logout")),
        caused(&[2], call(4, "pay")),
        caused(&[2, 3], call(5, "pay")),
        caused(&[3], call(6, "pay")),
    ];
    let found = |key| broken(&rule(key), &events).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(found("require"), [0, 0, 0, 0, 1, 1]);
    assert_eq!(found("never"), [0, 0, 0, 1, 1, 0]);
}

#[test]
fn only_listed_transitions_may_be_taken() {
    let toml = r#"
        name = "flow"
        transitions = [
            { to = { tool = "search" } },
            { from = { tool = "search" }, to = { class = ["read"] } },
            { from = { class = ["read"] }, to = { tool = "send" } },
        ]
    "#;
    let send = |n| Event { class: ToolClass::Send, ..call(n, "send") };
    let line = [send(1), call(2, "search"), call(3, "read"), send(4), call(5, "read")];
    let found = broken(toml, &line);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0, 0, 1]);
    let graph = [
        caused(&[], call(1, "search")),
        result(call(1, "search")),
        caused(&[1], call(2, "read")),
        caused(&[2], send(3)),
        caused(&[2, 3], send(4)),
        caused(&[77], send(5)),
        caused(&[], send(6)),
    ];
    let found = broken(toml, &graph);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1]);
}

#[test]
fn budgets_hold_at_the_limit_and_not_one_past_it() {
    let toml = |what: &str, most: u64| {
        format!("name = \"b\"\n[[budgets]]\nname = \"b\"\nwhat = {what}\nmost = {most}")
    };
    let mut event = call(1, "pay");
    event.usage.bytes = 10;
    event.usage.rows = 3;
    event.usage.spend = Some(Money { currency: "EUR".to_owned(), minor: 500 });
    event.usage.targets = texts(&["a", "b"]);
    event.usage.recipients = texts(&["x"]);
    let cases = [
        ("\"calls\"", 1),
        ("\"bytes\"", 10),
        ("\"rows\"", 3),
        ("\"targets\"", 2),
        ("\"recipients\"", 1),
        ("{ money = \"EUR\" }", 500),
    ];
    for (what, most) in cases {
        let once = std::slice::from_ref(&event);
        assert_eq!(broken(&toml(what, most), once).concat().len(), 0, "{what}");
        assert_eq!(broken(&toml(what, most - 1), once).concat(), ["b"], "{what}");
    }
    let dollars = toml("{ money = \"USD\" }", 1_000_000);
    assert_eq!(broken(&dollars, &[event]).concat(), ["b"], "another currency is over the budget");
}

#[test]
fn a_budget_of_results_counts_against_the_next_call() {
    let toml = "name = \"b\"\n[[budgets]]\nname = \"rows\"\nwhat = \"rows\"\nmost = 5";
    let mut read = result(call(1, "read"));
    read.usage.rows = 6;
    let mut next = call(2, "read");
    next.usage.rows = 1;
    assert_eq!(broken(toml, &[call(1, "read"), read, next])[2], ["rows"]);
}

#[test]
fn a_contract_binds_the_agent_and_task_that_it_names() {
    let bound = compile("name = \"c\"\nagent = \"writer\"\ntask = \"report\"");
    assert!(!bound.monitor("writer", "report").is_empty());
    assert!(bound.monitor("writer", "other").is_empty());
    assert!(bound.monitor("other", "report").is_empty());
}

#[test]
fn every_fault_is_said_at_once_with_advice() {
    let spec: ContractSpec = toml::from_str(
        r#"
        name = ""
        [[rules]]
        name = "both"
        words = "w"
        on = { tool = "" }
        require = { all = [] }
        never = { event = {} }
        [[rules]]
        name = "window"
        words = "w"
        on = {}
        never = { once = { of = { any = [] }, within = { ms = 0 } } }
        [[budgets]]
        name = "money"
        what = { money = "euro" }
        most = 1
        "#,
    )
    .unwrap();
    let error = Contracts::compile(vec![spec]).unwrap_err();
    let mut text = String::new();
    error.0.iter().for_each(|fault| writeln!(text, "{fault}").unwrap());
    let want = "\
contracts[0].name: is empty: say what it is
contracts[0].rules[0].on.tool: is empty: say what it is
contracts[0].rules[0]: give either `require` or `never`
contracts[0].rules[1].never.once.of.any: is empty: give at least one part
contracts[0].rules[1].never.once.within: is 0 ms: leave it out to mean the whole past
contracts[0].budgets[0].what.money: `euro` is not a currency: write it like `EUR`
";
    assert_eq!(text, want);
    assert!(error.to_string().starts_with("6 faults in the contracts: contracts[0].name"));
}

#[test]
fn a_key_that_nobody_knows_is_refused() {
    assert!(toml::from_str::<ContractSpec>("name = \"x\"\nrulez = []").is_err());
    let rule = PAY.replace("within", "wihtin");
    assert!(toml::from_str::<ContractSpec>(&rule).is_err());
}

#[test]
fn a_formula_one_level_too_deep_is_refused() {
    let nested = |levels: usize| {
        let formula =
            format!("{}{{ event = {{}} }}{}", "{ not = ".repeat(levels), " }".repeat(levels));
        let toml = format!(
            "name = \"c\"\n[[rules]]\nname = \"r\"\nwords = \"w\"\non = {{}}\nrequire = {formula}"
        );
        Contracts::compile(vec![toml::from_str(&toml).unwrap()])
    };
    assert!(nested(Limits::DEPTH_MAX - 1).is_ok());
    let error = nested(Limits::DEPTH_MAX).unwrap_err();
    assert!(error.to_string().contains("nested deeper than 8 levels"), "{error}");
}

#[test]
fn one_rule_or_contract_too_many_is_refused() {
    let contract = |rules: usize| {
        let rule = "[[rules]]\nname = \"r\"\nwords = \"w\"\non = {}\nrequire = { event = {} }\n";
        toml::from_str::<ContractSpec>(&format!("name = \"c\"\n{}", rule.repeat(rules))).unwrap()
    };
    assert!(Contracts::compile(vec![contract(Limits::RULES_MAX)]).is_ok());
    assert!(Contracts::compile(vec![contract(Limits::RULES_MAX + 1)]).is_err());
    assert!(Contracts::compile(vec![contract(0); Limits::CONTRACTS_MAX]).is_ok());
    assert!(Contracts::compile(vec![contract(0); Limits::CONTRACTS_MAX + 1]).is_err());
}
