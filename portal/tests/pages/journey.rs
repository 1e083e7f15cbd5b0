//! The newcomer's way: home, product, sign-up, key, usage.

use axum::http::{StatusCode, header};
use chrono::Utc;
use tollgate_domain::{CredentialId, Outcome, Scope, UsageCount, UsageKey};
use tollgate_store::Page as Rows;

use crate::site::{Browser, PASSWORD, Site};

#[tokio::test]
async fn a_visitor_reads_everything_about_a_product() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let home = browser.get("/").await;
    assert_eq!(home.status, StatusCode::OK);
    assert!(home.text.contains("href=\"/products/countries\"") && home.text.contains("YOUR_KEY"));
    assert!(home.text.contains("Every country, &#60;b&#62;with"), "a summary is text");

    let product = browser.get("/products/countries").await;
    assert!(product.text.contains("29.00 EUR") && product.text.contains("Not yet available"));
    assert!(product.text.contains("1,000 calls per month") && !product.text.contains("<script>alert"));
    let operation = browser.get("/products/countries/apis/countries/operations/op1").await;
    assert!(operation.text.contains("Pages through <strong>all</strong> countries"));
    assert!(operation.text.contains("http://127.0.0.1:8080/countries/v1/countries?limit=2"));

    let document = browser.get("/products/countries/apis/countries/openapi.json").await;
    assert!(
        document.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("countries.openapi.json")
    );
    let value: serde_json::Value = serde_json::from_str(&document.text).expect("JSON");
    assert_eq!(value["openapi"], "3.1.0");
    for nowhere in ["/products/none", "/products/countries/apis/none/openapi.json", "/nowhere"] {
        assert_eq!(browser.get(nowhere).await.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
}

#[tokio::test]
async fn signing_up_gives_a_sandbox_key_and_a_call_that_carries_it() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let form = browser.get("/signup?product=countries").await;
    assert!(form.text.contains("15 to 128 characters"), "rules are said before typing");

    let page = browser.sign_up("maria@example.com").await;
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let key = page.between("id=\"new-key\">", "<").to_owned();
    assert!(key.starts_with("tg_test_"), "{key}");
    assert_eq!(page.text.matches(&key).count(), 2, "once alone, once in the command");
    assert!(site.control.find_active_key(&key).await.expect("a look-up").is_some());

    let again = browser.get("/get-started").await;
    assert_eq!(again.text.matches(&key).count(), 1, "in the command, as in every sample");
    assert_eq!(again.headers[header::CACHE_CONTROL], "no-store");
    assert!(again.text.contains(&key[key.len() - 4..]), "prefix and last four remain");
    let kept = site
        .database
        .count("select count(*) from sessions where encode(payload, 'escape') like '%' || $1 || '%'", &key);
    assert_eq!(kept.await, 0, "the key is nowhere in the database");
}

#[tokio::test]
async fn usage_shows_the_first_call_as_soon_as_it_is_counted() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    let waiting = browser.get("/usage").await;
    assert!(waiting.text.contains("No calls yet") && waiting.text.contains("data-watch=\"/usage\""));
    assert!(browser.get("/get-started/first-call").await.text.contains("waiting for it"));

    count_a_call(&site).await;
    let usage = browser.get("/usage").await;
    assert!(usage.text.contains("Your first call arrived") && !usage.text.contains("data-watch"));
    assert!(usage.text.contains("/countries/v1/countries") && usage.text.contains("999"), "quota left");
    let ticked = browser.get("/get-started/first-call").await;
    assert!(ticked.text.contains("answered 200") && !ticked.text.contains("data-watch"));
}

pub async fn count_a_call(site: &Site) {
    count_calls(site, 200, 1).await;
}

/// Calls of the first key, as a gateway counts them.
pub async fn count_calls(site: &Site, status: u16, calls: u32) {
    let store = site.control.store();
    let key = store.list_credentials(Scope::Operator, None, Rows::FIRST_500).await.expect("keys").remove(0);
    let subscription = store
        .list_subscriptions(Scope::Operator, None, Rows::FIRST_500)
        .await
        .expect("subscriptions")
        .remove(0);
    let api = store.find_api_by_slug("countries").await.expect("a look-up").expect("an API");
    let route = store.list_routes(api.id).await.expect("routes").remove(0);
    let minute = u32::try_from(Utc::now().timestamp() / 60).expect("a minute");
    let count = UsageCount {
        boot_id: uuid::Uuid::now_v7(),
        key: UsageKey {
            credential_id: key.id,
            subscription_id: subscription.id,
            route_id: route.id,
            status,
            outcome: Outcome::Served,
            minute,
        },
        calls: calls.into(),
        charged: calls.into(),
        units: calls.into(),
        readings: [0, 0],
        bytes_in: 0,
        bytes_out: 10,
        duration_us: 4_000,
    };
    store.record_usage(&[count]).await.expect("a count");
}

