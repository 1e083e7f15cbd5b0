//! What operations have in common, written once: refusals, headers, waiting, and the forms of things.

use serde_json::{Map, Value, json};

/// Collections whose rows have a version, by tag.
const VERSIONED: &[&str] = &["Services", "APIs", "Products", "Plans", "Applications", "Subscriptions"];
/// Collections in which a write can collide with what exists, by tag.
const COLLIDING: &[&str] = &["Services", "APIs", "Products", "Plans", "Organizations", "Subscriptions"];

/// The groups, in the order in which a publisher meets them.
pub fn tags() -> Value {
    json!([
        { "name": "Services", "description": "Systems that calls are forwarded to, with their addresses." },
        { "name": "APIs", "description": "What is published: a document, its operations, a base path, a service behind it." },
        { "name": "Products", "description": "APIs offered together." },
        { "name": "Plans", "description": "The terms of a product: price, rate limits, quota." },
        { "name": "Organizations", "description": "Tenants, who own applications." },
        { "name": "Applications", "description": "Developers' programs." },
        { "name": "Subscriptions", "description": "Applications on plans." },
        { "name": "Keys", "description": "What applications prove themselves with." },
        { "name": "Usage", "description": "What was called." },
        { "name": "Gateways", "description": "The processes that carry the calls." },
        { "name": "Audit", "description": "Who changed what." },
        { "name": "Health", "description": "For whoever runs the process. No token is needed." }
    ])
}

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
        "description": "A service token of the role admin or auditor. `tollgate up` prints one; further ones are made by admins."
    } });
    components["headers"] = headers();
    components["responses"] = responses();
    components["schemas"]["Problem"] = problem();
    rename_lists(document);
}

