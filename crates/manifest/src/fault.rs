//! What is wrong with a manifest, and where.

use std::fmt;

use crate::node::Place;

/// One reason why files are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named; empty where the fault is of no file.
    pub file: String,
    /// The line, from 1, where it can be told.
    pub line: Option<u32>,
    /// The column in that line, in characters from 1, where it can be told.
    pub column: Option<u32>,
    /// The resource, like `plan atlas/free`; empty where the fault is of none.
    pub resource: String,
    /// The field, like `limits[0].amount`; empty where the fault is of the whole.
    pub field: String,
    /// What is wrong and what was expected, in plain words.
    pub message: String,
}

impl fmt::Display for Fault {
    /// `plans.yaml:12:5: plan atlas/free, limits[0].amount: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            for number in [self.line, self.column].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            f.write_str(": ")?;
        }
        match (self.resource.as_str(), self.field.as_str()) {
            ("", "") => {}
            (resource, "") => write!(f, "{resource}: ")?,
            ("", field) => write!(f, "{field}: ")?,
            (resource, field) => write!(f, "{resource}, {field}: ")?,
        }
        f.write_str(&self.message)
    }
}

impl Fault {
    /// A fault at a place of a file.
    pub(crate) fn at(file: &str, place: Place, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(place.line),
            column: Some(place.column),
            resource: String::new(),
            field: String::new(),
            message: message.into(),
        }
    }
}

/// A JSON Pointer as people write paths: `/limits/0/amount` is `limits[0].amount`.
pub fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()) {
            path.push_str(&format!("[{step}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&step);
        }
    }
    path
}

/// The candidate that a misspelt word most likely means.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to change, add or take away (Levenshtein); words are cut at 64 letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_shown_as_people_write_paths() {
        assert_eq!(dotted("/limits/0/amount"), "limits[0].amount");
        assert_eq!(dotted("/paths/~1pets"), "paths./pets");
        assert_eq!(dotted(""), "");
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        assert_eq!(nearest("sumary", ["name", "summary"]), Some("summary"));
        assert_eq!(nearest("colour", ["name", "summary"]), None);
    }
}