/// The application's page and the address of its first key.
async fn application(browser: &mut Browser<'_>) -> (String, String) {
    let list = browser.get("/applications").await;
    let path = format!("/applications/app_{}", list.between("/applications/app_", "\""));
    let page = browser.get(&path).await;
    let id = page.between(&format!("{path}/keys/"), "\"").to_owned();
    (path.clone(), format!("{path}/keys/{id}"))
}

#[tokio::test]
async fn case_156_keys_are_made_once_per_form_and_revoked_after_a_question() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    let (path, first_key) = application(&mut browser).await;
    let once = browser.get(&path).await.between("name=\"once\" value=\"", "\"").to_owned();
    let fields = [("name", "Nightly <import>"), ("once", once.as_str())];
    let made = browser.post(&format!("{path}/keys"), &fields).await;
    let double = browser.post(&format!("{path}/keys"), &fields).await;
    assert_eq!(made.location(), double.location(), "a double click makes one key");
    let page = browser.get(made.location()).await;
    assert!(page.text.contains("id=\"new-key\"") && page.text.contains("Nightly &#60;import&#62;"));
    assert!(!browser.get(made.location()).await.text.contains("id=\"new-key\""), "shown once");

    let once = browser.get(&path).await.between("name=\"once\" value=\"", "\"").to_owned();
    let fields = [("name", "Both at once"), ("once", once.as_str())];
    let mut second = site.browser();
    second.set_cookie("session", browser.cookie("session").expect("a session"));
    let keys = format!("{path}/keys");
    let (one, two) = tokio::join!(browser.post(&keys, &fields), second.post(&keys, &fields));
    assert_eq!(one.location(), two.location(), "{}", two.text);
    assert!(browser.get(one.location()).await.text.contains("id=\"new-key\""));
    let made = site.database.count("select count(*) from credentials where name <> $1", "First key").await;
    assert_eq!(made, 2);

    let refused = browser
        .post(&format!("{path}/keys"), &[("name", ""), ("once", &uuid::Uuid::now_v7().to_string())])
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("aria-invalid=\"true\""));

    let question = browser.get(&format!("{first_key}/revoke")).await;
    assert!(question.text.contains("Revoke First key?"));
    assert_eq!(browser.post(&format!("{first_key}/revoke"), &[]).await.location(), path);
    let after = browser.get(&path).await;
    assert!(after.text.contains("is revoked") && after.text.contains("Revoked"));
    let id: CredentialId = first_key.rsplit('/').next().unwrap_or_default().parse().expect("an id");
    let row = site.control.store().get_credential(Scope::Operator, id).await.expect("the key");
    assert!(row.revoked_at.is_some());
}

#[tokio::test]
async fn another_application_is_made_and_subscribed() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    let made = browser.post("/applications", &[("name", "Importer")]).await;
    let id = made.location().trim_start_matches("/applications/").to_owned();
    let product = browser.get("/products/countries").await;
    assert!(product.text.contains("Subscribe Importer"));
    let fields = [("plan", "free"), ("application", id.as_str())];
    assert_eq!(browser.post("/products/countries/subscribe", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        browser.post("/products/countries/subscribe", &fields).await.status,
        StatusCode::SEE_OTHER,
        "twice is once"
    );
    let page = browser.get(made.location()).await;
    assert_eq!(page.text.matches("data-th=\"Plan\"").count(), 1);
    let announced = [("plan", "pro"), ("application", id.as_str())];
    assert_eq!(
        browser.post("/products/countries/subscribe", &announced).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(browser.get("/products/countries").await.text.contains("is subscribed"));
}

#[tokio::test]
async fn somebody_with_an_account_signs_in_and_out() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut browser = site.browser();
    let away = browser.get("/usage?range=day").await;
    assert_eq!(away.location(), "/signin?next=/usage%3Frange%3Dday");
    let form = browser.get(away.location()).await;
    assert!(form.text.contains("value=\"/usage?range=day\""));
    let wrong = [("email", "maria@example.com"), ("password", "not this one at all"), ("next", "/usage")];
    let refused = browser.post("/signin", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("value=\"maria@example.com\"") && !refused.text.contains("not this one"));
    let right = [("email", "Maria@Example.com"), ("password", PASSWORD), ("next", "/usage?range=day")];
    assert_eq!(browser.post("/signin", &right).await.location(), "/usage?range=day");
    assert!(browser.get("/account").await.text.contains("maria@example.com"));
    let session = browser.cookie("session").expect("a session").to_owned();
    assert_eq!(browser.post("/signout", &[]).await.location(), "/");
    browser.set_cookie("session", &session);
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER, "the old id is worth nothing");
}

