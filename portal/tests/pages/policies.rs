//! What all calls are held to: typed by admins, shown to those who may not write, named in the reference.

use axum::http::StatusCode;

use crate::admin_forms::{admin, hidden};
use crate::site::Site;

const PAGE: &str = "/admin/policies";

#[tokio::test]
async fn policies_of_all_calls_are_typed_in_lines_and_faults_name_theirs() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let version = hidden(&admin.get(PAGE).await, "version").to_owned();
    let fields = |rates: &'static str, networks: &'static str| {
        [("rates", rates), ("networks", networks), ("body_bytes_max", "1000"), ("version", "0")]
    };
    assert_eq!(version, "0");
    for (rates, networks, field, said) in [
        ("each 50 second\nslow 1", "", "rates", "Line 2: a name, calls and a period"),
        ("each 50 second\neach 1 day", "", "rates", "line 2: another rate here has the same name"),
        ("", "10.0.0.0/8\n10.1.2.3/8", "networks", "line 2: an address or a network"),
    ] {
        let page = admin.post(PAGE, &fields(rates, networks)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = page.between(&format!("id=\"{field}-error\""), "</p>");
        assert!(error.to_lowercase().contains(&said.to_lowercase()), "{error}");
    }
    let sent = fields("each 50 second burst 80\nshield 9 minute per all", "2001:DB8::/32");
    assert_eq!(admin.post(PAGE, &sent).await.status, StatusCode::SEE_OTHER);
    let page = admin.get(PAGE).await;
    for shown in ["each 50 second burst 80\nshield 9 minute per all", "2001:db8::/32", "value=\"1000\""] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let stale = admin.post(PAGE, &sent).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "it was based on what was there before");
}

#[tokio::test]
async fn who_may_only_look_sees_what_holds_and_every_reader_meets_it_in_the_reference() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let fields =
        [("rates", "shield 9 minute per all"), ("networks", ""), ("body_bytes_max", ""), ("version", "0")];
    assert_eq!(admin.post(PAGE, &fields).await.status, StatusCode::SEE_OTHER);
    site.run("update operators set role = 'auditor'").await;
    let page = admin.get(PAGE).await;
    assert!(page.text.contains("rate shield 9 minute per all") && !page.text.contains("Save policies"));
    assert_eq!(admin.post(PAGE, &fields).await.status, StatusCode::FORBIDDEN);
    let reference = site.browser().get("/products/countries/apis/countries/operations/op1").await;
    assert!(reference.text.contains("9 requests per minute"), "{}", reference.text);
    assert!(reference.text.contains("For all APIs here together, for all callers, whatever the plan"));
}

#[tokio::test]
async fn a_call_with_a_key_is_explained_with_every_limit_and_where_it_was_written() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut admin = admin(&site).await;
    let version = hidden(&admin.get(PAGE).await, "version").to_owned();
    let rates = "each 5 second per credential\nshield 900 minute per all";
    let fields = [("rates", rates), ("networks", ""), ("version", version.as_str())];
    assert_eq!(admin.post(PAGE, &fields).await.status, StatusCode::SEE_OTHER);
    let keys = site.control.store().list_credentials(
        tollgate_domain::Scope::Operator,
        None,
        tollgate_store::Page::FIRST_500,
    );
    let key = keys.await.expect("keys").remove(0).id;
    let path = format!("/admin/keys/{key}/explain");
    assert!(admin.get(&format!("/admin/keys/{key}")).await.text.contains(&path));
    let wrong = admin.post(&path, &[("method", "GET"), ("path", "countries"), ("match_headers", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("id=\"path-error\""), "{}", wrong.text);
    let lost = admin.post(&path, &[("method", "GET"), ("path", "/nowhere")]).await;
    assert!(lost.text.contains("It would be refused: route_not_found"), "{}", lost.text);
    let found = admin.post(&path, &[("method", "GET"), ("path", "/countries/v1/countries")]).await;
    for told in [
        "It would be let through",
        "each",
        "shield",
        "rate, per minute",
        "platform",
        "plan free of product countries",
    ] {
        assert!(found.text.contains(told), "{told}: {}", found.text);
    }
    assert_eq!(
        admin.get("/admin/keys/key_01ks2v8d3tf5cs9y0v3jq1q7zb/explain").await.status,
        StatusCode::NOT_FOUND
    );
}
