//! What holds for all bytes: no panic, an end, limits, and quotes that read back as what they quote.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pathwarden_lens_shell::{
    Act, DEPTH_MAX, Doubt, Plan, Surroundings, TEXT_MAX_BYTES, WOULD_MAX, Would, of_argv, of_script,
};
use proptest::prelude::*;

/// Far above what any text needs here, also in a build without optimisation on a busy machine, and far
/// below what a quadratic reader needs for a text of the largest size.
const SLOWEST: Duration = Duration::from_secs(20);

fn surroundings() -> Surroundings {
    Surroundings { home: "/home/u".to_owned(), ..Surroundings::default() }
}

fn script(text: &str) -> Plan {
    of_script(text.as_bytes(), &surroundings())
}

fn read(what: &str) -> Would {
    Would { act: Act::Read, what: what.to_owned() }
}

/// Quotes a word for a shell, in one of four ways.
fn quoted(word: &str, way: usize) -> String {
    match way {
        0 => format!("'{}'", word.replace('\'', "'\\''")),
        1 => {
            let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", escaped.replace('$', "\\$").replace('`', "\\`"))
        }
        2 => word
            .chars()
            .map(|letter| match letter {
                '\n' => "'\n'".to_owned(),
                letter => format!("\\{letter}"),
            })
            .collect(),
        _ => {
            let coded: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("$'{coded}'")
        }
    }
}

fn is_plain(word: &str) -> bool {
    let first = word.chars().next();
    // Options, and the places that the table leaves out.
    !matches!(first, None | Some('-' | '/'))
        && !word.starts_with("./")
        && !word.starts_with("file:")
        && !word.contains('\0')
        && !word.contains("://")
}

/// Pieces that shells care about, with a bar between them.
const PIECES: &str = "$(¦)¦`¦\"¦'¦\\¦${¦}¦{¦,¦..¦<<E\n¦E\n¦<(¦>(¦>¦<¦|¦&&¦||¦;¦;;¦&¦\n¦((¦))¦[[¦]]¦$((¦if ¦then ¦\
    fi ¦for x in ¦do ¦done ¦case ¦in ¦esac ¦while ¦f()¦cat ¦x=¦$x¦${x:0:1}¦${x%%*}¦${x//a/b}¦eval ¦sh -c ¦\
    base64 -d ¦xargs ¦find . -exec ¦python3 -c ¦awk ¦sed ¦tar ¦curl ¦rm -rf ¦sudo ¦*¦?¦[¦~¦ ¦$'¦\\x41¦é¦#¦!¦=(¦\
    /etc/passwd¦echo ¦printf ¦%s¦/dev/tcp/h/1";

fn piece() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.split('¦').collect();
    prop_oneof![prop::sample::select(pieces).prop_map(str::to_owned), "[a-z0-9 ]{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_plan_within_limits(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let plan = of_script(&bytes, &surroundings());
        prop_assert!(plan.would.len() <= WOULD_MAX);
        prop_assert_eq!(plan, of_script(&bytes, &surroundings()));
    }

    #[test]
    fn any_pieces_of_shell_give_a_plan(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let plan = script(&text);
        prop_assert!(plan.would.len() <= WOULD_MAX);
        prop_assert_eq!(plan, script(&text));
    }

    #[test]
    fn any_words_give_a_plan(words in prop::collection::vec(prop::collection::vec(piece(), 0..4), 0..8)) {
        let words: Vec<String> = words.iter().map(|word| word.concat()).collect();
        let argv: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let plan = of_argv(&argv, &surroundings());
        prop_assert!(plan.would.len() <= WOULD_MAX);
    }

    /// The law of quoting: what a program would read is the word itself, however it was quoted.
    #[test]
    fn a_quoted_word_reads_back_as_itself(word in "\\PC{1,20}", way in 0_usize..4) {
        prop_assume!(is_plain(&word));
        let plan = script(&format!("cat -- {}", quoted(&word, way)));
        prop_assert!(plan.would.contains(&read(&word)), "{:?}", plan);
        prop_assert_eq!(plan.would.len(), 2);
    }

    /// The same through a second shell.
    #[test]
    fn a_word_quoted_twice_reads_back_as_itself(word in "\\PC{1,12}", inner in 0_usize..4, outer in 0_usize..3) {
        prop_assume!(is_plain(&word));
        let code = format!("cat -- {}", quoted(&word, inner));
        let plan = script(&format!("bash -c {}", quoted(&code, outer)));
        prop_assert!(plan.would.contains(&read(&word)), "{:?}", plan);
    }

    /// A command after another one is seen whatever the first one is, as long as that is well formed.
    #[test]
    fn what_follows_is_seen(word in "[a-z]{1,8}", way in 0_usize..4, join in 0_usize..5) {
        let join = [";", "&&", "||", "|", "\n"][join];
        let plan = script(&format!("echo {} {join} cat /the/end", quoted(&word, way)));
        prop_assert!(plan.would.contains(&read("/the/end")));
    }
}

#[test]
fn text_at_the_limit_is_read_and_one_byte_more_is_not() {
    let at = format!("cat /x #{}", "a".repeat(TEXT_MAX_BYTES - 8));
    assert_eq!(at.len(), TEXT_MAX_BYTES);
    let plan = script(&at);
    assert!(plan.would.contains(&read("/x")) && plan.doubts.is_empty(), "{:?}", plan.doubts);
    let plan = script(&format!("{at}a"));
    assert_eq!((plan.would.len(), plan.doubts), (0, BTreeSet::from([Doubt::TooLong])));
}

#[test]
fn nesting_at_the_limit_is_read_and_one_more_is_not() {
    let nested = |levels: usize| format!("{}cat /x{}", "(".repeat(levels), " )".repeat(levels));
    // The script itself is the first level; spaces keep the parentheses apart.
    let spaced = |levels: usize| nested(levels).replace('(', "( ");
    let plan = script(&spaced(DEPTH_MAX));
    assert!(plan.would.contains(&read("/x")) && plan.doubts.is_empty(), "{:?}", plan.doubts);
    let plan = script(&spaced(DEPTH_MAX + 1));
    assert!(plan.doubts.contains(&Doubt::TooDeep));
}

#[test]
fn acts_at_the_limit_are_kept_and_one_more_is_a_doubt() {
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("/f{number}")).collect();
        format!("cat {}", names.join(" "))
    };
    let plan = script(&names(WOULD_MAX - 1));
    assert_eq!(plan.would.len(), WOULD_MAX);
    assert!(!plan.doubts.contains(&Doubt::TooLong));
    let plan = script(&names(WOULD_MAX));
    assert_eq!(plan.would.len(), WOULD_MAX);
    assert!(plan.doubts.contains(&Doubt::TooLong));
}

