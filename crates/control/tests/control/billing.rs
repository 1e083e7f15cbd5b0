//! From prices and calls to bills: each once, to the cent, and open to the day.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate_control::{Actor, CredentialInput, Error, PlanInput, PlanPatch, Pricing, SubscriptionPatch};
use tollgate_domain::{
    CalendarMonth, CredentialId, Environment, InvoiceState, Outcome, Period, PlanId, Price, RouteId, Scope,
    SubscriptionId, SubscriptionState, UsageCount, UsageKey,
};
use tollgate_store::{InvoiceRow, Page};
use uuid::Uuid;

use crate::fixture::{Fixture, Published, plan_input};

/// A subscriber whose months lie in the past.
pub struct Paying {
    pub fixture: Fixture,
    pub member: Actor,
    pub published: Published,
    pub plan: PlanId,
    pub subscription: SubscriptionId,
    pub key: CredentialId,
    boot: Uuid,
}

pub fn month(text: &str) -> CalendarMonth {
    text.parse().unwrap()
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn euros(minor: u64) -> Price {
    Price { minor, currency: "EUR".parse().unwrap(), per: Period::Month }
}

pub fn per_call(included: u64, unit_minor: &str) -> Pricing {
    let price = json!({ "scheme": "per_unit", "unit_minor": unit_minor });
    let meters = json!([{ "meter": "calls", "included": included, "price": price }]);
    Pricing { meters: serde_json::from_value(meters).unwrap(), ..Pricing::default() }
}

impl Paying {
    /// On 29 EUR a month with 1,000 calls in it and 0.2 cents for each further one, since 1 April 2026.
    pub async fn new() -> Self {
        let fixture = Fixture::new().await;
        let published = fixture.publish("things").await;
        let (member, made) = fixture.sign_up("maria@example.com").await;
        let system = Actor::system();
        let input =
            PlanInput { slug: "pro".parse().unwrap(), price: euros(2_900), ..plan_input(&published.product) };
        let plan = fixture.control.create_plan(&system, input).await.unwrap().id;
        fixture.control.price_plan(&system, plan, None, per_call(1_000, "0.2")).await.unwrap();
        let scope = Scope::Organization(made.organization_id);
        let subscription =
            fixture.control.store().list_subscriptions(scope, None, Page::FIRST_500).await.unwrap()[0].id;
        let patch = SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
        fixture.control.update_subscription(&member, subscription, None, patch).await.unwrap();
        // The key of the sign-up is for trying things out.
        let input = CredentialInput {
            name: "Server".to_owned(),
            environment: Environment::Live,
            expires_at: None,
            restrictions: tollgate_domain::Restrictions::default(),
        };
        let key = fixture.control.create_credential(&system, made.application_id, input).await.unwrap();
        let paying =
            Self { key: key.id, fixture, member, published, plan, subscription, boot: Uuid::now_v7() };
        paying.sql("delete from subscription_terms where ends is not null").await;
        paying.sql("update subscription_terms set begins = '2026-04-01'").await;
        paying.sql("update billing_months set month = '2026-03-01'").await;
        paying
    }

    pub async fn sql(&self, sql: &'static str) {
        self.fixture.database.run(sql).await;
    }

    fn count(&self, key: CredentialId, minute: &str, calls: u64) -> UsageCount {
        let key = UsageKey {
            credential_id: key,
            subscription_id: self.subscription,
            route_id: RouteId::from(Uuid::from_u128(9)),
            status: 200,
            outcome: Outcome::Served,
            minute: u32::try_from(at(minute).timestamp() / 60).unwrap(),
        };
        UsageCount {
            boot_id: self.boot,
            key,
            calls,
            charged: calls,
            units: calls,
            readings: [0, 0],
            bytes_in: 0,
            bytes_out: calls * 1_000,
            duration_us: 0,
        }
    }

    pub async fn call(&self, key: CredentialId, minute: &str, calls: u64) {
        let count = self.count(key, minute, calls);
        self.fixture.control.store().record_usage(&[count]).await.unwrap();
    }

    pub async fn close(&self, now: &str) -> usize {
        self.fixture.control.close_months(at(now)).await.unwrap()
    }

    /// Newest first.
    pub async fn invoices(&self) -> Vec<InvoiceRow> {
        self.fixture.control.store().list_invoices(Scope::Operator, None, Page::FIRST_500).await.unwrap()
    }

    pub async fn lines(&self, invoice: &InvoiceRow) -> Vec<(String, u64, i64)> {
        let store = self.fixture.control.store();
        let lines = store.list_invoice_lines(Scope::Operator, invoice.id).await.unwrap();
        lines.into_iter().map(|line| (line.kind, line.units.unsigned_abs(), line.amount_minor)).collect()
    }
}

pub fn line(kind: &str, units: u64, amount: i64) -> (String, u64, i64) {
    (kind.to_owned(), units, amount)
}

#[tokio::test]
async fn a_month_is_billed_once_and_its_lines_open_to_days_and_operations() {
    let paying = Paying::new().await;
    paying.call(paying.key, "2026-04-01T00:00:00Z", 700).await;
    paying.call(paying.key, "2026-04-30T23:59:00Z", 833).await;
    paying.call(paying.key, "2026-05-01T00:00:00Z", 10).await;
    assert_eq!(paying.close("2026-05-01T01:59:59Z").await, 0, "gateways still hand in what they counted");
    assert_eq!(paying.close("2026-05-01T02:00:00Z").await, 1);
    assert_eq!(paying.close("2026-05-02T02:00:00Z").await, 0);
    let [april] = &paying.invoices().await[..] else { panic!("one bill") };
    // 533 calls beyond what is included, at 0.2 cents: 106.6 cents.
    assert_eq!(paying.lines(april).await, [line("base", 0, 2_900), line("usage", 1_533, 107)]);
    assert_eq!((april.total().to_string(), april.month()), ("30.07 EUR".to_owned(), month("2026-04")));
    assert_eq!((&*april.number, april.state), ("INV-2026-000001", InvoiceState::Open));
    let store = paying.fixture.control.store();
    let days = store.list_invoice_days(Scope::Operator, april.id, 100).await.unwrap();
    let opened: Vec<_> = days.iter().map(|day| (day.day.to_string(), day.units, day.amount_minor)).collect();
    assert_eq!(opened, [("2026-04-01".to_owned(), 700, 49), ("2026-04-30".to_owned(), 833, 58)]);
}

#[tokio::test]
async fn a_bill_is_written_in_the_language_of_its_owner_and_stays_in_it() {
    let paying = Paying::new().await;
    paying.sql("update users set language = 'de'").await;
    paying.sql("update subscription_terms set begins = '2026-04-16'").await;
    paying.call(paying.key, "2026-04-20T00:00:00Z", 700).await;
    assert_eq!(paying.close("2026-05-02T00:00:00Z").await, 1);
    paying.sql("update users set language = null").await;
    paying.call(paying.key, "2026-04-21T00:00:00Z", 5_000).await;
    assert_eq!(paying.close("2026-06-02T00:00:00Z").await, 1);
    let store = paying.fixture.control.store();
    let invoices = paying.invoices().await;
    for (invoice, language, expected) in [
        (&invoices[1], "de", ["Grundgebühr, 15,0 von 30 Tagen", "Aufrufe"]),
        (&invoices[0], "en", ["base fee", "handed in after 2026-04 was closed"]),
    ] {
        assert_eq!(invoice.language, language);
        let lines = store.list_invoice_lines(Scope::Operator, invoice.id).await.unwrap();
        let titles: Vec<_> = lines.iter().filter_map(|line| line.title.split(": ").nth(1)).collect();
        assert_eq!(titles, expected);
    }
}

#[tokio::test]
async fn every_meter_is_a_line_and_a_reading_is_billed_by_the_name_it_had() {
    let paying = Paying::new().await;
    let system = Actor::system();
    let store = paying.fixture.control.store();
    let price = json!({ "scheme": "per_unit", "unit_minor": "2" });
    let per = |meter: &str| json!({ "meter": meter, "price": price });
    let meters = ["calls", "units", "megabytes_in", "megabytes_out", "tokens", "rows"].map(per);
    let pricing = Pricing { meters: serde_json::from_value(json!(meters)).unwrap(), ..Pricing::default() };
    paying.fixture.control.price_plan(&system, paying.plan, None, pricing).await.unwrap();
    paying.sql("update subscription_terms set tariff = (select max(number) from tariffs t where t.plan_id = subscription_terms.plan_id)").await;
    paying
        .sql(
            "insert into route_readings (route_id, position, meter, since) values
        ('00000000-0000-0000-0000-000000000009', 1, 'tokens', '-infinity'),
        ('00000000-0000-0000-0000-000000000009', 1, 'rows', '2026-04-20'),
        ('00000000-0000-0000-0000-000000000009', 2, null, '-infinity')",
        )
        .await;
    for (minute, number) in [("2026-04-01T00:00:00Z", 70), ("2026-04-20T00:00:00Z", 5)] {
        let count = UsageCount {
            units: 20,
            readings: [number, 9],
            bytes_in: 1_000_001,
            bytes_out: 999_999,
            ..paying.count(paying.key, minute, 3)
        };
        store.record_usage(&[count]).await.unwrap();
    }
    assert_eq!(paying.close("2026-05-01T02:00:00Z").await, 1);
    let [april] = &paying.invoices().await[..] else { panic!("one bill") };
    let lines = store.list_invoice_lines(Scope::Operator, april.id).await.unwrap();
    let said: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.meter.as_deref()?, line.units, line.amount_minor)))
        .collect();
    let expected = [
        ("calls", 6, 12),
        ("units", 40, 80),
        ("megabytes_in", 3, 6),
        ("megabytes_out", 2, 4),
        ("tokens", 70, 140),
        ("rows", 5, 10),
    ];
    assert_eq!(said, expected, "what the second number was is not known, and not billed");
    let days = store.list_invoice_days(Scope::Operator, april.id, 100).await.unwrap();
    let of_tokens: Vec<_> =
        days.iter().filter(|day| day.units == 70).map(|day| day.day.to_string()).collect();
    assert_eq!(of_tokens, ["2026-04-01"]);
}

