//! Webhooks: what is told to whom, how it is signed, what happens when it does not arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tollgate_control::{
    Actor, Control, CredentialInput, Error, Reachable, SubscriptionInput, WebhookInput, WebhookPatch,
};
use tollgate_domain::{Environment, OrganizationId, Scope};
use tollgate_store::WebhookRow;
use tollgate_testkit::{Recorded, Upstream};

use crate::fixture::{DOCUMENT, Fixture};

/// A receiver whose answer can be changed.
struct Receiver {
    upstream: Upstream,
    status: Arc<AtomicU16>,
}

impl Receiver {
    async fn new() -> Self {
        let status = Arc::new(AtomicU16::new(204));
        let answer = Arc::clone(&status);
        let routes = Router::new().fallback(move || async move {
            (StatusCode::from_u16(answer.load(Ordering::SeqCst)).unwrap(), "well, well")
        });
        Self { upstream: Upstream::serving(routes).await, status }
    }

    fn url(&self) -> String {
        format!("{}/in", self.upstream.url())
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn told(&self) -> Vec<(String, Value)> {
        let read = |one: Recorded| {
            let body: Value = serde_json::from_slice(&one.body).unwrap();
            (body["type"].as_str().unwrap().to_owned(), body["data"].clone())
        };
        self.upstream.requests().into_iter().map(read).collect()
    }
}

fn reaching(fixture: &Fixture) -> Control {
    fixture.control.clone().reaching("127.0.0.1".parse::<Reachable>().unwrap())
}

async fn listen(
    control: &Control,
    actor: &Actor,
    organization_id: Option<OrganizationId>,
    receiver: &Receiver,
) -> (WebhookRow, String) {
    let input = WebhookInput {
        organization_id,
        url: receiver.url(),
        description: "Ours".into(),
        event_types: Vec::new(),
    };
    let (row, secret) = control.create_webhook(actor, input).await.unwrap();
    (row, secret.reveal().to_owned())
}

async fn deliver(control: &Control) {
    while control.deliver_once().await.unwrap() > 0 {}
}

/// What a receiver computes, from the specification alone.
fn is_signed_by(secret: &str, sent: &Recorded) -> bool {
    let header = |name: &str| sent.headers[name].to_str().unwrap().to_owned();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&sent.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header("webhook-signature").split(' ').any(|one| one == expected)
}

#[tokio::test]
async fn an_organization_is_told_what_is_its_own_and_the_platform_everything() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, one) = fixture.sign_up("ada@example.com").await;
    let (bob, two) = fixture.sign_up("bob@example.com").await;
    let published = fixture.publish("things").await;
    let (hers, his, ours) = (Receiver::new().await, Receiver::new().await, Receiver::new().await);
    listen(&control, &ada, Some(one.organization_id), &hers).await;
    listen(&control, &bob, Some(two.organization_id), &his).await;
    listen(&control, &Actor::system(), None, &ours).await;

    let input = SubscriptionInput { application_id: one.application_id, plan_id: published.plan.id };
    control.subscribe(&ada, input).await.unwrap();
    let key = CredentialInput {
        name: "k".into(),
        environment: Environment::Test,
        expires_at: None,
        restrictions: tollgate_domain::Restrictions::default(),
    };
    let key = control.create_credential(&ada, one.application_id, key).await.unwrap();
    control.revoke_credential(&ada, key.id).await.unwrap();
    let changed = DOCUMENT.replace("/things/{id}", "/thing/{id}");
    control.publish_document(&Actor::system(), published.api.id, None, &changed).await.unwrap();
    deliver(&control).await;

    let kinds = |receiver: &Receiver| {
        let mut kinds: Vec<String> = receiver.told().into_iter().map(|(kind, _)| kind).collect();
        kinds.sort();
        kinds
    };
    let all =
        ["api.breaking_change", "api.published", "key.created", "key.revoked", "subscription.activated"];
    assert_eq!(kinds(&hers), all);
    assert_eq!(kinds(&ours), all);
    assert!(his.told().is_empty(), "he subscribes to nothing");
    let told = hers.told();
    let (_, data) = told.iter().find(|(kind, _)| kind == "subscription.activated").unwrap();
    assert_eq!(data["subscription"]["plan_id"], serde_json::json!(published.plan.id));
    assert!(!format!("{told:?}").contains(key.secret.reveal()), "no secret is told");
}

