//! Links: what is done next with what was made, by its id and its version.

use serde_json::{Map, Value, json};

/// What stays readable when it is over, by tag: nothing leads on from its end.
const KEPT: &[&str] = &["Subscriptions", "Keys", "Tokens"];

/// From every operation that makes a thing to those that need nothing but which it is.
pub fn add(document: &mut Value) {
    let mut found: Vec<(String, String, Value)> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths.clone() {
        if !tells_id(document, &item["post"]["responses"]["201"]) {
            continue;
        }
        for (below, operations) in paths.clone() {
            let Some(name) = only_parameter(path, below) else { continue };
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                // What is put at the thing itself is put by slug.
                let leads_on = match method.as_str() {
                    "delete" => !KEPT.contains(&tag),
                    "put" => !below.ends_with('}'),
                    _ => true,
                };
                let Some(id) = operation["operationId"].as_str().filter(|_| leads_on) else { continue };
                let link = json!({ "operationId": id, "parameters": parameters(name, operation) });
                found.push((path.clone(), id.to_owned(), link));
            }
        }
    }
    for (path, name, link) in found {
        document["paths"][path]["post"]["responses"]["201"]["links"][name] = link;
    }
}

/// Whether an answer has an id in its body.
fn tells_id(document: &Value, response: &Value) -> bool {
    let schema = &response["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    };
    schema["properties"]["id"].is_object()
}

/// The parameter of a path below a collection, where it is the only one: `plan` of `/v1/plans/{plan}/pricing`.
fn only_parameter<'p>(collection: &str, path: &'p str) -> Option<&'p str> {
    let (name, rest) = path.strip_prefix(collection)?.strip_prefix("/{")?.split_once('}')?;
    (!rest.contains('{')).then_some(name)
}

fn parameters(name: &str, operation: &Value) -> Map<String, Value> {
    let mut parameters = Map::new();
    parameters.insert(format!("path.{name}"), "$response.body#/id".into());
    let all = operation["parameters"].as_array().into_iter().flatten();
    if all.into_iter().any(|one| one["name"] == "If-Match") {
        parameters.insert("header.If-Match".to_owned(), "$response.header.ETag".into());
    }
    parameters
}
