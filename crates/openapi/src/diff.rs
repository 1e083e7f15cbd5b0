//! What a new document changes for those who call the old one.

use std::collections::BTreeMap;

use crate::{Document, Operation, OperationDetail};

/// What becomes of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationDiff {
    /// Upper-case method.
    pub method: String,
    /// Path template.
    pub path: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was not there.
    Added,
    /// It is there no more: calls to it fail.
    Removed,
    /// It is still there, and asks or answers otherwise.
    Changed {
        /// What breaks callers who do as they did, in plain words.
        breaking: Vec<String>,
        /// What callers need not care about.
        harmless: Vec<String>,
    },
}

impl OperationDiff {
    /// Whether callers who do as they did are refused or surprised.
    #[must_use]
    pub fn breaks(&self) -> bool {
        match &self.fate {
            Fate::Added => false,
            Fate::Removed => true,
            Fate::Changed { breaking, .. } => !breaking.is_empty(),
        }
    }
}

/// Compares two documents operation by operation, by method and path; operations that stay as they are are left out.
#[must_use]
pub fn diff(old: Option<&Document>, new: &Document) -> Vec<OperationDiff> {
    let by_place = |document: &Document| -> BTreeMap<(String, String), Operation> {
        let place = |one: &Operation| (one.path.clone(), one.method.clone());
        document.operations().iter().map(|one| (place(one), one.clone())).collect()
    };
    let before = old.map(by_place).unwrap_or_default();
    let after = by_place(new);
    let gone = before
        .iter()
        .filter(|(place, _)| !after.contains_key(*place))
        .map(|(_, one)| line(one, Fate::Removed));
    let here = after.iter().filter_map(|(place, one)| match before.get(place) {
        None => Some(line(one, Fate::Added)),
        Some(was) => {
            let (was, is) = (old?.operation(&was.operation_id)?, new.operation(&one.operation_id)?);
            changed(&was, &is).map(|fate| line(one, fate))
        }
    });
    let mut all: Vec<OperationDiff> = gone.chain(here).collect();
    all.sort_by_key(|one| !one.breaks());
    all
}

fn line(operation: &Operation, fate: Fate) -> OperationDiff {
    OperationDiff { method: operation.method.clone(), path: operation.path.clone(), fate }
}

fn changed(was: &OperationDetail, is: &OperationDetail) -> Option<Fate> {
    let (mut breaking, mut harmless) = (Vec::new(), Vec::new());
    parameters(was, is, &mut breaking, &mut harmless);
    body(was, is, &mut breaking, &mut harmless);
    answers(was, is, &mut breaking, &mut harmless);
    if !was.operation.deprecated && is.operation.deprecated {
        harmless.push("is deprecated now".to_owned());
    }
    (!breaking.is_empty() || !harmless.is_empty()).then_some(Fate::Changed { breaking, harmless })
}

fn parameters(
    was: &OperationDetail,
    is: &OperationDetail,
    breaking: &mut Vec<String>,
    harmless: &mut Vec<String>,
) {
    for new in &is.parameters {
        let name = format!("{} parameter {}", new.location, new.name);
        let old = was.parameters.iter().find(|one| one.name == new.name && one.location == new.location);
        match old {
            None if new.required => breaking.push(format!("{name} is new and required")),
            None => harmless.push(format!("{name} is new")),
            Some(old) => {
                if new.required && !old.required {
                    breaking.push(format!("{name} is required now"));
                } else if old.required && !new.required {
                    harmless.push(format!("{name} may be left out now"));
                }
                if old.shape.summary != new.shape.summary {
                    breaking.push(format!("{name} is {} now, was {}", new.shape.summary, old.shape.summary));
                }
                let lost: Vec<&str> = old
                    .shape
                    .allowed
                    .iter()
                    .filter(|one| !new.shape.allowed.contains(one))
                    .map(String::as_str)
                    .collect();
                if !lost.is_empty() && !new.shape.allowed.is_empty() {
                    breaking.push(format!("{name} no longer takes {}", lost.join(", ")));
                }
            }
        }
    }
    for old in &was.parameters {
        if !is.parameters.iter().any(|one| one.name == old.name && one.location == old.location) {
            harmless.push(format!("{} parameter {} is gone", old.location, old.name));
        }
    }
}

