//! Whether something in a document names a schema.

use std::collections::HashSet;

use serde_json::Value;

use crate::pointer;

/// How many values are looked at for one answer.
const VALUES_MAX: usize = 100_000;

/// Whether a value refers to `wanted`, directly or through parameters, bodies and answers that it refers to, but
/// not through other schemas.
pub(crate) fn uses(root: &Value, value: &Value, wanted: &str) -> bool {
    let mut waiting = vec![value];
    let mut followed: HashSet<&str> = HashSet::new();
    let mut left = VALUES_MAX;
    while let Some(next) = waiting.pop() {
        left -= 1;
        if left == 0 {
            return false;
        }
        match next {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    if reference == wanted {
                        return true;
                    }
                    if !reference.starts_with("#/components/schemas/") && followed.insert(reference) {
                        let target = pointer::of_reference(reference);
                        waiting.extend(target.and_then(|target| root.pointer(&target)));
                    }
                }
                waiting.extend(members.values());
            }
            _ => {}
        }
    }
    false
}
