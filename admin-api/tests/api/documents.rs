//! Documents bring operations, or are refused with their places.

use std::path::Path;

use axum::body::Body;
use serde_json::json;

use crate::stage::{Reply, Stage, document};

async fn put(stage: &Stage, media_type: &str, body: impl Into<Body>) -> Reply {
    let request = stage.request("PUT", "/v1/apis/things/document").header("content-type", media_type);
    stage.send(request.body(body.into()).unwrap()).await
}

async fn api(stage: &Stage) {
    let service = stage.service("backend").await.id().to_owned();
    let body = json!({ "slug": "things", "name": "Things", "service_id": service, "state": "published" });
    stage.post("/v1/apis", body).await.expect(201);
}

#[tokio::test]
async fn publishing_tells_what_callers_will_miss_with_its_line() {
    let stage = Stage::new().await;
    api(&stage).await;
    let document = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n  /a:\n    get:\n      summary: One\n      operationId: a\n      responses: { '200': { description: ok } }\n";
    let published = put(&stage, "application/yaml", document).await.expect(200);
    let warnings = published.body["warnings"].as_array().expect("a list");
    assert_eq!((warnings.len(), &warnings[0]["rule"]), (1, &json!("error_answer_missing")));
    let place = (&warnings[0]["pointer"], &warnings[0]["line"]);
    assert_eq!(place, (&json!("/paths/~1a/get/responses"), &json!(8)));
}

#[tokio::test]
async fn published_specs_become_routes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs");
    let Ok(specs) = folder.read_dir() else {
        eprintln!("skipped: there are no specs at {}", folder.display());
        return;
    };
    let stage = Stage::new().await;
    api(&stage).await;
    let mut imported = 0;
    for spec in specs {
        let path = spec.unwrap().path();
        let media_type = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => "application/json",
            Some("yaml") => "application/yaml",
            _ => continue,
        };
        put(&stage, media_type, std::fs::read(&path).unwrap()).await.expect(200);
        let stored = stage.get("/v1/apis/things/document").await.expect(200);
        assert!(stored.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", path.display());
        let mut cursor = String::new();
        let mut routes = 0;
        loop {
            let page = stage.get(&format!("/v1/apis/things/routes?limit=50{cursor}")).await.expect(200);
            routes += page.body["data"].as_array().unwrap().len();
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let described = stored.body["paths"].as_object().map_or(0, |paths| {
            let methods = ["get", "put", "post", "delete", "options", "head", "patch"];
            paths
                .values()
                .map(|item| methods.iter().filter(|method| item.get(method).is_some()).count())
                .sum()
        });
        assert_eq!(routes, described, "{}", path.display());
        imported += 1;
    }
    assert!(imported >= 5, "only {imported} specs");
}

#[tokio::test]
async fn a_document_comes_as_object_or_as_text() {
    let stage = Stage::new().await;
    let service = stage.service("backend").await.id().to_owned();
    let yaml = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /x:\n    get: {responses: {'200': {description: ok}}}\n";
    for (slug, document) in
        [("object", document()), ("json", json!(document().to_string())), ("yaml", json!(yaml))]
    {
        let body = json!({ "slug": slug, "name": slug, "service_id": service, "base_path": format!("/{slug}"), "document": document });
        let made = stage.post("/v1/apis", body).await.expect(201);
        assert_eq!(made.body["document_number"], 1);
        let routes = stage.get(&format!("/v1/apis/{slug}/routes")).await.expect(200);
        assert_eq!(routes.body["data"].as_array().unwrap().len(), 1);
        assert_eq!(routes.body["data"][0]["method"], "GET");
    }
}

#[tokio::test]
async fn a_route_that_stays_keeps_its_id() {
    let stage = Stage::new().await;
    api(&stage).await;
    put(&stage, "application/json", document().to_string()).await.expect(200);
    let before = stage.get("/v1/apis/things/routes").await.body["data"][0].clone();
    let mut next = document();
    next["paths"]["/{code}"]["delete"] = json!({ "responses": { "204": { "description": "gone" } } });
    let changed = put(&stage, "application/json", next.to_string()).await.expect(200);
    assert_eq!(changed.body["document_number"], 2);
    let after = stage.get("/v1/apis/things/routes").await;
    let after = after.body["data"].as_array().unwrap();
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before), "{after:?}");
}

#[tokio::test]
async fn a_faulty_document_changes_nothing_and_names_the_place() {
    let stage = Stage::new().await;
    api(&stage).await;
    let mut faulty = document();
    faulty["paths"]["/{code}"]["get"]["parameters"][0]["in"] = json!("nowhere");
    let text = serde_json::to_string_pretty(&faulty).unwrap();
    let refused = put(&stage, "application/json", text.clone()).await.expect(422);
    assert!(refused.places()[0].starts_with("/paths/~1{code}/get/parameters/0"), "{}", refused.text);
    assert!(refused.body["errors"][0]["detail"].as_str().unwrap().starts_with("line "), "{}", refused.text);
    assert_eq!(stage.get("/v1/apis/things").await.body["document_number"], 0);

    let service = stage.get("/v1/services/backend").await.id().to_owned();
    let mut body = json!({ "slug": "other", "name": "Other", "service_id": service, "document": faulty });
    let refused = stage.post("/v1/apis", body.clone()).await.expect(422);
    assert!(refused.places()[0].starts_with("/document/paths/~1{code}/get/parameters/0"), "{}", refused.text);
    body["document"] = json!(text);
    let refused = stage.post("/v1/apis", body.clone()).await.expect(422);
    assert_eq!(refused.places()[0], "/document");
    assert!(refused.body["errors"][0]["detail"].as_str().unwrap().contains("line "), "{}", refused.text);
    body["document"] = json!(7);
    assert_eq!(stage.post("/v1/apis", body).await.expect(422).places(), ["/document"]);
    stage.get("/v1/apis/other").await.expect(404);
}

