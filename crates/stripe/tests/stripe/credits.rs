//! Credits that are bought on Stripe's page: there once Stripe says so, once, and never on a promise.

use chrono::Utc;
use tollgate_control::{Actor, CheckoutInput, Error, PlanInput};
use tollgate_domain::{Amount, CheckoutState, PaymentState, Scope};
use tollgate_testkit::StripeFault;

use crate::fixture::Shop;

fn euros(minor: u64) -> Amount {
    Amount { minor, currency: "EUR".parse().unwrap() }
}

/// What is there, and every movement of it.
async fn credits(shop: &Shop) -> (u64, Vec<(String, i64)>) {
    let told = shop.control.credits(&shop.member, shop.organization).await.unwrap();
    let balance = told.accounts.iter().map(|account| account.balance().minor).sum();
    (balance, told.entries.into_iter().map(|entry| (entry.kind, entry.amount_minor)).collect())
}

#[tokio::test]
async fn credits_are_there_once_stripe_says_so_however_often_it_does() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Credits(euros(5_000))).await;
    // Whoever comes back without having paid has nothing.
    shop.listen().await;
    assert_eq!(credits(&shop).await, (0, vec![]));
    let session = &shop.double.list("checkout.session")[0];
    assert_eq!((&session["mode"], &session["amount_total"]), (&"payment".into(), &5_000.into()));
    shop.double.finish(&page, "4242").await;
    assert_eq!(credits(&shop).await.0, 0, "nobody told us yet");
    let messages = shop.double.messages();
    for _ in 0..3 {
        for message in &messages {
            shop.hear(message).await;
        }
        shop.listen().await;
    }
    assert_eq!(credits(&shop).await, (5_000, vec![("grant".to_owned(), 5_000)]));
    let events = "select count(*) from events where type = $1";
    assert_eq!(shop.database.count(events, "credits.granted").await, 1);
    let row = shop.control.store().find_checkout(&page).await.unwrap().unwrap();
    assert_eq!((row.state, row.credits()), (CheckoutState::Completed, Some(euros(5_000))));
    // They pay the next invoice before any card does.
    crate::fixture::move_to(&shop, shop.pro).await;
    shop.bill().await;
    shop.listen().await;
    assert_eq!(shop.story().await, ["credit done 29.00 EUR"]);
    assert_eq!(credits(&shop).await.0, 2_100);
}

/// Buys credits, and says which grant they are.
async fn bought(shop: &Shop, minor: u64) -> uuid::Uuid {
    let page = shop.visit(CheckoutInput::Credits(euros(minor))).await;
    shop.double.finish(&page, "4242").await;
    shop.listen().await;
    let told = shop.control.credits(&shop.member, shop.organization).await.unwrap();
    told.entries.iter().find(|entry| entry.kind == "grant").unwrap().id
}

async fn give_back(shop: &Shop, grant: uuid::Uuid, minor: u64) -> Result<(), Error> {
    let (system, now) = (Actor::system(), Utc::now());
    let back = shop.control.refund_credits(&system, shop.organization, grant, euros(minor), "Unused", now);
    back.await.map(drop)
}

#[tokio::test]
async fn what_is_not_used_of_bought_credits_goes_back_to_the_card_once() {
    let shop = Shop::open().await;
    let grant = bought(&shop, 5_000).await;
    crate::fixture::move_to(&shop, shop.pro).await;
    shop.bill().await;
    shop.listen().await;
    assert_eq!(credits(&shop).await.0, 2_100, "an invoice of 29.00 was paid from them");
    let refused = give_back(&shop, grant, 2_101).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(faults)) if faults[0].pointer == "/amount_minor"),
        "{refused:?}"
    );
    give_back(&shop, grant, 2_000).await.unwrap();
    assert_eq!(credits(&shop).await.0, 100, "they are gone before anybody is asked");
    // The answer to the first attempt is lost; it is made with the same key again.
    shop.double.fail_next(&[StripeFault::LoseAnswer]);
    shop.listen().await;
    shop.at_once().await;
    shop.listen().await;
    let refunds = shop.double.list("refund");
    assert_eq!(refunds.len(), 1, "{refunds:?}");
    assert_eq!(refunds[0]["amount"], 2_000);
    let settled = "select count(*) from credit_refunds where state = $1 and provider_ref is not null";
    assert_eq!(shop.database.count(settled, "done").await, 1);
    assert_eq!(credits(&shop).await.0, 100);
    let again = give_back(&shop, grant, 101).await;
    assert!(matches!(again, Err(Error::Invalid(_))), "no more than is left: {again:?}");
    let kept = "select count(*) from provider_calls where purpose like $1 and done_at is not null";
    assert_eq!(shop.database.count(kept, "credit_refund:%").await, 1);
}