#[tokio::test]
async fn the_proof_finds_nothing_until_a_ledger_is_touched() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    paying.call(paying.key, "2026-04-03T00:00:00Z", 2_000).await;
    paying.call(paying.key, "2026-05-01T00:00:00Z", 10).await;
    assert_eq!(paying.close("2026-05-01T02:00:00Z").await, 1);
    let prove = async || control.prove_usage(at("2026-05-02T00:00:00Z")).await.unwrap();
    assert_eq!(prove().await, 0);
    // What comes late is billed with the next month: no difference until then.
    paying.call(paying.key, "2026-04-30T00:00:00Z", 500).await;
    assert_eq!(prove().await, 0);
    let system = Actor::system();
    let [april, may] = [1, 0].map(|back| back);
    let proofs = control.list_proofs(&system).await.unwrap();
    let sums = |n: usize| (proofs[n].allowed, proofs[n].metered, proofs[n].billable);
    assert_eq!([sums(april), sums(may)], [(2_500, 2_500, 2_500), (10, 10, 10)]);

    paying.sql("update quota_usage set charged = charged + 1 where month = '2026-04-01'").await;
    paying.sql("update invoice_lines set amount_minor = amount_minor + 5 where kind = 'base'").await;
    paying.sql("update invoice_lines set amount_minor = amount_minor + 500 where kind = 'usage'").await;
    assert_eq!(prove().await, 2);
    let proofs = control.list_proofs(&system).await.unwrap();
    let kinds: Vec<_> =
        proofs[april].differences.as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["quota_count", "invoice_amount"]);
}

