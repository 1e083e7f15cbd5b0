//! Every operation against everybody: no token, garbage, an expired one, every role, narrowed tokens. An operation without a
//! row fails. Other organizations' things are another matter: all tokens here are operators'.

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

const EVENT: &str = "evt_01ks2v8d3tf5cs9y0v3jq1q7zb";
const INCIDENT: &str = "inc_01ks2v8d3tf5cs9y0v3jq1q7zb";
const INVITATION: &str = "opi_01ks2v8d3tf5cs9y0v3jq1q7zb";
const INVOICE: &str = "inv_01ks2v8d3tf5cs9y0v3jq1q7zb";
const PAYMENT: &str = "01990000-0000-7000-8000-000000000001";

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
fn rows(world: &World, token: &str, user: &str, webhook: &str) -> BTreeMap<&'static str, Row> {
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
        // It was brought: nobody renews it.
        ("renewCertificate", row(format!("/v1/certificates/{certificate}/renew"), None, 409)),
        ("getAcmeAccount", row("/v1/acme-account", None, 404)),
        (
            "putAcmeAccount",
            row(
                "/v1/acme-account",
                Some(json!({ "directory": "https://ca.example/directory", "terms_agreed": true })),
                200,
            ),
        ),
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
        ("listApiDocuments", row(format!("/v1/apis/{api}/documents"), None, 200)),
        ("getApiDocumentNumbered", row(format!("/v1/apis/{api}/documents/1"), None, 200)),
        ("getApiDocumentChanges", row(format!("/v1/apis/{api}/documents/1/changes?from=1"), None, 200)),
        ("rollbackApiDocument", row(format!("/v1/apis/{api}/rollback"), Some(json!({ "number": 1 })), 200)),
        ("listApiRoutes", row(format!("/v1/apis/{api}/routes"), None, 200)),
        ("listProducts", row("/v1/products", None, 200)),
        ("createProduct", row("/v1/products", Some(json!({ "slug": "new", "name": "N" })), 201)),
        (
            "putProductGuests",
            row(format!("/v1/products/{product}/guests"), Some(json!({ "plan_id": plan_id })), 200),
        ),
        ("getProductGuests", row(format!("/v1/products/{product}/guests"), None, 200)),
        ("deleteProductGuests", row(format!("/v1/products/{product}/guests"), None, 204)),
        ("listOperatorInvitations", row("/v1/operator-invitations", None, 200)),
        (
            "createOperatorInvitation",
            row(
                "/v1/operator-invitations",
                Some(json!({ "email": "new@example.com", "role": "auditor" })),
                202,
            ),
        ),
        ("deleteOperatorInvitation", row(format!("/v1/operator-invitations/{INVITATION}"), None, 404)),
        ("getProductAudience", row(format!("/v1/products/{product}/audience"), None, 200)),
        (
            "putProductAudience",
            row(format!("/v1/products/{product}/audience"), Some(json!({ "organization_ids": [] })), 200),
        ),
        ("getProduct", row(format!("/v1/products/{product}"), None, 200)),
        ("putProduct", row("/v1/products/put", Some(json!({ "slug": "put", "name": "N" })), 201)),
        ("updateProduct", row(format!("/v1/products/{product}"), Some(json!({ "name": "N" })), 200)),
        ("deleteProduct", row(format!("/v1/products/{product}"), None, 409)),
        ("listPlans", row("/v1/plans", None, 200)),
        ("getPolicies", row("/v1/policies", None, 200)),
        ("putPolicies", row("/v1/policies", Some(json!({ "body_bytes_max": 1 << 20 })), 200)),
        ("getPortal", row("/v1/portal", None, 200)),
        ("putPortal", row("/v1/portal", Some(json!({ "name": "N" })), 200)),
        ("listIncidents", row("/v1/incidents", None, 200)),
        (
            "createIncident",
            row(
                "/v1/incidents",
                Some(json!({ "title": "N", "trouble": "down", "began_at": "2026-11-21T09:30:00Z" })),
                201,
            ),
        ),
        ("getIncident", row(format!("/v1/incidents/{INCIDENT}"), None, 404)),
        ("updateIncident", row(format!("/v1/incidents/{INCIDENT}"), Some(json!({ "title": "N" })), 404)),
        ("deleteIncident", row(format!("/v1/incidents/{INCIDENT}"), None, 404)),
        ("listPages", row("/v1/pages", None, 200)),
        ("putPage", row("/v1/pages/put", Some(json!({ "slug": "put", "title": "N" })), 201)),
        // By then nobody has made it.
        ("getPage", row("/v1/pages/none", None, 404)),
        ("deletePage", row("/v1/pages/none", None, 404)),
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
        (
            "moveSubscription",
            row(format!("/v1/subscriptions/{subscription}/move"), Some(json!({ "end": true })), 200),
        ),
        ("keepSubscription", row(format!("/v1/subscriptions/{subscription}/move"), None, 204)),
        // By then it is suspended.
        ("pauseSubscription", row(format!("/v1/subscriptions/{subscription}/pause"), None, 409)),
        ("resumeSubscription", row(format!("/v1/subscriptions/{subscription}/resume"), None, 200)),
        ("listProofs", row("/v1/proofs", None, 200)),
        (
            "replayOrganizationMonth",
            row(format!("/v1/organizations/{organization}/replay?plan_id={plan_id}"), None, 200),
        ),
        ("listSubscriptionLimits", row(format!("/v1/subscriptions/{subscription}/limits"), None, 200)),
        (
            "putSubscriptionLimit",
            row(format!("/v1/subscriptions/{subscription}/limits/month"), Some(json!({ "amount": 7 })), 200),
        ),
        ("deleteSubscriptionLimit", row(format!("/v1/subscriptions/{subscription}/limits/month"), None, 204)),
        ("getOrganizationTimeZone", row(format!("/v1/organizations/{organization}/time-zone"), None, 200)),
        (
            "putOrganizationTimeZone",
            row(
                format!("/v1/organizations/{organization}/time-zone"),
                Some(json!({ "time_zone": "Europe/Berlin" })),
                200,
            ),
        ),
        (
            "putSpendCap",
            row(
                format!("/v1/subscriptions/{subscription}/spend-cap"),
                Some(json!({ "amount_minor": 5000, "landing": "block" })),
                200,
            ),
        ),
        ("getSpendCap", row(format!("/v1/subscriptions/{subscription}/spend-cap"), None, 200)),
        ("deleteSpendCap", row(format!("/v1/subscriptions/{subscription}/spend-cap"), None, 204)),
        (
            "grantCredits",
            row(
                format!("/v1/organizations/{organization}/credits"),
                Some(json!({ "amount_minor": 5000, "currency": "EUR" })),
                200,
            ),
        ),
        ("getCredits", row(format!("/v1/organizations/{organization}/credits"), None, 200)),
        (
            "refundCredits",
            row(
                format!("/v1/organizations/{organization}/credits/refund"),
                Some(json!({ "amount_minor": 10, "currency": "EUR" })),
                200,
            ),
        ),
        ("getPlanPrepaid", row(format!("/v1/plans/{plan_id}/prepaid"), None, 200)),
        (
            "putPlanPrepaid",
            row(format!("/v1/plans/{plan_id}/prepaid"), Some(json!({ "prepaid": false })), 200),
        ),
        ("endSubscription", row(format!("/v1/subscriptions/{subscription}"), None, 204)),
        ("listKeys", row("/v1/keys", None, 200)),
        ("createKey", row("/v1/keys", Some(json!({ "application_id": application, "name": "N" })), 201)),
        (
            "importKey",
            row(
                "/v1/keys/import",
                Some(json!({ "application_id": application, "name": "N", "sha256": "ab".repeat(32) })),
                201,
            ),
        ),
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
        ("getRequest", row("/v1/requests/none", None, 404)),
        ("explainCall", row(format!("/v1/explain?key={key}&path=/countries/de"), None, 200)),
        ("listTokens", row("/v1/tokens", None, 200)),
        ("createToken", row("/v1/tokens", Some(json!({ "name": "N", "role": "auditor" })), 201)),
        ("getToken", row(format!("/v1/tokens/{token}"), None, 200)),
        ("revokeToken", row(format!("/v1/tokens/{token}"), None, 204)),
        ("listUsers", row("/v1/users", None, 200)),
        ("getUser", row(format!("/v1/users/{user}"), None, 200)),
        ("updateUser", row(format!("/v1/users/{user}"), Some(json!({ "disabled": false })), 200)),
        ("putUserRole", row(format!("/v1/users/{user}/role"), Some(json!({ "role": "support" })), 200)),
        ("deleteUserRole", row(format!("/v1/users/{user}/role"), None, 204)),
        ("getAuditHead", row("/v1/audit/head", None, 200)),
        ("getUsage", row("/v1/usage", None, 200)),
        ("getPlanPricing", row(format!("/v1/plans/{plan_id}/pricing"), None, 200)),
        ("listPlanTariffs", row(format!("/v1/plans/{plan_id}/tariffs"), None, 200)),
        ("putPlanPricing", row(format!("/v1/plans/{plan_id}/pricing"), Some(json!({ "meters": [] })), 200)),
        ("getOrganizationStatement", row(format!("/v1/organizations/{organization}/statement"), None, 200)),
        ("listInvoices", row("/v1/invoices", None, 200)),
        // There is none before a month is over.
        ("getInvoice", row(format!("/v1/invoices/{INVOICE}"), None, 404)),
        ("listInvoiceDays", row(format!("/v1/invoices/{INVOICE}/days"), None, 404)),
        ("payInvoice", row(format!("/v1/invoices/{INVOICE}/pay"), None, 404)),
        ("voidInvoice", row(format!("/v1/invoices/{INVOICE}/void"), None, 404)),
        ("listInvoicePayments", row(format!("/v1/invoices/{INVOICE}/payments"), None, 404)),
        ("refundInvoice", row(format!("/v1/invoices/{INVOICE}/refund"), Some(returned()), 404)),
        ("creditInvoice", row(format!("/v1/invoices/{INVOICE}/credit"), Some(returned()), 404)),
        ("retryInvoicePayment", row(format!("/v1/invoices/{INVOICE}/payments/{PAYMENT}/retry"), None, 404)),
        (
            "withdrawInvoicePayment",
            row(format!("/v1/invoices/{INVOICE}/payments/{PAYMENT}/withdraw"), None, 404),
        ),
        ("getJournal", row("/v1/journal?month=2026-11&format=csv", None, 200)),
        ("getPlanLatePayers", row(format!("/v1/plans/{plan_id}/late-payers"), None, 200)),
        (
            "putPlanLatePayers",
            row(format!("/v1/plans/{plan_id}/late-payers"), Some(json!({ "landing": "throttle" })), 200),
        ),
        ("getPlanShadow", row(format!("/v1/plans/{plan_id}/shadow"), None, 200)),
        ("getOrganizationCurrency", row(format!("/v1/organizations/{organization}/currency"), None, 200)),
        (
            "putOrganizationCurrency",
            row(
                format!("/v1/organizations/{organization}/currency"),
                Some(json!({ "currency": "EUR" })),
                200,
            ),
        ),
        ("getOrganizationGrace", row(format!("/v1/organizations/{organization}/grace"), None, 200)),
        (
            "putOrganizationGrace",
            row(format!("/v1/organizations/{organization}/grace"), Some(json!({ "grace_days": 7 })), 200),
        ),
        ("listWebhooks", row("/v1/webhooks", None, 200)),
        (
            "createWebhook",
            row(
                "/v1/webhooks",
                Some(json!({ "organization_id": organization, "url": "https://hooks.example.com" })),
                201,
            ),
        ),
        ("getWebhook", row(format!("/v1/webhooks/{webhook}"), None, 200)),
        ("updateWebhook", row(format!("/v1/webhooks/{webhook}"), Some(json!({ "description": "N" })), 200)),
        ("deleteWebhook", row(format!("/v1/webhooks/{webhook}"), None, 204)),
        ("rotateWebhookSecret", row(format!("/v1/webhooks/{webhook}/rotate"), None, 200)),
        ("testWebhook", row(format!("/v1/webhooks/{webhook}/test"), None, 200)),
        ("listWebhookDeliveries", row(format!("/v1/webhooks/{webhook}/deliveries"), None, 200)),
        ("getWebhookDelivery", row(format!("/v1/webhooks/{webhook}/deliveries/{EVENT}"), None, 404)),
        (
            "replayWebhookDelivery",
            row(format!("/v1/webhooks/{webhook}/deliveries/{EVENT}/replay"), None, 404),
        ),
        ("replayWebhookDeliveries", row(format!("/v1/webhooks/{webhook}/deliveries/replay"), None, 200)),
        ("listGateways", row("/v1/gateways", None, 200)),
        ("listAuditEntries", row("/v1/audit", None, 200)),
    ])
}

