//! The table of cases in docs/DOOR.md is true: every case has its row, and every test that it names is there.

use std::collections::BTreeSet;
use std::path::Path;

/// The numbers of a cell like `1–7, 9`.
fn numbers(cell: &str) -> Vec<u16> {
    let parts = cell.split(',').map(str::trim);
    let ranges = parts.map(|part| part.split_once('–').unwrap_or((part, part)));
    ranges.flat_map(|(first, last)| first.parse::<u16>().unwrap()..=last.parse().unwrap()).collect()
}

/// The text of a test, from its name to the next one; none where there is no such test.
fn body<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let declared = format!("#[tokio::test]\nasync fn {name}() {{");
    let rest = &text[text.find(&declared)? + "#[tokio::test]".len()..];
    Some(rest.split("#[tokio::test]").next().unwrap_or(rest))
}

fn names(text: &str, number: u16) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.parse() == Ok(number))
}

#[test]
fn every_case_from_1_to_114_has_a_test_that_is_there_and_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../docs/DOOR.md")).unwrap();
    let (_, table) = page.split_once("## Cases").expect("the page has a table of cases");
    let mut known = BTreeSet::new();
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| cases"));
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [cases, _, tests] = cells[..] else { panic!("three cells: {row}") };
        let bodies: Vec<String> = tests
            .split(", ")
            .map(|test| {
                let (file, name) = test.trim_matches('`').split_once("::").expect("file::name");
                let text = std::fs::read_to_string(root.join(format!("tests/{file}.rs"))).expect(file);
                body(&text, name).unwrap_or_else(|| panic!("there is no test {test}")).to_owned()
            })
            .collect();
        for case in numbers(cases) {
            assert!(bodies.iter().any(|body| names(body, case)), "case {case} is not in {tests}");
            known.insert(case);
        }
    }
    let missing: Vec<u16> = (1..=114).filter(|case| !known.contains(case)).collect();
    assert_eq!(missing, [0; 0], "cases without a row");
}