#[tokio::test]
async fn a_month_is_replayed_under_another_plan() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    let system = Actor::system();
    paying.call(paying.key, "2026-04-03T00:00:00Z", 3_000).await;
    let row = control.store().get_subscription(Scope::Operator, paying.subscription).await.unwrap();
    let input = PlanInput {
        slug: "large".parse().unwrap(),
        price: euros(4_900),
        ..plan_input(&paying.published.product)
    };
    let large = control.create_plan(&system, input).await.unwrap().id;
    control.price_plan(&system, large, None, per_call(2_500, "0.1")).await.unwrap();
    let replayed = control.replay(&system, row.organization_id, month("2026-04"), large).await.unwrap();
    let [one] = &replayed[..] else { panic!("one charge") };
    // 29 EUR and 2,000 calls at 0.2 cents; 49 EUR and 500 calls at 0.1.
    assert_eq!((one.charge.bill.total_minor, one.bill.total_minor), (3_300, 4_950));
    assert!(matches!(
        control
            .replay(
                &paying.member,
                tollgate_domain::OrganizationId::from(Uuid::now_v7()),
                month("2026-04"),
                large
            )
            .await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn two_that_close_at_once_write_one_bill() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    let now = at("2026-05-03T00:00:00Z");
    let (one, other, third) =
        tokio::join!(control.close_months(now), control.close_months(now), control.close_months(now));
    assert_eq!(one.unwrap() + other.unwrap() + third.unwrap(), 1);
    assert_eq!(paying.invoices().await.len(), 1);
}

#[tokio::test]
async fn what_comes_late_is_a_line_of_the_next_bill_and_a_closed_one_never_changes() {
    let paying = Paying::new().await;
    paying.close("2026-05-02T00:00:00Z").await;
    paying.call(paying.key, "2026-04-12T10:00:00Z", 2_000).await;
    paying.close("2026-06-02T00:00:00Z").await;
    let [may, april] = &paying.invoices().await[..] else { panic!("two bills") };
    assert_eq!(paying.lines(april).await, [line("base", 0, 2_900)]);
    assert_eq!(paying.lines(may).await, [line("base", 0, 2_900), line("late", 0, 200)]);
    paying.close("2026-07-02T00:00:00Z").await;
    let june = &paying.invoices().await[0];
    assert_eq!(paying.lines(june).await, [line("base", 0, 2_900)], "what was late is billed once");
}

#[tokio::test]
async fn what_comes_months_late_is_an_adjustment_of_the_next_bill_whoever_left_meanwhile() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    for closed in ["2026-05-02T00:00:00Z", "2026-06-02T00:00:00Z", "2026-07-02T00:00:00Z"] {
        assert_eq!(paying.close(closed).await, 1);
    }
    // A gateway that was off for two months hands in what it counted in April, and in May.
    paying.call(paying.key, "2026-04-12T10:00:00Z", 2_000).await;
    paying.call(paying.key, "2026-05-12T10:00:00Z", 1_500).await;
    assert_eq!(control.prove_usage(at("2026-07-03T00:00:00Z")).await.unwrap(), 0, "it is still to be billed");
    assert_eq!(paying.close("2026-08-02T00:00:00Z").await, 1);
    let invoices = paying.invoices().await;
    assert_eq!(
        paying.lines(&invoices[0]).await,
        [line("base", 0, 2_900), line("late", 0, 200), line("late", 0, 100)]
    );
    let titles = control.store().list_invoice_lines(Scope::Operator, invoices[0].id).await.unwrap();
    assert!(titles[1].title.contains("handed in after 2026-04 was closed"), "{}", titles[1].title);
    assert_eq!(paying.close("2026-09-02T00:00:00Z").await, 1);
    let next = &paying.invoices().await[0];
    assert_eq!(paying.lines(next).await, [line("base", 0, 2_900)], "and once");

    // Whoever left owes it, too; who was billed since it came is forgotten.
    paying.sql("update subscription_terms set ends = '2026-08-01T00:00:00Z'").await;
    paying.call(paying.key, "2026-07-12T10:00:00Z", 3_000).await;
    assert_eq!(paying.close("2026-10-02T00:00:00Z").await, 1);
    let left = &paying.invoices().await[0];
    assert_eq!(paying.lines(left).await, [line("late", 0, 400)]);
    paying.sql("update late_counts set noted_at = '2026-09-01'").await;
    assert_eq!(paying.close("2026-11-02T00:00:00Z").await, 0);
    let noted = "select count(*) from late_counts where $1 = ''";
    assert_eq!(paying.fixture.database.count(noted, "").await, 0);
}

