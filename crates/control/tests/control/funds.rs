//! Spend caps and credits: what money allows, never a call more.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate_control::{
    Actor, CredentialInput, CreditInput, Error, Move, PlanInput, Pricing, SpendCapInput, SubscriptionPatch,
    When,
};
use tollgate_domain::{
    Amount, CalendarMonth, CapLanding, CredentialId, Environment, InvoiceState, OrganizationId, Outcome,
    Period, PlanId, Price, RouteId, Scope, SubscriptionId, UsageCount, UsageKey,
};
use tollgate_store::{LeaseAsk, Page};
use uuid::Uuid;

use crate::fixture::{Fixture, Published, plan_input};

/// A subscriber on a plan whose calls cost a cent each, since this month began.
pub struct Wallet {
    pub fixture: Fixture,
    pub member: Actor,
    published: Published,
    plan: PlanId,
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    key: CredentialId,
}

pub fn euros(minor: u64) -> Amount {
    Amount { minor, currency: "EUR".parse().unwrap() }
}

fn per_unit(meter: &str, unit_minor: &str) -> Pricing {
    let price = json!({ "scheme": "per_unit", "unit_minor": unit_minor });
    let meters = json!([{ "meter": meter, "price": price }]);
    Pricing { meters: serde_json::from_value(meters).unwrap(), ..Pricing::default() }
}

pub fn cap(amount_minor: u64, landing: CapLanding) -> SpendCapInput {
    SpendCapInput { amount_minor, landing }
}

impl Wallet {
    pub async fn new(meter: &str) -> Self {
        let fixture = Fixture::new().await;
        let published = fixture.publish("things").await;
        let (member, made) = fixture.sign_up("maria@example.com").await;
        let system = Actor::system();
        let price = Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month };
        let input = PlanInput { slug: "metered".parse().unwrap(), price, ..plan_input(&published.product) };
        let plan = fixture.control.create_plan(&system, input).await.unwrap().id;
        fixture.control.price_plan(&system, plan, None, per_unit(meter, "1")).await.unwrap();
        let scope = Scope::Organization(made.organization_id);
        let subscription =
            fixture.control.store().list_subscriptions(scope, None, Page::FIRST_500).await.unwrap()[0].id;
        let patch = SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
        fixture.control.update_subscription(&member, subscription, None, patch).await.unwrap();
        let input = CredentialInput {
            name: "Server".to_owned(),
            environment: Environment::Live,
            expires_at: None,
            restrictions: Default::default(),
        };
        let key = fixture.control.create_credential(&system, made.application_id, input).await.unwrap().id;
        fixture.database.run("delete from subscription_terms where ends is not null").await;
        fixture
            .database
            .run("update subscription_terms set begins = date_trunc('month', now(), 'UTC')")
            .await;
        let organization = made.organization_id;
        Self { fixture, member, published, plan, organization, subscription, key }
    }

    pub async fn prepaid(minor: u64) -> Self {
        let wallet = Self::new("calls").await;
        wallet.fixture.control.set_prepaid(&Actor::system(), wallet.plan, true).await.unwrap();
        wallet.grant(minor, None).await;
        wallet
    }

    pub async fn grant(&self, minor: u64, expires_at: Option<DateTime<Utc>>) {
        let input = CreditInput { amount: euros(minor), expires_at, note: "Bank transfer".to_owned() };
        let control = &self.fixture.control;
        control.grant_credits(&Actor::system(), self.organization, input, Utc::now()).await.unwrap();
    }

    /// A gateway borrows until it is told that there is nothing more.
    pub async fn borrow_all(&self, boot: Uuid, of: SubscriptionId) -> u64 {
        let mut lent = 0;
        loop {
            let ask = LeaseAsk { subscription_id: of, needed: 1, wanted: 50 };
            let grants = self.fixture.control.store().lease_budgets(boot, &[ask]).await.unwrap();
            let [grant] = &grants[..] else { panic!("one budget, not {grants:?}") };
            if grant.granted == 0 {
                return lent;
            }
            lent += grant.granted;
        }
    }

    /// Calls of one unit that a gateway counted just now.
    pub async fn call(&self, boot: Uuid, of: SubscriptionId, calls: u64, bytes_out: u64) {
        self.count_calls(Utc::now(), boot, of, calls, bytes_out).await;
    }

    pub async fn call_at(&self, at: DateTime<Utc>, boot: Uuid, of: SubscriptionId, calls: u64) {
        self.count_calls(at, boot, of, calls, 0).await;
    }

    async fn count_calls(
        &self,
        at: DateTime<Utc>,
        boot: Uuid,
        of: SubscriptionId,
        calls: u64,
        bytes_out: u64,
    ) {
        let key = UsageKey {
            credential_id: self.key,
            subscription_id: of,
            route_id: RouteId::from(Uuid::from_u128(9)),
            status: 200,
            outcome: Outcome::Served,
            minute: u32::try_from(at.timestamp() / 60).unwrap(),
        };
        let count = UsageCount {
            boot_id: boot,
            key,
            calls,
            charged: calls,
            units: calls,
            readings: [0, 0],
            bytes_in: 0,
            bytes_out,
            duration_us: 0,
        };
        self.fixture.control.store().record_usage(&[count]).await.unwrap();
    }

    async fn owed(&self) -> u64 {
        let month = CalendarMonth::of(Utc::now());
        let control = &self.fixture.control;
        let told = control.statement(&self.member, self.organization, month, Utc::now()).await.unwrap();
        told.so_far.iter().map(|amount| amount.minor).sum()
    }

    pub async fn balance(&self) -> (u64, u64) {
        let accounts = self.fixture.control.store().list_credit_accounts(self.organization).await.unwrap();
        accounts.first().map_or((0, 0), |one| (one.balance().minor, one.held().minor))
    }

    pub async fn count(&self, sql: &'static str, kind: &str) -> i64 {
        self.fixture.database.count(sql, kind).await
    }
}

