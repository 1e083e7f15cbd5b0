//! The operators' pages: what they show, that they hold together, and who may not see them.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use tollgate_control::Actor;

use crate::site::{Browser, PASSWORD, Page, Site};

const PAGES: [&str; 28] = [
    "/admin/revenue",
    "/admin/webhooks",
    "/admin",
    "/admin/traffic",
    "/admin/gateways",
    "/admin/proofs",
    "/admin/apis",
    "/admin/apis/countries",
    "/admin/apis/countries/routes",
    "/admin/apis/countries/document",
    "/admin/apis/countries/life",
    "/admin/apis/countries/settings",
    "/admin/services",
    "/admin/services/countries",
    "/admin/certificates",
    "/admin/products",
    "/admin/products/countries",
    "/admin/products/countries/audience",
    "/admin/products/countries/settings",
    "/admin/approvals",
    "/admin/organizations",
    "/admin/developers",
    "/admin/applications",
    "/admin/keys",
    "/admin/subscriptions",
    "/admin/audit",
    "/admin/setup",
    "/admin/find",
];
const NEW: [&str; 7] = [
    "/admin/webhooks/new",
    "/admin/new/api",
    "/admin/new/service",
    "/admin/new/product",
    "/admin/new/plan?product=countries",
    "/admin/new/certificate",
    "/admin/certificate-authority",
];

/// What stands in an attribute, wherever it occurs.
fn values<'h>(html: &'h str, attribute: &str) -> Vec<&'h str> {
    html.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The rules that hold for every page.
fn assert_house_rules(path: &str, page: &Page) {
    let html = &page.text;
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one h1 names the page");
    for attribute in ["style", "onclick", "onload", "onsubmit", "onchange"] {
        assert!(values(html, attribute).is_empty(), "{path}: {attribute} breaks the policy");
    }
    let ids = values(html, "id");
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "{path}: ids are unique in {ids:?}");
    let described = values(html, "aria-describedby").into_iter().flat_map(str::split_whitespace);
    let named = [values(html, "aria-labelledby"), values(html, "data-copy"), values(html, "for")].concat();
    for target in named.into_iter().chain(described) {
        assert!(distinct.contains(target), "{path}: nothing has the id {target}");
    }
}

/// Opens every page of the operators that links lead to, from the overview on.
async fn walk(admin: &mut Browser<'_>) -> BTreeSet<String> {
    let mut met: Vec<String> = vec!["/admin".into()];
    let mut at = 0;
    while let Some(path) = met.get(at).cloned() {
        at += 1;
        let page = admin.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        let media = page.headers["content-type"].to_str().expect("a media type");
        if !media.starts_with("text/html") {
            continue;
        }
        assert_house_rules(&path, &page);
        for href in values(&page.text, "href") {
            let href = href.replace("&#38;", "&").replace("&amp;", "&");
            let place = href.split('#').next().unwrap_or_default();
            // One order of a list stands for all of them, and the overview for the whole reference.
            let other_order =
                ["sort=", "range=", "by=", "reference?"].iter().any(|part| place.contains(part));
            if place.starts_with("/admin") && !other_order && !met.iter().any(|known| known == place) {
                met.push(place.to_owned());
            }
        }
    }
    met.into_iter().collect()
}

#[tokio::test]
async fn every_page_that_a_link_leads_to_is_there_and_keeps_the_house_rules() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let met = walk(&mut admin).await;
    for path in PAGES.iter().chain(&NEW) {
        assert!(met.contains(*path), "no link leads to {path}");
    }
    for kind in [
        "organizations/org_",
        "developers/usr_",
        "applications/app_",
        "keys/key_",
        "subscriptions/sub_",
        "audit/",
    ] {
        assert!(met.iter().any(|path| path.starts_with(&format!("/admin/{kind}"))), "{kind} in {met:?}");
    }
}

#[tokio::test]
async fn nobody_else_learns_that_there_are_admin_pages() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    let mut visitor = site.browser();
    for path in PAGES.iter().chain(&NEW) {
        let page = developer.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        let away = visitor.get(path).await;
        assert!(away.location().starts_with("/signin?next=/admin"), "{path}");
    }
    for path in [
        "/admin/new/service",
        "/admin/new/api",
        "/admin/new/product",
        "/admin/new/plan",
        "/admin/services/countries",
        "/admin/services/countries/test",
        "/admin/services/countries/delete",
        "/admin/apis/countries/settings",
        "/admin/apis/countries/document",
        "/admin/apis/countries/delete",
        "/admin/products/countries/settings",
        "/admin/products/countries/delete",
        "/admin/products/countries/plans/free/move",
        "/admin/products/countries/plans/free",
        "/admin/products/countries/plans/free/delete",
        "/admin/keys/find",
        "/admin/find",
    ] {
        let fields = [("name", "planted"), ("confirm", "countries"), ("publish", "yes"), ("version", "1")];
        assert_eq!(developer.post(path, &fields).await.status, StatusCode::NOT_FOUND, "{path}");
        assert!(visitor.post(path, &fields).await.location().starts_with("/signin"), "{path}");
    }
    let changed =
        site.database.count("select count(*) from services where slug = $1 and version = 1", "countries");
    assert_eq!(changed.await, 1, "nothing was changed or deleted");
}

