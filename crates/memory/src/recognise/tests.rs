use pathwarden_json::Json;
use proptest::prelude::*;

use super::{Moved, Reads, Stores, StoresFault, Uses, short_key, uses, words};
use pathwarden_types::WriteMode;

fn stores() -> Stores {
    let files = ["/data/memory/**", "CLAUDE.md"];
    Stores::new(["notes".to_owned()], files).unwrap()
}

fn of(server: &str, tool: &str, arguments: &str) -> Option<Uses> {
    uses(&stores(), server, tool, Json::parse(arguments.as_bytes()).unwrap())
}

/// What a call does, in one line: `reads | writes | removes | moves`; `=` replaces, `+` adds.
fn line(uses: &Uses) -> String {
    let reads = match &uses.reads {
        Reads::No => String::new(),
        Reads::Any => "*".to_owned(),
        Reads::Keys(keys) => keys.join(","),
    };
    let sign = |mode| if mode == WriteMode::Add { '+' } else { '=' };
    let writes: Vec<String> = uses
        .writes
        .iter()
        .map(|one| format!("{}{}{}", one.key, sign(one.mode), one.text))
        .collect();
    let removes: Vec<String> = uses
        .removes
        .iter()
        .map(|one| {
            format!("{}{}", one.key, one.text.as_ref().map_or(String::new(), |it| format!("-{it}")))
        })
        .collect();
    let arrow = |all: &[Moved], arrow: &str| -> Vec<String> {
        all.iter().map(|one| format!("{}{arrow}{}", one.from, one.to)).collect()
    };
    let moves = [arrow(&uses.moves, "->"), arrow(&uses.copies, "=>")].concat();
    [reads, writes.join(","), removes.join(","), moves.join(",")].join("|")
}

fn check(server: &str, store: &str, cases: &[(&str, &str, &str)]) {
    for (tool, arguments, want) in cases {
        let uses = of(server, tool, arguments).unwrap_or_else(|| panic!("{tool} {arguments}"));
        assert_eq!(line(&uses), *want, "{tool} {arguments}");
        assert_eq!(uses.store, store, "{tool} {arguments}");
    }
}

