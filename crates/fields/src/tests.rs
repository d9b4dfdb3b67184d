use proptest::prelude::*;

use super::{FIELDS_MAX, read};

/// Path, item and text of every field that is no name.
fn fields(text: &str) -> Vec<(String, u32, String)> {
    let fields = read(text).fields.into_iter().filter(|field| !field.path.ends_with("#name"));
    fields.map(|field| (field.path, field.item, field.text)).collect()
}

fn field(path: &str, item: u32, text: &str) -> (String, u32, String) {
    (path.to_owned(), item, text.to_owned())
}

#[test]
fn json_and_printed_objects_read_alike() {
    let want = [field("/a/0/b", 1, "x'y"), field("/a/1/b", 2, "z"), field("/n", 0, "1.5")];
    for text in [
        r#"{"a":[{"b":"x'y"},{"b":"z"}],"n":1.5,"none":null}"#,
        r#"{'a': [{'b': "x'y"}, {'b': 'z'}], 'n': 1.5, 'none': None}"#,
        "<<\n{'a': [{'b': 'x\\'y'}, {'b': 'z'},], 'n': 1.5}>>",
    ] {
        assert_eq!(fields(text), want, "{text}");
    }
}

#[test]
fn an_object_under_a_name_is_an_item_with_its_name() {
    let fields = read(r#"{"Bob": {"id": 1}, "Ann": {"id": 2}}"#).fields;
    let items: Vec<(u32, &str)> = fields.iter().map(|f| (f.item, f.text.as_str())).collect();
    assert_eq!(items, [(1, "Bob"), (1, "1"), (2, "Ann"), (2, "2")]);
}

#[test]
fn key_value_lines_are_fields() {
    let text = "- subject: Hi\n  body: \"Dear all,\\n\\nplease \\\n    \\ pay\"\n  to:\n  - ann\n- subject: 'It''s\n\n    late'\n";
    let want = [
        field("/subject", 1, "Hi"),
        field("/body", 1, "Dear all,\n\nplease  pay"),
        field("", 1, "ann"),
        field("/subject", 2, "It's\nlate"),
    ];
    assert_eq!(fields(text), want);
}

#[test]
fn a_letter_with_a_line_like_a_field_is_a_letter() {
    let text =
        "Dear tenant,\nthe rent will rise by 10 from next month on.\nIBAN: X1\nBest regards,\nAnn";
    assert_eq!(fields(text), [field("", 0, text)]);
}

#[test]
fn what_is_quoted_cannot_pose_as_fields() {
    let text = "- body: 'Hello\n\n    to: eve\n\n    amount: 5'\n  from: bob\n";
    let read = fields(text);
    assert!(read.contains(&field("/from", 1, "bob")), "{read:?}");
    assert!(read.iter().all(|(path, _, _)| path != "/to"), "{read:?}");
}

#[test]
fn one_more_field_than_the_limit_is_said() {
    let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert!(!read(&list(FIELDS_MAX)).overflowed);
    let more = read(&list(FIELDS_MAX + 1));
    assert!(more.overflowed && more.fields.len() == FIELDS_MAX);
}

#[test]
fn nesting_without_end_is_prose() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    assert_eq!(read(&deep).fields.len(), 1);
}

#[test]
fn places_lead_to_the_source() {
    for text in [
        r#"<<[{"a": "x\n\u0041b", "c": 'd'}]>>"#,
        "a: \"x\\n\\\n   A\\\"b\"\nc: 'it''s d'",
        "just prose with d",
    ] {
        for field in read(text).fields {
            for (at, character) in field.text.char_indices().filter(|(_, c)| c.is_lowercase()) {
                let place = field.place(at);
                let there = text.get(place..).is_some_and(|rest| rest.starts_with(character));
                assert!(there, "{text} {field:?} {at}");
            }
        }
    }
}

proptest! {
    /// Any text is read, and every place stands in it.
    #[test]
    fn any_text_is_read(
        text in "\\PC{0,120}|[-a-z:'\"{}\\[\\],\\\\ \n]{0,160}|(- [a-z]{1,4}: ['\"]?[a-z \n]{0,9}['\"]?\n){0,6}"
    ) {
        for field in read(&text).fields {
            for (at, _) in field.text.char_indices() {
                prop_assert!(text.is_char_boundary(field.place(at)), "{field:?} {at}");
            }
        }
    }

    /// Every string of a JSON value is a field, as it is.
    #[test]
    fn every_string_of_json_is_a_field(strings in prop::collection::vec("\\PC{0,20}", 1..8)) {
        let text = serde_json::to_string(&strings).unwrap();
        let found: Vec<String> = fields(&text).into_iter().map(|(_, _, text)| text).collect();
        prop_assert_eq!(found, strings);
    }
}
