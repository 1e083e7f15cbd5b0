//! The table in docs/CASES.md is true: every case has its row, and every test that it names is there.

use std::collections::BTreeSet;
use std::path::Path;

/// Of the catalogue of bad inputs, those of the control plane that have no page of their own.
fn wanted() -> impl Iterator<Item = u16> {
    (131..=146).chain(162..=173).chain(181..=185)
}

/// Whether a file has this test.
fn has_test(text: &str, name: &str) -> bool {
    let declared = [format!("fn {name}() {{"), format!("async fn {name}() {{")];
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        declared.iter().any(|declared| line == declared)
            && lines[..at]
                .iter()
                .rev()
                .take(2)
                .any(|before| *before == "#[test]" || *before == "#[tokio::test]")
    })
}

#[test]
fn every_case_has_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/CASES.md")).unwrap();
    let mut known = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| 1")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [cases, _, _, tests] = cells[..] else { panic!("four cells: {row}") };
        for test in tests.split(", ") {
            let (file, name) = test.trim_matches('`').split_once("::").expect("file::name");
            let text =
                std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(has_test(&text, name), "case {cases}: there is no test {test}");
        }
        known.extend(cases.split(", ").map(|case| case.parse::<u16>().expect("a number")));
    }
    assert_eq!(
        wanted().filter(|case| !known.contains(case)).collect::<Vec<_>>(),
        [0; 0],
        "cases without a row"
    );
    assert_eq!(known.len(), wanted().count(), "cases that nobody knows");
}
