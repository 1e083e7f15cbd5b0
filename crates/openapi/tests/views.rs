//! Types in words, rows, examples and curl lines are what people expect to read.

use serde_json::{Value, json};
use tollgate_openapi::{Call, Document, Language, OperationDetail, Shape, snippet};

fn curl_example(base_url: &str, operation: &OperationDetail, key: &str) -> String {
    snippet(Language::Curl, &Call::of(base_url, operation), key)
}

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
        let found = detail("get", "/a", operation, schemas()).responses[0].content[0].shape.summary.clone();
        assert_eq!(found, words, "{schema}");
    }
}

/// Names of members with a dash per level, `!` where required and `…` where something was left out.
fn names(shape: &Shape, depth: usize, into: &mut Vec<String>) {
    for member in &shape.members {
        let marks = [(member.required, "!"), (member.shape.cut, "…")];
        let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
        into.push(format!("{}{}{marks}", "-".repeat(depth), member.name));
        names(&member.shape, depth + 1, into);
    }
}

fn answer(schema: Value) -> Shape {
    let operation = json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
    detail("get", "/a", operation, schemas()).responses[0].content[0].shape.clone()
}

#[test]
fn members_merge_all_of_follow_nullable_references_and_end_at_cycles() {
    let found = |name: &str| {
        let mut all = Vec::new();
        names(&answer(json!({"$ref": format!("#/components/schemas/{name}")})), 0, &mut all);
        all
    };
    assert_eq!(found("Country"), ["code!", "near…", "place", "-x", "-y"]);
    assert_eq!(found("City"), ["x", "y", "name!"]);
    let list = answer(json!({"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Place"}}));
    assert_eq!((list.name.as_str(), list.members.len(), list.cut), ("Place", 2, false));
    assert!(list.members[1].shape.read_only && !list.members[0].shape.read_only);
}

#[test]
fn alternatives_open_where_they_have_members() {
    let one_of = answer(json!({"oneOf": [
        {"$ref": "#/components/schemas/Place"}, {"type": "string"}, {"title": "Named", "properties": {"name": {}}},
    ], "discriminator": {"propertyName": "kind"}}));
    let found: Vec<(&str, &str, usize)> = one_of
        .variants
        .iter()
        .map(|one| (one.name.as_str(), one.title.as_str(), one.members.len()))
        .collect();
    assert_eq!(found, [("Place", "", 2), ("", "", 0), ("", "Named", 1)]);
    assert_eq!((one_of.any_of, one_of.discriminator.as_str()), (false, "kind"));
    assert!(answer(json!({"anyOf": [{"type": "string"}, {"type": "integer"}]})).variants.is_empty());
}

#[test]
fn facts_are_told_in_words() {
    let shape = answer(json!({"properties": {
        "n": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10, "multipleOf": 2, "default": 4, "writeOnly": true},
        "s": {"type": "string", "minLength": 2, "maxLength": 2, "pattern": "^[A-Z]+$", "examples": ["SE"], "deprecated": true},
        "l": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 5, "uniqueItems": true},
        "t": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
        "m": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Place"}},
    }, "additionalProperties": false}));
    let of = |name: &str| &shape.members.iter().find(|member| member.name == name).expect("a member").shape;
    assert_eq!(of("n").bounds, ["at least 0", "less than 10", "a multiple of 2"]);
    assert_eq!((of("n").default.as_deref(), of("n").write_only), (Some("4"), true));
    assert_eq!(
        (of("s").bounds.concat(), of("s").pattern.as_str()),
        ("exactly 2 characters".into(), "^[A-Z]+$")
    );
    assert_eq!((of("s").example.as_deref(), of("s").deprecated), (Some("SE"), true));
    assert_eq!(of("l").bounds, ["at most 5 items", "each once"]);
    assert_eq!((of("t").summary.as_str(), of("t").members[1].name.as_str()), ("array of 2 values", "[1]"));
    assert_eq!((of("m").summary.as_str(), of("m").name.as_str()), ("map of Place", "Place"));
    assert_eq!(shape.bounds, ["no other members"]);
}

#[test]
fn a_large_shape_is_cut_below_its_first_level() {
    let wide: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("p{n}"), json!({"$ref": "#/components/schemas/Place"}))).collect();
    let shape = answer(json!({"properties": wide}));
    assert_eq!(shape.members.len(), 60);
    let opened = shape.members.iter().filter(|member| !member.shape.members.is_empty()).count();
    assert_eq!(opened, 10, "80 rows are shown");
    assert!(shape.members[59].shape.cut && shape.members[59].shape.name == "Place");
}

#[test]
fn callbacks_webhooks_security_and_uses_are_found() {
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "T", "version": "1"},
        "x-tagGroups": [{"name": "Core", "tags": ["a"]}],
        "security": [{"key": []}],
        "webhooks": {"shipped": {"post": {"summary": "It left", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Place"}}}}}}},
        "paths": {"/a": {"post": {"operationId": "a", "security": [{"login": ["read"]}, {}],
            "requestBody": {"$ref": "#/components/requestBodies/Place"},
            "callbacks": {"done": {"{$request.body#/url}": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/City"}}}},
                "callbacks": {"again": {"{$url}": {"get": {}}}}}}}}}},
            "/b": {"get": {"operationId": "b"}}},
        "components": {"schemas": schemas()["schemas"],
            "requestBodies": {"Place": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Place"}}}}},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "login": {"type": "oauth2"}}},
    });
    let document = Document::parse(&document.to_string()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let a = document.operation("a").expect("there");
    assert_eq!(
        (a.callbacks[0].name.as_str(), a.callbacks[0].expression.as_str()),
        ("done", "{$request.body#/url}")
    );
    assert!(a.callbacks[0].operation.callbacks.is_empty(), "callbacks of callbacks are not followed");
    assert_eq!((a.security[0][0].kind.as_str(), a.security[1].len()), ("OAuth 2.0", 0));
    assert_eq!(document.operation("b").expect("there").security[0][0].kind, "key in the header X-Key");
    assert_eq!(document.webhooks()[0].path, "shipped");
    let shipped = document.webhook(&document.webhooks()[0].operation_id).expect("listed");
    assert_eq!(shipped.request_body.expect("a body").content[0].shape.summary, "Place");
    let with = |name: &str| -> Vec<String> {
        document.operations_with(name).iter().map(|one| one.operation_id.clone()).collect()
    };
    assert_eq!((with("Place"), with("City"), with("Country")), (vec!["a".into()], vec!["a".into()], vec![]));
    assert_eq!((document.tag_groups()[0].name.as_str(), document.tag_groups()[0].tags.len()), ("Core", 1));
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
