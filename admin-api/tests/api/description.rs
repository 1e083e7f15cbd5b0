//! The OpenAPI document: kept in the repository, true, and complete.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use crate::stage::Stage;

/// Set, it makes the test write the file instead of comparing.
const REWRITE: &str = "TOLLGATE_REWRITE_OPENAPI";

#[test]
fn the_committed_document_is_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&tollgate_admin_api::document()).unwrap());
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "admin-api/openapi.json is not what the code says; run this test with {REWRITE}=1");
}

#[tokio::test]
async fn the_served_document_is_the_committed_one_and_our_own_reader_takes_it() {
    let stage = Stage::new().await;
    let request = http::Request::get("/openapi.json").body(axum::body::Body::empty()).unwrap();
    let served = stage.send(request).await.expect(200);
    assert_eq!(served.body, tollgate_admin_api::document());
    let document =
        tollgate_openapi::Document::parse(&served.text).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(document.operations().len(), operations().len());
}

#[test]
fn every_operation_is_written_for_people() {
    let mut ids = HashSet::new();
    let mut bare = Vec::new();
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let summary = operation["summary"].as_str().unwrap_or_default();
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        if id.is_empty() || summary.is_empty() || summary.ends_with('.') || tag.is_empty() {
            bare.push(name.clone());
        }
        assert!(ids.insert(id.clone()), "{id} is there twice");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let refused = status.parse::<u16>().unwrap() >= 400;
            let is_reference = answer["$ref"].is_string();
            assert!(refused == is_reference, "{name} {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn every_member_of_every_schema_is_described_and_every_reference_leads_somewhere() {
    let document = tollgate_admin_api::document();
    let mut bare = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["description"].is_null() {
            bare.push(name.clone());
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (member, property) in properties {
            // One that may be null has its words beside the reference.
            let said = [&property["description"], &property["$ref"], &property["oneOf"][0]["description"]];
            if said.iter().all(|one| one.is_null()) {
                bare.push(format!("{name}.{member}"));
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new());
    let mut stack = vec![&document];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                stack.extend(members.values());
            }
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
}

/// Every operation of the document: path, method, description.
pub fn operations() -> Vec<(String, String, Value)> {
    let document = tollgate_admin_api::document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    operations
}
