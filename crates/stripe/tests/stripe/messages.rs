//! What Stripe says: forged, old, foreign, unknown, repeated, and in any order.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tollgate_control::provider::NotAuthentic;
use tollgate_control::{CheckoutInput, Received};
use tollgate_domain::InvoiceState;
use tollgate_testkit::{STRIPE_WEBHOOK_SECRET, StripeMessage};

use crate::fixture::Shop;

const OUR_VERSION: &str = "2026-09-30.endive";

pub fn event(id: &str, kind: &str, object: &str, live: bool) -> Vec<u8> {
    event_in(OUR_VERSION, id, kind, object, live)
}

fn event_in(version: &str, id: &str, kind: &str, object: &str, live: bool) -> Vec<u8> {
    json!({ "id": id, "type": kind, "created": 1_795_000_000, "livemode": live, "api_version": version,
        "data": { "object": { "id": object } } })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn a_message_in_another_version_does_its_work_and_raises_an_alarm() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
    shop.double.finish(&page, "4242").await;
    drop(shop.double.messages());
    let odd = async || shop.control.store().provider_figures().await.unwrap().events_odd;
    let written = |version: &str, id: &str| {
        let body = event_in(version, id, "checkout.session.completed", &page, false);
        StripeMessage::signed(body, STRIPE_WEBHOOK_SECRET, Utc::now())
    };
    assert_eq!(shop.hear(&written("2019-05-16", "evt_old")).await, Received::Taken);
    assert_eq!(odd().await, 1);
    shop.listen().await;
    assert_eq!(shop.subscription().await.plan_id, shop.pro, "what it is about was read again");
    assert_eq!(shop.hear(&written(OUR_VERSION, "evt_new")).await, Received::Taken);
    assert_eq!(odd().await, 1);
    // Foreign ones are told of as such, and do nothing.
    let live = event_in("2019-05-16", "evt_live", "invoice.paid", "in_1", true);
    let live = StripeMessage::signed(live, STRIPE_WEBHOOK_SECRET, Utc::now());
    assert_eq!(shop.hear(&live).await, Received::Foreign);
    assert_eq!(odd().await, 1);
    shop.database.run("update provider_events set received_at = now() - interval '25 hours'").await;
    assert_eq!(odd().await, 0, "the endpoint was set right");
}

#[tokio::test]
async fn what_is_not_stripes_or_not_ours_has_no_effect() {
    let shop = Shop::subscribed("4242").await;
    let id = shop.double.list("customer")[0]["id"].as_str().unwrap().to_owned();
    let now = Utc::now();
    let paid = || event("evt_1", "invoice.paid", &id, false);
    let signed = |secret: &str, at| StripeMessage::signed(paid(), secret, at);
    let mut changed = signed(STRIPE_WEBHOOK_SECRET, now);
    changed.body.push(b' ');
    for (message, expected) in [
        (signed("whsec_wrong", now), NotAuthentic::Forged),
        (changed, NotAuthentic::Forged),
        (signed(STRIPE_WEBHOOK_SECRET, now - TimeDelta::minutes(6)), NotAuthentic::Stale),
        (signed(STRIPE_WEBHOOK_SECRET, now + TimeDelta::minutes(6)), NotAuthentic::Stale),
        (StripeMessage::signed(b"{".to_vec(), STRIPE_WEBHOOK_SECRET, now), NotAuthentic::Unreadable),
    ] {
        assert_eq!(shop.hear(&message).await, Received::Refused(expected));
    }
    let unsigned = shop.control.receive_event(None, &paid(), now).await.unwrap();
    assert_eq!(unsigned, Received::Refused(NotAuthentic::Unsigned));
    assert!(shop.control.store().find_provider_event("evt_1").await.unwrap().is_none(), "nothing is kept");

    let heard = |body| StripeMessage::signed(body, STRIPE_WEBHOOK_SECRET, now);
    let unknown = heard(event("evt_2", "radar.early_fraud_warning.created", &id, false));
    assert_eq!(shop.hear(&unknown).await, Received::Ignored);
    let live = heard(event("evt_3", "invoice.paid", &id, true));
    assert_eq!(shop.hear(&live).await, Received::Foreign);
    assert_eq!(shop.hear(&live).await, Received::Again);
    assert_eq!(shop.control.store().provider_figures().await.unwrap().events_foreign, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_five_times_at_once_is_kept_once() {
    let shop = std::sync::Arc::new(Shop::open().await);
    let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
    shop.double.finish(&page, "4242").await;
    for message in shop.double.messages() {
        let mut heard = Vec::new();
        for _ in 0..5 {
            let (shop, message) = (std::sync::Arc::clone(&shop), message.clone());
            heard.push(tokio::spawn(async move { shop.hear(&message).await }));
        }
        let mut taken = 0;
        for one in heard {
            taken += usize::from(one.await.unwrap() == Received::Taken);
        }
        assert!(taken <= 1, "{taken} times");
    }
    shop.listen().await;
    assert_eq!(shop.subscription().await.plan_id, shop.pro);
    let moves = "select count(*) from audit_entries where action = $1 and subject_kind = 'checkout'";
    assert_eq!(shop.database.count(moves, "checkout.complete").await, 1);
}

/// What stands at the end, whatever the order was.
async fn outcome(shop: &Shop) -> (InvoiceState, Vec<String>, (bool, bool)) {
    let (unpaid, plan) = shop.at_gateways().await;
    (shop.state().await, shop.story().await, (unpaid, plan == shop.pro))
}

#[tokio::test]
async fn every_order_of_messages_with_repetitions_ends_alike() {
    // `TOLLGATE_TEST_ORDERS=200` tries as many as have been promised; each needs a shop of its own.
    let orders =
        std::env::var("TOLLGATE_TEST_ORDERS").ok().and_then(|orders| orders.parse().ok()).unwrap_or(8);
    for seed in 0..orders {
        let shop = Shop::open().await;
        let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
        shop.double.finish(&page, "4242").await;
        let mut messages = shop.double.messages();
        // Billed and collected before any message of the first visit came.
        crate::fixture::move_to(&shop, shop.pro).await;
        let invoice = shop.bill().await.id;
        shop.work().await;
        let page = shop.visit(CheckoutInput::Invoice(invoice)).await;
        shop.double.finish(&page, "4242").await;
        messages.extend(shop.double.messages());
        let twice = messages.clone();
        messages.extend(twice);
        shuffle(&mut messages, seed);
        for (at, message) in messages.iter().enumerate() {
            shop.hear(message).await;
            if at % 3 == 0 {
                shop.work().await;
            }
        }
        shop.listen().await;
        let expected = (InvoiceState::Paid, vec!["payment done 29.00 EUR".to_owned()], (false, true));
        assert_eq!(outcome(&shop).await, expected, "seed {seed}");
    }
}

/// Fisher and Yates, with a generator of a line.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for at in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(at, usize::try_from(state % (at as u64 + 1)).unwrap());
    }
}

#[tokio::test]
async fn a_message_that_never_comes_is_made_up_for_by_asking() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
    shop.double.finish(&page, "4242").await;
    drop(shop.double.messages());
    shop.database.run("update checkouts set created_at = now() - interval '11 minutes'").await;
    shop.pass(Utc::now()).await;
    assert_eq!(shop.subscription().await.plan_id, shop.pro);
}