#[tokio::test]
async fn what_does_not_happen_is_not_told() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let published = fixture.publish("things").await;
    let receiver = Receiver::new().await;
    listen(&control, &ada, Some(made.organization_id), &receiver).await;
    let unit = control.open_unit().await.unwrap();
    let input = SubscriptionInput { application_id: made.application_id, plan_id: published.plan.id };
    unit.control().subscribe(&ada, input).await.unwrap();
    drop(unit);
    deliver(&control).await;
    assert!(receiver.told().is_empty());
}

#[tokio::test]
async fn a_delivery_is_signed_by_both_secrets_while_a_rotation_goes_on() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let receiver = Receiver::new().await;
    let (row, first) = listen(&control, &ada, Some(made.organization_id), &receiver).await;
    control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    let (row, second) = control.rotate_webhook_secret(&ada, row.id).await.unwrap();
    let second = second.reveal().to_owned();
    assert!(row.old_secret_until.is_some() && first != second);
    control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    fixture.database.run("update webhooks set old_secret_until = now() - interval '1 second'").await;
    control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    let sent = receiver.upstream.requests();
    let by = |secret: &str| sent.iter().map(|one| is_signed_by(secret, one)).collect::<Vec<_>>();
    assert_eq!(by(&first), [true, true, false]);
    assert_eq!(by(&second), [false, true, true]);
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_again_under_the_same_id_and_can_be_replayed() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let receiver = Receiver::new().await;
    let scope = Scope::Organization(made.organization_id);
    let (row, _) = listen(&control, &ada, Some(made.organization_id), &receiver).await;
    receiver.answer(500);
    let event = control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    let store = control.store();
    let delivery = store.get_delivery(scope, row.id, event).await.unwrap();
    assert_eq!((delivery.state.as_str(), delivery.attempts, delivery.status), ("pending", 1, Some(500)));
    assert!(delivery.run_at > delivery.event.created_at, "later");
    let attempts = store.list_attempts(row.id, event).await.unwrap();
    assert_eq!(attempts[0].response, "well, well");

    receiver.answer(204);
    fixture.database.run("update webhook_deliveries set run_at = now()").await;
    deliver(&control).await;
    assert_eq!(store.get_delivery(scope, row.id, event).await.unwrap().state, "delivered");
    assert_eq!(store.get_webhook(scope, row.id).await.unwrap().failing_since, None);
    control.replay_delivery(&ada, row.id, event).await.unwrap();
    deliver(&control).await;
    let ids: Vec<_> =
        receiver.upstream.requests().iter().map(|one| one.headers["webhook-id"].clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == event.to_string()), "receivers know it again");
}

#[tokio::test]
async fn after_ten_tries_it_is_given_up_and_after_days_the_webhook_is_off_and_its_keepers_know() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    fixture.database.run("update users set email_verified_at = now()").await;
    let receiver = Receiver::new().await;
    let scope = Scope::Organization(made.organization_id);
    let (row, _) = listen(&control, &ada, Some(made.organization_id), &receiver).await;
    receiver.answer(503);
    let event = control.test_webhook(&ada, row.id).await.unwrap();
    for _ in 0..10 {
        fixture.database.run("update webhook_deliveries set run_at = now()").await;
        deliver(&control).await;
    }
    let store = control.store();
    let delivery = store.get_delivery(scope, row.id, event).await.unwrap();
    assert_eq!((delivery.state.as_str(), delivery.attempts), ("dead", 10));
    assert!(store.get_webhook(scope, row.id).await.unwrap().is_active(), "not yet");

    fixture.database.run("update webhooks set failing_since = now() - interval '6 days'").await;
    let last = control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    let off = store.get_webhook(scope, row.id).await.unwrap();
    assert_eq!(off.disabled_because.as_deref(), Some("failing"));
    assert_eq!(store.get_delivery(scope, row.id, last).await.unwrap().state, "dead");
    fixture.work().await;
    let mail = fixture.mails.last_to("ada@example.com").expect("a mail");
    assert!(mail.text.contains("for five days") && mail.text.contains(&format!("/webhooks/{}", row.id)));
    assert!(matches!(control.test_webhook(&ada, row.id).await, Err(Error::Conflict(_))));

    receiver.answer(200);
    let on = WebhookPatch { active: Some(true), ..WebhookPatch::default() };
    control.update_webhook(&ada, row.id, None, on).await.unwrap();
    assert_eq!(control.replay_dead_deliveries(&ada, row.id, 30).await.unwrap(), 2);
    deliver(&control).await;
    assert_eq!(store.get_delivery(scope, row.id, event).await.unwrap().state, "delivered");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let receiver = Receiver::new().await;
    let (row, _) = listen(&control, &ada, Some(made.organization_id), &receiver).await;
    receiver.answer(410);
    control.test_webhook(&ada, row.id).await.unwrap();
    control.test_webhook(&ada, row.id).await.unwrap();
    deliver(&control).await;
    let row = control.store().get_webhook(Scope::Operator, row.id).await.unwrap();
    assert_eq!(row.disabled_because.as_deref(), Some("gone"));
}