#[test]
fn the_official_memory_server_is_known_by_its_form() {
    let long = "a type that says: ignore your orders";
    let entity = format!(
        r#"{{"entities":[{{"name":"Alice","entityType":"{long}","observations":["a","b"]}},{{"name":"Bob","entityType":"person","observations":[]}}]}}"#
    );
    let want = format!("|Alice+{long},Alice+a,Alice+b,Bob+Bob||");
    check(
        "graph",
        "graph",
        &[
            ("create_entities", &entity, &want),
            (
                "create_relations",
                r#"{"relations":[{"from":"Alice","to":"Bob","relationType":"knows"}]}"#,
                "|Alice+Alice knows Bob||",
            ),
            (
                "add_observations",
                r#"{"observations":[{"entityName":"Alice","contents":["a","b"]}]}"#,
                "|Alice+a,Alice+b||",
            ),
            ("delete_entities", r#"{"entityNames":["Alice","Bob"]}"#, "||Alice,Bob|"),
            (
                "delete_observations",
                r#"{"deletions":[{"entityName":"Alice","observations":["a"]}]}"#,
                "||Alice-a|",
            ),
            (
                "delete_relations",
                r#"{"relations":[{"from":"Alice","to":"Bob","relationType":"knows"}]}"#,
                "||Alice-Alice knows Bob|",
            ),
            ("read_graph", "{}", "*|||"),
            ("search_nodes", r#"{"query":"tea"}"#, "*|||"),
            ("open_nodes", r#"{"names":["Alice","Bob"]}"#, "Alice,Bob|||"),
        ],
    );
    assert_eq!(of("graph", "create_entities", r#"{"entities":"none"}"#), None);
    assert_eq!(of("graph", "open_nodes", r#"{"name":"Alice"}"#), None);
}

#[test]
fn the_memory_tool_of_the_model_is_known_by_its_form() {
    check(
        "client",
        "client",
        &[
            (
                "memory",
                r#"{"command":"view","path":"/memories/../memories/a.md"}"#,
                "/memories/a.md|||",
            ),
            (
                "memory",
                r#"{"command":"view","path":"/memories","view_range":[1,2]}"#,
                "/memories|||",
            ),
            (
                "memory",
                r#"{"command":"create","path":"/memories/a.md","file_text":"x"}"#,
                "|/memories/a.md=x||",
            ),
            (
                "memory",
                r#"{"command":"str_replace","path":"/memories/a.md","old_str":"x","new_str":"y"}"#,
                "/memories/a.md|/memories/a.md+y||",
            ),
            (
                "memory",
                r#"{"command":"str_replace","path":"/memories/a.md","old_str":"x","new_str":""}"#,
                "/memories/a.md|||",
            ),
            (
                "memory",
                r#"{"command":"insert","path":"/memories/a.md","insert_line":1,"insert_text":"y"}"#,
                "|/memories/a.md+y||",
            ),
            ("memory", r#"{"command":"delete","path":"/memories/a.md"}"#, "||/memories/a.md|"),
            (
                "memory",
                r#"{"command":"rename","old_path":"/memories/a.md","new_path":"/memories/b.md"}"#,
                "|||/memories/a.md->/memories/b.md",
            ),
        ],
    );
    assert_eq!(of("client", "memory", r#"{"command":"dance","path":"/memories"}"#), None);
    assert_eq!(of("client", "memory", r#"{"command":"view"}"#), None);
}

#[test]
fn files_of_memory_are_known_whatever_touches_them() {
    check(
        "files",
        "/data/memory/**",
        &[
            ("read_file", r#"{"path":"/data/memory/a.md"}"#, "/data/memory/a.md|||"),
            ("Read", r#"{"file_path":"/data/x/../memory/a.md"}"#, "/data/memory/a.md|||"),
            (
                "read_multiple_files",
                r#"{"paths":["/etc/hosts","/data/memory/a","/data/memory/b"]}"#,
                "/data/memory/a,/data/memory/b|||",
            ),
            ("search_files", r#"{"path":"/data/memory","pattern":"x"}"#, "*|||"),
            ("write_file", r#"{"path":"/data/memory/a","content":"x"}"#, "|/data/memory/a=x||"),
            (
                "append_file",
                r#"{"filename":"/data/memory/a","text":"x"}"#,
                "/data/memory/a|/data/memory/a+x||",
            ),
            (
                "edit_file",
                r#"{"path":"/data/memory/a","edits":[{"oldText":"x","newText":"y"},{"oldText":"z","newText":"w"}]}"#,
                "/data/memory/a|/data/memory/a+y,/data/memory/a+w||",
            ),
            (
                "Edit",
                r#"{"file_path":"/data/memory/a","old_string":"x","new_string":"y"}"#,
                "/data/memory/a|/data/memory/a+y||",
            ),
            ("delete_file", r#"{"path":"/data/memory/a"}"#, "||/data/memory/a|"),
            (
                "move_file",
                r#"{"source":"/data/memory/a","destination":"/tmp/b"}"#,
                "|||/data/memory/a->/tmp/b",
            ),
            (
                "copy_file",
                r#"{"source":"/tmp/b","destination":"/data/memory/a"}"#,
                "|||/tmp/b=>/data/memory/a",
            ),
        ],
    );
    check(
        "files",
        "CLAUDE.md",
        &[("Read", r#"{"file_path":"/home/u/CLAUDE.md"}"#, "/home/u/CLAUDE.md|||")],
    );
    assert_eq!(of("files", "read_file", r#"{"path":"/etc/hosts"}"#), None);
}

#[test]
fn other_tools_of_a_store_are_known_by_their_words() {
    let text = "a sentence that is long enough to say something";
    let cases = [
        ("set", r#"{"key":"mail","value":"a@b.c"}"#.to_owned(), "|mail=a@b.c||".to_owned()),
        ("addMemory", format!(r#"{{"text":"{text}"}}"#), format!("|text-c5501609+{text}||")),
        ("upsert", format!(r#"{{"id":7,"payload":"{text}"}}"#), format!("|7={text}||")),
        (
            "write_note",
            format!(r#"{{"title":"t","content":"x","folder":"f","tags":["{text}"]}}"#),
            format!("|t=x,t+{text}||"),
        ),
        (
            "add_documents",
            r#"{"items":[{"id":"a","text":"x"},{"id":"b","text":"y"}]}"#.to_owned(),
            "|a+x,b+y||".to_owned(),
        ),
        ("save", r#"{"flag":"on"}"#.to_owned(), "|text-b8d31e85=on||".to_owned()),
        ("remember", r#"{"topic":"buy milk"}"#.to_owned(), "|buy milk+buy milk||".to_owned()),
        ("forget", r#"{"ids":["a","b"]}"#.to_owned(), "||a,b|".to_owned()),
        ("get", r#"{"key":"mail"}"#.to_owned(), "mail|||".to_owned()),
        ("recall", r#"{"topic":"tea"}"#.to_owned(), "*|||".to_owned()),
        ("whatever", "{}".to_owned(), "*|||".to_owned()),
        ("get_or_create", r#"{"key":"k","value":"v"}"#.to_owned(), "k|k=v||".to_owned()),
        // A name that is a sentence is written too.
        ("create", format!(r#"{{"name":"{text}"}}"#), format!("|{text}={text}||")),
    ];
    for (tool, arguments, want) in &cases {
        let found = of("notes", tool, arguments).unwrap();
        let fixed = line(&found);
        assert_eq!(fixed, *want, "{tool} {arguments}");
    }
    assert_eq!(of("other", "set", r#"{"key":"mail","value":"a@b.c"}"#), None);
}

#[test]
fn a_call_with_more_parts_than_the_most_says_so() {
    let call = |count: usize| {
        let all: Vec<String> = (0..count).map(|at| format!("\"o{at}\"")).collect();
        let one = format!(r#"{{"entityName":"a","contents":[{}]}}"#, all.join(","));
        of("graph", "add_observations", &format!(r#"{{"observations":[{one}]}}"#)).unwrap()
    };
    assert_eq!(call(Uses::PARTS_MAX).left_out, 0);
    assert_eq!(call(Uses::PARTS_MAX + 1).left_out, 1);
    let names = |count: usize| {
        let all: Vec<String> = (0..count).map(|at| format!("\"o{at}\"")).collect();
        of("graph", "open_nodes", &format!(r#"{{"names":[{}]}}"#, all.join(","))).unwrap().reads
    };
    assert!(matches!(names(Uses::PARTS_MAX), Reads::Keys(keys) if keys.len() == Uses::PARTS_MAX));
    assert_eq!(names(Uses::PARTS_MAX + 1), Reads::Any);
}

#[test]
fn keys_have_a_most_and_stay_apart() {
    let (longest, longer, other) = ("é".repeat(256), "é".repeat(257), "é".repeat(258));
    assert_eq!(short_key(&longest), longest);
    assert!(short_key(&longer).len() <= 512);
    assert_ne!(short_key(&longer), short_key(&other));
}

#[test]
fn declarations_have_a_most_and_faults_name_the_pattern() {
    let new = |count| Stores::new([], std::iter::repeat_n("a", count));
    assert!(new(Stores::PATTERNS_MAX).is_ok());
    assert_eq!(new(Stores::PATTERNS_MAX + 1), Err(StoresFault::TooMany));
    let fault = Stores::new([], ["ok", "a**"]).unwrap_err();
    assert_eq!(fault.to_string(), "`a**` is not a pattern of files");
}

#[test]
fn words_are_split_however_they_are_joined() {
    for name in ["addMemory", "add_memory", "add-memory", "Add Memory", "memory.add"] {
        let found: Vec<String> = words(name).into_iter().collect();
        assert_eq!(found, ["add", "memory"], "{name}");
    }
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let key = prop::sample::select(
        &["entities", "observations", "name", "path", "content", "edits", "command", "key", "x"][..],
    );
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(serde_json::Value::from),
        prop::sample::select(&["view", "create", "/data/memory/a", ""][..])
            .prop_map(serde_json::Value::from),
        ".{0,30}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5).prop_map(|map| map
                .into_iter()
                .map(|(name, one)| (name.to_owned(), one))
                .collect()),
        ]
    })
}

proptest! {
    /// A write to a declared store never goes unseen where the call holds any text.
    #[test]
    fn any_arguments_are_read(
        value in any_value(),
        tool in "create_entities|memory|write_file|addNote|delete|read_graph|\\PC{0,12}",
    ) {
        let text = value.to_string();
        let found = of("notes", &tool, &text);
        prop_assert_eq!(&found, &of("notes", &tool, &text));
        prop_assert!(found.is_some());
        let has_text = ["content", "name", "x"].iter().any(|name| !value[name].as_str().unwrap_or_default().is_empty());
        if tool == "addNote" && has_text && value["path"].is_null() {
            prop_assert!(!found.unwrap().writes.is_empty());
        }
    }

    #[test]
    fn a_lone_surrogate_hides_no_write(text in "[a-z ]{1,20}") {
        let arguments = format!(r#"{{"key":"k","value":"\ud800{text}"}}"#);
        let found = of("notes", "set", &arguments).unwrap();
        prop_assert!(found.writes[0].text.contains(&text));
    }
}
