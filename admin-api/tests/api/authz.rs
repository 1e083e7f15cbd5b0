//! Every operation against everybody: no token, garbage, an auditor, an admin. An operation without a row fails.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tollgate_testkit::Authority;

use crate::description::operations;
use crate::stage::{Stage, World, document, plan};

const INVOICE: &str = "inv_01ks2v8d3tf5cs9y0v3jq1q7zb";

/// What an operation needs to succeed.
struct Row {
    path: String,
    body: Option<Value>,
    good: u16,
}

fn row(path: impl Into<String>, body: Option<Value>, good: u16) -> Row {
    Row { path: path.into(), body, good }
}

/// One row for every operation; those that remove something are meant for a world of their own.
fn rows(world: &World) -> BTreeMap<&'static str, Row> {
    let World {
        service,
        api,
        product,
        plan: plan_id,
        organization,
        application,
        subscription,
        key,
        certificate,
    } = world;
    let target = json!([{ "url": "http://10.0.0.8:8080" }]);
    let issued = Authority::new().issue(&["new.example.com"]);
    let pair = json!({ "slug": "new", "chain": issued.chain, "private_key": issued.key });
    BTreeMap::from([
        ("listCertificates", row("/v1/certificates", None, 200)),
        ("createCertificate", row("/v1/certificates", Some(pair), 201)),
        ("getCertificate", row(format!("/v1/certificates/{certificate}"), None, 200)),
        (
            "updateCertificate",
            row(format!("/v1/certificates/{certificate}"), Some(json!({ "is_default": true })), 200),
        ),
        ("deleteCertificate", row(format!("/v1/certificates/{certificate}"), None, 204)),
        ("livez", row("/livez", None, 200)),
        ("readyz", row("/readyz", None, 200)),
        ("getOpenapi", row("/openapi.json", None, 200)),
        ("listServices", row("/v1/services", None, 200)),
        (
            "createService",
            row("/v1/services", Some(json!({ "slug": "new", "name": "N", "targets": target })), 201),
        ),
        ("getService", row(format!("/v1/services/{service}"), None, 200)),
        ("updateService", row(format!("/v1/services/{service}"), Some(json!({ "name": "N" })), 200)),
        // In use: the admin gets as far as the conflict.
        ("deleteService", row(format!("/v1/services/{service}"), None, 409)),
        (
            "putService",
            row("/v1/services/put", Some(json!({ "slug": "put", "name": "N", "targets": target })), 201),
        ),
        ("listApis", row("/v1/apis", None, 200)),
        (
            "createApi",
            row("/v1/apis", Some(json!({ "slug": "new", "name": "N", "service_id": service })), 201),
        ),
        ("getApi", row(format!("/v1/apis/{api}"), None, 200)),
        (
            "putApi",
            row("/v1/apis/put", Some(json!({ "slug": "put", "name": "N", "service_id": service })), 201),
        ),
        ("updateApi", row(format!("/v1/apis/{api}"), Some(json!({ "name": "N" })), 200)),
        ("deleteApi", row(format!("/v1/apis/{api}"), None, 409)),
        ("getApiDocument", row(format!("/v1/apis/{api}/document"), None, 200)),
        ("putApiDocument", row(format!("/v1/apis/{api}/document"), Some(document()), 200)),
        ("listApiRoutes", row(format!("/v1/apis/{api}/routes"), None, 200)),
        ("listProducts", row("/v1/products", None, 200)),
        ("createProduct", row("/v1/products", Some(json!({ "slug": "new", "name": "N" })), 201)),
        ("getProduct", row(format!("/v1/products/{product}"), None, 200)),
        ("putProduct", row("/v1/products/put", Some(json!({ "slug": "put", "name": "N" })), 201)),
        ("updateProduct", row(format!("/v1/products/{product}"), Some(json!({ "name": "N" })), 200)),
        ("deleteProduct", row(format!("/v1/products/{product}"), None, 409)),
        ("listPlans", row("/v1/plans", None, 200)),
        ("createPlan", row("/v1/plans", Some(plan(product, "new")), 201)),
        ("getPlan", row(format!("/v1/plans/{plan_id}"), None, 200)),
        ("putPlan", row("/v1/products/atlas/plans/put", Some(terms()), 201)),
        ("updatePlan", row(format!("/v1/plans/{plan_id}"), Some(json!({ "name": "N" })), 200)),
        ("deletePlan", row(format!("/v1/plans/{plan_id}"), None, 409)),
        ("listOrganizations", row("/v1/organizations", None, 200)),
        ("createOrganization", row("/v1/organizations", Some(json!({ "name": "N" })), 201)),
        ("getOrganization", row(format!("/v1/organizations/{organization}"), None, 200)),
        ("putOrganization", row("/v1/organizations/put", Some(json!({ "slug": "put", "name": "N" })), 201)),
        (
            "updateOrganization",
            row(format!("/v1/organizations/{organization}"), Some(json!({ "name": "N" })), 200),
        ),
        ("deleteOrganization", row(format!("/v1/organizations/{organization}"), None, 204)),
        ("listApplications", row("/v1/applications", None, 200)),
        (
            "createApplication",
            row("/v1/applications", Some(json!({ "organization_id": organization, "name": "N" })), 201),
        ),
        ("getApplication", row(format!("/v1/applications/{application}"), None, 200)),
        (
            "updateApplication",
            row(format!("/v1/applications/{application}"), Some(json!({ "name": "N" })), 200),
        ),
        ("deleteApplication", row(format!("/v1/applications/{application}"), None, 204)),
        ("listSubscriptions", row("/v1/subscriptions", None, 200)),
        (
            "createSubscription",
            row("/v1/subscriptions", Some(json!({ "application_id": application, "plan_id": plan_id })), 409),
        ),
        ("getSubscription", row(format!("/v1/subscriptions/{subscription}"), None, 200)),
        (
            "updateSubscription",
            row(format!("/v1/subscriptions/{subscription}"), Some(json!({ "state": "suspended" })), 200),
        ),
        ("endSubscription", row(format!("/v1/subscriptions/{subscription}"), None, 204)),
        ("listKeys", row("/v1/keys", None, 200)),
        ("createKey", row("/v1/keys", Some(json!({ "application_id": application, "name": "N" })), 201)),
        ("getKey", row(format!("/v1/keys/{key}"), None, 200)),
        ("updateKey", row(format!("/v1/keys/{key}"), Some(json!({ "name": "N" })), 200)),
        ("revokeKey", row(format!("/v1/keys/{key}"), None, 204)),
        (
            "runBatch",
            row(
                "/v1/batch",
                Some(json!({ "requests": [{ "method": "DELETE", "path": "/v1/keys/none" }] })),
                200,
            ),
        ),
        ("getUsage", row("/v1/usage", None, 200)),
        ("getPlanPricing", row(format!("/v1/plans/{plan_id}/pricing"), None, 200)),
        ("putPlanPricing", row(format!("/v1/plans/{plan_id}/pricing"), Some(json!({ "meters": [] })), 200)),
        ("getOrganizationStatement", row(format!("/v1/organizations/{organization}/statement"), None, 200)),
        ("listInvoices", row("/v1/invoices", None, 200)),
        // There is none before a month is over.
        ("getInvoice", row(format!("/v1/invoices/{INVOICE}"), None, 404)),
        ("listInvoiceDays", row(format!("/v1/invoices/{INVOICE}/days"), None, 404)),
        ("payInvoice", row(format!("/v1/invoices/{INVOICE}/pay"), None, 404)),
        ("voidInvoice", row(format!("/v1/invoices/{INVOICE}/void"), None, 404)),
        ("listGateways", row("/v1/gateways", None, 200)),
        ("listAuditEntries", row("/v1/audit", None, 200)),
    ])
}