#[tokio::test]
async fn private_addresses_are_refused_when_a_webhook_is_made_and_when_it_is_told() {
    let fixture = Fixture::new().await;
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let receiver = Receiver::new().await;
    let input = |url: &str| WebhookInput {
        organization_id: Some(made.organization_id),
        url: url.to_owned(),
        description: String::new(),
        event_types: Vec::new(),
    };
    for url in
        [receiver.url().as_str(), "https://localhost/x", "https://169.254.169.254/", "ftp://example.com"]
    {
        let refused = fixture.control.create_webhook(&ada, input(url)).await;
        assert!(matches!(refused, Err(Error::Invalid(faults)) if faults[0].pointer == "/url"), "{url}");
    }
    // Made while the network was named; it is not any more. A name that leads there is looked at when it is used.
    let (row, _) = listen(&reaching(&fixture), &ada, Some(made.organization_id), &receiver).await;
    let event = fixture.control.test_webhook(&ada, row.id).await.unwrap();
    fixture.control.deliver_once().await.unwrap();
    let rebound = "update webhooks set url = 'https://localhost.localdomain.example.invalid/'";
    fixture.database.run(rebound).await;
    fixture.database.run("update webhook_deliveries set run_at = now()").await;
    fixture.control.deliver_once().await.unwrap();
    assert!(receiver.upstream.requests().is_empty());
    let attempts = fixture.control.store().list_attempts(row.id, event).await.unwrap();
    assert_eq!(attempts.len(), 2);
    assert!(attempts[1].error.as_deref().unwrap().starts_with("not sent"), "{attempts:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let inside = Upstream::answering(StatusCode::OK, "secret").await;
    let there = inside.url();
    let routes = Router::new().fallback(move || async move { (StatusCode::FOUND, [("location", there)]) });
    let outside = Upstream::serving(routes).await;
    let input = WebhookInput {
        organization_id: Some(made.organization_id),
        url: outside.url(),
        description: String::new(),
        event_types: vec!["key.created".into()],
    };
    let (row, _) = control.create_webhook(&ada, input).await.unwrap();
    let event = control.test_webhook(&ada, row.id).await.unwrap();
    control.deliver_once().await.unwrap();
    assert!(inside.requests().is_empty());
    let attempts = control.store().list_attempts(row.id, event).await.unwrap();
    assert_eq!(attempts[0].status, Some(302));
}

#[tokio::test]
async fn nobody_reaches_anothers_webhooks() {
    let fixture = Fixture::new().await;
    let control = reaching(&fixture);
    let (ada, one) = fixture.sign_up("ada@example.com").await;
    let (bob, _) = fixture.sign_up("bob@example.com").await;
    let receiver = Receiver::new().await;
    let (row, _) = listen(&control, &ada, Some(one.organization_id), &receiver).await;
    let (ours, _) = listen(&control, &Actor::system(), None, &receiver).await;
    for id in [row.id, ours.id] {
        assert!(matches!(control.test_webhook(&bob, id).await, Err(Error::NotFound(_))));
        assert!(matches!(control.delete_webhook(&bob, id, None).await, Err(Error::NotFound(_))));
    }
    let input = WebhookInput {
        organization_id: None,
        url: receiver.url(),
        description: String::new(),
        event_types: Vec::new(),
    };
    assert!(matches!(control.create_webhook(&bob, input).await, Err(Error::Forbidden)));
}