#[test]
fn endless_and_growing_scripts_end() {
    for text in [
        "f() { f; f; }; f",
        ":(){ :|:& };:",
        "a=x; for i in 1 2 3 4 5 6 7 8; do for j in 1 2 3 4 5 6 7 8; do a=$a$a$a$a; done; done; echo $a",
        "x='eval \"$x\"'; eval \"$x\"",
        "echo 'sh s' > s; sh s",
        "alias a='a a'; a",
        "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
        "trap 'trap \"$0\" EXIT' EXIT",
        "git remote add a b; git remote add b a; git push a",
    ] {
        let start = Instant::now();
        let plan = script(text);
        assert!(start.elapsed() < SLOWEST, "{text}");
        assert!(plan.would.len() <= WOULD_MAX, "{text}");
    }
}

/// Texts of the largest size that make a careless reader look at each byte again and again.
#[test]
fn hostile_texts_of_the_largest_size_take_no_time_to_speak_of() {
    let repeated = [
        ">f find . ",
        "x=ab x+=$x x+=$x ",
        "x+=$x ",
        "a=$x$x x=$a$a ",
        "* -name a ",
        "(",
        "((",
        ")",
        "{",
        "{{",
        "}",
        "$(",
        "${",
        "`",
        "\\`",
        "'",
        "\"",
        "\\",
        "$'\\",
        "<<E\n",
        "<<E ",
        "<(",
        "[",
        "[[ ",
        "a=(",
        "@(",
        "* ",
        "/* ",
        "{a,",
        "{a,b}",
        "$[",
        "$((",
        "a[",
        "${x[",
        "${x:",
        "${x//",
        "~",
        "if ",
        "case x in ",
        "for x in ",
        "while ",
        "f() ",
        "function f ",
        ";;",
        "&",
        "| ",
        "!",
        "# \n",
        "a=1;",
        "(a=1);",
        "x=$x$x;",
        "x+=$x;",
        "echo a|",
        "eval ",
        "sudo ",
        "env ",
        "cat a>b;",
        "x=*;cat $x;",
        "cd a;",
        "cd a||cd b;",
        "a(){ :; };",
        "a&&",
        "read x;",
        "sh -c 'a';",
        "sed s/a/b/;",
        "awk '\"';",
        "find . -name a ",
        "echo a>f;sh f;",
        "cat ~/.s* ",
        "%",
        "a ",
        "\n",
        "é",
        "1>",
        "2>&1 ",
    ];
    for piece in repeated {
        let text = piece.repeat(TEXT_MAX_BYTES / piece.len());
        quick(&text, piece);
        let code =
            &text.get(..text.floor_char_boundary(TEXT_MAX_BYTES - 64)).unwrap().replace('\'', "\"");
        for start in ["python3 -c '", "awk '", "sed '", "perl -e '", "bash -c '", "echo '", "x='"] {
            quick(&format!("{start}{code}'; echo ${{x%%*a}} ${{x//a/b}}"), piece);
        }
    }
}

fn quick(text: &str, name: &str) {
    let start = Instant::now();
    let plan = script(text);
    let took = start.elapsed();
    assert!(took < SLOWEST, "{name}: {took:?}");
    assert!(plan.would.len() <= WOULD_MAX);
}
