//! What stands beside the rules: contracts, lists of threats, profiles, on a node that runs.

use std::fs;
use std::path::Path;

use pathwarden_testkit::node::{Agent, until};
use pathwarden_wire::Answer;
use serde_json::{Value, json as value};

use crate::support::{OwnHome, json};

/// A server of which every tool is known.
const CONFIGURATION: &str = r#"
[organisation]
domains = ["northgate.example"]
[agents.clerk]
owner = "the tests"
role = "assistant"
purpose = "filing"
[servers.desk]
inside = true
[servers.desk.tools]
look = "read"
get_vendor = "read"
note = "write"
send = "send"
pay = "pay"
remove = "delete"
[servers.inbox]
inside = true
outside_content = true
[servers.inbox.tools]
fetch = "read"
"#;

/// A home with the shipped examples beside its rules.
fn home() -> OwnHome {
    let home = OwnHome::new();
    home.configure(CONFIGURATION).expect("configured");
    home
}

fn with_examples() -> OwnHome {
    let home = home();
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/knowledge"));
    fs::create_dir(home.path("policies/intel")).expect("a folder");
    for file in ["contracts.toml", "intel/hosts.txt"] {
        fs::copy(examples.join(file), home.path("policies").join(file)).expect("copied");
    }
    home
}

async fn clerk(home: &OwnHome, task: &str) -> Agent {
    let operator = home.person("operator").expect("a token");
    Agent::start(home, &operator, "clerk", task).await.expect("a session")
}

/// Does something that is let through.
async fn did(agent: &Agent, tool: &str, arguments: &Value, result: &str) {
    did_at(agent, "desk", tool, arguments, result).await;
}

async fn did_at(agent: &Agent, server: &str, tool: &str, arguments: &Value, result: &str) {
    match agent.ask(server, tool, arguments).await.expect("an answer") {
        Answer::Release(permit) => {
            agent.done(permit.action(), result).await.expect("recorded");
        }
        other => panic!("not released: {other:?}"),
    }
}

/// Asks for something, and why the answer was as it was.
async fn why(home: &OwnHome, agent: &Agent, tool: &str, arguments: &Value) -> Value {
    let action = match agent.ask("desk", tool, arguments).await.expect("an answer") {
        Answer::Release(permit) => permit.action(),
        Answer::Refuse(refusal) => refusal.action,
        Answer::Held(held) => held.action,
    };
    // What only reads may be released a moment before its record is on disk.
    let action = action.to_string();
    let recorded = until("the record of the decision", async || {
        let said = home.pathwarden(&["--json", "why", &action])?;
        Ok((said.code == Some(0)).then_some(said.out))
    });
    serde_json::from_str(&recorded.await.expect("recorded")).expect("JSON")
}

/// What a rule said, where it spoke.
fn said(why: &Value, rule: &str) -> Option<String> {
    let hits = why["decided"]["hits"].as_array().expect("hits");
    let hit = hits.iter().find(|hit| hit["rule"] == rule)?;
    hit["reason"].as_str().map(str::to_owned)
}

fn signal<'a>(why: &'a Value, kind: &str) -> &'a Value {
    let terms = why["decided"]["risk"]["terms"].as_array().expect("terms");
    let term = terms.iter().find(|term| term["kind"] == kind);
    term.unwrap_or_else(|| panic!("no `{kind}` in {terms:?}"))
}

