//! Trials, one-time fees and prices in several currencies: what is told before, billed, and never converted.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tollgate_control::{
    Actor, Error, Move, PlanInput, PlanPatch, Pricing, SubscriptionInput, SubscriptionPatch, When, Who,
};
use tollgate_domain::{CalendarMonth, Currency, OrganizationId, PlanId, Scope};

use crate::billing::{Paying, euros, line};
use crate::fixture::{Fixture, plan_input};

fn code(code: &str) -> Currency {
    code.parse().unwrap()
}

/// 30 EUR or 33 USD a month, 1 or 2 cents a call, 50 or 60 once, fifteen days to try with 1,000 calls.
fn tried() -> Pricing {
    let calls = |unit: &str| json!([{ "meter": "calls", "included": 3_000, "price": { "scheme": "per_unit", "unit_minor": unit } }]);
    let dollars =
        json!([{ "currency": "USD", "base_minor": 3_300, "setup_minor": 6_000, "meters": calls("2") }]);
    let trial = json!({ "days": 15, "included": [{ "meter": "calls", "units": 1_000 }] });
    Pricing {
        meters: serde_json::from_value(calls("1")).unwrap(),
        minimum_minor: 0,
        setup_minor: 5_000,
        trial: serde_json::from_value(trial).unwrap(),
        currencies: serde_json::from_value(dollars).unwrap(),
    }
}

pub async fn plan(
    fixture: &Fixture,
    product: &tollgate_store::ProductRow,
    slug: &str,
    pricing: Pricing,
) -> PlanId {
    let system = Actor::system();
    let input = PlanInput { slug: slug.parse().unwrap(), price: euros(3_000), ..plan_input(product) };
    let plan = fixture.control.create_plan(&system, input).await.unwrap().id;
    fixture.control.price_plan(&system, plan, None, pricing).await.unwrap();
    plan
}

pub fn organization(actor: &Actor) -> OrganizationId {
    match actor.who {
        Who::Member { organization_id, .. } => organization_id,
        _ => unreachable!("a member"),
    }
}

impl Paying {
    /// Moved to a plan that is tried, as if on 1 April 2026.
    pub async fn trying() -> (Self, PlanId) {
        let paying = Self::new().await;
        // As if it had been on nothing that costs before.
        paying.sql("update subscription_terms set plan_id = (select id from plans where slug = 'free'), tariff = 1").await;
        paying.sql("update organizations set currency = null").await;
        let plan = plan(&paying.fixture, &paying.published.product, "tried", tried()).await;
        let patch = SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
        let control = &paying.fixture.control;
        control.update_subscription(&paying.member, paying.subscription, None, patch).await.unwrap();
        paying.sql("delete from subscription_terms where ends is not null").await;
        paying.sql("update subscription_terms set begins = '2026-04-01', trial_ends = '2026-04-16'").await;
        (paying, plan)
    }
}

