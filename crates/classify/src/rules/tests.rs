use super::{RULES_MAX, Rules, RulesError};
use crate::{Class, scan};

const FILE: &str = r#"
title = "ours"
[[rules]]
id = "badge"
description = "a badge"
class = "custom"
regex = '''(?i)\bbadge[ ](B-[0-9]{6})\b'''
keywords = ["badge"]
[[rules]]
id = "ticket"
regex = '''ticket=([0-9a-zA-Z]{12})'''
secretGroup = 1
entropy = 3
keywords = ["TICKET"]
[[rules.allowlists]]
stopwords = ["example"]
[[rules]]
id = "dialect"
regex = '''(?<!a)b'''
[[rules]]
id = "path"
path = '''\.pem$'''
"#;

#[test]
fn a_file_is_loaded_and_what_does_not_work_is_reported() {
    let mut rules = Rules::pack();
    let faults = rules.add_toml(FILE).unwrap();
    let names: Vec<_> = faults.iter().map(|fault| fault.rule.as_str()).collect();
    assert_eq!(names, ["dialect", "path"]);
    let text = "Badge B-123456, ticket=a1b2c3d4e5f6, ticket=aaaaaaaaaaaa, ticket=1example9xyz";
    let found = scan(text, &rules).hits;
    let found: Vec<_> = found.iter().map(|hit| (hit.rule.as_str(), hit.class)).collect();
    assert_eq!(found, [("badge", Class::Custom), ("ticket", Class::Secret)]);
}

#[test]
fn a_file_that_is_no_use_adds_nothing() {
    let mut rules = Rules::pack();
    assert!(matches!(rules.add_toml("rules = 1"), Err(RulesError::Toml(_))));
    let many = "[[rules]]\nregex='a'\n".repeat(RULES_MAX + 1);
    assert!(matches!(rules.add_toml(&many), Err(RulesError::TooMany { .. })));
    assert_eq!(scan("aaaa", &rules), scan("aaaa", &Rules::pack()));
}

#[test]
fn a_wrong_group_class_or_entropy_is_a_fault() {
    for line in ["secretGroup = 2", "class = 'card'", "entropy = 9.5", "entropy = nan"] {
        let text = format!("[[rules]]\nid = 'x'\nregex = '(a)'\n{line}\n");
        let faults = Rules::pack().add_toml(&text).unwrap();
        assert_eq!(faults.len(), 1, "{line}");
    }
}
