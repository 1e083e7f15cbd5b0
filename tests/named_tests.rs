//! The tables of docs/CASES.md and docs/MONEY.md are true: what has to have a row has one, nothing else has, and every test
//! that a row names is there.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

/// Whether a file declares a test of this name: a function right below an attribute that makes it one.
fn is_declared(text: &str, name: &str) -> bool {
    let heads = [format!("async fn {name}("), format!("fn {name}(")];
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if heads.iter().any(|head| line.starts_with(head.as_str())) {
            return is_test;
        } else if !line.starts_with("#[") {
            is_test = false;
        }
    }
    false
}

/// Reads the rows below a heading: their first cell names cases, the last one tests as `file::name`.
fn check(page: &str, heading: &str, wanted: impl IntoIterator<Item = String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(page)).expect("the page is there");
    let (_, section) = text.split_once(heading).expect("the page has the table");
    let table = section.split("\n## ").next().unwrap_or(section);
    let mut known = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| P") || line.starts_with("| 1")) {
        let (cases, others) = row.trim_matches(['|', ' ']).split_once(" | ").expect("cells");
        let (_, tests) = others.rsplit_once(" | ").expect("three cells or more");
        for test in tests.split(", ") {
            let (file, name) = test.trim_matches('`').split_once("::").expect("file::name");
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("no file {file}"));
            assert!(is_declared(&text, name), "{page}, {cases}: there is no test {test}");
        }
        known.extend(cases.split(", ").map(str::to_owned));
    }
    assert_eq!(known, wanted.into_iter().collect(), "{page}: cases that have a row, and those that have to");
}

#[test]
fn every_bad_input_to_the_control_plane_names_tests_that_are_there() {
    let wanted = (131..=173).chain(181..=185);
    check("docs/CASES.md", "# ", wanted.map(|case| case.to_string()));
}

#[test]
fn every_promise_about_money_names_tests_that_are_there() {
    let promises = [5, 6, 7, 8, 16].map(|promise| format!("P{promise}"));
    let cases = [157, 158].into_iter().chain(174..=180).map(|case| case.to_string());
    check("docs/MONEY.md", "## Which tests hold it", promises.into_iter().chain(cases));
}
