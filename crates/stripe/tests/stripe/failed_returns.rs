//! Refunds and credit notes that Stripe refuses: finance is told why, and decides.

use chrono::Utc;
use serde_json::json;
use tollgate_control::{Actor, Error, Received};
use tollgate_domain::InvoiceState;
use tollgate_store::ProviderFigures;
use tollgate_testkit::{STRIPE_WEBHOOK_SECRET, StripeMessage};

use crate::fixture::Shop;
use crate::messages::event;

async fn figures(shop: &Shop) -> ProviderFigures {
    shop.control.store().provider_figures().await.unwrap()
}

/// What Stripe calls the first object of a kind.
fn first(shop: &Shop, kind: &str) -> String {
    shop.double.list(kind)[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refund_that_stripe_refuses_has_failed_with_its_reason_and_is_tried_anew_or_withdrawn() {
    let shop = Shop::subscribed("4242").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let (control, system) = (&shop.control, Actor::system());
    // Somebody gave it back in Stripe's dashboard: nothing is left of the payment.
    let payment = first(&shop, "payment_intent");
    shop.double.tamper(&payment, "refunded", json!(2_900));
    control.refund_invoice(&system, id, 900, "half a week without service").await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await, ["payment done 29.00 EUR", "refund failed 9.00 EUR"]);
    let failed = shop.payments().await.remove(1);
    assert_eq!(failed.failure.as_deref(), Some("The refund is greater than the charge."));
    assert_eq!(shop.invoice().await.refunded().minor, 0, "nothing went back");
    assert_eq!((figures(&shop).await.failed_returns, figures(&shop).await.calls_waiting), (1, 0));

    // In vain, then with success: each is another one, under a key of its own.
    control.retry_return(&system, id, failed.id).await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[1..], ["refund withdrawn 9.00 EUR", "refund failed 9.00 EUR"]);
    let again = shop.payments().await.remove(2);
    shop.double.tamper(&payment, "refunded", json!(0));
    control.retry_return(&system, id, again.id).await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[2..], ["refund withdrawn 9.00 EUR", "refund done 9.00 EUR"]);
    assert_eq!(shop.invoice().await.refunded().minor, 900);
    assert_eq!((shop.double.list("refund").len(), figures(&shop).await.failed_returns), (1, 0));

    let done = shop.payments().await.remove(3);
    assert_eq!(done.note.as_deref(), Some("half a week without service"));
    for wrong in [
        control.retry_return(&system, id, done.id).await,
        control.withdraw_return(&system, id, done.id).await,
        control.withdraw_return(&system, id, failed.id).await,
    ] {
        assert!(matches!(wrong, Err(Error::Conflict(_))), "only what failed is decided about: {wrong:?}");
    }
    let unknown = control.withdraw_return(&system, id, uuid::Uuid::nil()).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    let denied = control.retry_return(&shop.member, id, done.id).await;
    assert!(matches!(denied, Err(Error::Forbidden)), "{denied:?}");
}

#[tokio::test]
async fn a_refund_that_a_bank_sends_back_has_failed_and_takes_nothing_from_what_is_left() {
    let shop = Shop::subscribed("4242").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let (control, system) = (&shop.control, Actor::system());
    control.refund_invoice(&system, id, 2_900, "a month without service").await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[1], "refund done 29.00 EUR");
    let refund = first(&shop, "refund");
    shop.double.tamper(&refund, "status", json!("failed"));
    shop.double.tamper(&refund, "failure_reason", json!("lost_or_stolen_card"));
    let told = async |id: &str| {
        let body = event(id, "refund.failed", &refund, false);
        let message = StripeMessage::signed(body, STRIPE_WEBHOOK_SECRET, Utc::now());
        assert_eq!(shop.hear(&message).await, Received::Taken);
        shop.listen().await;
    };
    told("evt_back").await;
    let failed = shop.payments().await.remove(1);
    assert_eq!(failed.failure.as_deref(), Some("lost or stolen card"));
    assert_eq!((shop.invoice().await.refunded().minor, figures(&shop).await.failed_returns), (0, 1));
    control.withdraw_return(&system, id, failed.id).await.unwrap();
    told("evt_again").await;
    assert_eq!(shop.story().await[1], "refund withdrawn 29.00 EUR", "what was decided stays decided");
    assert_eq!(figures(&shop).await.failed_returns, 0);
    // All of the payment can be given back another way.
    shop.double.tamper(&first(&shop, "payment_intent"), "refunded", json!(0));
    control.refund_invoice(&system, id, 2_900, "to another card").await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[2], "refund done 29.00 EUR");
}

#[tokio::test]
async fn a_credit_note_that_stripe_refuses_lowers_nothing_and_one_that_settled_the_bill_stands() {
    let shop = Shop::subscribed("0341").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    assert_eq!(figures(&shop).await.calls_waiting, 0, "nobody waits for a call that was answered with no");
    let (control, system) = (&shop.control, Actor::system());
    // Somebody wrote one in Stripe's dashboard.
    let bill = first(&shop, "invoice");
    shop.double.tamper(&bill, "credited", json!(2_500));
    control.credit_invoice(&system, id, 900, "agreed by phone").await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[1..], ["credit failed 9.00 EUR"]);
    assert_eq!(shop.invoice().await.due().minor, 2_900);
    let failed = shop.payments().await.remove(1);
    control.withdraw_return(&system, id, failed.id).await.unwrap();

    control.credit_invoice(&system, id, 2_900, "all of it").await.unwrap();
    assert_eq!(shop.state().await, InvoiceState::Paid);
    shop.listen().await;
    assert_eq!(shop.story().await[2..], ["credit done 29.00 EUR"]);
    assert_eq!(shop.double.list("invoice")[0]["status"], "paid", "Stripe collects it no more");
    assert_eq!(figures(&shop).await.failed_returns, 0);
}

#[tokio::test]
async fn a_credit_note_that_is_refused_once_the_bill_was_paid_has_failed_and_is_not_tried_anew() {
    let shop = Shop::subscribed("0341").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let (control, system) = (&shop.control, Actor::system());
    shop.double.tamper(&first(&shop, "invoice"), "credited", json!(2_500));
    control.credit_invoice(&system, id, 900, "agreed by phone").await.unwrap();
    control.settle_invoice(&system, id, InvoiceState::Paid).await.unwrap();
    shop.listen().await;
    assert_eq!(shop.story().await[1], "credit failed 9.00 EUR");
    let failed = shop.payments().await.remove(1);
    let again = control.retry_return(&system, id, failed.id).await;
    assert!(matches!(&again, Err(Error::Conflict(why)) if why.contains("refund it instead")), "{again:?}");
    assert_eq!(figures(&shop).await.failed_returns, 1, "nothing was decided by that");
    control.withdraw_return(&system, id, failed.id).await.unwrap();
    assert_eq!(figures(&shop).await.failed_returns, 0);
}
