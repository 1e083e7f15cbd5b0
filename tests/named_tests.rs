//! Tests that docs/MONEY.md names in its table are there, and every promise and bad input about money has a row.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

/// What has to have a row: promises by their letter, bad inputs by their number.
const ROWS: [&str; 14] =
    ["P5", "P6", "P7", "P8", "P16", "157", "158", "174", "175", "176", "177", "178", "179", "180"];

/// Whether a file declares a test of this name: a function right below an attribute that makes it one.
fn is_declared(text: &str, name: &str) -> bool {
    let heads = [format!("async fn {name}("), format!("fn {name}(")];
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if heads.iter().any(|head| line.starts_with(head.as_str())) {
            return is_test || text.contains("proptest!");
        } else if !line.starts_with("#[") {
            is_test = false;
        }
    }
    false
}

#[test]
fn every_promise_about_money_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/MONEY.md")).expect("the page is there");
    let (_, section) = page.split_once("## Which tests hold it").expect("the page has the table");
    let table = section.split("\n## ").next().unwrap_or(section);
    let mut known = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [of, _, tests] = cells[..] else { panic!("three cells: {row}") };
        for test in tests.split(", ") {
            let (file, name) = test.trim_matches('`').split_once("::").expect("file::name");
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("no file {file}"));
            assert!(is_declared(&text, name), "there is no test {name} in {file}");
        }
        known.extend(of.split(", ").map(str::to_owned));
    }
    let missing: Vec<&str> = ROWS.into_iter().filter(|row| !known.contains(*row)).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}