#[tokio::test]
async fn subscribers_keep_the_tariff_that_they_began_with() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    let system = Actor::system();
    let dearer = PlanPatch { price: Some(euros(9_900)), ..PlanPatch::default() };
    control.update_plan(&system, paying.plan, None, dearer).await.unwrap();
    control.price_plan(&system, paying.plan, None, per_call(0, "50")).await.unwrap();
    let now = control.plan_tariff(paying.plan).await.unwrap();
    assert_eq!((now.number, now.tariff.base_minor), (4, 9_900));
    // Suspended and back is the same subscription still.
    for state in [SubscriptionState::Suspended, SubscriptionState::Active] {
        let patch = SubscriptionPatch { state: Some(state), ..SubscriptionPatch::default() };
        control.update_subscription(&system, paying.subscription, None, patch).await.unwrap();
    }
    paying.call(paying.key, "2026-04-12T10:00:00Z", 1_500).await;
    paying.close("2026-05-02T00:00:00Z").await;
    assert_eq!(paying.invoices().await[0].total().to_string(), "30.00 EUR");
    let count = "select count(*) from subscription_terms where tariff = 2 and plan_id::text = $1";
    assert_eq!(paying.fixture.database.count(count, &paying.plan.uuid().to_string()).await, 2);
}

#[tokio::test]
async fn a_change_of_plan_splits_the_month_at_its_second_and_the_calls_at_its_minute() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    let patch = SubscriptionPatch { plan_id: Some(paying.published.plan.id), ..SubscriptionPatch::default() };
    control.update_subscription(&paying.member, paying.subscription, None, patch).await.unwrap();
    // As if it had been in the middle of April.
    paying.sql("update subscription_terms set ends = '2026-04-16 00:00:30Z' where ends is not null").await;
    paying.sql("update subscription_terms set begins = '2026-04-16 00:00:30Z' where ends is null").await;
    paying.call(paying.key, "2026-04-15T23:59:00Z", 1_500).await;
    paying.call(paying.key, "2026-04-16T00:00:00Z", 5_000).await;
    paying.close("2026-05-02T00:00:00Z").await;
    // Half the fee and half of what is included: 1,450 + 1,000 calls at 0.2 cents. The rest was on a free plan.
    assert_eq!(
        paying.lines(&paying.invoices().await[0]).await,
        [line("base", 0, 1_450), line("usage", 1_500, 200)]
    );
}

