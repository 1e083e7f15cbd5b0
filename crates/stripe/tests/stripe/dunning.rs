//! Whoever does not pay has grace, then lands, and is back at once when the money comes.

use chrono::{TimeDelta, Utc};
use tollgate_control::{Actor, CheckoutInput, Error, Move, SubscriptionInput, When};
use tollgate_domain::{InvoiceState, UnpaidLanding};

use crate::fixture::Shop;

#[tokio::test]
async fn three_days_after_a_declined_payment_calls_are_refused_until_it_is_paid() {
    let shop = Shop::subscribed("0341").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let row = shop.invoice().await;
    assert_eq!((row.state, row.failure.as_deref()), (InvoiceState::Open, Some("Your card was declined.")));
    let failed = row.failed_at.unwrap();
    assert_eq!(row.grace_until, Some(failed + TimeDelta::days(3)));
    let mails = shop.mails.all();
    let told = mails.iter().find(|mail| mail.to == "maria@example.com" && mail.text.contains("is not paid"));
    assert!(told.is_some(), "{mails:?}");

    shop.pass(failed + TimeDelta::days(3) - TimeDelta::seconds(1)).await;
    assert_eq!(shop.at_gateways().await, (false, shop.pro), "grace");
    shop.pass(failed + TimeDelta::days(3)).await;
    assert_eq!(shop.at_gateways().await, (true, shop.pro), "blocked");
    let application_id = shop.subscription().await.application_id;
    let again = SubscriptionInput { application_id, plan_id: shop.pro };
    let dodged = shop.control.subscribe(&shop.member, again).await;
    assert!(matches!(dodged, Err(Error::Conflict(_))), "a new subscription is no way around it: {dodged:?}");
    let dodged = shop
        .control
        .move_subscription(&shop.member, shop.subscription, None, Move::To(shop.free), When::Now)
        .await;
    assert!(matches!(dodged, Err(Error::Conflict(_))), "nor is another plan: {dodged:?}");
    let told = "select count(*) from events where type = $1";
    assert!(shop.database.count(told, "invoice.payment_failed").await >= 1);
    let open = "select count(*) from subscription_terms where ends is null and subscription_id = $1::uuid";
    let id_text = shop.subscription.uuid().to_string();
    assert_eq!(shop.database.count(open, &id_text).await, 0, "no base fee for calls that are refused");

    let page = shop.visit(CheckoutInput::Invoice(id)).await;
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    assert_eq!(shop.state().await, InvoiceState::Paid);
    assert_eq!(shop.at_gateways().await, (false, shop.pro), "back at once");
    assert_eq!(shop.database.count(open, &id_text).await, 1, "and billed again from then on");
    assert_eq!(shop.double.list("invoice")[0]["status"], "paid", "Stripe will not collect it once more");
}

#[tokio::test]
async fn a_plan_may_throttle_to_the_free_one_instead() {
    let shop = Shop::subscribed("0341").await;
    shop.late_payers(UnpaidLanding::Throttle, Some(10)).await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let failed = shop.invoice().await.failed_at.unwrap();
    shop.pass(failed + TimeDelta::days(9)).await;
    assert_eq!(shop.at_gateways().await, (false, shop.pro));
    shop.pass(failed + TimeDelta::days(10)).await;
    assert_eq!(shop.at_gateways().await, (false, shop.free));
    assert_eq!(shop.subscription().await.plan_id, shop.pro, "the terms that it is billed by stay");
    shop.control.settle_invoice(&Actor::system(), id, InvoiceState::Void).await.unwrap();
    assert_eq!(shop.at_gateways().await, (false, shop.pro));
    shop.listen().await;
    assert_eq!(shop.double.list("invoice")[0]["status"], "void");
}

#[tokio::test]
async fn a_customers_own_grace_goes_before_the_plans() {
    let shop = Shop::subscribed("0341").await;
    shop.late_payers(UnpaidLanding::Block, Some(10)).await;
    let system = Actor::system();
    shop.control.agree_on_grace(&system, shop.organization, Some(30)).await.unwrap();
    shop.bill().await;
    shop.listen().await;
    let row = shop.invoice().await;
    assert_eq!(row.grace_until, Some(row.failed_at.unwrap() + TimeDelta::days(30)));
    let wrong = shop.control.agree_on_grace(&system, shop.organization, Some(366)).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
}

#[tokio::test]
async fn a_plan_may_let_late_payers_go_on() {
    let shop = Shop::subscribed("0341").await;
    shop.late_payers(UnpaidLanding::GoOn, Some(0)).await;
    shop.bill().await;
    shop.listen().await;
    shop.pass(Utc::now() + TimeDelta::days(1)).await;
    assert!(shop.invoice().await.landed_at.is_some());
    assert_eq!(shop.at_gateways().await, (false, shop.pro));
}

#[tokio::test]
async fn a_declined_card_is_tried_daily_and_pays_when_another_is_left() {
    let shop = Shop::subscribed("0341").await;
    shop.bill().await;
    shop.listen().await;
    for day in 1..=2 {
        let due = shop.invoice().await.attempt_at.unwrap();
        shop.pass(due).await;
        assert_eq!(shop.invoice().await.attempts, day + 1);
    }
    let page = shop.visit(CheckoutInput::Method).await;
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    shop.pass(Utc::now() + TimeDelta::seconds(1)).await;
    assert_eq!(shop.state().await, InvoiceState::Paid);
}

#[tokio::test]
async fn a_bill_that_nobody_pays_by_hand_counts_as_failed_on_its_due_date() {
    let shop = Shop::open().await;
    crate::fixture::move_to(&shop, shop.pro).await;
    let due = shop.bill().await.due_at;
    shop.listen().await;
    shop.pass(due - TimeDelta::seconds(1)).await;
    assert!(shop.invoice().await.failed_at.is_none());
    shop.pass(due + TimeDelta::seconds(1)).await;
    let grace = shop.invoice().await.grace_until.unwrap();
    shop.pass(grace).await;
    assert!(shop.at_gateways().await.0);
}
