//! Webhooks on the developers' and the operators' pages.

use axum::http::StatusCode;

use crate::site::Site;

const ADDRESS: &str = "https://hooks.example.com/in?token=x";

/// The path of the page that a redirect leads to, without what stands behind the webhook's id.
fn webhook_of(location: &str) -> String {
    location.trim_end_matches("/settings").to_owned()
}

#[tokio::test]
async fn a_developer_adds_a_webhook_sees_its_secret_once_and_reads_its_log() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    assert!(developer.get("/webhooks").await.text.contains("Nobody is told yet"));
    let wrong = developer.post("/webhooks/new", &[("url", "http://127.0.0.1/in")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("url-error"), "{}", wrong.text);

    let fields = [("url", ADDRESS), ("description", "Ours"), ("event_types", "key.created")];
    let made = developer.post("/webhooks/new", &fields).await;
    let there = made.location().to_owned();
    let first = developer.get(&there).await;
    assert!(first.text.contains("whsec_"), "shown once");
    assert!(first.headers["cache-control"].to_str().is_ok_and(|value| value.contains("no-store")));
    assert!(!developer.get(&there).await.text.contains("whsec_"), "and never again");

    let path = webhook_of(&there);
    let tested = developer.post(&format!("{path}/test"), &[]).await;
    let delivery = developer.get(tested.location()).await;
    assert!(delivery.text.contains("webhook.test") && delivery.text.contains("On its way"));
    let log = developer.get(&path).await;
    assert!(log.text.contains("webhook.test") && !log.text.contains("token=x"), "{}", log.text);

    let off = developer.post(&format!("{path}/settings"), &[("url", ADDRESS), ("version", "1")]).await;
    assert_eq!(off.location(), path);
    assert!(developer.get(&path).await.text.contains("It is switched off"));
    let asked = developer.post(&format!("{path}/delete"), &[("ask", "yes")]).await;
    assert!(asked.text.contains("Type hooks.example.com/in to confirm"));
    let confirmed = [("confirm", "hooks.example.com/in"), ("version", "2")];
    assert_eq!(developer.post(&format!("{path}/delete"), &confirmed).await.location(), "/webhooks");
    assert_eq!(developer.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_sees_anothers_webhook_and_operators_see_all() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let made = maria.post("/webhooks/new", &[("url", ADDRESS)]).await;
    let path = webhook_of(made.location());
    let mut bob = site.browser();
    bob.sign_up("bob@example.com").await;
    assert_eq!(bob.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.post(&format!("{path}/test"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.get("/admin/webhooks").await.status, StatusCode::NOT_FOUND);

    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let ours = admin.post("/admin/webhooks/new", &[("url", "https://ops.example.com/all")]).await;
    assert!(ours.location().starts_with("/admin/webhooks/whk_"));
    let list = admin.get("/admin/webhooks").await;
    assert!(list.text.contains("ops.example.com/all") && list.text.contains("hooks.example.com/in"));
    assert!(list.text.contains("the platform"));
    assert_eq!(admin.get(&format!("/admin{path}")).await.status, StatusCode::OK);
}
