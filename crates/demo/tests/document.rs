//! The document and the server say the same.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tollgate_demo::{OPENAPI, paths, router};
use tollgate_openapi::{Document, OperationDetail};
use tower::ServiceExt;

fn document() -> Document {
    Document::parse(OPENAPI).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Status, headers and JSON of a GET.
async fn get(uri: &str, headers: &[(&str, &str)]) -> (StatusCode, axum::http::HeaderMap, Value) {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response =
        router().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    let json = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
    (parts.status, parts.headers, json)
}

/// Whether a value has the types and required members that the schema documents; members that are not
/// documented are a fault too.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("the document has no faults");
        return check(root, target, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let nullable = any.iter().any(|schema| schema["type"] == "null");
        if !(nullable && value.is_null()) {
            check(root, &any[0], value, at);
        }
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => panic!("{at}: the schema has no type"),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => {
            if types.contains(&"number") {
                "number"
            } else {
                "integer"
            }
        }
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&found), "{at}: documented {types:?}, found {value}");
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value} is not documented");
    }
    for item in value.as_array().into_iter().flatten() {
        check(root, &schema["items"], item, &format!("{at}[]"));
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(members.contains_key(name), "{at}: {name} is missing");
        }
        for (name, value) in members {
            let schema = &schema["properties"][name];
            assert!(!schema.is_null(), "{at}: {name} is not documented");
            check(root, schema, value, &format!("{at}.{name}"));
        }
    }
}

/// The schema of an operation's answer.
fn answer<'a>(root: &'a Value, operation: &OperationDetail, status: u16) -> &'a Value {
    let operation = &operation.operation;
    let mut response =
        &root["paths"][&operation.path][operation.method.to_lowercase()]["responses"][status.to_string()];
    if let Some(reference) = response["$ref"].as_str() {
        response = root.pointer(reference.trim_start_matches('#')).expect("checked");
    }
    let content = response["content"].as_object().unwrap_or_else(|| panic!("{status} is documented"));
    &content.values().next().expect("one media type")["schema"]
}

/// The operation's path with its examples filled in.
fn example_path(operation: &OperationDetail) -> String {
    let mut path = operation.operation.path.clone();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.location == "path") {
        let example = parameter.example.as_ref().and_then(Value::as_str).expect("an example");
        path = path.replace(&format!("{{{}}}", parameter.name), example);
    }
    path
}

#[test]
fn the_document_and_the_router_list_the_same_paths() {
    let documented: BTreeSet<String> = document().operations().iter().map(|o| o.path.clone()).collect();
    let served: BTreeSet<String> = paths().into_iter().map(str::to_owned).collect();
    assert_eq!(documented, served);
}

