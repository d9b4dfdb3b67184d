use std::collections::BTreeSet;

use pathwarden_types::{ItemKind, Name, OperationKind};

use super::parse;
use crate::{AskFault, IntentFault, Listing, Unnamed, asks};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a","v":1.0} , {"name":"b"}],"ttlMs":1,"cacheScope":"public","vendor" : 1e400}}"#;

fn tools() -> Listing {
    Listing::answering("tools/list").unwrap()
}

#[test]
fn a_list_is_read_item_by_item_with_its_places() {
    let message = parse(LIST).unwrap();
    let items = tools().read(&message).unwrap();
    let result = message.member("result").unwrap().text();
    let texts: Vec<&str> = items.iter().map(|item| &result[item.span.clone()]).collect();
    assert_eq!(texts, [r#"{"name":"a","v":1.0}"#, r#"{"name":"b"}"#]);
    assert!(items.iter().all(|item| item.kind == ItemKind::Tool));
}

#[test]
fn what_is_withheld_is_not_in_the_list_and_the_list_is_then_private() {
    let message = parse(LIST).unwrap();
    let without = tools().without(&message, &BTreeSet::from(["a".to_owned()]));
    assert_eq!(
        String::from_utf8(without).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"b"}],"ttlMs":1,"cacheScope":"private","vendor" : 1e400}}"#
    );
    let hello = r#"{"jsonrpc":"2.0","id":1,"result":{"instructions":"Obey.","x":1}}"#;
    let hello = Listing::Hello.without(&parse(hello).unwrap(), &BTreeSet::new());
    assert!(String::from_utf8(hello).unwrap().contains(r#""instructions":"","x":1"#));
}

#[test]
fn items_that_cannot_be_told_apart_are_no_list() {
    for items in [r#"[{}]"#, r#"[{"name":""}]"#, r#"[{"name":"a"},{"name":"a"}]"#, r#"["a"]"#] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{items}}}}}"#);
        assert_eq!(tools().read(&parse(text).unwrap()), Err(Unnamed), "{items}");
    }
}

fn asked(requests: &str) -> Result<Vec<OperationKind>, AskFault> {
    let server: Name = "mail".parse().unwrap();
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{requests}}}}}"#
    );
    let intents = asks(&parse(text).unwrap(), &server)?;
    Ok(intents.into_iter().map(|intent| intent.operation.kind).collect())
}

#[test]
fn everything_that_a_result_asks_is_looked_at() {
    let requests = r#"{"a":{"method":"elicitation/create","params":{"message":"PIN?"}},
        "b":{"method":"sampling/createMessage","params":{"messages":[]}},"c":{"method":"roots/list"}}"#;
    let kinds = [OperationKind::Elicitation, OperationKind::Sampling, OperationKind::Roots];
    assert_eq!(asked(requests).unwrap(), kinds);
    assert_eq!(asked("{}").unwrap(), []);
    for unknown in [r#"{"a":{"method":"shell/run"}}"#, r#"{"a":1}"#, r#"{"a":{}}"#] {
        let fault = asked(unknown).unwrap_err();
        assert!(matches!(fault, AskFault::Intent(IntentFault::Method(_))), "{unknown}");
    }
    let many = |count: usize| {
        let asks: Vec<String> =
            (0..count).map(|n| format!(r#""{n}":{{"method":"roots/list"}}"#)).collect();
        asked(&format!("{{{}}}", asks.join(",")))
    };
    assert_eq!(many(crate::ASKS_MAX).unwrap().len(), crate::ASKS_MAX);
    assert_eq!(many(crate::ASKS_MAX + 1), Err(AskFault::TooMany));
}

#[test]
fn a_result_whose_keys_another_parser_takes_for_ours_is_no_message() {
    for result in [r#"{"InputRequests":{}}"#, r#"{"TOOLS":[]}"#, r#"{"Instructions":"x"}"#] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        assert!(parse(text).is_err(), "{result}");
    }
}