fn returned() -> Value {
    json!({ "amount_minor": 1, "note": "N" })
}

fn terms() -> Value {
    json!({ "name": "N", "price": { "minor": 0, "currency": "EUR", "per": "month" } })
}

async fn status_at(stage: &Stage, token: &str, method: &str, path: &str, row: &Row) -> u16 {
    let there = Row { path: path.to_owned(), body: row.body.clone(), good: row.good };
    status(stage, Some(token), method, &there).await
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

/// Who may do what, by the group of the operation: every caller, and whether it gets as far as the operation's own answer.
const CALLERS: [(&str, May); 9] = [
    ("admin", |_| true),
    ("publisher", |group| matches!(group, Group::Read | Group::Publish | Group::Subscriptions)),
    ("support", |group| group == Group::Read),
    ("finance", |group| matches!(group, Group::Read | Group::Bills)),
    ("auditor", |group| matches!(group, Group::Read | Group::Audit)),
    ("admin narrowed to read", |group| matches!(group, Group::Read | Group::Audit)),
    ("admin narrowed to publish", |group| group == Group::Publish),
    ("admin narrowed to tenants", |group| matches!(group, Group::Tenants | Group::Subscriptions)),
    ("admin narrowed to people", |group| group == Group::People),
];

type May = fn(Group) -> bool;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Read,
    Audit,
    Publish,
    Subscriptions,
    Tenants,
    People,
    /// What is owed and paid: for admins and finance whose token was not narrowed.
    Bills,
    /// What hands out more than a narrowed token has: for admins whose token was not narrowed.
    Whole,
    /// Whoever may write anything may send one; each write in it is asked for by itself.
    Batch,
}