#[tokio::test]
async fn a_trial_is_free_of_the_fee_has_its_units_and_ends_by_itself_with_the_one_time_fee() {
    let (paying, _) = Paying::trying().await;
    // 600 in the trial, the last of them in its last minute; 3,500 after it.
    paying.call(paying.key, "2026-04-03T00:00:00Z", 500).await;
    paying.call(paying.key, "2026-04-15T23:59:00Z", 100).await;
    paying.call(paying.key, "2026-04-16T00:00:00Z", 3_500).await;
    paying.close("2026-05-02T00:00:00Z").await;
    let april = &paying.invoices().await[0];
    // Half the fee; 3,000 of the plan and the 600 that were tried cost nothing, 500 cost a cent each.
    assert_eq!(
        paying.lines(april).await,
        [line("base", 0, 1_500), line("usage", 4_100, 500), line("setup", 0, 5_000)]
    );
    let store = paying.fixture.control.store();
    let titles = store.list_invoice_lines(Scope::Operator, april.id).await.unwrap();
    assert!(titles[0].title.ends_with("base fee, 15.0 of 30 days"), "{}", titles[0].title);
    paying.close("2026-06-02T00:00:00Z").await;
    assert_eq!(paying.lines(&paying.invoices().await[0]).await, [line("base", 0, 3_000)], "once means once");
    assert_eq!(paying.fixture.control.prove_usage("2026-05-20T00:00:00Z".parse().unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_leaves_before_the_trial_is_over_owes_nothing() {
    let (paying, _) = Paying::trying().await;
    paying.call(paying.key, "2026-04-03T00:00:00Z", 900).await;
    paying.sql("update subscription_terms set ends = '2026-04-10'").await;
    assert_eq!(paying.close("2026-05-02T00:00:00Z").await, 1);
    let april = &paying.invoices().await[0];
    assert_eq!((paying.lines(april).await, april.total().minor), (vec![line("usage", 900, 0)], 0));
}

#[tokio::test]
async fn a_product_is_tried_once_however_one_moves_about() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let first = plan(&fixture, &published.product, "first", tried()).await;
    let longer = Pricing { trial: serde_json::from_value(json!({ "days": 20 })).unwrap(), ..tried() };
    let second = plan(&fixture, &published.product, "second", longer).await;
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let control = &fixture.control;
    let input = SubscriptionInput { application_id: made.application_id, plan_id: first };
    let row = control
        .store()
        .list_subscriptions(ada.tenants(false).unwrap(), None, tollgate_store::Page::FIRST_500)
        .await
        .unwrap();
    control.move_subscription(&ada, row[0].id, None, Move::End, When::Now).await.unwrap();
    let row = control.subscribe(&ada, input).await.unwrap();
    let ends = async |id, plan| control.subscription_tariff(id, plan).await.unwrap().1;
    let until = ends(row.id, first).await.unwrap();
    let days = (until - Utc::now()).num_hours() / 24;
    assert_eq!(days, 14, "fifteen days but some seconds");

    // Another plan has what is left of its own days, counted from the same beginning.
    let to = Move::To(second);
    let told = control.preview_move(&ada, row.id, to, When::Now, Utc::now()).await.unwrap();
    assert_eq!(told.trial_ends, Some(until + TimeDelta::days(5)));
    assert_eq!(told.setup.unwrap().to_string(), "50.00 EUR");
    assert_eq!(
        control.subscription_tariff(row.id, first).await.unwrap().1,
        Some(until),
        "a preview does nothing"
    );
    control.move_subscription(&ada, row.id, None, to, When::Now).await.unwrap();
    assert_eq!(ends(row.id, second).await, told.trial_ends);

    // Ended and begun again after its time: no second trial.
    control.move_subscription(&ada, row.id, None, Move::End, When::Now).await.unwrap();
    fixture.database.run("update subscription_terms set begins = begins - interval '16 days', ends = ends - interval '15 days', trial_ends = trial_ends - interval '16 days'").await;
    let again = control.subscribe(&ada, input).await.unwrap();
    assert_eq!(ends(again.id, first).await, None);
}

#[tokio::test]
async fn a_preview_is_what_the_statement_says_afterwards_with_trial_fee_and_currency() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let without_trial = Pricing { trial: None, ..tried() };
    let once = plan(&fixture, &published.product, "once", without_trial).await;
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let control = &fixture.control;
    control.choose_currency(&ada, made.organization_id, code("USD")).await.unwrap();
    let scope = ada.tenants(false).unwrap();
    let row = control
        .store()
        .list_subscriptions(scope, None, tollgate_store::Page::FIRST_500)
        .await
        .unwrap()
        .remove(0);
    let now = Utc::now();
    let told = control.preview_move(&ada, row.id, Move::To(once), When::Now, now).await.unwrap();
    assert_eq!(
        (told.setup.unwrap().to_string(), told.base_after.unwrap().to_string()),
        ("60.00 USD".to_owned(), "33.00 USD".to_owned())
    );
    control.move_subscription(&ada, row.id, None, Move::To(once), When::Now).await.unwrap();
    let month = CalendarMonth::of(now);
    let came = control.statement(&ada, row.organization_id, month, now).await.unwrap();
    let dollars = |amounts: &[tollgate_domain::Amount]| {
        amounts.iter().find(|one| one.currency == code("USD")).unwrap().minor
    };
    assert!(dollars(&told.this_month_after).abs_diff(dollars(&came.so_far)) <= 1);
    assert!(dollars(&came.so_far) >= 6_000);
}

#[tokio::test]
async fn a_currency_is_chosen_once_and_prices_are_never_converted() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let both = plan(&fixture, &published.product, "both", tried()).await;
    let euros_only = plan(&fixture, &published.product, "euros", Pricing::default()).await;
    let (ada, made) = fixture.sign_up("ada@example.com").await;
    let control = &fixture.control;
    let theirs = async || control.currency(&ada, made.organization_id).await.unwrap();
    assert_eq!(theirs().await, None, "what is free fixes nothing");
    control.choose_currency(&ada, made.organization_id, code("EUR")).await.unwrap();
    control.choose_currency(&ada, made.organization_id, code("USD")).await.unwrap();
    let scope = ada.tenants(false).unwrap();
    let row = control
        .store()
        .list_subscriptions(scope, None, tollgate_store::Page::FIRST_500)
        .await
        .unwrap()
        .remove(0);
    let to = |plan| SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
    let refused = control.update_subscription(&ada, row.id, None, to(euros_only)).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Invalid(faults) if faults[0].pointer == "/plan_id" && faults[0].message.contains("USD")),
        "{refused:?}"
    );
    control.update_subscription(&ada, row.id, None, to(both)).await.unwrap();
    let (tariff, _) = control.subscription_tariff(row.id, both).await.unwrap();
    assert_eq!((tariff.currency, tariff.base_minor), (code("USD"), 3_300));
    let fixed = control.choose_currency(&ada, made.organization_id, code("EUR")).await;
    assert!(matches!(fixed, Err(Error::Conflict(_))), "{fixed:?}");
    assert_eq!(theirs().await, Some(code("USD")));
    let (eve, _) = fixture.sign_up("eve@example.com").await;
    let foreign = control.choose_currency(&eve, made.organization_id, code("EUR")).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
}