#[tokio::test]
async fn calls_with_test_keys_are_not_billed() {
    let paying = Paying::new().await;
    let store = paying.fixture.control.store();
    let application =
        store.get_subscription(Scope::Operator, paying.subscription).await.unwrap().application_id;
    let input = CredentialInput {
        name: "Sandbox".to_owned(),
        environment: Environment::Test,
        expires_at: None,
        restrictions: tollgate_domain::Restrictions::default(),
    };
    let sandbox = paying.fixture.control.create_credential(&paying.member, application, input).await.unwrap();
    paying.call(sandbox.id, "2026-04-12T10:00:00Z", 9_000).await;
    paying.close("2026-05-02T00:00:00Z").await;
    assert_eq!(paying.lines(&paying.invoices().await[0]).await, [line("base", 0, 2_900)]);
}

#[tokio::test]
async fn a_statement_tells_what_is_due_so_far_and_what_will_be() {
    let paying = Paying::new().await;
    paying.call(paying.key, "2026-04-02T10:00:00Z", 2_000).await;
    let control = &paying.fixture.control;
    let organization = match paying.member.who {
        tollgate_control::Who::Member { organization_id, .. } => organization_id,
        _ => unreachable!("a member"),
    };
    let statement = control
        .statement(&paying.member, organization, month("2026-04"), at("2026-04-04T00:00:00Z"))
        .await
        .unwrap();
    let shown =
        |amounts: &[tollgate_domain::Amount]| amounts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&statement.so_far), ["31.00 EUR"]);
    // Three of thirty days: 20,000 calls in the month, 19,000 of them paid.
    assert_eq!(shown(&statement.projected), ["67.00 EUR"]);
    let (eve, _) = paying.fixture.sign_up("eve@example.com").await;
    let foreign = control.statement(&eve, organization, month("2026-04"), Utc::now()).await;
    assert!(matches!(foreign, Err(Error::NotFound("organization"))));
}

#[tokio::test]
async fn a_bill_is_settled_once_and_one_way() {
    let paying = Paying::new().await;
    paying.close("2026-05-02T00:00:00Z").await;
    let control = &paying.fixture.control;
    let id = paying.invoices().await[0].id;
    let system = Actor::system();
    let settle = |actor, state| control.settle_invoice(actor, id, state);
    assert!(matches!(settle(&paying.member, InvoiceState::Paid).await, Err(Error::Forbidden)));
    let paid = settle(&system, InvoiceState::Paid).await.unwrap();
    assert!(paid.settled_at.is_some_and(|at| Utc::now() - at < TimeDelta::minutes(1)));
    assert_eq!(settle(&system, InvoiceState::Paid).await.unwrap().version, paid.version);
    assert!(matches!(settle(&system, InvoiceState::Void).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_price_is_refused_where_it_cannot_be_charged() {
    let paying = Paying::new().await;
    let control = &paying.fixture.control;
    let system = Actor::system();
    let mut twice = per_call(0, "1");
    twice.meters.push(twice.meters[0].clone());
    let refused = control.price_plan(&system, paying.plan, None, twice).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Invalid(faults) if faults[0].pointer == "/meters/1/meter"),
        "{refused:?}"
    );
    let dollars = Price { currency: "USD".parse().unwrap(), ..euros(2_900) };
    let patch = PlanPatch { price: Some(dollars), ..PlanPatch::default() };
    let refused = control.update_plan(&system, paying.plan, None, patch.clone()).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Conflict(message) if message.contains("another currency")),
        "{refused:?}"
    );
    let free = Pricing::default();
    control.price_plan(&system, paying.plan, None, free).await.unwrap();
    control.update_plan(&system, paying.plan, None, patch).await.unwrap();
    assert_eq!(control.plan_tariff(paying.plan).await.unwrap().tariff.currency.as_str(), "USD");
}
