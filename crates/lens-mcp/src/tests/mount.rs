use pathwarden_types::Name;

use super::parse;
use crate::mount::{MountFault, Mounts, Share, page};

fn mounts() -> Mounts {
    Mounts::new(["files", "my_mail"].map(|name| name.parse::<Name>().unwrap()).to_vec())
}

fn share(method: &str, params: &str) -> Result<Share, MountFault> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    mounts().share(&parse(text).unwrap())
}

fn to(share: Result<Share, MountFault>) -> (String, String) {
    let Ok(Share::One(server, bytes, _)) = share else { panic!("{share:?}") };
    (server.to_string(), String::from_utf8(bytes).unwrap())
}

#[test]
fn what_a_name_begins_with_says_where_it_goes() {
    let (server, text) = to(share("tools/call", r#"{"name":"my_mail__send__it","v":1.0}"#));
    assert_eq!(server, "my_mail");
    assert!(text.contains(r#"{"name":"send__it","v":1.0}"#), "{text}");
    let (server, text) = to(share("resources/read", r#"{"uri":"my-mail+imap://a/b+c"}"#));
    assert_eq!((server.as_str(), text.contains(r#""uri":"imap://a/b+c""#)), ("my_mail", true));
    let reference = r#"{"ref":{"type":"ref/prompt","name":"files__p"}}"#;
    assert!(to(share("completion/complete", reference)).1.contains(r#""name":"p""#));
    for wrong in ["send", "files__", "other__send", "__send", ""] {
        let fault = share("tools/call", &format!(r#"{{"name":"{wrong}"}}"#));
        assert_eq!(fault, Err(MountFault::NoServer(wrong.to_owned())));
    }
    assert_eq!(share("tools/list", "{}"), Ok(Share::Each));
    assert_eq!(share("ping", "{}"), Ok(Share::Here));
    assert_eq!(share("tasks/get", r#"{"taskId":"t"}"#), Err(MountFault::NotHere));
}

#[test]
fn what_a_server_says_comes_back_to_it() {
    let files: Name = "files".parse().unwrap();
    let outward =
        |text: &str| String::from_utf8(Mounts::outward(&files, &parse(text).unwrap())).unwrap();
    let request = outward(r#"{"jsonrpc":"2.0","id":"a\"b","method":"roots/list"}"#);
    let id = request.split("\"id\":").nth(1).unwrap().split(",\"method\"").next().unwrap();
    let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#);
    let (server, text) = to(mounts().share(&parse(reply).unwrap()));
    assert_eq!(server, "files");
    assert!(text.contains(r#""id":"a\"b","result""#), "{text}");
    let result = outward(
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource_link","uri":"file:///a"},{"type":"text","text":"x"}],"odd":1e400}}"#,
    );
    assert!(result.contains(r#""uri":"files+file:///a""#) && result.contains("1e400"), "{result}");
    let plain = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"uri"}]}}"#;
    assert_eq!(outward(plain), plain);
    for id in ["\"files\"", "\"files:\"", "\"files:[\"", "\"other:1\"", "1"] {
        let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        assert!(mounts().share(&parse(reply).unwrap()).is_err(), "{id}");
    }
}

#[test]
fn items_of_lists_are_named_after_their_server_and_otherwise_as_they_were() {
    let mail: Name = "my_mail".parse().unwrap();
    let list = |member: &str, item: &str| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"{member}":[{item}]}}}}"#);
        Mounts::items(&mail, &parse(text).unwrap(), member).remove(0)
    };
    assert_eq!(
        list("tools", r#"{"v":1.0, "name":"send"}"#),
        r#"{"v":1.0, "name":"my_mail__send"}"#
    );
    assert_eq!(
        list("resources", r#"{"name":"Inbox","uri":"imap://a"}"#),
        r#"{"name":"Inbox","uri":"my-mail+imap://a"}"#
    );
    assert_eq!(
        list("resourceTemplates", r#"{"uriTemplate":"imap://{x}"}"#),
        r#"{"uriTemplate":"my-mail+imap://{x}"}"#
    );
}

#[test]
fn a_page_is_asked_for_by_its_cursor() {
    let ask = |params: &str, cursor| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"{params}}}"#);
        String::from_utf8(page(&parse(text).unwrap(), cursor)).unwrap()
    };
    assert!(
        ask(r#","params":{"_meta":{"a":1},"cursor":"x"}"#, Some("y"))
            .contains(r#"{"_meta":{"a":1},"cursor":"y"}"#)
    );
    assert!(ask(r#","params":{"cursor":"x"}"#, None).contains(r#""params":{}"#));
    assert!(ask("", Some("y")).contains(r#""method":"tools/list","params":{"cursor":"y"}}"#));
    assert!(!ask("", None).contains("params"));
}
