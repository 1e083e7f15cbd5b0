//! OpenAPI 3.0 to 3.1: schemas become JSON Schema 2020-12.

use serde_json::{Map, Value, json};

use crate::kind::{Dialect, Kind, Node};

/// Lifts a checked 3.0 document.
pub(super) fn lift(mut root: Value) -> Value {
    visit(&mut root, Kind::One(Node::Root));
    if let Some(members) = root.as_object_mut() {
        members.insert("openapi".to_owned(), json!("3.1.0"));
    }
    root
}

/// Lifts schemas wherever they stand; the reader bounds the depth.
fn visit(value: &mut Value, kind: Kind) {
    match (kind, value) {
        (Kind::One(node), value @ Value::Object(_)) => {
            if let Value::Object(members) = value {
                for (key, value) in members.iter_mut() {
                    visit(value, node.child(Dialect::V30, key));
                }
            }
            if node == Node::Schema {
                schema(value);
            }
        }
        (Kind::Map(node), Value::Object(members)) => {
            members.values_mut().for_each(|value| visit(value, Kind::One(node)));
        }
        (Kind::List(node), Value::Array(items)) => {
            items.iter_mut().for_each(|value| visit(value, Kind::One(node)));
        }
        _ => {}
    }
}

fn schema(value: &mut Value) {
    let Some(members) = value.as_object_mut() else { return };
    bound(members, "exclusiveMinimum", "minimum");
    bound(members, "exclusiveMaximum", "maximum");
    binary(members);
    if !members.contains_key("examples")
        && let Some(example) = members.shift_remove("example")
    {
        members.insert("examples".to_owned(), json!([example]));
    }
    let nullable = members.shift_remove("nullable");
    if nullable == Some(Value::Bool(true)) {
        allow_null(value);
    }
}

/// `minimum: 1, exclusiveMinimum: true` is now `exclusiveMinimum: 1`.
fn bound(members: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    let Some(Value::Bool(on)) = members.get(exclusive) else { return };
    let on = *on;
    members.shift_remove(exclusive);
    if on && let Some(limit) = members.shift_remove(inclusive) {
        members.insert(exclusive.to_owned(), limit);
    }
}

/// Bytes in a text are now said by `contentEncoding` and `contentMediaType`.
fn binary(members: &mut Map<String, Value>) {
    if members.get("type").and_then(Value::as_str) != Some("string") {
        return;
    }
    let (key, value) = match members.get("format").and_then(Value::as_str) {
        Some("byte" | "base64") => ("contentEncoding", "base64"),
        Some("binary") => ("contentMediaType", "application/octet-stream"),
        _ => return,
    };
    members.shift_remove("format");
    members.insert(key.to_owned(), json!(value));
}

fn allow_null(value: &mut Value) {
    let Some(members) = value.as_object_mut() else { return };
    if let Some(values) = members.get_mut("enum").and_then(Value::as_array_mut)
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(name) = members.get("type").and_then(Value::as_str).map(str::to_owned) {
        members.insert("type".to_owned(), json!([name, "null"]));
        return;
    }
    // Without a type, `null` becomes one more alternative; what people read stays outside.
    let Value::Object(mut inner) = value.take() else { return };
    let mut outer = Map::new();
    for key in ["title", "description", "deprecated", "readOnly", "writeOnly", "default", "examples"] {
        if let Some(kept) = inner.shift_remove(key) {
            outer.insert(key.to_owned(), kept);
        }
    }
    if inner.is_empty() {
        // A schema that says nothing takes null already.
        *value = Value::Object(outer);
        return;
    }
    outer.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
    *value = Value::Object(outer);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(schema: Value) -> Value {
        let root = json!({ "openapi": "3.0.3", "components": { "schemas": { "X": schema } } });
        lift(root)["components"]["schemas"]["X"].clone()
    }

    #[test]
    fn schemas_speak_json_schema_2020_12() {
        for (old, new) in [
            (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
            (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (
                json!({"$ref": "#/a", "description": "d", "nullable": true}),
                json!({"description": "d", "anyOf": [{"$ref": "#/a"}, {"type": "null"}]}),
            ),
            (json!({"minimum": 1, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 1})),
            (json!({"maximum": 1, "exclusiveMaximum": false}), json!({"maximum": 1})),
            (json!({"type": "string", "example": "x"}), json!({"type": "string", "examples": ["x"]})),
            (
                json!({"type": "string", "format": "byte"}),
                json!({"type": "string", "contentEncoding": "base64"}),
            ),
            (
                json!({"properties": {"nullable": {"type": "boolean", "nullable": true}, "example": {"type": "string"}}}),
                json!({"properties": {"nullable": {"type": ["boolean", "null"]}, "example": {"type": "string"}}}),
            ),
            (json!({"default": {"nullable": true}}), json!({"default": {"nullable": true}})),
        ] {
            assert_eq!(lifted(old), new);
        }
    }
}
