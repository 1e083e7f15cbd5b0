//! Parts that operations refer to: headers, refusals, the groups.

use serde_json::{Map, Value, json};

use super::shared::reference;

/// The groups, in the order in which a publisher meets them.
pub fn tags() -> Value {
    json!([
        { "name": "Services", "description": "Systems that calls are forwarded to, with their addresses." },
        { "name": "Certificates", "description": "What gateways present to callers who speak TLS." },
        { "name": "APIs", "description": "What is published: a document, its operations, a base path, a service behind it." },
        { "name": "Products", "description": "APIs offered together." },
        { "name": "Plans", "description": "The terms of a product: price, rate limits, quota." },
        { "name": "Policies", "description": "What all calls are held to: how fast they come, from where, and how large their bodies are." },
        { "name": "Portal", "description": "How the developer portal looks, and pages of your own in it." },
        { "name": "Organizations", "description": "Tenants, who own applications." },
        { "name": "Applications", "description": "Developers' programs." },
        { "name": "Subscriptions", "description": "Applications on plans." },
        { "name": "Keys", "description": "What applications prove themselves with." },
        { "name": "Batch", "description": "Several writes in one request." },
        { "name": "Usage", "description": "What was called." },
        { "name": "Invoices", "description": "What months came to, and what this one comes to so far." },
        { "name": "Webhooks", "description": "Who is told what happens, and how that went." },
        { "name": "Requests", "description": "Single calls, as they ended." },
        { "name": "Gateways", "description": "The processes that carry the calls." },
        { "name": "Tokens", "description": "How scripts sign in here." },
        { "name": "Users", "description": "People with an account, and who of them runs the platform." },
        { "name": "Audit", "description": "Who changed what." },
        { "name": "Health", "description": "For whoever runs the process. No token is needed." }
    ])
}

/// Headers of answers.
pub fn headers() -> Value {
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

/// Every refusal that an operation can answer with, each with an example.
pub fn responses() -> Value {
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
        ("NotFound", 404, "not_found", "Not found", "There is nothing at this path that you can see."),
        (
            "Conflict",
            409,
            "conflict",
            "It collides with something that exists",
            "the service does not exist, or an API still forwards to it",
        ),
        (
            "PreconditionRequired",
            428,
            "precondition_required",
            "Say which version you mean",
            "This operation needs If-Match, so that no change is lost unseen.",
        ),
        (
            "VersionMismatch",
            412,
            "version_mismatch",
            "It was changed meanwhile",
            "The stored version is \"v4\".",
        ),
        ("BodyTooLarge", 413, "body_too_large", "The request body is too large", "length limit exceeded"),
        (
            "UnsupportedMediaType",
            415,
            "unsupported_media_type",
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
            "too_many_tries",
            "Too many tries",
            "Too many wrong tokens came from your address.",
        ),
        (
            "Internal",
            500,
            "internal_error",
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
        if name == "VersionMismatch" {
            example["current"] = json!({ "name": "Pro", "version": 4 });
        }
        let mut headers = json!({ "X-Request-Id": reference("headers", "RequestId") });
        match status {
            401 => {
                headers["WWW-Authenticate"] = json!({
                    "description": "`Bearer`, with `error=\"invalid_token\"` where a token was sent.", "schema": { "type": "string" }
                })
            }
            412 => headers["ETag"] = reference("headers", "ETag"),
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

/// The schema of a refusal.
pub fn problem() -> Value {
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
            "hint": text("What to do about it."),
            "current": {
                "type": "object",
                "description": "Of a `version_mismatch`: the thing as it stands now, as its `GET` says it. Absent where the caller may not read it."
            }
        }
    })
}