#[tokio::test]
async fn lists_that_lie_whole_are_searched_sorted_and_exported_each_by_itself() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("root@example.com").await;
    for name in ["ada", "bob", "cleo", "dora", "emil", "fritz"] {
        let email = format!("{name}@example.com");
        admin.post("/admin/operators", &[("email", &email), ("role", "support")]).await;
    }
    site.work().await;
    let page = admin.get("/admin/operators?list=invitations&sort=-address").await;
    let at = |text: &str| page.text.find(text).unwrap_or_else(|| panic!("no {text}: {}", page.text));
    assert!(
        at("fritz@example.com") < at("ada@example.com") && page.text.contains("aria-sort=\"descending\"")
    );
    let found = admin.get("/admin/operators?list=invitations&q=cleo").await;
    assert!(found.text.contains("cleo@") && !found.text.contains("dora@"), "{}", found.text);
    assert!(found.text.contains("root@example.com"), "the other list of the page is as it was");
    let file = admin.get("/admin/operators?list=invitations&q=o&sort=address&format=csv").await;
    let lines: Vec<&str> = file.text.lines().map(|line| line.split('@').next().unwrap_or_default()).collect();
    assert!(lines.starts_with(&["Address,Role,Until", "ada", "bob"]), "{}", file.text);
    let none = admin.get("/admin/operators?list=invitations&q=zebra").await;
    assert!(none.text.contains("zebra") && none.text.contains("Show all"), "{}", none.text);
}

#[tokio::test]
async fn an_auditor_sees_everything_and_changes_nothing() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    site.run("update operators set role = 'auditor'").await;
    let met = walk(&mut admin).await;
    assert!(met.len() > PAGES.len(), "{met:?}");
    assert!(
        !met.iter().any(|path| path.contains("/new/") || path.ends_with("/delete")),
        "no button to change: {met:?}"
    );
    for path in NEW {
        let page = admin.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.text.contains("Changing this takes the role admin"), "{path}: {}", page.text);
    }
    let refused = admin.post("/admin/services/countries/delete", &[("confirm", "countries")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_publisher_is_shown_the_buttons_of_a_publisher() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut publisher = site.browser();
    publisher.become_admin("ops@example.com").await;
    site.run("update operators set role = 'publisher'").await;
    let met = walk(&mut publisher).await;
    for path in ["/admin/new/service", "/admin/new/api", "/admin/new/product", "/admin/apis/countries/delete"]
    {
        assert!(met.contains(path), "no link leads to {path}");
    }
    for page in ["/admin/services/countries/delete", "/admin/apis/countries/settings"] {
        assert_eq!(publisher.get(page).await.status, StatusCode::OK, "{page}");
    }
    let suspend = publisher.post("/admin/organizations/org_00000000000000000000000000/suspend", &[]).await;
    assert_eq!(suspend.status, StatusCode::FORBIDDEN, "people are not a publisher's");
    let subscription =
        met.iter().find(|path| path.starts_with("/admin/subscriptions/sub_") && !path.ends_with("limits"));
    let page = publisher.get(subscription.expect("one is listed")).await;
    assert!(page.text.contains("Suspend the subscription"), "{}", page.text);
}

#[tokio::test]
async fn a_plan_whose_limits_cannot_be_read_takes_no_page_down() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    site.run(
        r#"update plans set limits = limits || '[{"name": "x", "kind": "of tomorrow"}]' where slug = 'free'"#,
    )
    .await;
    walk(&mut admin).await;
    let page = admin.get("/admin/products/countries/plans/free").await;
    assert!(page.text.contains("A limit of this plan cannot be read"), "{}", page.text);
    for path in ["/products/countries", "/limits", "/applications", "/usage"] {
        assert_eq!(maria.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_setup_link_works_once() {
    let site = Site::open().await;
    let token = site.control.create_setup_token(&Actor::system()).await.expect("a link");
    let path = format!("/setup/{}", token.reveal());
    let mut browser = site.browser();
    let weak = browser.post(&path, &[("email", "ops@example.com"), ("password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("email", "ops@example.com"), ("password", PASSWORD)];
    assert_eq!(browser.post(&path, &fields).await.status, StatusCode::SEE_OTHER);
    let mut other = site.browser();
    assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.post(&path, &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.get("/setup/guessed").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_admin_suspends_an_application_and_revokes_its_key() {
    let site = Site::open().await;
    let mut developer = site.browser();
    let key = developer.sign_up("maria@example.com").await.between("id=\"new-key\">", "<").to_owned();
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let list = admin.get("/admin/applications?q=first").await;
    let path = format!("/admin/applications/app_{}", list.between("/admin/applications/app_", "\""));
    assert!(admin.get(&path).await.text.contains("Suspend application"));

    let suspended = developer.post(&format!("{path}/state"), &[("state", "suspended")]).await;
    assert_eq!(suspended.status, StatusCode::NOT_FOUND, "a developer may not");
    admin.post(&format!("{path}/state"), &[("state", "suspended")]).await;
    assert!(admin.get(&path).await.text.contains("Lift suspension"));
    let own = path.trim_start_matches("/admin").to_owned();
    assert!(developer.get(&own).await.text.contains("This application is suspended"));

    let page = admin.get(&path).await;
    let revoke = format!("{path}/keys/{}", page.between(&format!("{path}/keys/"), "\""));
    assert_eq!(admin.get(&revoke).await.status, StatusCode::OK);
    assert_eq!(admin.post(&revoke, &[]).await.location(), path);
    assert!(site.control.find_active_key(&key).await.expect("a look-up").is_none());
}
