//! The operators' pages, and who may not see them.

use axum::http::StatusCode;
use tollgate_control::Actor;

use crate::site::{PASSWORD, Site};

const PAGES: [&str; 6] = [
    "/admin",
    "/admin/traffic",
    "/admin/apis",
    "/admin/apis/countries",
    "/admin/products",
    "/admin/developers",
];

#[tokio::test]
async fn the_one_time_link_makes_an_admin_who_sees_the_platform() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    for path in PAGES {
        assert_eq!(admin.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert!(admin.get("/admin/apis/countries").await.text.contains("http://127.0.0.1:9"));
    assert!(admin.get("/admin/developers").await.text.contains("maria@example.com"));
    assert!(admin.get("/admin/developers?q=nobody%40").await.text.contains("Nothing matches"));
    assert!(admin.get("/admin/products").await.text.contains("29.00 EUR per month"));
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
async fn nobody_else_sees_the_admin_pages() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    let mut visitor = site.browser();
    for path in PAGES {
        assert_eq!(developer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        let away = visitor.get(path).await;
        assert!(away.location().starts_with("/signin?next=/admin"), "{path}");
    }
}

#[tokio::test]
async fn an_admin_suspends_an_application_and_revokes_its_key() {
    let site = Site::open().await;
    let mut developer = site.browser();
    let key = developer.sign_up("maria@example.com").await.between("id=\"new-key\">", "<").to_owned();
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let list = admin.get("/admin/developers?q=maria").await;
    let path = format!("/admin/applications/app_{}", list.between("/admin/applications/app_", "\""));
    assert!(admin.get(&path).await.text.contains("Suspend application"));

    let suspended = developer.post(&format!("{path}/state"), &[("state", "suspended")]).await;
    assert_eq!(suspended.status, StatusCode::FORBIDDEN, "a developer may not");
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
