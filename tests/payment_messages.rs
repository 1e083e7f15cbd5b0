//! The address that the payment provider tells us things at: what it takes, what it refuses, and what it asks to be sent again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use reqwest::StatusCode;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tollgate_control::Control;
use tollgate_engine::Peppers;
use tollgate_portal::{PortalState, Settings};
use tollgate_stripe::{Settings as StripeSettings, Stripe};
use tollgate_testkit::{STRIPE_KEY, STRIPE_WEBHOOK_SECRET, StripeDouble, StripeMessage, TestDatabase};

/// A megabyte is taken, a byte more is not.
const BYTES_MAX: usize = 1024 * 1024;

struct Desk {
    url: String,
    database: TestDatabase,
    _double: StripeDouble,
    _serving: AbortOnDropHandle<()>,
}

impl Desk {
    async fn open() -> Self {
        let (database, double) = (TestDatabase::create().await, StripeDouble::start().await);
        let stripe = Stripe::new(StripeSettings {
            secret_key: STRIPE_KEY.into(),
            webhook_secrets: vec![STRIPE_WEBHOOK_SECRET.into()],
            api_url: double.url(),
            tax: false,
        });
        let peppers = Peppers::new(vec![(1, *b"a pepper of exactly 32 bytes.!?.")]).expect("one pepper");
        let settings = tollgate_control::Settings { hashing_slots: 1, ..Default::default() };
        let control = Control::new(database.store(), Arc::new(peppers), settings)
            .collecting_by(Arc::new(stripe.expect("its settings are right")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/payments/events", listener.local_addr().unwrap());
        let settings = Settings {
            portal_url: "http://portal.test".to_owned(),
            gateway_url: "http://127.0.0.1:9".to_owned(),
            relay_url: "http://127.0.0.1:9".to_owned(),
            content_dir: None,
            secure_cookies: false,
            trusted_proxies: "10.0.0.0/8".parse().expect("a network"),
            public_pages_kept: Duration::ZERO,
        };
        let portal = tollgate_portal::router(PortalState::new(control, settings));
        let serving = tokio::spawn(async move {
            let portal = portal.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, portal).await.expect("it serves");
        });
        Self { url, database, _double: double, _serving: AbortOnDropHandle::new(serving) }
    }

    async fn tell(&self, message: &StripeMessage) -> StatusCode {
        let post = reqwest::Client::new().post(&self.url).header("stripe-signature", &message.signature);
        post.body(message.body.clone()).send().await.unwrap().status()
    }

    async fn kept(&self) -> i64 {
        self.database.count("select count(*) from provider_events where id = $1", "evt_1").await
    }
}

/// A signed message of so many bytes.
fn message(bytes: usize) -> StripeMessage {
    let mut event = serde_json::json!({
        "id": "evt_1", "type": "invoice.paid", "created": 1_795_000_000, "livemode": false,
        "api_version": "2026-09-30.endive", "data": { "object": { "id": "in_1" } }, "padding": ""
    });
    let padding = bytes.saturating_sub(event.to_string().len());
    event["padding"] = "x".repeat(padding).into();
    StripeMessage::signed(event.to_string().into_bytes(), STRIPE_WEBHOOK_SECRET, Utc::now())
}

#[tokio::test]
async fn a_message_of_a_megabyte_is_taken_and_a_byte_more_is_too_large() {
    let desk = Desk::open().await;
    let largest = message(BYTES_MAX);
    assert_eq!(largest.body.len(), BYTES_MAX);
    assert_eq!(desk.tell(&message(BYTES_MAX + 1)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(desk.kept().await, 0);
    assert_eq!(desk.tell(&largest).await, StatusCode::OK);
    assert_eq!(desk.kept().await, 1);
}

#[tokio::test]
async fn what_is_not_signed_for_this_text_and_now_is_answered_by_400() {
    let desk = Desk::open().await;
    let now = Utc::now();
    let good = StripeMessage::signed(message(0).body, STRIPE_WEBHOOK_SECRET, now);
    let with = |signature: &str| StripeMessage { signature: signature.to_owned(), body: good.body.clone() };
    let read: serde_json::Value = serde_json::from_slice(&good.body).unwrap();
    let mut changed = good.body.clone();
    changed[20] ^= 1;
    let five_minutes = chrono::TimeDelta::seconds(301);
    for (what, message) in [
        ("none", with("")),
        ("garbled", with("t=now,v1=zz")),
        ("an old scheme", with(&good.signature.replace("v1=", "v0="))),
        ("a byte", StripeMessage { body: changed, ..good.clone() }),
        ("written anew", StripeMessage { body: serde_json::to_vec_pretty(&read).unwrap(), ..good.clone() }),
        ("old", StripeMessage::signed(good.body.clone(), STRIPE_WEBHOOK_SECRET, now - five_minutes)),
        // The clock goes on while it is sent.
        ("ahead", StripeMessage::signed(good.body.clone(), STRIPE_WEBHOOK_SECRET, now + five_minutes * 2)),
    ] {
        assert_eq!(desk.tell(&message).await, StatusCode::BAD_REQUEST, "{what}");
    }
    assert_eq!(desk.kept().await, 0);
    let other = StripeMessage::signed(good.body.clone(), "whsec_other", now).signature;
    let other = other.split_once(',').map(|(_, signature)| signature).unwrap();
    assert_eq!(desk.tell(&with(&format!("{},{other}", good.signature))).await, StatusCode::OK);
    assert_eq!(desk.kept().await, 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_answered_by_5xx_and_taken_once_when_it_comes_again() {
    let desk = Desk::open().await;
    let paid = message(0);
    desk.database.run("alter table provider_events rename to provider_events_gone").await;
    let answered = desk.tell(&paid).await;
    assert!(answered.is_server_error(), "{answered}: Stripe sends again what is not a 2xx");
    desk.database.run("alter table provider_events_gone rename to provider_events").await;
    assert_eq!([desk.tell(&paid).await, desk.tell(&paid).await], [StatusCode::OK; 2]);
    assert_eq!(desk.kept().await, 1);
    let jobs = "select count(*) from jobs where kind = $1";
    assert_eq!(desk.database.count(jobs, "take_event").await, 1, "the work is queued once");
    let forged = StripeMessage::signed(paid.body, "whsec_wrong", Utc::now());
    assert_eq!(desk.tell(&forged).await, StatusCode::BAD_REQUEST);
}