fn group(method: &str, operation: &Value) -> Group {
    let id = operation["operationId"].as_str().unwrap();
    match (operation["tags"][0].as_str().unwrap(), method) {
        ("Audit", _) => Group::Audit,
        (_, "GET") => Group::Read,
        ("Batch", _) => Group::Batch,
        ("Invoices", _) => Group::Bills,
        _ if ["grantCredits", "refundCredits"].contains(&id) => Group::Bills,
        _ if [
            "createToken",
            "putUserRole",
            "createOperatorInvitation",
            "putAcmeAccount",
            "putProductGuests",
            "deleteProductGuests",
        ]
        .contains(&id) =>
        {
            Group::Whole
        }
        ("Services" | "Certificates" | "APIs" | "Products" | "Plans" | "Policies" | "Portal", _) => {
            Group::Publish
        }
        ("Subscriptions", _) if id != "createSubscription" => Group::Subscriptions,
        ("Organizations" | "Applications" | "Subscriptions" | "Keys" | "Webhooks", _) => Group::Tenants,
        ("Tokens" | "Users", _) => Group::People,
        (tag, _) => panic!("{tag} has no group: say here who may call its operations"),
    }
}

/// A token of each caller, in their order.
async fn tokens(stage: &Stage) -> Vec<String> {
    let mut tokens = Vec::new();
    for (name, _) in CALLERS {
        let (role, scope) =
            name.split_once(" narrowed to ").map_or((name, None), |(role, scope)| (role, Some(scope)));
        let mut body = json!({ "name": name, "role": role });
        if let Some(scope) = scope {
            body["scopes"] = json!([scope]);
        }
        let made = stage.post("/v1/tokens", body).await.expect(201);
        tokens.push(made.body["secret"].as_str().unwrap().to_owned());
    }
    tokens
}

