//! From a card that was left to money that came, whatever is lost on the way.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tollgate_control::{Actor, CheckoutInput, CreditInput, Error, Move, When};
use tollgate_domain::{Amount, InvoiceState, Scope};
use tollgate_testkit::StripeFault;

use crate::fixture::{Shop, move_to};

#[tokio::test]
async fn a_plan_that_costs_something_begins_when_stripe_says_so_and_not_when_somebody_comes_back() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
    // The address that browsers are sent back to is opened, by whoever: nothing was paid.
    shop.listen().await;
    assert_eq!(shop.subscription().await.plan_id, shop.free);
    assert!(shop.control.needs_method(shop.organization, shop.pro).await.unwrap());
    shop.double.finish(&page, "4242").await;
    assert_eq!(shop.subscription().await.plan_id, shop.free, "nobody told us yet");
    shop.listen().await;
    assert_eq!(shop.subscription().await.plan_id, shop.pro);
    assert!(!shop.control.needs_method(shop.organization, shop.pro).await.unwrap());
    let account = shop.control.store().find_payment_account(shop.organization).await.unwrap().unwrap();
    assert_eq!(account.method_label.as_deref(), Some("Visa ending in 4242, 12/2030"));
}

#[tokio::test]
async fn a_month_is_collected_from_the_card_with_its_taxes() {
    let shop = Shop::subscribed("4242").await;
    shop.double.tax();
    shop.bill().await;
    shop.listen().await;
    let row = shop.invoice().await;
    assert_eq!((row.state, row.total().minor, row.tax().minor), (InvoiceState::Paid, 2_900, 580));
    assert_eq!(shop.story().await, ["payment done 34.80 EUR"]);
    let theirs = &shop.double.list("invoice")[0];
    assert_eq!((&theirs["number"], &theirs["status"]), (&json!(row.number), &json!("paid")));
    assert_eq!(shop.control.reconcile(Utc::now()).await.unwrap(), 0);
}

#[tokio::test]
async fn answers_that_are_lost_make_nothing_twice() {
    let shop = Shop::subscribed("4242").await;
    let row = shop.bill().await;
    let faults = [StripeFault::LoseAnswer, StripeFault::Fail, StripeFault::Busy];
    for attempt in 0..12 {
        shop.double.fail_next(&[faults[attempt % 3]]);
        shop.at_once().await;
        shop.work().await;
    }
    shop.at_once().await;
    shop.listen().await;
    assert_eq!(shop.state().await, InvoiceState::Paid);
    assert_eq!(shop.double.list("customer").len(), 1);
    let [invoice] = &shop.double.list("invoice")[..] else { panic!("one invoice") };
    assert_eq!(
        (&invoice["total"], &invoice["metadata"]["tollgate_invoice"]),
        (&json!(2_900), &json!(row.id.to_string()))
    );
    assert_eq!(shop.double.list("payment_intent").len(), 1);
    assert_eq!(shop.story().await, ["payment done 29.00 EUR"]);
}

#[tokio::test]
async fn what_was_made_before_a_long_outage_is_found_and_not_made_again() {
    let shop = Shop::subscribed("4242").await;
    shop.bill().await;
    shop.double.fail_next(&[StripeFault::LoseAnswer]);
    shop.work().await;
    assert_eq!(shop.double.list("invoice").len(), 1, "made, and nobody here knows");
    // A day later Stripe has forgotten the key.
    shop.double.advance(TimeDelta::hours(26));
    shop.database.run("update provider_calls set first_at = first_at - interval '26 hours'").await;
    shop.at_once().await;
    shop.listen().await;
    assert_eq!(shop.double.list("invoice").len(), 1);
    assert_eq!(shop.state().await, InvoiceState::Paid);
}

#[tokio::test]
async fn an_outage_of_stripe_buries_no_job_and_stops_no_call() {
    let shop = Shop::subscribed("4242").await;
    shop.bill().await;
    for _ in 0..40 {
        shop.double.fail_next(&[StripeFault::Fail]);
        shop.at_once().await;
        shop.work().await;
    }
    assert_eq!(shop.control.store().queue_figures().await.unwrap().dead, 0);
    assert_eq!(shop.at_gateways().await, (false, shop.pro));
    shop.at_once().await;
    shop.listen().await;
    assert_eq!(shop.state().await, InvoiceState::Paid);
}

#[tokio::test]
async fn money_that_comes_twice_goes_back_once() {
    let shop = Shop::subscribed("4242").await;
    let row = shop.bill().await;
    let page = shop.visit(CheckoutInput::Invoice(row.id)).await;
    let transfer = shop.control.settle_invoice(&Actor::system(), row.id, InvoiceState::Paid).await.unwrap();
    assert_eq!(transfer.state, InvoiceState::Paid);
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    assert_eq!(
        shop.story().await,
        ["payment done 29.00 EUR", "payment done 29.00 EUR", "refund done 29.00 EUR"]
    );
    let intents = shop.double.list("payment_intent");
    assert_eq!((intents.len(), &intents[0]["refunded"]), (1, &json!(2_900)));
}