#[tokio::test]
async fn every_page_of_the_reference_has_a_markdown_twin_and_is_not_sent_twice() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let page = browser.get("/products/countries/apis/countries/operations/op1").await;
    assert_eq!(page.status, StatusCode::OK);
    let tag = page.headers["etag"].to_str().expect("text").to_owned();
    let request = |encoding: &str, tag: &str| {
        axum::http::Request::get("/products/countries/apis/countries/operations/op1")
            .header("host", "portal.test")
            .header("accept-encoding", encoding)
            .header("if-none-match", tag)
            .body(axum::body::Body::empty())
            .expect("a request")
    };
    let again = site.send(request("", &tag)).await;
    assert_eq!((again.status, again.text.len()), (StatusCode::NOT_MODIFIED, 0));
    for encoding in ["gzip", "br"] {
        let packed = site.send(request(encoding, "\"other\"")).await;
        assert_eq!(packed.headers["content-encoding"], encoding);
        assert!(packed.text.len() < page.text.len() / 2);
    }

    for (path, holds) in [
        ("/products/countries/apis/countries.md", "[GET /countries]"),
        ("/products/countries/apis/countries/operations/op1.md", "```sh\ncurl 'http://127.0.0.1:8080/"),
        ("/products/countries/apis/countries/schemas.md", "[Country]"),
        ("/products/countries/apis/countries/schemas/Country.md", "- `code` (string, required)"),
        ("/products/countries/apis/countries/webhooks/countryMoved.md", "A webhook"),
    ] {
        let twin = browser.get(path).await;
        assert_eq!(twin.headers["content-type"], "text/markdown; charset=utf-8", "{path}");
        assert!(twin.text.contains(holds), "{path}: {}", twin.text);
        assert!(!twin.text.contains("&lt;") && !twin.text.contains("<li>"), "{path}: {}", twin.text);
        assert_eq!(browser.get(path.trim_end_matches(".md")).await.status, StatusCode::OK, "{path}");
    }
    for path in ["operations/none", "schemas/none", "webhooks/none", "operations/none.md"] {
        let page = browser.get(&format!("/products/countries/apis/countries/{path}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    let told = browser.get("/llms.txt").await;
    assert!(told.text.contains("/products/countries/apis/countries.md)"), "{}", told.text);
    let catalog = browser.get("/.well-known/api-catalog").await;
    assert!(catalog.headers["content-type"].to_str().expect("text").starts_with("application/linkset+json"));
    assert!(catalog.text.contains("/products/countries/apis/countries/openapi.json"), "{}", catalog.text);
}

#[tokio::test]
async fn a_language_that_is_asked_for_is_remembered() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let path = "/products/countries/apis/countries/operations/op1";
    assert!(browser.get(path).await.text.contains("value=\"curl\" selected"));
    assert!(browser.get(&format!("{path}?lang=rust")).await.text.contains("value=\"rust\" selected"));
    assert!(browser.get(path).await.text.contains("value=\"rust\" selected"));
    assert!(browser.get(&format!("{path}?lang=klingon")).await.text.contains("value=\"rust\" selected"));
}

#[tokio::test]
async fn guides_changelog_search_and_status_can_be_read() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let guides = browser.get("/guides").await;
    assert!(guides.text.contains("href=\"/guides/first-call\""), "{}", guides.text);
    let guide = browser.get("/guides/limits").await;
    assert!(guide.text.contains("rel=\"prev\"") && guide.text.contains("rel=\"next\""), "{}", guide.text);
    assert!(guide.text.contains("<h2 id=\"read-what-is-left-0\">"), "{}", guide.text);
    let twin = browser.get("/guides/limits.md").await;
    assert!(twin.text.starts_with("# Limits and what is left of them\n\n"), "{}", twin.text);
    assert_eq!(browser.get("/guides/none").await.status, StatusCode::NOT_FOUND);

    let news = browser.get("/changelog").await;
    assert!(news.text.contains("type=\"application/atom+xml\""), "{}", news.text);
    let feed = browser.get("/changelog.atom").await;
    assert!(feed.text.contains("<feed xmlns=\"http://www.w3.org/2005/Atom\">"), "{}", feed.text);
    assert!(feed.text.contains("<id>http://portal.test/changelog#2026-11-21-"), "{}", feed.text);

    for (question, href) in [
        ("list countr", "/products/countries/apis/countries/operations/op1"),
        ("expired key", "/problems/expired_credential"),
        ("quota month", "/guides/limits"),
        ("Country", "/products/countries/apis/countries/schemas/Country"),
    ] {
        let page = browser.get(&format!("/search?q={}", question.replace(' ', "+"))).await;
        assert!(page.text.contains(&format!("href=\"{href}\"")), "{question}: {}", page.text);
    }
    let page = browser.get("/search?q=%3Czcript%3E").await;
    assert!(
        page.text.contains("Nothing has all these words") && !page.text.contains("<script>"),
        "{}",
        page.text
    );

    let status = browser.get("/status").await;
    assert!(status.text.contains("No calls in the last 15 minutes"), "{}", status.text);
}
