//! The JSON Schema (2020-12) of a manifest, for editors.

use serde_json::{Map, Value, json};

use crate::kind::{Absent, Field, KINDS, Kind, Shape};

/// The schema of one YAML document: a resource, or a list of them.
#[must_use]
pub fn schema() -> Value {
    let names: Vec<String> = KINDS.iter().map(|kind| format!("#/$defs/{}", kind.name)).collect();
    let references: Vec<Value> = names.iter().map(|name| json!({ "$ref": name })).collect();
    let mut definitions: Map<String, Value> =
        KINDS.iter().map(|kind| (kind.name.to_owned(), of_kind(kind))).collect();
    // By `kind` first, so that an editor tells what is wrong with a plan, not that it is no service.
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let branches: Vec<Value> = KINDS
        .iter()
        .zip(&references)
        .map(|(kind, reference)| {
            json!({ "if": { "properties": { "kind": { "const": kind.name } }, "required": ["kind"] }, "then": reference })
        })
        .collect();
    definitions.insert(
        "resource".to_owned(),
        json!({
            "type": "object", "required": ["kind"],
            "properties": { "kind": { "enum": known, "description": "What this is." } },
            "allOf": branches,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tollgate manifest",
        "description": "What Tollgate publishes: a resource, or a list of them. See docs/FILES.md.",
        "if": { "type": "array" },
        "then": { "items": { "$ref": "#/$defs/resource" } },
        "else": { "$ref": "#/$defs/resource" },
        "$defs": definitions,
    })
}

fn of_kind(kind: &Kind) -> Value {
    let mut schema = object(kind.fields);
    schema["description"] = kind.doc.into();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.shift_insert(0, "kind".to_owned(), json!({ "const": kind.name }));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.insert(0, "kind".into());
    }
    schema
}

fn object(fields: &[Field]) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| matches!(field.absent, Absent::Refused))
        .map(|field| field.name)
        .collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = of_shape(&field.shape);
            schema["description"] = field.doc.into();
            if let Absent::Is(json) | Absent::IsButShown(json) = field.absent {
                schema["default"] =
                    serde_json::from_str(json).expect("defaults are JSON; a test reads them all");
            }
            (field.name.to_owned(), schema)
        })
        .collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn of_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Line(max) | Shape::Prose(max) => json!({ "type": "string", "maxLength": max }),
        Shape::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Shape::Slug | Shape::Reference(_) => {
            json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$" })
        }
        Shape::Currency => json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        Shape::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Word(words) => json!({ "enum": words() }),
        Shape::List(shape, max) => json!({ "type": "array", "maxItems": max, "items": of_shape(shape) }),
        Shape::Object(fields) => object(fields),
        Shape::Document => json!({
            "anyOf": [
                { "type": "string", "description": "A file's path, beside this one." },
                { "type": "object", "description": "The document itself." },
            ],
        }),
    }
}
