//! The last hand on the document: what generated descriptions leave that readers should not see.

use serde_json::{Map, Value, json};

use super::shared::reference;

/// What Rust's generics and utoipa leave: lists called `Listing_Service` that repeat their items, examples in the
/// form of OpenAPI 3.0, and lines broken where the source code breaks them.
pub fn schemas(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut polished = Map::new();
    for (name, mut schema) in std::mem::take(schemas) {
        let name = match name.strip_prefix("Listing_") {
            Some(of) => {
                schema["properties"]["data"]["items"] = reference("schemas", of);
                format!("{of}List")
            }
            None => name,
        };
        if let Some(example) = schema.as_object_mut().and_then(|schema| schema.remove("example")) {
            schema["examples"] = json!([example]);
        }
        polished.insert(name, schema);
    }
    polished.sort_keys();
    *schemas = polished;
    each_member(document, &mut |name, value| match (name, value) {
        ("$ref", Value::String(target)) => {
            if let Some(of) = target.strip_prefix("#/components/schemas/Listing_") {
                *target = format!("#/components/schemas/{of}List");
            }
        }
        ("description", Value::String(text)) => *text = unbroken(text),
        _ => {}
    });
}

fn each_member(value: &mut Value, change: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                change(name, member);
                each_member(member, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_member(item, change)),
        _ => {}
    }
}

/// Paragraphs stay apart.
fn unbroken(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}