#[tokio::test]
async fn a_cap_lends_as_many_calls_as_it_pays_for_and_tells_of_it() {
    let wallet = Wallet::new("calls").await;
    let (control, store) = (&wallet.fixture.control, wallet.fixture.control.store());
    let (id, now) = (wallet.subscription, Utc::now());
    let told = control.preview_spend_cap(&wallet.member, id, cap(300, CapLanding::Block), now).await.unwrap();
    assert_eq!((told.spent, told.calls_left, told.free_plan.as_deref()), (euros(0), Some(300), Some("Free")));
    assert!(store.find_spend_cap(id).await.unwrap().is_none(), "a preview does nothing");
    control.set_spend_cap(&wallet.member, id, cap(300, CapLanding::Block), now).await.unwrap();
    // Gateways hold it to a plan with the cap's budget.
    let full = store.feed_full().await.unwrap();
    let held = full.applications.iter().flat_map(|one| &one.subscriptions).find(|one| one.id == id).unwrap();
    let plan = full.blueprint.plans.iter().find(|plan| plan.id == held.plan_id).unwrap();
    assert_ne!(plan.id, wallet.plan);
    assert!(plan.limits.iter().any(|limit| limit.name == "$cap") && plan.fallback.is_none());

    let [one, two] = [Uuid::now_v7(), Uuid::now_v7()];
    let lent = [wallet.borrow_all(one, id).await, wallet.borrow_all(two, id).await];
    assert_eq!(lent.iter().sum::<u64>(), 300);
    wallet.call(one, id, lent[0], 0).await;
    control.look_after_spend_caps(now).await.unwrap();
    assert_eq!(wallet.borrow_all(two, id).await, 0, "what is lent and not counted may be spent yet");
    wallet.call(two, id, lent[1], 0).await;
    control.look_after_spend_caps(now).await.unwrap();
    assert_eq!((wallet.owed().await, wallet.borrow_all(one, id).await), (300, 0));
    let events = "select count(*) from events where type = $1";
    assert!(wallet.count(events, "spend_cap.threshold_reached").await >= 1);
    let reached = control.spend_cap(&wallet.member, id, now).await.unwrap().unwrap();
    assert_eq!((reached.percent(), reached.calls_left), (100, Some(0)));

    // Raised, exactly the difference is lent; lifted, the plan's own terms hold.
    control.set_spend_cap(&wallet.member, id, cap(450, CapLanding::Block), now).await.unwrap();
    assert_eq!(wallet.borrow_all(one, id).await, 150);
    control.lift_spend_cap(&wallet.member, id).await.unwrap();
    let full = store.feed_full().await.unwrap();
    let held = full.applications.iter().flat_map(|one| &one.subscriptions).find(|one| one.id == id).unwrap();
    assert_eq!(held.plan_id, wallet.plan);
    assert!(matches!(control.lift_spend_cap(&wallet.member, id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_cap_lands_on_the_free_plan_or_lets_calls_go_on_as_was_chosen() {
    let wallet = Wallet::new("calls").await;
    let (control, store) = (&wallet.fixture.control, wallet.fixture.control.store());
    let (id, now) = (wallet.subscription, Utc::now());
    control.set_spend_cap(&wallet.member, id, cap(100, CapLanding::Throttle), now).await.unwrap();
    let full = store.feed_full().await.unwrap();
    let held = full.applications.iter().flat_map(|one| &one.subscriptions).find(|one| one.id == id).unwrap();
    let plans = &full.blueprint.plans;
    let plan = plans.iter().find(|plan| plan.id == held.plan_id).unwrap();
    let fallback = plans.iter().find(|one| Some(one.id) == plan.fallback).expect("the free plan");
    assert!(fallback.uncharged);
    assert_eq!(fallback.limits[0].name, wallet.published.plan.limits[0].name);
    tollgate_engine::compile(&full.blueprint).expect("gateways take it");

    control.set_spend_cap(&wallet.member, id, cap(100, CapLanding::Notify), now).await.unwrap();
    let full = store.feed_full().await.unwrap();
    let held = full.applications.iter().flat_map(|one| &one.subscriptions).find(|one| one.id == id).unwrap();
    assert_eq!(held.plan_id, wallet.plan);
    wallet.call(Uuid::now_v7(), id, 80, 0).await;
    control.look_after_spend_caps(now).await.unwrap();
    let events = "select count(*) from events where type = $1 and data ->> 'percent' = '80'";
    assert_eq!(wallet.count(events, "spend_cap.threshold_reached").await, 1);
    control.look_after_spend_caps(now).await.unwrap();
    assert_eq!(wallet.count(events, "spend_cap.threshold_reached").await, 1, "once");
}

/// A plan of the wallet's product at these prices.
async fn another_plan(wallet: &Wallet, slug: &str, pricing: Pricing) -> PlanId {
    let system = Actor::system();
    let control = &wallet.fixture.control;
    let price = Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month };
    let input = PlanInput { slug: slug.parse().unwrap(), price, ..plan_input(&wallet.published.product) };
    let plan = control.create_plan(&system, input).await.unwrap().id;
    control.price_plan(&system, plan, None, pricing).await.unwrap();
    plan
}

#[tokio::test]
async fn a_move_in_the_middle_of_a_month_does_not_break_a_cap_by_what_it_takes_back() {
    let wallet = Wallet::new("calls").await;
    let (control, now) = (&wallet.fixture.control, Utc::now());
    let id = wallet.subscription;
    let price = json!({ "scheme": "per_unit", "unit_minor": "1" });
    let included = json!([{ "meter": "calls", "included": 1_000_000, "price": price }]);
    let pricing = Pricing { meters: serde_json::from_value(included).unwrap(), ..Pricing::default() };
    let large = another_plan(&wallet, "large", pricing).await;
    let patch = SubscriptionPatch { plan_id: Some(large), ..SubscriptionPatch::default() };
    control.update_subscription(&wallet.member, id, None, patch).await.unwrap();
    wallet.fixture.database.run("delete from subscription_terms where ends is not null").await;
    wallet
        .fixture
        .database
        .run("update subscription_terms set begins = date_trunc('month', now(), 'UTC')")
        .await;
    control.set_spend_cap(&wallet.member, id, cap(1, CapLanding::Block), now).await.unwrap();
    // As many as a whole month includes: they cost nothing, on these terms.
    wallet.call_at(CalendarMonth::of(now).start(), Uuid::now_v7(), id, 1_000_000).await;
    assert_eq!(wallet.owed().await, 0);
    let to = Move::To(wallet.plan);
    let told = control.preview_move(&wallet.member, id, to, When::Now, Utc::now()).await.unwrap();
    let why = told.over_cap.expect("a part of a month includes a part of them");
    assert!(why.contains("the spend cap is 0.01 EUR"), "{why}");
    let moved = control.move_subscription(&wallet.member, id, None, to, When::Now).await;
    assert!(matches!(moved, Err(Error::Conflict(_))), "{moved:?}");
    assert_eq!(wallet.owed().await, 0, "nothing is left of it");
    let later = control.preview_move(&wallet.member, id, to, When::PeriodEnd, Utc::now()).await.unwrap();
    assert_eq!(later.over_cap, None);
    control.move_subscription(&wallet.member, id, None, to, When::PeriodEnd).await.unwrap();
    // Operators answer for what they do; whoever leaves is not kept.
    control.move_subscription(&Actor::system(), id, None, to, When::Now).await.unwrap();
    control.move_subscription(&wallet.member, id, None, Move::End, When::Now).await.unwrap();
}

#[tokio::test]
async fn where_a_dearer_plan_is_to_begin_no_call_is_lent_at_the_old_price() {
    let wallet = Wallet::new("calls").await;
    let (control, now) = (&wallet.fixture.control, Utc::now());
    let id = wallet.subscription;
    let dear = another_plan(&wallet, "dear", per_unit("calls", "10")).await;
    control.set_spend_cap(&wallet.member, id, cap(300, CapLanding::Block), now).await.unwrap();
    let fresh = "select month_weight from spend_caps where $1 = ''";
    assert_eq!(wallet.count(fresh, "").await, 300);
    let to = Move::To(dear);
    control.move_subscription(&wallet.member, id, None, to, When::PeriodEnd).await.unwrap();
    assert_eq!(wallet.count(fresh, "").await, 30, "of the month to come, which begins on it");
    // The month has turned, and nobody has made the change yet.
    wallet
        .fixture
        .database
        .run("update planned_changes set due_at = date_trunc('month', now(), 'UTC')")
        .await;
    control.set_spend_cap(&wallet.member, id, cap(200, CapLanding::Block), now).await.unwrap();
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), id).await, 20);
}

