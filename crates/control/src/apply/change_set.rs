//! What applying a state changes, found by comparing it with what holds.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::resource::Resource;

/// What a state changes, in the order in which it is done.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// Every thing that is made, changed or removed.
    pub steps: Vec<Step>,
    /// How many declared things hold already.
    pub unchanged: usize,
    /// What exists but is not declared and stays, like `api atlas`.
    pub undeclared: Vec<String>,
    /// The revision that the change was given; none where nothing was changed.
    pub revision: Option<i64>,
}

impl ChangeSet {
    /// How many steps do this.
    #[must_use]
    pub fn count(&self, verb: Verb) -> usize {
        self.steps.iter().filter(|step| step.verb == verb).count()
    }
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Delete,
}

/// What happens to one thing.
#[derive(Debug, Clone)]
pub struct Step {
    /// What happens.
    pub verb: Verb,
    /// To what kind of thing, like `plan`.
    pub kind: &'static str,
    /// To which one: its slug, or `product/slug` for plans.
    pub name: String,
    /// Its fields that change; empty where it is made or removed.
    pub fields: Vec<FieldChange>,
    /// What a new document does to its operations.
    pub operations: Option<OperationsChange>,
    /// Its place among the declared things of its kind; meaningless where it is removed.
    pub(super) index: usize,
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path, like `limits[burst].amount`.
    pub field: String,
    /// What held; none where there was nothing.
    pub before: Option<Value>,
    /// What will hold; none where nothing will.
    pub after: Option<Value>,
}

/// What a document does to an API's operations, each like `GET /countries/{code}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationsChange {
    /// How many there will be.
    pub total: usize,
    /// Those that were not there.
    pub added: Vec<String>,
    /// Those that go.
    pub removed: Vec<String>,
}

/// The steps for one kind of thing.
#[derive(Debug, Default)]
pub struct Compared {
    /// What is made or changed, in the order of the declaration.
    pub steps: Vec<Step>,
    /// Names of what exists but is not declared, newest first.
    pub undeclared: Vec<String>,
    /// How many hold already.
    pub unchanged: usize,
}

/// Compares what is declared with what holds; `operations` has the document's change for each declared thing.
pub fn compare<R: Resource>(
    wanted: &[R],
    current: &[R],
    operations: &[Option<OperationsChange>],
) -> Compared {
    let value = |resource: &R| serde_json::to_value(resource).unwrap_or_default();
    let mut held: HashMap<String, Value> = current.iter().map(|held| (held.name(), value(held))).collect();
    let mut compared = Compared::default();
    for (index, resource) in wanted.iter().enumerate() {
        let operations = operations.get(index).cloned().flatten();
        let step = |verb, fields, operations| Step {
            verb,
            kind: R::KIND,
            name: resource.name(),
            fields,
            operations,
            index,
        };
        match held.remove(&resource.name()) {
            None => compared.steps.push(step(Verb::Create, Vec::new(), operations)),
            Some(before) => {
                let mut fields = Vec::new();
                differences("", &before, &value(resource), &mut fields);
                if fields.is_empty() && operations.is_none() {
                    compared.unchanged += 1;
                } else {
                    compared.steps.push(step(Verb::Update, fields, operations));
                }
            }
        }
    }
    let left = current.iter().rev().map(Resource::name).filter(|name| held.contains_key(name));
    compared.undeclared = left.collect();
    compared
}

/// Removes a thing.
pub fn removal(kind: &'static str, name: String) -> Step {
    Step { verb: Verb::Delete, kind, name, fields: Vec::new(), operations: None, index: usize::MAX }
}

/// Every field that differs, mappings looked into, lists of named things compared by name.
fn differences(path: &str, before: &Value, after: &Value, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                one_or_other(&path, old.get(key), new.get(key), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) => match (by_name(old), by_name(new)) {
            (Some(old), Some(new)) if !old.is_empty() || !new.is_empty() => {
                let first = changes.len();
                let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
                for name in names {
                    one_or_other(&format!("{path}[{name}]"), old.get(name), new.get(name), changes);
                }
                if changes.len() == first {
                    let order = |map: &Map<String, Value>| Some(map.keys().cloned().collect());
                    let field = format!("{path}, order");
                    changes.push(FieldChange { field, before: order(&old), after: order(&new) });
                }
            }
            _ => push(path, Some(before), Some(after), changes),
        },
        _ => push(path, Some(before), Some(after), changes),
    }
}

fn one_or_other(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        (Some(before), Some(after)) => differences(path, before, after, changes),
        (before, after) => push(path, before, after, changes),
    }
}

fn push(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let field = path.to_owned();
    changes.push(FieldChange { field, before: before.cloned(), after: after.cloned() });
}

/// A list's items by their `name` or `url`; none where an item has neither, or two have the same.
fn by_name(items: &[Value]) -> Option<Map<String, Value>> {
    let mut named = Map::new();
    for item in items {
        let name = item.get("name").or_else(|| item.get("url"))?.as_str()?;
        if named.insert(name.to_owned(), item.clone()).is_some() {
            return None;
        }
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_field_and_name() {
        let before = json!({ "name": "Free", "price": { "minor": 0, "per": "month" }, "hosts": ["a"], "limits": [
            { "name": "burst", "amount": 10 }, { "name": "month", "amount": 1000 },
        ] });
        let after = json!({ "name": "Free", "price": { "minor": 100, "per": "month" }, "hosts": ["a", "b"], "limits": [
            { "name": "burst", "amount": 20, "burst": 5 }, { "name": "day", "amount": 7 },
        ] });
        let mut changes = Vec::new();
        differences("", &before, &after, &mut changes);
        let told: Vec<String> = changes
            .iter()
            .map(|change| {
                let show = |value: &Option<Value>| value.as_ref().map_or("–".to_owned(), Value::to_string);
                format!("{}: {} → {}", change.field, show(&change.before), show(&change.after))
            })
            .collect();
        assert_eq!(
            told,
            [
                "price.minor: 0 → 100",
                "hosts: [\"a\"] → [\"a\",\"b\"]",
                "limits[burst].amount: 10 → 20",
                "limits[burst].burst: – → 5",
                "limits[month]: {\"name\":\"month\",\"amount\":1000} → –",
                "limits[day]: – → {\"name\":\"day\",\"amount\":7}",
            ]
        );
    }

    #[test]
    fn another_order_is_a_difference() {
        let mut changes = Vec::new();
        let (a, b) = (json!({ "name": "a" }), json!({ "name": "b" }));
        differences("limits", &json!([a, b]), &json!([b, a]), &mut changes);
        assert_eq!(changes[0].field, "limits, order");
    }
}