#[tokio::test]
async fn credits_whose_money_cannot_be_paid_back_are_there_again() {
    let shop = Shop::open().await;
    let grant = bought(&shop, 1_000).await;
    let other = give_back(&shop, uuid::Uuid::now_v7(), 100).await;
    assert!(matches!(other, Err(Error::NotFound(_))), "{other:?}");
    give_back(&shop, grant, 400).await.unwrap();
    assert_eq!(credits(&shop).await.0, 600);
    // Somebody gave it back in Stripe's dashboard: nothing is left of the payment.
    let payment = shop.double.list("payment_intent")[0]["id"].as_str().unwrap().to_owned();
    shop.double.tamper(&payment, "refunded", 1_000.into());
    shop.listen().await;
    let (balance, story) = credits(&shop).await;
    assert_eq!(balance, 1_000, "{story:?}");
    let [refund] = &shop.control.credits(&Actor::system(), shop.organization).await.unwrap().refunds[..]
    else {
        panic!("one refund")
    };
    assert_eq!((refund.state, refund.note.as_str()), (PaymentState::Failed, "Unused"));
    let why = refund.failure.as_deref().expect("finance reads why");
    assert!(!why.is_empty() && refund.settled_at.is_some(), "{refund:?}");
    let theirs = shop.control.credits(&shop.member, shop.organization).await.unwrap();
    assert!(theirs.refunds.is_empty(), "customers do not");
    let (system, now) = (Actor::system(), Utc::now());
    let input = tollgate_control::CreditInput { amount: euros(10), expires_at: None, note: String::new() };
    let told = shop.control.grant_credits(&system, shop.organization, input, now).await.unwrap();
    let given = give_back(&shop, told.entries[0].id, 10).await;
    assert!(matches!(given, Err(Error::Conflict(_))), "what was given by hand has no card: {given:?}");
}

#[tokio::test]
async fn two_that_follow_one_visit_at_once_grant_once() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Credits(euros(700))).await;
    shop.double.finish(&page, "4242").await;
    let row = shop.control.store().find_checkout(&page).await.unwrap().unwrap();
    let now = Utc::now();
    let follow = || shop.control.follow_checkout(&row, now);
    let (one, other, third) = tokio::join!(follow(), follow(), follow());
    one.and(other).and(third).unwrap();
    assert_eq!(credits(&shop).await.0, 700);
}

#[tokio::test]
async fn a_purchase_of_which_no_message_comes_is_asked_about() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Credits(euros(900))).await;
    shop.double.finish(&page, "4242").await;
    drop(shop.double.messages());
    shop.database.run("update checkouts set created_at = now() - interval '11 minutes'").await;
    shop.pass(Utc::now()).await;
    assert_eq!(credits(&shop).await.0, 900);
}

#[tokio::test]
async fn a_card_that_is_declined_buys_nothing_and_a_page_that_fails_to_open_is_told() {
    let shop = Shop::open().await;
    let page = shop.visit(CheckoutInput::Credits(euros(900))).await;
    shop.double.finish(&page, "0341").await;
    shop.listen().await;
    assert_eq!(credits(&shop).await.0, 0);
    shop.double.fail_next(&[StripeFault::Fail]);
    let input = CheckoutInput::Credits(euros(900));
    let (back, away) = ("https://portal.test/x", "https://portal.test/y");
    let opened = shop.control.open_checkout(&shop.member, shop.organization, input, back, away).await;
    assert!(matches!(opened, Err(Error::Provider(_))), "{opened:?}");
}

#[tokio::test]
async fn a_plan_or_an_amount_that_was_tampered_with_is_refused() {
    let shop = Shop::open().await;
    let system = Actor::system();
    let open = async |input| {
        let (back, away) = ("https://portal.test/x", "https://portal.test/y");
        shop.control.open_checkout(&shop.member, shop.organization, input, back, away).await
    };
    let yen = Amount { minor: 5_000, currency: "JPY".parse().unwrap() };
    for amount in [euros(0), euros(99), euros(10_000_001), euros(u64::MAX)] {
        let opened = open(CheckoutInput::Credits(amount)).await;
        assert!(
            matches!(&opened, Err(Error::Invalid(faults)) if faults[0].pointer == "/amount_minor"),
            "{opened:?}"
        );
    }
    crate::fixture::move_to(&shop, shop.pro).await;
    let opened = open(CheckoutInput::Credits(yen)).await;
    assert!(
        matches!(&opened, Err(Error::Invalid(faults)) if faults[0].pointer == "/currency"),
        "who pays in euros cannot use yen: {opened:?}"
    );
    crate::fixture::move_to(&shop, shop.free).await;
    // A plan of another product, cheaper than the one that was looked at.
    let store = shop.control.store();
    let plan = store.get_plan(shop.pro).await.unwrap();
    let mut product =
        tollgate_control::ProductInput::from(&store.get_product(plan.product_id).await.unwrap());
    product.slug = "others".parse().unwrap();
    let product = shop.control.create_product(&system, product).await.unwrap();
    let input = PlanInput { product_id: product.id, ..PlanInput::from(&plan) };
    let cheap = shop.control.create_plan(&system, input).await.unwrap().id;
    let opened = open(CheckoutInput::Plan(shop.subscription, cheap)).await;
    assert!(matches!(&opened, Err(Error::Invalid(faults)) if faults[0].pointer == "/plan_id"), "{opened:?}");
    let id = shop.subscription;
    let to = tollgate_control::Move::To(cheap);
    let moved = shop.control.move_subscription(&shop.member, id, None, to, tollgate_control::When::Now).await;
    assert!(matches!(moved, Err(Error::Invalid(_))), "{moved:?}");
    assert_eq!(shop.subscription().await.plan_id, shop.free);
    assert!(shop.control.store().get_subscription(Scope::Operator, id).await.is_ok());
}
