//! One flipped bit in every class of file of a small log.

use pathwarden_testkit::crash::flip;

use crate::support::programs;

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_any_class_of_file_is_noticed_and_the_file_named() {
    let rows = flip::every_class(&programs()).await.expect("every class");
    let mut table = Vec::new();
    let outcome = flip::print(&rows, &mut table);
    let table = String::from_utf8(table).expect("text");
    assert!(outcome.is_ok(), "{table}");
    assert!(rows.len() > 15, "{table}");
    assert!(rows.iter().any(|row| row.node.starts_with("rebuilt")), "{table}");
}
