//! What callers of an API will miss in its document. Nothing here holds up its publishing.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;

use crate::check::resolve;
use crate::kind::METHODS;
use crate::pointer::escape;
use crate::read::locate;
use crate::{Document, Fault};

/// The most warnings that one look gives; a document that earns more has a habit, and a hundred cases of it say so.
pub const WARNINGS_MAX: usize = 100;

/// Something that could be better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which rule says so: `operation_id_missing`, `description_missing`, `error_answer_missing`, `good_answer_missing`,
    /// `tag_undefined` or `security_missing`.
    pub rule: &'static str,
    /// Where, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The line in the text, from 1, where it can be told.
    pub line: Option<u32>,
    /// What is missing and what it costs, in plain words.
    pub message: String,
}

/// Looks a document over; with the text that it was read from, lines are told as well. In the document's order.
#[must_use]
pub fn lint(document: &Document, text: Option<&str>) -> Vec<Warning> {
    let mut found: Vec<(&'static str, Fault)> = Vec::new();
    let root = document.value();
    let declared: HashSet<&str> =
        root["tags"].as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).collect();
    let has_schemes = root["components"]["securitySchemes"].as_object().is_some_and(|all| !all.is_empty());
    let everywhere = asks(&root["security"]);
    let items = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    'document: for (path, item) in items.filter(|(path, _)| path.starts_with('/')) {
        let item = resolve(root, item);
        for (method, operation) in item.as_object().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) || !operation.is_object() {
                continue;
            }
            let place = format!("/paths/{}/{method}", escape(path));
            let name = format!("{} {path}", method.to_ascii_uppercase());
            let secured = operation.get("security").map_or(everywhere, asks);
            let looked = Looked { operation, item, place, name };
            looked.over(&declared, has_schemes && !secured, &mut found);
            if found.len() >= WARNINGS_MAX {
                break 'document;
            }
        }
    }
    found.truncate(WARNINGS_MAX);
    let (rules, mut faults): (Vec<&'static str>, Vec<Fault>) = found.into_iter().unzip();
    if let Some(text) = text {
        locate(text, &mut faults);
    }
    let warning = |(rule, fault): (&'static str, Fault)| Warning {
        rule,
        pointer: fault.pointer,
        line: fault.line,
        message: fault.message,
    };
    rules.into_iter().zip(faults).map(warning).collect()
}

/// Whether a security requirement asks for anything: an empty list does not, nor does one that may be met by nothing.
fn asks(security: &Value) -> bool {
    let ways = security.as_array();
    ways.is_some_and(|ways| {
        !ways.is_empty() && ways.iter().all(|way| way.as_object().is_some_and(|way| !way.is_empty()))
    })
}

struct Looked<'d> {
    operation: &'d Value,
    item: &'d Value,
    place: String,
    name: String,
}

impl Looked<'_> {
    fn over(&self, tags: &HashSet<&str>, unsecured: bool, found: &mut Vec<(&'static str, Fault)>) {
        let has = |of: &Value, key: &str| of[key].as_str().is_some_and(|text| !text.trim().is_empty());
        let Self { operation, item, place, name } = self;
        let mut warn = |rule, at: String, message: String| found.push((rule, Fault::at(at, message)));
        if !has(operation, "operationId") {
            let text = format!(
                "{name} has no operationId: clients get a name made of its path, which changes when the path does"
            );
            warn("operation_id_missing", place.clone(), text);
        }
        if !["summary", "description"].iter().any(|key| has(operation, key) || has(item, key)) {
            let text = format!("{name} has neither summary nor description: readers see its id alone");
            warn("description_missing", place.clone(), text);
        }
        let answers: Vec<&str> = operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, _)| status.as_str())
            .collect();
        let any = |classes: &[char]| {
            answers.iter().any(|status| *status == "default" || status.starts_with(classes))
        };
        if !any(&['4']) {
            let text =
                format!("{name} describes no answer of class 4xx: callers learn what can go wrong by trying");
            warn("error_answer_missing", format!("{place}/responses"), text);
        }
        if !any(&['1', '2', '3']) {
            let text = format!("{name} describes no answer that goes well");
            warn("good_answer_missing", format!("{place}/responses"), text);
        }
        let used = operation["tags"].as_array().into_iter().flatten().enumerate();
        for (at, tag) in used.filter_map(|(at, tag)| Some((at, tag.as_str()?))) {
            if !tags.contains(tag) {
                let text = format!("{name} has the tag {tag:?}, which `tags` does not describe");
                warn("tag_undefined", format!("{place}/tags/{at}"), text);
            }
        }
        if unsecured {
            let text = format!("{name} asks for no security, though the document has schemes of it");
            warn("security_missing", place.clone(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(&'static str, String, Option<u32>)> {
        let document = Document::parse(text).expect("it can be read");
        lint(&document, Some(text)).into_iter().map(|one| (one.rule, one.pointer, one.line)).collect()
    }

    const POOR: &str = r#"openapi: 3.0.3
info: { title: T, version: "1" }
components:
  securitySchemes: { key: { type: apiKey, in: header, name: K } }
paths:
  /a/{x}:
    parameters: [{ name: x, in: path, required: true, schema: { type: string } }]
    get:
      tags: [Loose]
      responses:
        "200": { description: ok }
"#;

    #[test]
    fn what_is_missing_is_told_with_its_place() {
        let at = |rest: &str| format!("/paths/~1a~1{{x}}/get{rest}");
        assert_eq!(
            told(POOR),
            [
                ("operation_id_missing", at(""), Some(8)),
                ("description_missing", at(""), Some(8)),
                ("error_answer_missing", at("/responses"), Some(10)),
                ("tag_undefined", at("/tags/0"), Some(9)),
                ("security_missing", at(""), Some(8)),
            ]
        );
    }

    #[test]
    fn a_document_that_says_what_callers_need_earns_none() {
        let good = r#"{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "tags": [{"name": "A"}],
            "security": [{"key": []}], "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "K"}}},
            "paths": {"/a": {"get": {"operationId": "a", "summary": "One", "tags": ["A"],
                "responses": {"200": {"description": "ok"}, "default": {"description": "not"}}}}}}"#;
        assert_eq!(told(good), []);
        let open = good.replace(r#""tags": ["A"],"#, r#""tags": ["A"], "security": [{}],"#);
        assert_eq!(told(&open).iter().map(|(rule, ..)| *rule).collect::<Vec<_>>(), ["security_missing"]);
    }

    #[test]
    fn a_habit_is_told_a_hundred_times_at_most() {
        let paths: Vec<String> = (0..200)
            .map(|n| format!(r#""/p{n}": {{"get": {{"responses": {{"200": {{"description": "ok"}}}}}}}}"#))
            .collect();
        let text = format!(
            r#"{{"openapi": "3.1.0", "info": {{"title": "T", "version": "1"}}, "paths": {{{}}}}}"#,
            paths.join(",")
        );
        assert_eq!(told(&text).len(), WARNINGS_MAX);
    }
}