#[tokio::test]
async fn finance_gives_back_what_was_paid_and_no_more() {
    let shop = Shop::subscribed("4242").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let system = Actor::system();
    shop.control.refund_invoice(&system, id, 900, "half a week without service").await.unwrap();
    let too_much = shop.control.refund_invoice(&system, id, 2_001, "more").await;
    assert!(matches!(too_much, Err(Error::Invalid(_))), "{too_much:?}");
    shop.listen().await;
    assert_eq!(shop.story().await, ["payment done 29.00 EUR", "refund done 9.00 EUR"]);
    assert_eq!(shop.invoice().await.refunded().minor, 900);
    let denied = shop.control.refund_invoice(&shop.member, id, 1, "mine").await;
    assert!(matches!(denied, Err(Error::Forbidden)), "{denied:?}");
}

#[tokio::test]
async fn a_credit_note_lowers_what_is_collected() {
    let shop = Shop::subscribed("0341").await;
    let id = shop.bill().await.id;
    shop.listen().await;
    let system = Actor::system();
    shop.control.credit_invoice(&system, id, 900, "agreed by phone").await.unwrap();
    shop.listen().await;
    assert_eq!(shop.invoice().await.due().minor, 2_000);
    let page = shop.visit(CheckoutInput::Invoice(id)).await;
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    let story = shop.story().await;
    assert_eq!(story[1..], ["credit done 9.00 EUR", "payment done 20.00 EUR"], "{story:?}");
    assert_eq!(shop.control.reconcile(Utc::now()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_comparison_reports_what_stands_differently() {
    let shop = Shop::subscribed("4242").await;
    shop.bill().await;
    shop.listen().await;
    let theirs = shop.double.list("invoice")[0]["id"].as_str().unwrap().to_owned();
    shop.double.tamper(&theirs, "total", json!(2_800));
    shop.double.tamper(&theirs, "status", json!("open"));
    assert_eq!(shop.control.reconcile(Utc::now()).await.unwrap(), 2);
    let reports = shop.control.reconciliations(&Actor::system()).await.unwrap();
    let found: Vec<_> = reports[0].1.iter().map(|one| (&*one.what, &*one.ours, &*one.theirs)).collect();
    assert_eq!(found, [("total", "29.00 EUR", "28.00 EUR"), ("state", "paid", "open")]);
}

#[tokio::test]
async fn a_tax_number_that_stripe_does_not_take_is_a_fault_of_its_field() {
    let shop = Shop::open().await;
    let set =
        async |value: &str| shop.control.set_tax_id(&shop.member, shop.organization, "eu_vat", value).await;
    assert!(matches!(set("12").await, Err(Error::Invalid(faults)) if faults[0].pointer == "/value"));
    set("DE123456789").await.unwrap();
    let account = shop.control.store().find_payment_account(shop.organization).await.unwrap().unwrap();
    assert_eq!(account.tax_id.as_deref(), Some("eu_vat DE123456789"));
}

#[tokio::test]
async fn nobody_sees_or_pays_at_anothers_account() {
    let shop = Shop::subscribed("4242").await;
    let id = shop.bill().await.id;
    let stranger = tollgate_domain::OrganizationId::from(uuid::Uuid::now_v7());
    let (back, away) = ("https://portal.test/x", "https://portal.test/y");
    let input = CheckoutInput::Invoice(id);
    let opened = shop.control.open_checkout(&shop.member, stranger, input, back, away).await;
    assert!(matches!(opened, Err(Error::NotFound(_))), "{opened:?}");
    assert!(
        shop.control.store().get_checkout(Scope::Organization(stranger), uuid::Uuid::nil()).await.is_err()
    );
    move_to(&shop, shop.free).await;
}

#[tokio::test]
async fn nobody_moves_to_a_priced_plan_past_checkout() {
    let shop = Shop::open().await;
    for when in [When::Now, When::PeriodEnd] {
        let to = Move::To(shop.pro);
        let moved = shop.control.move_subscription(&shop.member, shop.subscription, None, to, when).await;
        assert!(matches!(moved, Err(Error::Conflict(_))), "{moved:?}");
    }
    assert_eq!(shop.subscription().await.plan_id, shop.free);
    let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    assert_eq!(shop.subscription().await.plan_id, shop.pro, "with a way to pay it does");
}

#[tokio::test]
async fn credits_pay_first_and_stripe_collects_the_rest() {
    let shop = Shop::subscribed("4242").await;
    let amount = Amount { minor: 1_000, currency: "EUR".parse().unwrap() };
    let input = CreditInput { amount, expires_at: None, note: "A gift".to_owned() };
    shop.control.grant_credits(&Actor::system(), shop.organization, input, Utc::now()).await.unwrap();
    let row = shop.bill().await;
    assert_eq!((row.total().minor, row.due().minor), (2_900, 1_900));
    shop.listen().await;
    assert_eq!(shop.state().await, InvoiceState::Paid);
    assert_eq!(shop.story().await, ["credit done 10.00 EUR", "payment done 19.00 EUR"]);
    let left = shop.control.store().list_credit_accounts(shop.organization).await.unwrap();
    assert_eq!(left[0].balance().minor, 0);
    assert_eq!(shop.control.reconcile(Utc::now()).await.unwrap(), 0, "both sides agree");
}