fn complete_operation(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let tag = operation.get("tags").and_then(|tags| tags[0].as_str()).unwrap_or_default().to_owned();
    let open = !path.starts_with("/v1");
    let write = method != "get" && !open;
    if open {
        operation.insert("security".to_owned(), json!([]));
    }
    if write {
        parameters(operation).extend([
            json!({
                "name": "wait", "in": "query", "required": false, "schema": { "type": "string", "enum": ["applied"] },
                "description": "Answer when every serving gateway runs the change; `Tollgate-Applied` says whether they do."
            }),
            json!({
                "name": "timeout", "in": "query", "required": false,
                "schema": { "type": "string", "pattern": "^([0-9]{1,5}ms|[0-9]{1,2}s)$", "default": "5s" },
                "description": "How long to wait for them at most, like `5s` or `500ms`; up to 20 s. The change is made either way."
            }),
        ]);
    }
    for parameter in parameters(operation) {
        not_null(&mut parameter["schema"]);
    }
    let has_query = parameters(operation).iter().any(|parameter| parameter["in"] == "query");
    let has_condition = parameters(operation).iter().any(|parameter| parameter["name"] == "If-Match");
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
        ]);
    }
    if write {
        refusals.push(("403", "Forbidden"));
        if COLLIDING.contains(&tag.as_str()) {
            refusals.push(("409", "Conflict"));
        }
    }
    if path.contains('{') {
        refusals.push(("404", "NotFound"));
    }
    if has_condition {
        refusals.push(("412", "VersionMismatch"));
    }
    if has_body || has_condition {
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
        && !path.ends_with("/routes");
    let answers = operation["responses"].as_object_mut().expect("utoipa writes responses as an object");
    for (status, answer) in answers.iter_mut() {
        let mut headers = Map::new();
        headers.insert("X-Request-Id".to_owned(), reference("headers", "RequestId"));
        if status == "201" {
            headers.insert("Location".to_owned(), reference("headers", "Location"));
        }
        if tagged && status != "204" {
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

fn parameters(operation: &mut Map<String, Value>) -> &mut Vec<Value> {
    operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .expect("parameters are an array in OpenAPI")
}

fn reference(kind: &str, name: &str) -> Value {
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

/// `Listing_Service` is how Rust's generics come out; readers see `ServiceList`.
fn rename_lists(document: &mut Value) {
    let names: Vec<String> = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let mut text = document.to_string();
    for name in names {
        if let Some(of) = name.strip_prefix("Listing_") {
            text = text.replace(&format!("\"{name}\""), &format!("\"{of}List\""));
            text = text.replace(&format!("schemas/{name}\""), &format!("schemas/{of}List\""));
        }
    }
    *document = serde_json::from_str(&text).expect("only names inside strings were replaced");
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.sort_keys();
    }
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    json!({
        "RequestId": header(
            "The request's id: yours where you sent a valid one (1 to 128 letters, digits, `-`, `_`, `.`), else a new one. \
             It stands in logs and in the audit log.",
            json!({ "type": "string" })
        ),
        "Location": header("Where the new thing is.", json!({ "type": "string", "format": "uri-reference" })),
        "ETag": header("The version, for `If-Match`.", json!({ "type": "string", "pattern": "^\"v[0-9]+\"$" })),
        "Revision": header(
            "With `wait=applied`: the revision of the configuration that the change is part of.",
            json!({ "type": "integer", "format": "int64" })
        ),
        "Applied": header(
            "With `wait=applied`: whether every serving gateway runs that revision. `false` when time was up, or no gateway serves.",
            json!({ "type": "boolean" })
        )
    })
}

fn responses() -> Value {
    let mut responses = Map::new();
    for (name, status, code, title, detail) in [
        (
            "Malformed",
            400,
            "malformed",
            "The request cannot be read",
            "The body is not valid JSON: expected value, line 1, column 9.",
        ),
        (
            "Unauthenticated",
            401,
            "unauthenticated",
            "A service token is needed",
            "No service token was sent.",
        ),
        ("Forbidden", 403, "forbidden", "Your role does not allow this", "This token may read, not write."),
        ("NotFound", 404, "not-found", "Not found", "There is nothing at this path that you can see."),
        (
            "Conflict",
            409,
            "conflict",
            "It collides with something that exists",
            "the service does not exist, or an API still forwards to it",
        ),
        (
            "VersionMismatch",
            412,
            "version-mismatch",
            "It was changed meanwhile",
            "The stored version is \"v4\".",
        ),
        ("BodyTooLarge", 413, "body-too-large", "The request body is too large", "length limit exceeded"),
        (
            "UnsupportedMediaType",
            415,
            "unsupported-media-type",
            "The request body has another media type",
            "This operation takes application/json.",
        ),
        (
            "Invalid",
            422,
            "invalid",
            "The request is not valid",
            "Nothing was changed; errors says what is wrong and where.",
        ),
        (
            "TooManyTries",
            429,
            "too-many-tries",
            "Too many tries",
            "Too many wrong tokens came from your address.",
        ),
        (
            "Internal",
            500,
            "internal",
            "Something went wrong on our side",
            "The cause was logged under this request id.",
        ),
        ("Unavailable", 503, "unavailable", "Temporarily unavailable", "The database does not answer."),
    ] {
        let mut example = json!({
            "type": format!("https://portal.example/problems/{code}"), "title": title, "status": status, "code": code,
            "detail": detail, "instance": "/v1/plans", "request_id": "019a9f1c-7d7a-7c31-9b1e-2f0f5a6f7c11"
        });
        if name == "Invalid" {
            example["errors"] = json!([{ "pointer": "/limits/0/amount", "detail": "the amount must be between 1 and 1000000000000" }]);
        }
        let mut headers = json!({ "X-Request-Id": reference("headers", "RequestId") });
        match status {
            401 => {
                headers["WWW-Authenticate"] = json!({
                    "description": "`Bearer`, with `error=\"invalid_token\"` where a token was sent.", "schema": { "type": "string" }
                })
            }
            429 | 503 => {
                headers["Retry-After"] = json!({
                    "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 }
                })
            }
            _ => {}
        }
        responses.insert(
            name.to_owned(),
            json!({
                "description": format!("{title}."),
                "headers": headers,
                "content": { "application/problem+json": {
                    "schema": reference("schemas", "Problem"), "example": example
                } }
            }),
        );
    }
    Value::Object(responses)
}

fn problem() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "Why a request was refused or failed (RFC 9457).",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "description": "Where this kind of problem is explained." },
            "title": text("The kind in a few words, the same every time."),
            "status": { "type": "integer", "description": "The HTTP status." },
            "code": text("The kind as a word for programs."),
            "detail": text("What happened this time."),
            "instance": text("The path that was asked for."),
            "request_id": text("The request's id, as in `X-Request-Id`."),
            "errors": {
                "type": "array", "description": "Every fault, with its place.",
                "items": {
                    "type": "object", "required": ["detail"],
                    "properties": {
                        "pointer": text("A JSON Pointer (RFC 6901) into the body; empty for the whole body."),
                        "parameter": text("The name of a parameter or header."),
                        "detail": text("What is wrong, and what is expected.")
                    }
                }
            },
            "hint": text("What to do about it.")
        }
    })
}