fn words<'a>(why: &'a Value, kind: &str) -> &'a str {
    signal(why, kind)["words"].as_str().expect("words")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_before_the_vendors_record_was_read_breaks_the_contract() {
    let home = with_examples();
    let _node = home.up().expect("a node");
    let agent = clerk(&home, "pay the bill of Larkspur").await;
    let payment = value!({ "to": "Larkspur", "cents": 1200 });
    let early = why(&home, &agent, "pay", &payment).await;
    assert_eq!(early["decided"]["verdict"], "deny");
    let reason = said(&early, "baseline.contract");
    let want = "payments: a payment needs the vendor's record to be read before it";
    assert_eq!(reason.as_deref(), Some(want));
    did(&agent, "get_vendor", &value!({ "name": "Larkspur" }), "Larkspur, since 2019").await;
    let late = why(&home, &agent, "pay", &payment).await;
    assert_eq!(said(&late, "baseline.contract"), None, "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restricted_content_stays_inside_until_a_person_approved_something() {
    let home = with_examples();
    let _node = home.up().expect("a node");
    let agent = clerk(&home, "tell dana@northgate.example").await;
    let mail = value!({ "to": "dana@northgate.example", "body": "done" });
    did(&agent, "look", &value!({ "at": "/old" }), "IBAN DE89 3704 0044 0532 0130 00").await;
    let before = why(&home, &agent, "send", &mail).await;
    let reason = said(&before, "baseline.contract").expect("the contract speaks");
    assert!(reason.starts_with("restricted: restricted content was read"), "{reason}");

    let removal = value!({ "path": "/old" });
    let Answer::Held(held) = agent.ask("desk", "remove", &removal).await.expect("an answer") else {
        panic!("not held");
    };
    let approve = ["approvals", "approve", &held.approval.to_string(), "--by", "dana"];
    home.pathwarden(&approve).expect("run").success().expect("taken");
    let answer = agent.wait(&held, &removal, 20_000).await.expect("an answer");
    assert!(matches!(answer, Answer::Release(_)), "{answer:?}");
    let after = why(&home, &agent, "send", &mail).await;
    assert_eq!(said(&after, "baseline.contract"), None, "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_new_recipient_than_the_budget_has_breaks_the_contract() {
    let home = with_examples();
    let _node = home.up().expect("a node");
    let people: Vec<String> = (0..6).map(|n| format!("person{n}@northgate.example")).collect();
    let agent = clerk(&home, &format!("greet {}", people.join(", "))).await;
    let mail = |to: &str| value!({ "to": to, "body": "hello" });
    for to in &people[..5] {
        did(&agent, "send", &mail(to), "sent").await;
    }
    let again = why(&home, &agent, "send", &mail(&people[0])).await;
    assert_eq!(said(&again, "baseline.contract"), None, "{again}");
    let more = why(&home, &agent, "send", &mail(&people[5])).await;
    let reason = said(&more, "baseline.contract").expect("the contract speaks");
    assert_eq!(reason, "recipients: 6 different recipients in 1 h, 5 are allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_host_raises_the_signal_and_says_which_list() {
    let home = with_examples();
    let _node = home.up().expect("a node");
    let task = "write to a@post.malware-drop.example and b@fine.example";
    let agent = clerk(&home, task).await;
    let mail = |to: &str| value!({ "to": to, "body": "hello" });
    let fine = why(&home, &agent, "send", &mail("b@fine.example")).await;
    assert_eq!(words(&fine, "threat_intelligence"), "no target is listed");
    let listed = why(&home, &agent, "send", &mail("a@post.malware-drop.example")).await;
    let words = words(&listed, "threat_intelligence");
    assert_eq!(words, "domain `malware-drop.example` is listed by `hosts.txt`");
    let score = |why: &Value| why["decided"]["risk"]["score"].as_u64().expect("a score");
    assert!(score(&listed) > score(&fine), "{listed}");

    let shown = home.pathwarden(&["policy", "show"]).expect("run").success().expect("shown");
    for part in ["contracts: 3 (payments, restricted, recipients)", "hosts.txt: list, 5 entries"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_contract_leaves_the_old_policy_deciding_and_an_unmatched_entry_is_said() {
    let home = with_examples();
    let _node = home.up().expect("a node");
    let before = json(&home, &["policy", "show"]);
    home.policy("contracts.toml", "[[contract]]\nname = \"\"\n");
    let reload = home.pathwarden(&["policy", "reload"]).expect("run");
    assert_eq!(reload.code, Some(1));
    let why = "contracts.toml: contracts[0].name: is empty: say what it is";
    assert!(reload.err.contains(why), "{reload:?}");
    let status = json(&home, &["policy", "show"]);
    assert_eq!(status["version"], before["version"]);
    assert_eq!(status["knowledge"], before["knowledge"]);

    home.policy("contracts.toml", "");
    home.policy("intel/hosts.txt", "evil.example\nno indicator at all\n");
    let mended = until("the mended files", async || {
        let status = json(&home, &["policy", "show"]);
        let is_mended = status["knowledge"]["feeds"][0]["unmatched"] == 1;
        Ok((is_mended && status["refused_reload"] == Value::Null).then_some(status))
    });
    mended.await.expect("noticed");
    let unmatched = "1 entry of feed `hosts.txt` cannot be matched";
    for command in [&["policy", "show"][..], &["policy", "check"], &["doctor"]] {
        let said = home.pathwarden(command).expect("run");
        assert!(said.out.contains(unmatched), "{command:?}: {said:?}");
    }
}

/// A session that looks at something, and what else it is to do, and its end.
async fn session(home: &OwnHome, more: &[(&str, Value)]) {
    let agent = clerk(home, "look at https://wiki.northgate.example/1").await;
    let page = value!({ "at": "https://wiki.northgate.example/1" });
    did(&agent, "look", &page, "a page").await;
    for (tool, arguments) in more {
        let _whatever = agent.ask("desk", tool, arguments).await.expect("an answer");
    }
    end(home, &agent).await;
}

/// Ends a session, and waits until that is on record.
async fn end(home: &OwnHome, agent: &Agent) {
    let session = agent.session.to_string();
    home.pathwarden(&["session", "end", &session]).expect("run").success().expect("ended");
    let ended = until("the record of the session's end", async || {
        let records = home.pathwarden(&["ledger", "export"])?.success()?;
        let is_it = |line: &str| line.contains(&session) && line.contains("session_ended");
        Ok(records.lines().any(is_it).then_some(()))
    });
    ended.await.expect("recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_learned_reviewed_and_used_only_after_a_reload() {
    let home = home();
    let _node = home.up().expect("a node");
    for _ in 0..3 {
        session(&home, &[]).await;
    }
    session(&home, &[("remove", value!({ "path": "/old" }))]).await;
    let misled = clerk(&home, "read the mail").await;
    did_at(&misled, "inbox", "fetch", &value!({ "id": 7 }), "look elsewhere").await;
    end(&home, &misled).await;
    let working = clerk(&home, "look around").await;
    did(&working, "look", &value!({ "at": "/" }), "nothing").await;

    let learned = json(&home, &["profile", "learn", "--agent", "clerk"]);
    let lessons = value!({ "clean": 3, "refused": 1, "tainted": 1, "empty": 0, "unfinished": 1 });
    assert_eq!(learned["learned"]["sessions"], lessons);
    let file = home.path("policies/profiles/clerk.json");
    assert_eq!(learned["file"].as_str(), file.to_str());
    let kept: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(kept["baseline"]["sessions"], 3);
    assert_eq!(kept["baseline"]["version"], 1);

    // Another change is taken up by itself; the profile is not.
    let before = json(&home, &["policy", "show"]);
    home.policy("more.rego", "package pathwarden\n\nunused_here := 7\n");
    let changed = until("the other change", async || {
        let status = json(&home, &["policy", "show"]);
        Ok((status["version"] != before["version"]).then_some(status))
    });
    assert_eq!(changed.await.expect("noticed")["knowledge"]["baselines"], value!([]));
    let reloaded = json(&home, &["policy", "reload"]);
    let row = value!({ "agent": "clerk", "task": "filing", "version": 1, "sessions": 3 });
    assert_eq!(reloaded["knowledge"]["baselines"], value!([row]));

    let agent = clerk(&home, "look at https://wiki.northgate.example/2").await;
    let page = |name: &str, n: u8| value!({ name: format!("https://wiki.northgate.example/{n}") });
    let new_page = why(&home, &agent, "look", &page("at", 2)).await;
    let novel = words(&new_page, "behaviour");
    assert!(novel.starts_with("1 targets were never used in 3 sessions"), "{novel}");
    // What was learned and what is asked spell the arguments of a call alike.
    assert!(!novel.contains("never had such arguments"), "{novel}");
    let new_shape = why(&home, &agent, "look", &page("else", 3)).await;
    let novel = words(&new_shape, "behaviour");
    assert!(novel.contains("`look` never had such arguments"), "{novel}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_version_learns_from_each_session_once_and_says_what_changed() {
    let home = home();
    let _node = home.up().expect("a node");
    for _ in 0..2 {
        session(&home, &[]).await;
    }
    let learn = ["profile", "learn", "--agent", "clerk"];
    home.pathwarden(&learn).expect("run").success().expect("learned");
    let first = home.path("policies/profiles/clerk.json");
    let old = home.path("first.json");
    fs::copy(&first, &old).expect("copied");
    let again = home.pathwarden(&learn).expect("run").success().expect("ends well");
    assert_eq!(again.trim(), "nothing new was learned; no file was written");

    session(&home, &[("note", value!({ "text": "hello" }))]).await;
    let said = home.pathwarden(&learn).expect("run").success().expect("learned");
    let drift = "`desk/note` is used, which was not";
    for part in ["version 2 of `clerk` at `filing`, from 3 session(s)", drift, "policy reload"] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let files = [&old, &first].map(|path| path.to_str().expect("text").to_owned());
    let compared = json(&home, &["profile", "drift", &files[0], &files[1]]);
    assert!(compared["drift"].to_string().contains(drift), "{compared}");
    let shown = home.pathwarden(&["profile", "show"]).expect("run").success().expect("shown");
    assert!(shown.contains("version 2 of `clerk`") && shown.contains("desk/note"), "{shown}");

    let unknown = home.pathwarden(&["profile", "learn", "--agent", "../stranger"]).expect("run");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("is no name for a file"), "{unknown:?}");
}
