//! A change set as people read it: what is made, changed and removed, and how much of each.

use std::fmt::Write;

use serde_json::Value;
use tollgate_control::{ChangeSet, FieldChange, OperationsChange, Step, Verb};

/// Names of what is left alone that are listed before the rest is counted.
const NAMED_MAX: usize = 8;
/// Operations that are listed before the rest is counted.
const OPERATIONS_MAX: usize = 20;
/// Characters of a text that are shown.
const TEXT_MAX: usize = 60;

/// Terminal colours, or none.
#[derive(Clone, Copy)]
pub struct Colours(pub bool);

impl Colours {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn verb(self, verb: Verb) -> String {
        match verb {
            Verb::Create => self.paint("32", "+"),
            Verb::Update => self.paint("33", "~"),
            Verb::Delete => self.paint("31", "-"),
        }
    }
}

/// The steps, one line each, with the fields that change below; empty where there are none.
pub fn steps(changes: &ChangeSet, colours: Colours) -> String {
    let mut out = String::new();
    for step in &changes.steps {
        self::step(step, colours, &mut out);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn step(step: &Step, colours: Colours, out: &mut String) {
    let name = colours.paint("1", &format!("{} {}", step.kind, step.name));
    let _ = write!(out, "  {} {name}", colours.verb(step.verb));
    match (&step.operations, step.verb) {
        (Some(operations), Verb::Create) => {
            let _ = writeln!(out, ", {}", many(operations.total, "operation"));
            return;
        }
        _ => out.push('\n'),
    }
    for change in &step.fields {
        let _ = writeln!(out, "      {}", field(change, colours));
    }
    if let Some(operations) = &step.operations {
        document(operations, colours, out);
    }
}

fn field(change: &FieldChange, colours: Colours) -> String {
    let FieldChange { field, before, after } = change;
    match (before, after) {
        (Some(before), Some(after)) => match (long(before), long(after)) {
            (Some(old), Some(new)) if shown(before) == shown(after) => {
                format!("{field}: another text, {old} → {new} characters")
            }
            _ => format!("{field}: {} → {}", shown(before), shown(after)),
        },
        (None, Some(after)) => format!("{} {field}: {}", colours.verb(Verb::Create), shown(after)),
        (Some(before), None) => format!("{} {field}: {}", colours.verb(Verb::Delete), shown(before)),
        (None, None) => field.clone(),
    }
}

fn document(change: &OperationsChange, colours: Colours, out: &mut String) {
    if change.added.is_empty() && change.removed.is_empty() {
        let _ = writeln!(out, "      document: another text, the same {}", many(change.total, "operation"));
        return;
    }
    let _ = writeln!(out, "      document: now {}", many(change.total, "operation"));
    for (verb, operations) in [(Verb::Create, &change.added), (Verb::Delete, &change.removed)] {
        for operation in operations.iter().take(OPERATIONS_MAX) {
            let _ = writeln!(out, "        {} {operation}", colours.verb(verb));
        }
        if operations.len() > OPERATIONS_MAX {
            let _ =
                writeln!(out, "        {} {} more", colours.verb(verb), operations.len() - OPERATIONS_MAX);
        }
    }
}

/// How many characters a text has that is not shown in full.
fn long(value: &Value) -> Option<usize> {
    let text = value.as_str()?;
    let characters = text.chars().count();
    (characters > TEXT_MAX || text.contains('\n')).then_some(characters)
}

/// A value on one line, as it would stand in YAML.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if long(value).is_some() => {
            let line: String = text.lines().next().unwrap_or_default().chars().take(TEXT_MAX).collect();
            format!("\"{line}…\"")
        }
        Value::String(text) if text.is_empty() || text.contains(char::is_whitespace) => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            // Its name stands in the path already.
            let named = ["name", "url"].into_iter().find(|key| members.contains_key(*key));
            let others = members.iter().filter(|(key, _)| Some(key.as_str()) != named);
            others.map(|(key, value)| format!("{key} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// `3 to create, 1 to change, 4 unchanged`, in the words given; what is nothing is left out.
pub fn counts(changes: &ChangeSet, words: [&str; 3]) -> String {
    let verbs = [Verb::Create, Verb::Update, Verb::Delete].map(|verb| changes.count(verb));
    let counts = verbs.into_iter().zip(words).chain([(changes.unchanged, "unchanged")]);
    let parts: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    parts.join(", ")
}

/// What exists beside the files; none where there is nothing.
pub fn undeclared(changes: &ChangeSet) -> Option<String> {
    let names = &changes.undeclared;
    if names.is_empty() {
        return None;
    }
    let mut listed = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_MAX {
        let _ = write!(listed, " and {} more", names.len() - NAMED_MAX);
    }
    Some(format!("Not in these files and left alone: {listed} (--prune would delete them)."))
}

/// `1 fault`, `2 faults`.
pub fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_shown_as_they_stand_in_files() {
        let change = |field: &str, before: Option<Value>, after: Option<Value>| {
            self::field(&FieldChange { field: field.to_owned(), before, after }, Colours(false))
        };
        assert_eq!(
            change("name", Some("Free".into()), Some("Free plan".into())),
            "name: Free → \"Free plan\""
        );
        assert_eq!(
            change("limits[day]", None, Some(json!({ "name": "day", "kind": "rate", "amount": 9 }))),
            "+ limits[day]: kind rate, amount 9"
        );
        assert_eq!(change("hosts", Some(json!([])), Some(json!(["a.example"]))), "hosts: [] → [a.example]");
        assert_eq!(
            change("description", Some("One.\nTwo".into()), Some("One.\nThree".into())),
            "description: another text, 8 → 10 characters"
        );
    }
}
