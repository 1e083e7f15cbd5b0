//! What operations have in common, written once: refusals, headers, waiting.

use serde_json::{Map, Value, json};

use super::{components, polish};

/// Collections whose rows have a version, by tag.
const VERSIONED: &[&str] = &[
    "Services",
    "Certificates",
    "APIs",
    "Products",
    "Plans",
    "Policies",
    "Portal",
    "Organizations",
    "Applications",
    "Subscriptions",
    "Keys",
    "Invoices",
    "Webhooks",
];
/// Collections in which a write can collide with what exists, by tag.
const COLLIDING: &[&str] = &[
    "Services",
    "Certificates",
    "APIs",
    "Products",
    "Plans",
    "Policies",
    "Portal",
    "Organizations",
    "Subscriptions",
    "Keys",
    "Invoices",
    "Webhooks",
    "Users",
];

/// Adds to every operation what it shares with others.
pub fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                complete_operation(path, method, operation);
            }
        }
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({ "serviceToken": {
        "type": "http", "scheme": "bearer",
        "description": "A service token. `tollgate up` prints one of the role admin; `POST /v1/tokens` makes further ones."
    } });
    components["headers"] = components::headers();
    components["responses"] = components::responses();
    components["schemas"]["Problem"] = components::problem();
    polish::schemas(document);
}

fn complete_operation(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let tag = operation.get("tags").and_then(|tags| tags[0].as_str()).unwrap_or_default().to_owned();
    let open = !path.starts_with("/v1");
    let write = method != "get" && !open;
    if open {
        operation.insert("security".to_owned(), json!([]));
    }
    if method == "post" && !open {
        parameters(operation).push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "description": "Makes the request happen once, however often it is sent within 24 hours: a repetition gets the \
             first answer, with `Idempotent-Replayed: true`. Take a new one, like a UUID, for every request that is not one."
        }));
    }
    if write {
        parameters(operation).extend([
            json!({
                "name": "dry_run", "in": "query", "required": false, "schema": { "type": "boolean", "default": false },
                "description": "Do everything, compiling included, tell what would change and who would notice, and undo it."
            }),
            json!({
                "name": "wait", "in": "query", "required": false, "schema": { "type": "string", "enum": ["applied"] },
                "description": "Answer when every serving gateway runs the change; `Tollgate-Applied` says whether they do."
            }),
            json!({
                "name": "timeout", "in": "query", "required": false,
                "schema": { "type": "string", "pattern": "^(([0-9]|1[0-9]|20)s|(1?[0-9]{1,4}|20000)ms)$", "default": "5s" },
                "description": "How long to wait for them at most, like `5s` or `500ms`; up to 20 s. The change is made either way."
            }),
        ]);
    }
    for parameter in parameters(operation) {
        not_null(&mut parameter["schema"]);
    }
    let has_query = parameters(operation).iter().any(|parameter| parameter["in"] == "query");
    let condition = parameters(operation).iter().find(|parameter| parameter["name"] == "If-Match");
    let must_have_condition = condition.is_some_and(|parameter| parameter["required"] == true);
    let has_condition = condition.is_some();
    let has_body = operation.contains_key("requestBody");

    let mut refusals = Vec::new();
    if open {
        refusals.push(("503", "Unavailable"));
    } else {
        refusals.extend([
            ("401", "Unauthenticated"),
            ("429", "TooManyTries"),
            ("503", "Unavailable"),
            ("500", "Internal"),
            ("403", "Forbidden"),
        ]);
    }
    if write && (method == "post" || COLLIDING.contains(&tag.as_str())) {
        refusals.push(("409", "Conflict"));
    }
    if path == "/v1/explain" {
        refusals.push(("409", "Conflict"));
    }
    if path.contains('{') || path == "/v1/explain" || (path == "/v1/acme-account" && !write) {
        refusals.push(("404", "NotFound"));
    }
    if has_condition {
        refusals.push(("412", "VersionMismatch"));
    }
    if must_have_condition {
        refusals.push(("428", "PreconditionRequired"));
    }
    if has_body || has_condition || method == "post" {
        refusals.push(("400", "Malformed"));
    }
    if has_body {
        refusals.extend([("413", "BodyTooLarge"), ("415", "UnsupportedMediaType")]);
    }
    if has_body || has_query {
        refusals.push(("422", "Invalid"));
    }
    let tagged = VERSIONED.contains(&tag.as_str())
        && (path.contains('{') || method == "post")
        && !["/routes", "/days", "/statement"].iter().any(|end| path.ends_with(end))
        && !path.contains("/documents")
        && !path.contains("/deliveries");
    let answers = operation["responses"].as_object_mut().expect("utoipa writes responses as an object");
    if write {
        tried(answers);
    }
    for (status, answer) in answers.iter_mut() {
        let mut headers = Map::new();
        headers.insert("X-Request-Id".to_owned(), reference("headers", "RequestId"));
        if status == "201" {
            headers.insert("Location".to_owned(), reference("headers", "Location"));
        }
        if tagged && status != "204" && !(method == "delete" || (method == "post" && status == "200")) {
            headers.insert("ETag".to_owned(), reference("headers", "ETag"));
        }
        if write {
            headers.insert("Tollgate-Revision".to_owned(), reference("headers", "Revision"));
            headers.insert("Tollgate-Applied".to_owned(), reference("headers", "Applied"));
        }
        answer["headers"] = Value::Object(headers);
    }
    for (status, name) in refusals {
        answers.insert(status.to_owned(), reference("responses", name));
    }
    answers.sort_keys();
}

/// What a write answers with `dry_run`: 200, whatever it would answer else.
fn tried(answers: &mut Map<String, Value>) {
    let tried = reference("schemas", "DryRun");
    match answers.get_mut("200") {
        Some(answer) => {
            let schema = &mut answer["content"]["application/json"]["schema"];
            *schema = json!({ "anyOf": [schema.take(), tried] });
        }
        None => {
            answers.insert(
                "200".to_owned(),
                json!({
                    "description": "With `dry_run`: what would change, and who would notice.",
                    "content": { "application/json": { "schema": tried } }
                }),
            );
        }
    }
}

fn parameters(operation: &mut Map<String, Value>) -> &mut Vec<Value> {
    operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .expect("parameters are an array in OpenAPI")
}

/// A reference to a component.
pub fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A parameter is absent or has a value; utoipa describes an optional one as one that may be null.
fn not_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array() {
        let rest: Vec<&Value> = types.iter().filter(|name| *name != "null").collect();
        if let [only] = rest[..] {
            schema["type"] = only.clone();
        }
    }
    if let Some(alternatives) = schema["oneOf"].as_array() {
        let rest: Vec<&Value> = alternatives.iter().filter(|one| one["type"] != "null").collect();
        if let [only] = rest[..] {
            *schema = only.clone();
        }
    }
}