#[tokio::test]
async fn what_money_allows_is_told_with_the_limits() {
    let wallet = Wallet::prepaid(50).await;
    let (control, now) = (&wallet.fixture.control, Utc::now());
    let id = wallet.subscription;
    let told = control.funds_of(&wallet.member, id, now).await.unwrap();
    let credits = told.credits.expect("the plan is prepaid");
    assert_eq!((credits.balance, credits.calls_left, told.refusal()), (euros(50), 50, None));
    wallet.call(Uuid::now_v7(), id, 50, 0).await;
    control.look_after_credits(now).await.unwrap();
    let told = control.funds_of(&wallet.member, id, now).await.unwrap();
    assert_eq!(told.refusal().expect("used up").0, "credits_used_up");
    control.set_prepaid(&Actor::system(), wallet.plan, false).await.unwrap();
    control.set_spend_cap(&wallet.member, id, cap(50, CapLanding::Throttle), now).await.unwrap();
    let told = control.funds_of(&wallet.member, id, now).await.unwrap();
    assert_eq!((told.refusal(), told.throttled_to()), (None, Some("Free")));
    control.set_spend_cap(&wallet.member, id, cap(50, CapLanding::Block), now).await.unwrap();
    let question = tollgate_control::Question {
        headers: Vec::new(),
        key: wallet.key.to_string(),
        method: "GET".to_owned(),
        path: "/things/things".to_owned(),
        host: String::new(),
    };
    let explained = control.explain(&Actor::system(), &question).await.unwrap();
    assert_eq!(explained.verdict, "spend_cap_reached", "{}", explained.because);
    assert!(explained.because.contains("0.50 EUR of its cap of 0.50 EUR"), "{}", explained.because);
    let (other, _) = wallet.fixture.sign_up("carl@example.com").await;
    assert!(control.funds_of(&other, id, now).await.is_err());
}