fn terms() -> Value {
    json!({ "name": "N", "price": { "minor": 0, "currency": "EUR", "per": "month" } })
}

async fn status(stage: &Stage, token: Option<&str>, method: &str, row: &Row) -> u16 {
    let mut request = Request::builder().method(method).uri(&row.path);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = row.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    if matches!(method, "PATCH" | "DELETE") {
        request = request.header("if-match", "*");
    }
    let mut request = request.header("content-type", "application/json").body(body).unwrap();
    // From an address of its own: so many wrong tokens from one would be throttled.
    static CALLS: AtomicU16 = AtomicU16::new(0);
    let [high, low] = CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let peer = SocketAddr::from(([198, 18, high, low], 4711));
    request.extensions_mut().insert(ConnectInfo(peer));
    stage.send(request).await.status.as_u16()
}

#[tokio::test]
async fn every_operation_knows_who_may_call_it() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let rows = rows(&world);
    // Removals last: what they remove is needed before.
    let mut operations = operations();
    let order = |id: &str| match id {
        "deleteApplication" => 3,
        "deleteOrganization" => 4,
        "endSubscription" | "revokeKey" | "deleteCertificate" => 2,
        _ => 1,
    };
    operations.sort_by_key(|(.., operation)| order(operation["operationId"].as_str().unwrap_or_default()));
    assert_eq!(operations.len(), rows.len(), "rows without an operation");
    for (_, method, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let row = rows.get(id).unwrap_or_else(|| panic!("{id} has no row in this matrix"));
        let open = operation["security"] == json!([]);
        let reads = method == "GET";
        let got = [
            status(&stage, None, &method, row).await,
            status(&stage, Some("tgadm_live_garbage"), &method, row).await,
            status(&stage, Some(&stage.auditor), &method, row).await,
            status(&stage, Some(&stage.admin), &method, row).await,
        ];
        let expected = match (open, reads) {
            (true, _) => [row.good; 4],
            (false, true) => [401, 401, row.good, row.good],
            (false, false) => [401, 401, 403, row.good],
        };
        assert_eq!(got, expected, "{method} {} ({id})", row.path);
        let documented = operation["responses"].as_object().unwrap();
        for status in got {
            assert!(documented.contains_key(&status.to_string()), "{id} does not document {status}");
        }
    }
}