#[tokio::test]
async fn every_operation_knows_who_may_call_it() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let callers = tokens(&stage).await;
    let spare = stage.post("/v1/tokens", json!({ "name": "spare", "role": "auditor" })).await.expect(201);
    let user = stage.user("ada@example.com").await;
    let webhook = json!({ "organization_id": world.organization, "url": "https://hooks.example.com/in" });
    let webhook = stage.post("/v1/webhooks", webhook).await.expect(201);
    let rows = rows(&world, spare.id(), &user, webhook.id());
    // Removals last: what they remove is needed before.
    let mut operations = operations();
    let order = |id: &str| match id {
        // What is asked for has to be set before.
        "putSpendCap" | "putProductGuests" => 0,
        "deleteSpendCap" | "deleteProductGuests" => 2,
        "deleteApplication" => 3,
        "deleteOrganization" => 4,
        "deleteWebhook" | "endSubscription" | "revokeKey" | "deleteUserRole" | "deleteCertificate" => 2,
        _ => 1,
    };
    operations.sort_by_key(|(.., operation)| order(operation["operationId"].as_str().unwrap_or_default()));
    assert_eq!(operations.len(), rows.len(), "rows without an operation");
    for (_, method, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let row = rows.get(id).unwrap_or_else(|| panic!("{id} has no row in this matrix"));
        let open = operation["security"] == json!([]);
        let mut got = vec![
            ("nobody", status(&stage, None, &method, row).await, if open { row.good } else { 401 }),
            (
                "garbage",
                status(&stage, Some("tgadm_live_x"), &method, row).await,
                if open { row.good } else { 401 },
            ),
            (
                "expired",
                status(&stage, Some(&stage.expired().await), &method, row).await,
                if open { row.good } else { 401 },
            ),
        ];
        // Those who may not come first: nothing of theirs happens. Of those who may, the last does it.
        let mut callers: Vec<_> = CALLERS.iter().zip(&callers).collect();
        let may = |may: &May| {
            open || match group(&method, &operation) {
                Group::Batch => Group::all_writes().into_iter().any(may),
                group => may(group),
            }
        };
        callers.sort_by_key(|((name, allowed), _)| (may(allowed), *name == "admin"));
        let mut done = false;
        for ((name, allowed), token) in callers {
            if !may(allowed) {
                got.push((name, status(&stage, Some(token), &method, row).await, 403));
            } else if method == "GET" || *name == "admin" {
                got.push((name, status(&stage, Some(token), &method, row).await, row.good));
                done = true;
            } else {
                // Tried only: it must not be in the way of the one who does it.
                let tried =
                    status_at(&stage, token, &method, &format!("{}?dry_run=true", row.path), row).await;
                let as_tried = if row.good < 300 { 200 } else { row.good };
                got.push((name, tried, as_tried));
            }
        }
        assert!(done);
        let documented = operation["responses"].as_object().unwrap();
        for (name, status, expected) in got {
            assert_eq!(status, expected, "{method} {} ({id}) by {name}", row.path);
            let told = documented.contains_key(&status.to_string()) || (status == 200 && row.good < 300);
            assert!(told, "{id} does not document {status}");
        }
    }
}

impl Group {
    fn all_writes() -> [Self; 5] {
        [Self::Publish, Self::Subscriptions, Self::Tenants, Self::People, Self::Bills]
    }
}
