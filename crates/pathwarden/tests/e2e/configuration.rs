//! A configuration with faults: all of them at once, and no node.

use crate::support::{CONFIGURATION, OwnHome};

#[test]
fn every_fault_is_named_with_key_and_advice_and_the_node_does_not_start() {
    let home = OwnHome::new();
    let broken = r#"
surprise = 1
[agents."not a name!"]
owner = "x"
[agents.clerk]
ownr = "a slip"
role = 7
[servers.desk]
inside = "yes"
url = "ftp://desk"
[servers.desk.tools]
send = "sendd"
[approvals]
minutes_max = 0
[ledger]
publish_every_ms = -1
"#;
    home.configure(broken).expect("write");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
    home.configure(CONFIGURATION).expect("write");
    home.up().expect("a node, once it is mended");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let home = OwnHome::new();
    let text = format!("{CONFIGURATION}\n[listen]\napi = \"0.0.0.0:0\"\n");
    std::fs::write(home.path("pathwarden.toml"), text).expect("write");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
}

#[test]
fn what_is_not_toml_is_shown_where_it_breaks() {
    let home = OwnHome::new();
    home.configure("[agents\n").expect("write");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
}
