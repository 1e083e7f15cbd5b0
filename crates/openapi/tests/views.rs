//! Types in words, rows, examples and curl lines are what people expect to read.

use serde_json::{Value, json};
use tollgate_openapi::{Document, OperationDetail, curl_example};

/// A document whose one operation, `op`, is given, with components.
fn detail(method: &str, path: &str, operation: Value, components: Value) -> OperationDetail {
    let mut operation = operation;
    operation["operationId"] = json!("op");
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "T", "version": "1"},
        "paths": {path: {method: operation}}, "components": components,
    });
    let document = Document::parse(&document.to_string()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    document.operation("op").expect("there")
}

fn schemas() -> Value {
    json!({"schemas": {
        "Country": {"type": "object", "required": ["code"], "properties": {
            "code": {"type": "string", "maxLength": 2, "description": "Its code."},
            "near": {"type": "array", "items": {"$ref": "#/components/schemas/Country"}},
            "place": {"anyOf": [{"$ref": "#/components/schemas/Place"}, {"type": "null"}]},
        }},
        "Place": {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number", "readOnly": true}}},
        "City": {"allOf": [{"$ref": "#/components/schemas/Place"}, {"required": ["name"], "properties": {"name": {"type": "string"}}}]},
        "Id": {"type": "string", "format": "uuid"},
    }})
}

#[test]
fn types_are_named_in_words() {
    for (schema, words) in [
        (json!({"$ref": "#/components/schemas/Country"}), "Country"),
        (json!({"$ref": "#/components/schemas/City"}), "City"),
        (json!({"$ref": "#/components/schemas/Id"}), "string (uuid)"),
        (json!({"type": "array", "items": {"$ref": "#/components/schemas/Country"}}), "array of Country"),
        (json!({"type": "string", "format": "date-time"}), "string (date-time)"),
        (json!({"type": ["integer", "null"]}), "integer or null"),
        (json!({"type": "string", "contentEncoding": "base64"}), "string (base64)"),
        (json!({"type": "object", "additionalProperties": {"type": "integer"}}), "map of integer"),
        (json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Place"}]}), "Place or null"),
        (json!({"type": "array", "items": {"type": ["string", "null"]}}), "array of (string or null)"),
        (json!({"enum": ["a", "b"]}), "string"),
        (json!({"const": 3}), "integer"),
        (json!({"properties": {"a": true}}), "object"),
        (json!({}), "any"),
        (json!(true), "any"),
    ] {
        let operation = json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let found = detail("get", "/a", operation, schemas()).responses[0].content[0].schema.summary.clone();
        assert_eq!(found, words, "{schema}");
    }
}

#[test]
fn rows_merge_all_of_follow_nullable_references_and_end_at_cycles() {
    let rows = |name: &str| -> Vec<String> {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let operation = json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let detail = detail("get", "/a", operation, schemas());
        let rows = detail.responses[0].content[0].schema.properties.iter();
        rows.map(|row| {
            format!("{}{}{}", "-".repeat(row.depth.into()), row.name, if row.required { "!" } else { "" })
        })
        .collect()
    };
    assert_eq!(rows("Country"), ["code!", "near", "place", "-x", "-y"]);
    assert_eq!(rows("City"), ["x", "y", "name!"]);
}

#[test]
fn a_post_carries_a_body_without_what_only_the_server_sends() {
    let body = json!({"requestBody": {"required": true, "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Country"}}}}});
    let operation = detail("post", "/countries", body, schemas());
    assert_eq!(
        curl_example("http://127.0.0.1:8080/atlas", &operation, "tg_test_abc"),
        "curl 'http://127.0.0.1:8080/atlas/countries' \\\n  -X POST \\\n  -H \"X-API-Key: tg_test_abc\" \\\n  \
         -H 'Content-Type: application/json' \\\n  -d '{\"code\":\"st\",\"place\":{\"x\":1.5}}'"
    );
}

#[test]
fn hostile_examples_stay_inside_their_quotes() {
    let parameters = json!({"parameters": [
        {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "example": "a/b' $(x) é"},
        {"name": "q&", "in": "query", "required": true, "schema": {"type": "array"}, "example": ["1 2", "'; rm -rf /"]},
        {"name": "unused", "in": "query", "schema": {"type": "string"}, "example": "x"},
        {"name": "X-A", "in": "header", "required": true, "schema": {"type": "string"}, "example": "it's\r\nX-B: 1"},
    ], "requestBody": {"content": {"application/json": {"example": {"it's": "$HOME `id`"}}}}});
    let operation = detail("put", "/a/{id}", parameters, json!({}));
    let line = curl_example("http://h/", &operation, "$KEY'; id");
    assert_eq!(
        line,
        "curl 'http://h/a/a%2Fb%27%20%24%28x%29%20%C3%A9?q%26=1%202&q%26=%27%3B%20rm%20-rf%20/' \\\n  -X PUT \\\n  \
         -H 'X-API-Key: $KEY'\\''; id' \\\n  -H 'X-A: it'\\''s  X-B: 1' \\\n  \
         -H 'Content-Type: application/json' \\\n  -d '{\"it'\\''s\":\"$HOME `id`\"}'"
    );
}

#[test]
fn the_line_means_the_same_to_a_shell() {
    let parameters = json!({"parameters": [
        {"name": "q", "in": "query", "required": true, "schema": {"type": "string"}, "example": "it's & \"that\" $X"},
    ]});
    let line = curl_example("http://h", &detail("get", "/a", parameters, json!({})), "$TOLLGATE_KEY");
    let script = format!("curl() {{ printf '%s|' \"$@\"; }}; TOLLGATE_KEY=secret; {line}");
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("a shell");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "http://h/a?q=it%27s%20%26%20%22that%22%20%24X|-H|X-API-Key: secret|"
    );
}

#[test]
fn derived_ids_are_stable_and_unique() {
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "T", "version": "1"},
        "paths": {"/a/{b}": {"get": {}}, "/a-b": {"get": {}}, "/c": {"get": {"operationId": "get-a-b-2"}}, "/": {"post": {}}},
    });
    let document = Document::parse(&document.to_string()).expect("no faults");
    let ids: Vec<&str> = document.operations().iter().map(|o| o.operation_id.as_str()).collect();
    assert_eq!(ids, ["get-a-b", "get-a-b-3", "get-a-b-2", "post"]);
    assert!(document.operation("get-a-b-3").is_some() && document.operation("nothing").is_none());
}