#[tokio::test]
async fn a_cap_on_what_is_known_only_after_a_call_is_passed_by_no_more_than_a_look_allows() {
    let wallet = Wallet::new("megabytes_out").await;
    let (control, now) = (&wallet.fixture.control, Utc::now());
    let (id, boot) = (wallet.subscription, Uuid::now_v7());
    control.set_spend_cap(&wallet.member, id, cap(1_000, CapLanding::Block), now).await.unwrap();
    // A megabyte a call costs a cent; it is not known before, so a hundred are let through to begin with.
    let mut calls = 0;
    loop {
        let lent = wallet.borrow_all(boot, id).await;
        if lent == 0 {
            break;
        }
        calls += lent;
        wallet.call(boot, id, calls, calls * 1_000_000).await;
        control.look_after_spend_caps(now).await.unwrap();
    }
    assert_eq!(wallet.owed().await, 1_000, "calls as large as before are known");
    assert_eq!(calls, 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn prepaid_calls_stop_exactly_when_the_credits_are_used_up() {
    let wallet = std::sync::Arc::new(Wallet::prepaid(1_000).await);
    assert_eq!(wallet.balance().await, (1_000, 1_000), "held for the calls to come");
    let mut gateways = Vec::new();
    for _ in 0..6 {
        let wallet = std::sync::Arc::clone(&wallet);
        gateways.push(tokio::spawn(async move {
            let boot = Uuid::now_v7();
            let lent = wallet.borrow_all(boot, wallet.subscription).await;
            wallet.call(boot, wallet.subscription, lent, 0).await;
            wallet.fixture.control.look_after_credits(Utc::now()).await.unwrap();
            lent + wallet.borrow_all(boot, wallet.subscription).await
        }));
    }
    let mut lent = 0;
    for gateway in gateways {
        lent += gateway.await.unwrap();
    }
    assert_eq!((lent, wallet.owed().await), (1_000, 1_000), "none over, none lost");
    let overrun = sqlx::query("update credit_holds set amount_minor = amount_minor + 1")
        .execute(wallet.fixture.control.store().pool())
        .await;
    assert!(overrun.is_err(), "the database itself refuses");
    let edited = sqlx::query("update credit_entries set amount_minor = 5000")
        .execute(wallet.fixture.control.store().pool())
        .await;
    assert!(edited.is_err(), "entries are never changed");
    assert!(wallet.count("select count(*) from events where type = $1", "credits.low").await >= 1);

    // More credits, more calls; the month's invoice is paid from them.
    wallet.grant(25, None).await;
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), wallet.subscription).await, 25);
    wallet.fixture.database.run("update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date").await;
    let control = &wallet.fixture.control;
    let after = CalendarMonth::of(Utc::now()).end() + TimeDelta::hours(3);
    assert_eq!(control.close_months(after).await.unwrap(), 1);
    let invoices = control.store().list_invoices(Scope::Operator, None, Page::FIRST_500).await.unwrap();
    let invoice = &invoices[0];
    assert_eq!((invoice.state, invoice.total(), invoice.due()), (InvoiceState::Paid, euros(1_000), euros(0)));
    assert_eq!(wallet.balance().await.0, 25);
    let used = "select count(*) from credit_entries where kind = $1 and invoice_id is not null";
    assert!(wallet.count(used, "use").await >= 1);
}