#[test]
fn everything_in_the_document_is_described() {
    let document = document();
    assert!(document.description().len() > 200);
    let tags: Vec<String> = document.tags().into_iter().map(|tag| tag.name).collect();
    for operation in document.operations() {
        assert!(operation.tags.iter().all(|tag| tags.contains(tag)) && !operation.tags.is_empty());
        let detail = document.operation(&operation.operation_id).expect("listed");
        assert!(!detail.description.is_empty(), "{}", operation.operation_id);
        for parameter in &detail.parameters {
            assert!(!parameter.description.is_empty() && parameter.example.is_some(), "{}", parameter.name);
        }
        for media in detail.responses.iter().flat_map(|response| &response.content) {
            assert!(media.example.is_some(), "{}", operation.operation_id);
            let undescribed = media.shape.members.iter().find(|member| member.shape.description.is_empty());
            assert_eq!(undescribed, None, "{}", operation.operation_id);
        }
    }
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let document = document();
    let root = document.value();
    for operation in document.operations() {
        let detail = document.operation(&operation.operation_id).expect("listed");
        let path = example_path(&detail);
        let (status, headers, body) = get(&path, &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["content-type"], "application/json");
        check(root, answer(root, &detail, 200), &body, &path);

        let tag = headers["etag"].to_str().expect("ASCII").to_owned();
        let (status, _, body) = get(&path, &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
        assert_eq!((status, body), (StatusCode::NOT_MODIFIED, Value::Null), "{path}");

        for parameter in detail.parameters.iter().filter(|parameter| parameter.location == "query") {
            let example = parameter.example.as_ref().expect("checked above");
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let (status, _, body) = get(&format!("{path}?{}={example}", parameter.name), &[]).await;
            assert_eq!(status, StatusCode::OK, "{} {example}", parameter.name);
            check(root, answer(root, &detail, 200), &body, &path);
        }
        for response in &detail.responses {
            let (expected, uri) = match response.status.as_str() {
                "404" => (
                    StatusCode::NOT_FOUND,
                    path.replace("NZ", "QQ").replace("Auckland", "x").replace("Ushuaia", "x"),
                ),
                "422" => (StatusCode::UNPROCESSABLE_ENTITY, format!("{path}?colour=red")),
                _ => continue,
            };
            let (status, headers, body) = get(&uri, &[]).await;
            assert_eq!(status, expected, "{uri}");
            assert_eq!(headers["content-type"], "application/problem+json");
            check(root, answer(root, &detail, expected.as_u16()), &body, &uri);
        }
    }
}

#[tokio::test]
async fn every_record_is_as_documented_and_pages_lead_through_all_of_them() {
    let document = document();
    let root = document.value();
    for (path, operation, count) in
        [("/v1/countries", "listCountries", 249), ("/v1/timezones", "listTimezones", 418)]
    {
        let schema = answer(root, &document.operation(operation).expect("listed"), 200);
        let mut seen = BTreeSet::new();
        let mut uri = format!("{path}?limit=100");
        loop {
            let (status, _, body) = get(&uri, &[]).await;
            assert_eq!(status, StatusCode::OK, "{uri}");
            check(root, schema, &body, path);
            assert_eq!(body["total"], count);
            for record in body["data"].as_array().expect("a list") {
                let key =
                    record.get("code").or_else(|| record.get("id")).and_then(Value::as_str).expect("a key");
                assert!(seen.insert(key.to_owned()), "{key} came twice");
            }
            match body["next_cursor"].as_str() {
                Some(cursor) => uri = format!("{path}?limit=100&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), count);
    }
}

#[tokio::test]
async fn filters_narrow_and_combine() {
    let names = async |query: &str| -> Vec<String> {
        let (status, _, body) = get(&format!("/v1/countries?limit=100&{query}"), &[]).await;
        assert_eq!(status, StatusCode::OK, "{query}");
        let codes = body["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|c| c["code"].as_str().expect("a code").to_owned());
        codes.collect()
    };
    assert_eq!(names("q=reunion").await, ["RE"]);
    assert_eq!(names("q=AOTEAROA").await, Vec::<String>::new());
    assert_eq!(names("q=%C3%B6sterreich").await, ["AT"]);
    assert!(names("continent=eu&currency=eur").await.contains(&"DE".to_owned()));
    assert!(!names("continent=eu&currency=eur").await.contains(&"CH".to_owned()));
    assert_eq!(names("language=mi").await, ["NZ"]);
    assert_eq!(names("currency=ZZZ").await, Vec::<String>::new());
    let (_, _, lower) = get("/v1/countries/nz", &[]).await;
    assert_eq!(lower["name"], "New Zealand");
    let (_, _, zones) = get("/v1/timezones?country=nz", &[]).await;
    assert_eq!(zones["total"], 2);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    for (query, names) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=x", "cursor"),
        ("continent=EUR", "continent"),
        ("currency=EU", "currency"),
        ("language=e%C3%A9", "language"),
        ("q=", "q"),
        ("limt=1&continent=XX", "continent, limt"),
        ("q=%FF", "q"),
    ] {
        let (status, _, body) = get(&format!("/v1/countries?{query}"), &[]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let found: Vec<&str> = body["errors"]
            .as_array()
            .expect("named")
            .iter()
            .filter_map(|e| e["parameter"].as_str())
            .collect();
        assert_eq!(found.join(", "), names, "{query}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let (status, headers, body) = get("/v2/countries", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(body["status"], 404);
    let request = Request::post("/v1/countries").body(Body::empty()).expect("a request");
    let response = router().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}
