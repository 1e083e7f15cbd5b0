//! What operators read: the handbook, and the mails as they are written.

use axum::http::StatusCode;

use crate::site::Site;

#[tokio::test]
async fn every_resource_has_a_page_and_guides_lead_to_it() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let list = admin.get("/admin/handbook").await.text;
    for page in [
        "services",
        "certificates",
        "apis",
        "products",
        "plans",
        "organizations",
        "applications",
        "keys",
        "subscriptions",
        "invoices",
        "webhooks",
        "portal",
        "gateways",
        "operators",
        "audit-log",
        "api-design",
        "files",
    ] {
        let path = format!("/admin/handbook/{page}");
        assert!(list.contains(&format!("href=\"{path}\"")), "{path}: {list}");
        assert_eq!(admin.get(&path).await.status, StatusCode::OK, "{path}");
    }
    for guide in ["publish-your-first-api", "run-it-from-git", "change-a-plan"] {
        assert!(list.contains(&format!("href=\"/admin/handbook/guides/{guide}\"")), "{guide}: {list}");
    }
    let links = |text: &str| -> std::collections::BTreeSet<String> {
        let targets = text.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
        let ours = targets.filter(|to| to.starts_with("/guides/") || to.starts_with("/admin/handbook/"));
        ours.map(str::to_owned).collect()
    };
    let mut asked = std::collections::BTreeSet::new();
    for page in links(&list) {
        let text = admin.get(&page).await.text;
        for link in links(&text) {
            if asked.insert(link.clone()) {
                assert_eq!(admin.get(&link).await.status, StatusCode::OK, "{link} on {page}");
            }
        }
    }
    let guide = admin.get("/admin/handbook/guides/run-it-from-git").await.text;
    assert!(guide.contains("href=\"/admin/handbook/files\""), "{guide}");
    let public = admin.get("/guides/run-it-from-git").await.text;
    assert!(!public.contains("/admin/handbook"), "developers are led nowhere: {public}");
    assert_eq!(admin.get("/admin/handbook/no-such-page").await.status, StatusCode::NOT_FOUND);
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    assert_eq!(maria.get("/admin/handbook").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn mails_are_seen_before_they_are_sent_under_the_portals_name() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    admin.post("/admin/portal", &[("name", "Weather Co"), ("theme", "auto"), ("version", "0")]).await;
    let list = admin.get("/admin/mails?q=Rechnung").await.text;
    assert!(list.contains("/admin/mails/letter?name=invoice-ready-de"), "{list}");
    let shown = admin.get("/admin/mails/letter?name=invoice-ready-en").await.text;
    assert!(shown.contains("As plain text") && shown.contains("INV-"), "{shown}");
    let mail = admin.post("/admin/mails/letter", &[("name", "verify-email-en")]).await;
    assert!(mail.text.starts_with("<!doctype html>") && mail.text.contains("Weather Co"), "{}", mail.text);
    let policy = mail.headers["content-security-policy"].to_str().expect("a policy");
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(admin.get("/admin/mails/letter?name=no-such-mail").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_admin_api_is_read_like_any_other() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    assert!(admin.get("/admin/handbook").await.text.contains("href=\"/admin/reference\""));
    let overview = admin.get("/admin/reference").await.text;
    assert!(overview.contains("href=\"/admin/reference?operation=updatePlan\""), "{overview}");
    let operation = admin.get("/admin/reference?operation=updatePlan").await.text;
    assert!(!operation.contains("X-API-Key"), "it takes no key: {operation}");
    for text in ["/v1/plans/{plan}", "If-Match", "412", "Authorization: Bearer YOUR_TOKEN"] {
        assert!(operation.contains(text), "{text}: {operation}");
    }
    let schema = admin.get("/admin/reference?schema=Plan").await;
    assert!(schema.text.contains("approval"), "{}", schema.text);
    assert_eq!(admin.get("/admin/reference?schemas=all").await.status, StatusCode::OK);
    assert_eq!(admin.get("/admin/reference?operation=noSuchThing").await.status, StatusCode::NOT_FOUND);
    let file = admin.get("/admin/reference/openapi.json").await;
    assert!(file.text.contains("\"openapi\": \"3.1"), "{}", file.text);
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    assert_eq!(maria.get("/admin/reference").await.status, StatusCode::NOT_FOUND);
}