#[tokio::test]
async fn a_document_has_a_media_type_an_encoding_and_a_size() {
    let stage = Stage::new().await;
    api(&stage).await;
    put(&stage, "text/html", "<html>").await.expect(415);
    put(&stage, "application/yaml", vec![0xff, 0xfe, 0x00]).await.expect(400);
    put(&stage, "application/yaml", "").await.expect(422);
    put(&stage, "application/json", vec![b' '; (20 << 20) + 1]).await.expect(413);
    let comment = format!("# {}\n", "x".repeat(2 << 20));
    let yaml = format!("{comment}openapi: 3.1.0\ninfo: {{title: T, version: '1'}}\npaths: {{}}\n");
    put(&stage, "application/yaml; charset=utf-8", yaml).await.expect(200);
}

#[tokio::test]
async fn an_api_that_would_take_anothers_calls_is_refused() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let mut body = json!({
        "slug": "shadow", "name": "Shadow", "service_id": world.service, "base_path": "/countries", "state": "published",
        "document": document(),
    });
    let refused = stage.post("/v1/apis", body.clone()).await.expect(409);
    assert!(refused.text.contains("GET /countries/{code} (rte_"), "{}", refused.text);
    assert_eq!(refused.text.matches("rte_").count(), 2, "both routes are named: {}", refused.text);
    body["state"] = json!("draft");
    stage.post("/v1/apis", body).await.expect(201);
    let refused = stage.patch("/v1/apis/shadow", json!({ "state": "published" })).await.expect(409);
    assert!(refused.text.contains("of API shadow collides with"), "{}", refused.text);
    stage.patch("/v1/apis/shadow", json!({ "state": "published", "base_path": "/shadow" })).await.expect(200);
}

#[tokio::test]
async fn documents_are_kept_compared_and_can_come_back() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let sql = "insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome, minute, calls,
            charged, bytes_in, bytes_out, duration_us, organization_id, application_id)
        select gen_random_uuid(), gen_random_uuid(), s.id, r.id, 200, 1, now(), 7, 7, 0, 0, 5000, s.organization_id, s.application_id
        from subscriptions s, routes r";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    let mut next = document();
    let operation = &mut next["paths"]["/{code}"]["get"];
    let lang = json!({ "name": "lang", "in": "query", "required": true, "schema": { "type": "string" } });
    operation["parameters"].as_array_mut().unwrap().push(lang);
    next["paths"]["/"] =
        json!({ "get": { "operationId": "list", "responses": { "200": { "description": "All." } } } });
    next["info"]["version"] = json!("2.0.0");

    let put = |query: &'static str| stage.call_as(&stage.admin, "PUT", query, Some(next.clone()));
    let tried = put("/v1/apis/countries/document?dry_run=true").await.expect(200);
    let affected = &tried.body["affected"][0];
    assert_eq!(
        (&affected["kind"], &affected["application_id"]),
        (&json!("breaks_calls"), &json!(world.application))
    );
    assert!(affected["message"].as_str().unwrap().contains("7 times"), "{affected}");
    assert_eq!(put("/v1/apis/countries/document").await.expect(200).body["document_number"], 2);

    let documents = stage.get("/v1/apis/countries/documents").await.expect(200);
    let facts: Vec<_> = documents.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["number"].as_i64().unwrap(),
                row["version"].as_str().unwrap(),
                row["in_force"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(facts, [(2, "2.0.0", true), (1, "1.0.0", false)]);
    assert_eq!(stage.get("/v1/apis/countries/documents/1").await.expect(200).body, document());
    stage.get("/v1/apis/countries/documents/3").await.expect(404);

    let changes = stage.get("/v1/apis/countries/documents/2/changes").await.expect(200);
    assert_eq!(changes.body["breaking"], true);
    let [first, second] = &changes.body["changes"].as_array().unwrap()[..] else {
        panic!("{}", changes.text)
    };
    assert!(first["breaking"][0].as_str().unwrap().contains("lang is new and required"), "{first}");
    assert_eq!((&second["kind"], &second["path"]), (&json!("added"), &json!("/")));
    let back = stage.get("/v1/apis/countries/documents/1/changes?from=2").await.expect(200);
    let kinds: Vec<_> =
        back.body["changes"].as_array().unwrap().iter().map(|change| &change["kind"]).collect();
    assert!(kinds.contains(&&json!("removed")), "{}", back.text);

    let back = stage.post("/v1/apis/countries/rollback", json!({ "number": 1 })).await.expect(200);
    assert_eq!(back.body["document_number"], 1);
    let routes = stage.get("/v1/apis/countries/routes").await.expect(200);
    assert_eq!(routes.body["data"].as_array().unwrap().len(), 1);
    let nowhere = stage.post("/v1/apis/countries/rollback", json!({ "number": 9 })).await.expect(422);
    assert_eq!(nowhere.places(), ["/number"]);
    // The next one is counted on, whatever is in force.
    assert_eq!(put("/v1/apis/countries/document").await.expect(200).body["document_number"], 3);
}