#[tokio::test]
async fn subscriptions_that_use_the_same_credits_share_them_and_overrun_nothing() {
    let wallet = Wallet::prepaid(100).await;
    let control = &wallet.fixture.control;
    let scope = Scope::Organization(wallet.organization);
    let system = Actor::system();
    let application =
        control.create_application(&wallet.member, wallet.organization, "Second").await.unwrap();
    let input = tollgate_control::SubscriptionInput { application_id: application.id, plan_id: wallet.plan };
    let second = control.subscribe(&system, input).await.unwrap().id;
    assert_eq!(control.store().list_subscriptions(scope, None, Page::FIRST_500).await.unwrap().len(), 2);
    control.look_after_credits(Utc::now()).await.unwrap();
    let boot = Uuid::now_v7();
    let mut lent = [0, 0];
    // What one did not use, the other has after a look.
    for _ in 0..12 {
        let more = wallet.borrow_all(boot, second).await;
        lent[1] += more;
        wallet.call(boot, second, lent[1], 0).await;
        control.look_after_credits(Utc::now()).await.unwrap();
    }
    assert!(lent[1] >= 98, "{lent:?}");
    lent[0] += wallet.borrow_all(boot, wallet.subscription).await;
    assert!(lent.iter().sum::<u64>() <= 100, "{lent:?}");
}

