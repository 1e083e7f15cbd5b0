//! Which schemas something in a document names.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::check::resolve;
use crate::pointer;
use crate::view::Operation;

/// How many values of one operation are looked at.
const VALUES_MAX: usize = 100_000;

/// Where the schemas among the components stand.
const SCHEMAS: &str = "#/components/schemas/";

/// Positions of the operations that name each schema.
pub(crate) fn index(root: &Value, operations: &[Operation]) -> HashMap<String, Vec<usize>> {
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let Some(item) = root.get("paths").and_then(|paths| paths.get(&operation.path)) else { continue };
        let item = resolve(root, item);
        let value = item.get(operation.method.to_ascii_lowercase());
        let parts = [item.get("parameters"), value].into_iter().flatten().collect();
        for name in named(root, parts) {
            index.entry(pointer::last_step(name)).or_default().push(at);
        }
    }
    index
}

/// References to schemas, also through parameters, bodies and answers, but not through other schemas.
fn named<'a>(root: &'a Value, mut waiting: Vec<&'a Value>) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    let mut left = VALUES_MAX;
    while let Some(next) = waiting.pop() {
        left -= 1;
        if left == 0 {
            break;
        }
        match next {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                    && found.insert(reference)
                    && !reference.starts_with(SCHEMAS)
                {
                    let target = pointer::of_reference(reference);
                    waiting.extend(target.and_then(|target| root.pointer(&target)));
                }
                waiting.extend(members.values());
            }
            _ => {}
        }
    }
    found.retain(|reference| reference.starts_with(SCHEMAS));
    found
}