fn body(was: &OperationDetail, is: &OperationDetail, breaking: &mut Vec<String>, harmless: &mut Vec<String>) {
    match (&was.request_body, &is.request_body) {
        (None, Some(new)) if new.required => breaking.push("a body is required now".to_owned()),
        (None, Some(_)) => harmless.push("a body may be sent now".to_owned()),
        (Some(_), None) => breaking.push("no body is taken any more".to_owned()),
        (Some(old), Some(new)) => {
            if new.required && !old.required {
                breaking.push("a body is required now".to_owned());
            }
            for media in &old.content {
                if !new.content.iter().any(|one| one.media_type == media.media_type) {
                    breaking.push(format!("a body of {} is no longer taken", media.media_type));
                }
            }
        }
        (None, None) => {}
    }
}

fn answers(
    was: &OperationDetail,
    is: &OperationDetail,
    breaking: &mut Vec<String>,
    harmless: &mut Vec<String>,
) {
    for old in &was.responses {
        match is.responses.iter().find(|one| one.status == old.status) {
            None if old.status.starts_with('2') => {
                breaking.push(format!("never answers {} any more", old.status))
            }
            None => harmless.push(format!("answer {} is gone", old.status)),
            Some(new) => {
                for media in &old.content {
                    if !new.content.iter().any(|one| one.media_type == media.media_type) {
                        breaking.push(format!("{} is no longer {}", old.status, media.media_type));
                    }
                }
            }
        }
    }
    for new in &is.responses {
        if !was.responses.iter().any(|one| one.status == new.status) {
            harmless.push(format!("answer {} is new", new.status));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(paths: &str) -> Document {
        let text = format!(
            "{{\"openapi\": \"3.1.0\", \"info\": {{\"title\": \"t\", \"version\": \"1\"}}, \"paths\": {paths}}}"
        );
        Document::parse(&text).expect("a document")
    }

    const ANSWER: &str = r#""responses": {"200": {"description": "ok"}}"#;

    #[test]
    fn what_breaks_callers_comes_first_and_says_why() {
        let old = document(&format!(
            r#"{{"/a": {{"get": {{{ANSWER}}}}}, "/b": {{"get": {{{ANSWER}}}}}, "/c": {{"get": {{{ANSWER}}}}}}}"#
        ));
        let limit = r#""parameters": [{"name": "limit", "in": "query", "required": true, "schema": {"type": "integer"}}]"#;
        let new = document(&format!(
            r#"{{"/0": {{"get": {{{ANSWER}}}}}, "/b": {{"get": {{{limit}, {ANSWER}}}}}, "/c": {{"get": {{{ANSWER}}}}}}}"#
        ));
        let found = diff(Some(&old), &new);
        let told: Vec<(&str, bool)> = found.iter().map(|one| (one.path.as_str(), one.breaks())).collect();
        assert_eq!(told, [("/a", true), ("/b", true), ("/0", false)]);
        assert_eq!(found[0].fate, Fate::Removed);
        let Fate::Changed { breaking, .. } = &found[1].fate else { panic!("{found:?}") };
        assert_eq!(breaking, &["query parameter limit is new and required"]);
    }

    #[test]
    fn the_same_document_changes_nothing_and_the_first_only_adds() {
        let one = document(&format!(r#"{{"/a": {{"get": {{{ANSWER}}}}}}}"#));
        assert!(diff(Some(&one), &one).is_empty());
        assert_eq!(diff(None, &one)[0].fate, Fate::Added);
    }
}