#[tokio::test]
async fn the_first_plan_that_costs_something_fixes_the_currency_and_its_bill_is_in_it() {
    let (paying, _) = Paying::trying().await;
    let control = &paying.fixture.control;
    let of = organization(&paying.member);
    assert_eq!(control.currency(&paying.member, of).await.unwrap(), Some(code("EUR")));
    // Another organization pays in dollars; one month, two currencies, one bill each.
    paying.sql("update subscription_terms set currency = 'USD'").await;
    paying.close("2026-05-02T00:00:00Z").await;
    let april = &paying.invoices().await[0];
    assert_eq!(april.total().to_string(), "76.50 USD");
}

#[tokio::test]
async fn owners_are_told_three_days_before_a_trial_ends() {
    let (paying, _) = Paying::trying().await;
    let control = &paying.fixture.control;
    let soon = async |sql| {
        paying.sql(sql).await;
        control.look_after_trials().await.unwrap();
        control.look_after_trials().await.unwrap();
        paying.fixture.work().await;
        paying.fixture.mails.last_to("maria@example.com").filter(|mail| mail.subject.contains("trial"))
    };
    let told = soon("update subscription_terms set trial_ends = now() + interval '4 days'").await;
    assert!(told.is_none(), "not yet");
    let told = soon("update subscription_terms set trial_ends = now() + interval '2 days'").await.unwrap();
    assert!(told.text.contains("30.00 EUR a month, 50.00 EUR once"), "{}", told.text);
    let events = "select count(*) from events where type = $1";
    assert_eq!(paying.fixture.database.count(events, "subscription.trial_ending").await, 1, "once");
}

#[tokio::test]
async fn a_plan_with_prices_does_not_change_its_currency_unseen() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let only_setup = Pricing { setup_minor: 500, ..Pricing::default() };
    let plan = plan(&fixture, &published.product, "once", only_setup).await;
    let dollars = tollgate_domain::Price { currency: code("USD"), ..euros(3_000) };
    let patch = PlanPatch { price: Some(dollars), ..PlanPatch::default() };
    let refused = fixture.control.update_plan(&Actor::system(), plan, None, patch).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}
