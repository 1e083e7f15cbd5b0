//! Calls are tried through the portal: as oneself, as a guest, and not beyond what either may.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::http::StatusCode;
use tollgate_control::Actor;
use tollgate_testkit::Upstream;

use crate::site::{Browser, Site};

const TRY: &str = "/products/countries/apis/countries/operations/op1/try";
const POST: &str = "/products/countries/apis/countries/operations/op3/try";

async fn open_to_guests(site: &Site) {
    let product = site.control.store().find_product_by_slug("countries").await.unwrap().unwrap();
    let plans =
        site.control.store().list_plans(Some(product.id), tollgate_store::Page::FIRST_500).await.unwrap();
    site.control.open_to_guests(&Actor::system(), product.id, plans[0].id).await.unwrap();
    // Twice is once.
    site.control.open_to_guests(&Actor::system(), product.id, plans[0].id).await.unwrap();
}

async fn try_with(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> crate::site::Page {
    browser.post_parts(path, fields).await
}

#[tokio::test]
async fn a_guest_runs_the_example_of_the_home_page() {
    let gateway = Upstream::answering(StatusCode::OK, "{\"items\":[\"<b>\"]}").await;
    let site = Site::open_before(false, &gateway.url()).await;
    let mut guest = site.browser();
    assert!(!guest.get("/").await.text.contains("data-try"), "closed to guests until somebody opens it");
    let closed = guest.get(TRY).await;
    assert!(
        closed.text.contains("Get a key") && !closed.text.contains("type=\"submit\">"),
        "{}",
        closed.text
    );

    open_to_guests(&site).await;
    let home = guest.get("/").await;
    let action = home.between("<form class=\"row\" method=\"post\" action=\"", "\"").to_owned();
    assert_eq!(action, TRY);
    let page = try_with(&mut guest, &action, &[("in.query.limit", "1")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(page.text.contains(">200<") && page.text.contains("&lt;b&gt;"), "{}", page.text);
    let sent = &gateway.requests()[0];
    assert_eq!(sent.uri.to_string(), "/countries/v1/countries?limit=1");
    let grant = sent.headers["x-api-key"].to_str().unwrap().to_owned();
    assert!(grant.starts_with("tgrelay_") && !page.text.contains(&grant), "the grant stays with the portal");

    let refused = try_with(&mut guest, POST, &[("body", "{}")]).await;
    assert_eq!((refused.status, gateway.requests().len()), (StatusCode::SEE_OTHER, 1), "guests only read");
}

#[tokio::test]
async fn guests_of_one_network_have_only_so_many_calls() {
    let gateway = Upstream::answering(StatusCode::OK, "{}").await;
    let site = Site::open_before(false, &gateway.url()).await;
    open_to_guests(&site).await;
    let mut guest = site.browser();
    for _ in 0..30 {
        let page = try_with(&mut guest, TRY, &[("in.query.limit", "1")]).await;
        assert!(page.text.contains(">200<"));
    }
    let page = try_with(&mut guest, TRY, &[("in.query.limit", "1")]).await;
    assert!(
        page.text.contains("Guests have used up their calls") && page.text.contains("/signup"),
        "{}",
        page.text
    );
    assert_eq!(gateway.requests().len(), 30);
}

#[tokio::test]
async fn a_member_calls_as_their_own_key_and_only_that() {
    let gateway = Upstream::answering(StatusCode::FORBIDDEN, "{\"code\":\"not_entitled\"}").await;
    let site = Site::open_before(false, &gateway.url()).await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let form = maria.get(&format!("{POST}?body=%7B%22code%22%3A%22NO%22%7D")).await;
    assert!(
        form.text.contains("&#34;code&#34;:&#34;NO&#34;"),
        "a call to repeat is filled in: {}",
        form.text
    );
    let key = form.between("<option value=\"key_", "\"").to_owned();
    let key = format!("key_{key}");
    let page = try_with(&mut maria, POST, &[("key", &key), ("body", "{\"code\": \"SE\"}")]).await;
    assert!(page.text.contains(">403<"), "{}", page.text);
    let sent = &gateway.requests()[0];
    assert_eq!(
        (sent.method.as_str(), sent.headers["content-type"].to_str().unwrap()),
        ("POST", "application/json")
    );
    assert_eq!(&sent.body[..], b"{\"code\": \"SE\"}");

    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    let page = try_with(&mut eve, POST, &[("key", &key), ("body", "{}")]).await;
    assert_eq!((page.status, gateway.requests().len()), (StatusCode::NOT_FOUND, 1), "somebody else's key");

    let page = try_with(&mut maria, TRY, &[("key", &key)]).await;
    assert!(page.text.contains("limit is needed"), "{}", page.text);
    assert_eq!(gateway.requests().len(), 1, "nothing was sent");
    let large = "x".repeat(1_200_000);
    let page = try_with(&mut maria, POST, &[("key", &key), ("body", &large)]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_gateway_that_is_away_is_told_as_what_it_is() {
    let site = Site::open().await;
    open_to_guests(&site).await;
    let page = try_with(&mut site.browser(), TRY, &[("in.query.limit", "1")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("The gateway cannot be reached"), "{}", page.text);
}

#[tokio::test]
async fn closing_to_guests_revokes_their_key() {
    let site = Site::open().await;
    open_to_guests(&site).await;
    let store = site.control.store();
    let product = store.find_product_by_slug("countries").await.unwrap().unwrap();
    let guest = store.find_guest(product.id).await.unwrap().unwrap();
    site.control.close_to_guests(&Actor::system(), product.id).await.unwrap();
    site.control.close_to_guests(&Actor::system(), product.id).await.unwrap();
    assert!(store.find_guest(product.id).await.unwrap().is_none());
    let key = store.get_credential(tollgate_domain::Scope::Operator, guest.credential_id).await.unwrap();
    assert!(key.revoked_at.is_some());
    let page = try_with(&mut site.browser(), TRY, &[("in.query.limit", "1")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}
