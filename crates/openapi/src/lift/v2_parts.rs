//! Parameters, bodies and responses of Swagger 2.0 in the form of 3.0.

use serde_json::{Map, Value, json};

/// Whether a parameter of Swagger 2.0 is what is now a request body.
pub(super) fn is_body(parameter: &Value) -> bool {
    matches!(parameter.get("in").and_then(Value::as_str), Some("body" | "formData"))
}

/// Keys that stood beside a parameter's name and now stand in its schema.
const SCHEMA_KEYS: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "multipleOf",
    "x-nullable",
    "example",
];

/// The schema of something that is described without one.
fn inline_schema(members: &Map<String, Value>) -> Value {
    let keys = SCHEMA_KEYS
        .iter()
        .filter_map(|key| members.get(*key).map(|value| ((*key).to_owned(), value.clone())));
    keys.collect()
}

/// A parameter or header with its schema in a place of its own.
pub(super) fn parameter(parameter: &Value) -> Value {
    let Value::Object(members) = parameter else { return parameter.clone() };
    let mut new = Map::new();
    for (key, value) in members {
        if !SCHEMA_KEYS.contains(&key.as_str()) && key != "collectionFormat" {
            new.insert(key.clone(), value.clone());
        }
    }
    if members.get("$ref").is_some() {
        return Value::Object(new);
    }
    if members.get("in").and_then(Value::as_str) == Some("path") {
        new.insert("required".to_owned(), json!(true));
    }
    new.insert("schema".to_owned(), inline_schema(members));
    if members.get("type").and_then(Value::as_str) == Some("array") {
        let query = members.get("in").and_then(Value::as_str) == Some("query");
        let (style, explode) = match members.get("collectionFormat").and_then(Value::as_str) {
            Some("multi") => ("form", true),
            Some("ssv") => ("spaceDelimited", false),
            Some("pipes") => ("pipeDelimited", false),
            _ => (if query { "form" } else { "simple" }, false),
        };
        new.insert("style".to_owned(), json!(style));
        new.insert("explode".to_owned(), json!(explode));
    }
    Value::Object(new)
}

/// The body that `body` or `formData` parameters described.
pub(super) fn request_body(parameters: &[&Value], consumes: &[String]) -> Option<Value> {
    let first = parameters.first()?;
    let content = |types: &[String], schema: &Value| -> Value {
        types.iter().map(|media_type| (media_type.clone(), json!({ "schema": schema }))).collect()
    };
    let mut new = Map::new();
    if first.get("in").and_then(Value::as_str) == Some("body") {
        if let Some(description) = first.get("description") {
            new.insert("description".to_owned(), description.clone());
        }
        let json_type = ["application/json".to_owned()];
        let types = if consumes.is_empty() { &json_type } else { consumes };
        new.insert("content".to_owned(), content(types, first.get("schema").unwrap_or(&json!({}))));
        new.insert("required".to_owned(), first.get("required").cloned().unwrap_or(json!(false)));
        return Some(Value::Object(new));
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters {
        let Some(members) = parameter.as_object() else { continue };
        let Some(name) = members.get("name").and_then(Value::as_str) else { continue };
        let mut schema = inline_schema(members);
        if let (Some(description), Value::Object(schema)) = (members.get("description"), &mut schema) {
            schema.insert("description".to_owned(), description.clone());
        }
        properties.insert(name.to_owned(), schema);
        if members.get("required") == Some(&json!(true)) {
            required.push(json!(name));
        }
    }
    let file = properties.values().any(|p| p.get("type").and_then(Value::as_str) == Some("file"));
    let (form, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data");
    let named = consumes.iter().find(|t| *t == form || *t == multipart).map(String::as_str);
    let media_type = if file { multipart } else { named.unwrap_or(form) };
    let mut schema = json!({ "type": "object", "properties": properties });
    let any_required = !required.is_empty();
    if any_required {
        schema["required"] = Value::Array(required);
    }
    new.insert("content".to_owned(), content(&[media_type.to_owned()], &schema));
    new.insert("required".to_owned(), json!(any_required));
    Some(Value::Object(new))
}

/// A response with its schema and examples under the media types that the operation produces.
pub(super) fn response(response: &Value, produces: &[String]) -> Value {
    let Value::Object(members) = response else { return response.clone() };
    let mut new = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "schema" | "examples" => {}
            "headers" => {
                let headers = value.as_object().into_iter().flatten();
                let lifted = headers.map(|(name, header)| (name.clone(), parameter(header)));
                new.insert(key.clone(), lifted.collect());
            }
            _ => {
                new.insert(key.clone(), value.clone());
            }
        }
    }
    let examples = members.get("examples").and_then(Value::as_object);
    let mut types = produces.to_vec();
    if types.is_empty() && (members.contains_key("schema") || examples.is_none()) {
        types.push("application/json".to_owned());
    }
    types.extend(
        examples.into_iter().flatten().map(|(name, _)| name.clone()).filter(|t| !produces.contains(t)),
    );
    if members.contains_key("schema") || examples.is_some() {
        let mut content = Map::new();
        for media_type in types {
            let mut media = Map::new();
            if let Some(schema) = members.get("schema") {
                media.insert("schema".to_owned(), schema.clone());
            }
            if let Some(example) = examples.and_then(|examples| examples.get(&media_type)) {
                media.insert("example".to_owned(), example.clone());
            }
            content.insert(media_type, Value::Object(media));
        }
        new.insert("content".to_owned(), Value::Object(content));
    }
    Value::Object(new)
}
