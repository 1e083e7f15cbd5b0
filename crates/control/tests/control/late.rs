//! Prepaid calls that are counted when their month is closed already: paid from credits, like all others.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_control::Actor;
use tollgate_domain::{Amount, CalendarMonth, Funds, InvoiceState, Scope, Window};
use tollgate_store::Page;
use uuid::Uuid;

use crate::funds::{Wallet, euros};

/// When a month is closed.
fn closing(month: CalendarMonth) -> DateTime<Utc> {
    month.end() + TimeDelta::hours(3)
}

/// Somebody with ten euros who called a hundred times two months ago, which is billed; the bill is paid.
async fn billed() -> (Wallet, CalendarMonth) {
    let wallet = Wallet::prepaid(1_000).await;
    let month = CalendarMonth::of(Utc::now()).previous().previous();
    for sql in [
        "update subscription_terms set begins = date_trunc('month', now(), 'UTC') - interval '2 months'",
        "update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '3 months')::date",
        "delete from credit_holds",
        "delete from budgets",
    ] {
        wallet.fixture.database.run(sql).await;
    }
    wallet.call_at(month.start(), Uuid::now_v7(), wallet.subscription, 100).await;
    assert_eq!(wallet.fixture.control.close_months(closing(month)).await.unwrap(), 1);
    assert_eq!(wallet.balance().await.0, 900);
    (wallet, month)
}

/// What is due of the last invoice, and all of it.
async fn last_invoice(wallet: &Wallet) -> (InvoiceState, Amount, Amount) {
    let store = wallet.fixture.control.store();
    let invoices = store.list_invoices(Scope::Operator, None, Page::FIRST_500).await.unwrap();
    (invoices[0].state, invoices[0].total(), invoices[0].due())
}

/// Calls that may be lent in all in the month of `at`.
async fn lendable(wallet: &Wallet, at: DateTime<Utc>) -> u64 {
    let month = CalendarMonth::of(at);
    let window = Window { starts: month.start(), ends: month.end() };
    let store = wallet.fixture.control.store();
    let budget = store.find_money_budget(wallet.subscription, Funds::Credits, window).await.unwrap();
    budget.expect("somebody looked after it")
}

#[tokio::test]
async fn calls_that_are_counted_late_are_paid_from_what_is_held_for_calls_to_come() {
    let (wallet, month) = billed().await;
    let control = &wallet.fixture.control;
    let now = closing(month.next());
    // All that is left is held for the month that has begun since.
    control.look_after_credits(now).await.unwrap();
    assert_eq!((wallet.balance().await, lendable(&wallet, now).await), ((900, 900), 900));
    wallet.call_at(month.start(), Uuid::now_v7(), wallet.subscription, 50).await;
    assert_eq!(control.close_months(now).await.unwrap(), 1);
    assert_eq!(last_invoice(&wallet).await, (InvoiceState::Paid, euros(50), euros(0)));
    assert_eq!((wallet.balance().await, lendable(&wallet, now).await), ((850, 850), 850));
}

#[tokio::test]
async fn what_came_late_is_held_until_its_invoice_is_written_and_lent_to_nobody() {
    let (wallet, month) = billed().await;
    let control = &wallet.fixture.control;
    wallet.call_at(month.start(), Uuid::now_v7(), wallet.subscription, 50).await;
    let next = month.next().start() + TimeDelta::days(3);
    control.look_after_credits(next).await.unwrap();
    assert_eq!((wallet.balance().await, lendable(&wallet, next).await), ((900, 900), 850));
    let free =
        control.take_credits_back(&Actor::system(), wallet.organization, euros(851), "All of it", next).await;
    assert!(free.is_err(), "fifty are owed: {free:?}");
    // All that was lent is used.
    wallet.call_at(next, Uuid::now_v7(), wallet.subscription, 850).await;
    assert_eq!(control.close_months(closing(month.next())).await.unwrap(), 1);
    assert_eq!(last_invoice(&wallet).await, (InvoiceState::Paid, euros(900), euros(0)));
    assert_eq!(wallet.balance().await, (0, 0));
}
