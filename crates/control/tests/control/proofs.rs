//! One ledger: what was allowed is what was metered is what was invoiced, with trials, caps and credits in it; and a month
//! replayed comes to what it was billed.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_control::{Actor, CreditInput, Pricing};
use tollgate_domain::{Amount, CalendarMonth, CapLanding, Scope};
use tollgate_store::Page;
use uuid::Uuid;

use crate::billing::{Paying, at, line, month};
use crate::funds::{Wallet, cap, euros};
use crate::prices::{organization, plan};

impl Wallet {
    /// Closes the present month, as if it were over, and proves it; what the proof found differing, and the bill.
    async fn close_and_prove(&self) -> (usize, Amount) {
        let control = &self.fixture.control;
        self.fixture.database.run("update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date").await;
        assert_eq!(control.close_months(self.after()).await.unwrap(), 1);
        let bills = control.store().list_invoices(Scope::Operator, None, Page::FIRST_500).await.unwrap();
        let [bill] = &bills[..] else { panic!("one bill: {bills:?}") };
        (self.prove().await, bill.total())
    }

    fn after(&self) -> DateTime<Utc> {
        CalendarMonth::of(Utc::now()).end() + TimeDelta::hours(3)
    }

    async fn prove(&self) -> usize {
        self.fixture.control.prove_usage(self.after()).await.unwrap()
    }

    /// Units that were allowed, metered and are billable in the month that was closed, and kinds of what differs.
    async fn proven(&self) -> ([i64; 3], Vec<String>) {
        let this = CalendarMonth::of(Utc::now()).first_day();
        let proofs = self.fixture.control.list_proofs(&Actor::system()).await.unwrap();
        let proof = proofs.iter().find(|proof| proof.month == this).unwrap();
        let kinds = proof.differences.as_array().unwrap().iter();
        let kinds = kinds.map(|one| one["kind"].as_str().unwrap().to_owned()).collect();
        ([proof.allowed, proof.metered, proof.billable], kinds)
    }
}

#[tokio::test]
async fn a_month_with_a_trial_and_credits_is_allowed_metered_and_invoiced_alike_and_replays_to_its_bill() {
    let (paying, tried) = Paying::trying().await;
    let (control, system) = (&paying.fixture.control, Actor::system());
    let payer = organization(&paying.member);
    paying.call(paying.key, "2026-04-15T23:59:00Z", 600).await;
    paying.call(paying.key, "2026-04-16T00:00:00Z", 3_500).await;
    let input = CreditInput { amount: euros(4_000), expires_at: None, note: String::new() };
    control.grant_credits(&system, payer, input, at("2026-04-20T00:00:00Z")).await.unwrap();
    assert_eq!(paying.close("2026-05-02T00:00:00Z").await, 1);
    let april = &paying.invoices().await[0];
    // Half the fee, 500 calls at a cent, 50.00 once; 40.00 of it from credits.
    assert_eq!((april.total(), april.due()), (euros(7_000), euros(3_000)));
    let used: i64 =
        sqlx::query_scalar("select -sum(amount_minor)::bigint from credit_entries where invoice_id = $1")
            .bind(april.id.uuid())
            .fetch_one(control.store().pool())
            .await
            .unwrap();
    assert_eq!(used, 4_000, "the ledger of credits says the same as the invoice");
    let prove = async || control.prove_usage(at("2026-05-20T00:00:00Z")).await.unwrap();
    assert_eq!(prove().await, 0);
    let proofs = control.list_proofs(&system).await.unwrap();
    let proof = proofs.iter().find(|one| one.month == month("2026-04").first_day()).unwrap();
    assert_eq!((proof.allowed, proof.metered, proof.billable), (4_100, 4_100, 4_100));

    let replay = async |plan| {
        let replayed = control.replay(&paying.member, payer, month("2026-04"), plan).await.unwrap();
        let [one] = &replayed[..] else { panic!("one subscription") };
        (one.charge.bill.total_minor, one.bill.total_minor)
    };
    assert_eq!(replay(tried).await, (7_000, 7_000), "under its own plan it is its own bill, trial and all");
    let flat = plan(&paying.fixture, &paying.published.product, "flat", Pricing::default()).await;
    assert_eq!(
        replay(flat).await,
        (7_000, 3_000),
        "a plan that is not tried costs its fee for all of the month"
    );

    // Late calls are billed with the next month, and proven and replayed with it.
    paying.call(paying.key, "2026-04-16T00:00:00Z", 3_700).await;
    assert_eq!((prove().await, replay(tried).await), (0, (7_200, 7_200)));
    assert_eq!(paying.close("2026-06-02T00:00:00Z").await, 1);
    let may = &paying.invoices().await[0];
    assert_eq!(paying.lines(may).await, [line("base", 0, 3_000), line("late", 0, 200)]);
    assert_eq!(control.prove_usage(at("2026-06-03T00:00:00Z")).await.unwrap(), 0);
    paying.sql("update usage_counters set calls = calls + 200, charged = charged + 200, units = units + 200 where minute = '2026-04-16'").await;
    assert!(
        control.prove_usage(at("2026-06-03T00:00:00Z")).await.unwrap() > 0,
        "and it is seen when a ledger is touched"
    );
}

#[tokio::test]
async fn a_capped_month_is_allowed_metered_and_invoiced_alike_and_a_call_beyond_the_cap_is_found() {
    let wallet = Wallet::new("calls").await;
    let (control, id, now) = (&wallet.fixture.control, wallet.subscription, Utc::now());
    control.set_spend_cap(&wallet.member, id, cap(300, CapLanding::Block), now).await.unwrap();
    let boot = Uuid::now_v7();
    let lent = wallet.borrow_all(boot, id).await;
    wallet.call(boot, id, lent, 0).await;
    control.look_after_spend_caps(now).await.unwrap();
    assert_eq!(wallet.close_and_prove().await, (0, euros(300)));
    assert_eq!(wallet.proven().await, ([300, 300, 300], vec![]));
    // A gateway that went on without asking.
    wallet.call(Uuid::now_v7(), id, 1, 0).await;
    assert_eq!(wallet.prove().await, 1);
    assert_eq!(wallet.proven().await, ([301, 301, 301], vec!["budget_overdrawn".to_owned()]));
}

#[tokio::test]
async fn a_prepaid_month_is_allowed_metered_invoiced_and_paid_alike() {
    let wallet = Wallet::prepaid(1_000).await;
    let (control, id) = (&wallet.fixture.control, wallet.subscription);
    let boot = Uuid::now_v7();
    let lent = wallet.borrow_all(boot, id).await;
    wallet.call(boot, id, lent - 250, 0).await;
    control.look_after_credits(Utc::now()).await.unwrap();
    assert_eq!(wallet.close_and_prove().await, (0, euros(750)));
    assert_eq!(wallet.proven().await, ([750, 750, 750], vec![]));
    assert_eq!(wallet.balance().await.0, 250, "what was not used is there");
}
