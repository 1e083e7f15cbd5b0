//! Certificates through forms: brought, ordered, renewed and deleted.

use axum::http::StatusCode;

use crate::admin_forms::admin;
use crate::site::Site;

#[tokio::test]
async fn a_certificate_is_brought_or_ordered_and_its_key_is_never_given_back() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let authority = tollgate_testkit::Authority::new();
    let (issued, other) = (authority.issue(&["api.example.com"]), authority.issue(&["api.example.com"]));
    let secret = other.key.lines().nth(1).expect("a key").to_owned();
    let pair = |key: &str| {
        [("slug", "front".to_owned()), ("chain", issued.chain.clone()), ("private_key", key.to_owned())]
    };
    let post = pair(&other.key);
    let refused = admin
        .post("/admin/new/certificate", &post.each_ref().map(|(name, value)| (*name, value.as_str())))
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("id=\"private_key-error\"") && refused.text.contains("BEGIN CERTIFICATE"));
    assert!(!refused.text.contains(&secret) && !refused.text.contains("PRIVATE KEY-----"));
    let post = pair(&issued.key);
    let made = admin
        .post("/admin/new/certificate", &post.each_ref().map(|(name, value)| (*name, value.as_str())))
        .await;
    assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/admin/certificates/front"));
    let shown = admin.get("/admin/certificates/front").await;
    assert!(shown.text.contains("api.example.com") && shown.text.contains("Test Root"), "{}", shown.text);

    // Without an authority there is nothing to order from.
    assert_eq!(admin.get("/admin/new/certificate-order").await.location(), "/admin/certificate-authority");
    let account =
        [("directory", "https://ca.example/directory"), ("contacts/0", "ops@example.com, on@example.com")];
    let refused = admin.post("/admin/certificate-authority", &account).await;
    assert!(refused.text.contains("id=\"terms_agreed-error\""), "{}", refused.text);
    let agreed = [account[0], account[1], ("terms_agreed", "on")];
    assert_eq!(admin.post("/admin/certificate-authority", &agreed).await.location(), "/admin/certificates");
    let refused =
        admin.post("/admin/new/certificate-order", &[("acme/names", "a.example\r\n*.b.example")]).await;
    assert!(
        refused.text.contains("id=\"acme/names-error\"")
            && refused.text.contains("*.b.example is a wildcard"),
        "{}",
        refused.text
    );
    let ordered =
        admin.post("/admin/new/certificate-order", &[("acme/names", "a.example\r\nb.example")]).await;
    assert_eq!(ordered.location(), "/admin/certificates/a-example");
    let list = admin.get("/admin/certificates").await;
    assert!(list.text.contains("Being issued") && list.text.contains("a.example, b.example"));
    let again = admin.post("/admin/certificates/a-example/renew", &[]).await;
    assert_eq!(again.location(), "/admin/certificates/a-example");
    let gone =
        admin.post("/admin/certificates/front/delete", &[("confirm", "front"), ("version", "1")]).await;
    assert_eq!(gone.location(), "/admin/certificates");
    assert_eq!(admin.get("/admin/certificates/front").await.status, StatusCode::NOT_FOUND);
}
