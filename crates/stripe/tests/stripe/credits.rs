//! Credits that are bought on Stripe's page: there once Stripe says so, once, and never on a promise.

use chrono::Utc;
use tollgate_control::{Actor, CheckoutInput, Error, PlanInput};
use tollgate_domain::{Amount, CheckoutState, Scope};
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