#[tokio::test]
async fn credits_expire_in_order_and_what_is_committed_does_not() {
    let wallet = Wallet::new("calls").await;
    let control = &wallet.fixture.control;
    control.set_prepaid(&Actor::system(), wallet.plan, true).await.unwrap();
    let soon = Utc::now() + TimeDelta::minutes(1);
    wallet.grant(40, None).await;
    wallet.grant(60, Some(soon)).await;
    wallet.call(Uuid::now_v7(), wallet.subscription, 10, 0).await;
    // A call that is lent and not counted counts as used, too.
    let ask = LeaseAsk { subscription_id: wallet.subscription, needed: 1, wanted: 1 };
    control.store().lease_budgets(Uuid::now_v7(), &[ask]).await.unwrap();
    control.look_after_credits(soon + TimeDelta::seconds(1)).await.unwrap();
    let expired: i64 = sqlx::query_scalar("select amount_minor from credit_entries where kind = 'expiry'")
        .fetch_one(control.store().pool())
        .await
        .unwrap();
    assert!((-50..=-49).contains(&expired), "of the sixty that expire, what calls took stays: {expired}");
    let free = wallet.balance().await.0 - 11;
    let system = Actor::system();
    let too_much = control
        .take_credits_back(&system, wallet.organization, euros(free + 5), "Too much", Utc::now())
        .await;
    assert!(matches!(too_much, Err(Error::Invalid(_))), "{too_much:?}");
    control
        .take_credits_back(&system, wallet.organization, euros(20), "Paid back", Utc::now())
        .await
        .unwrap();
    let told = control.credits(&wallet.member, wallet.organization).await.unwrap();
    let kinds: Vec<&str> = told.entries.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["refund", "expiry", "grant", "grant"]);
    assert_eq!(told.entries[0].balance_minor, told.accounts[0].balance().minor.cast_signed());
    let (other, _) = wallet.fixture.sign_up("carl@example.com").await;
    let foreign = control.credits(&other, wallet.organization).await;
    assert!(matches!(foreign, Err(Error::NotFound(_) | Error::Forbidden)), "{foreign:?}");
    assert!(matches!(
        control.take_credits_back(&wallet.member, wallet.organization, euros(1), "", Utc::now()).await,
        Err(Error::Forbidden)
    ));
}

#[tokio::test]
async fn events_go_out_where_nobody_has_confirmed_an_address() {
    let wallet = Wallet::new("calls").await;
    let control = &wallet.fixture.control;
    let members = "select count(*) from users where email = $1 and email_verified_at is not null";
    assert_eq!(wallet.count(members, "maria@example.com").await, 0);
    let quota = "update plans set limits = '[{\"name\":\"month\",\"kind\":\"quota\",\"amount\":100,\"period\":\"month\"}]'";
    wallet.fixture.database.run(quota).await;
    wallet.call(Uuid::now_v7(), wallet.subscription, 85, 0).await;
    control.look_after_quotas().await.unwrap();
    let keys = "update credentials set created_at = now() - interval '60 days', expires_at = now() + interval '2 days'";
    wallet.fixture.database.run(keys).await;
    control.look_after_keys().await.unwrap();
    let events = "select count(*) from events where type = $1";
    assert_eq!(wallet.count(events, "quota.threshold_reached").await, 1);
    assert!(wallet.count(events, "key.expiring").await >= 1);
    let mails = "select count(*) from jobs where kind = $1";
    assert_eq!(wallet.count(mails, "quota_used").await, 0);
}

#[tokio::test]
async fn nobody_moves_past_an_unpaid_invoice() {
    let wallet = Wallet::new("calls").await;
    let control = &wallet.fixture.control;
    wallet.call(Uuid::now_v7(), wallet.subscription, 85, 0).await;
    wallet.fixture.database.run("update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date").await;
    let after = CalendarMonth::of(Utc::now()).end() + TimeDelta::hours(3);
    assert_eq!(control.close_months(after).await.unwrap(), 1);
    wallet.fixture.database.run("update invoices set landed_at = now()").await;
    let free = wallet.published.plan.id;
    for when in [When::Now, When::PeriodEnd] {
        let to = Move::To(free);
        let moved = control.move_subscription(&wallet.member, wallet.subscription, None, to, when).await;
        assert!(matches!(moved, Err(Error::Conflict(_))), "{moved:?}");
    }
    let end = Move::End;
    let ended =
        control.move_subscription(&wallet.member, wallet.subscription, None, end, When::PeriodEnd).await;
    assert!(ended.is_ok(), "whoever owes may leave: {ended:?}");
}
