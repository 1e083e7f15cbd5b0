//! What is lent of money while it is looked at: calls that are counted in between are not lent a second time.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tollgate_control::Error;
use tollgate_domain::CapLanding;
use uuid::Uuid;

use crate::funds::{Wallet, cap};

/// Looks at the account while a gateway that borrows stands in the middle of it; calls are counted before it is through.
async fn look_while_calls_are_counted(
    wallet: &Arc<Wallet>,
    boot: Uuid,
    calls: u64,
    look: impl Future<Output = Result<(), Error>> + Send + 'static,
) {
    let id = wallet.subscription;
    let mut lender = wallet.fixture.control.store().pool().begin().await.unwrap();
    sqlx::query("select from budgets where subscription_id = $1 for update")
        .bind(id.uuid())
        .execute(&mut *lender)
        .await
        .unwrap();
    let looking = tokio::spawn(look);
    let waiting = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and $1 = ''";
    while wallet.count(waiting, "").await == 0 {
        assert!(!looking.is_finished(), "it looks at what was lent under a lock");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    wallet.call(boot, id, calls, 0).await;
    lender.commit().await.unwrap();
    looking.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_counted_while_credits_are_looked_at_are_lent_once() {
    let wallet = Arc::new(Wallet::prepaid(100).await);
    let (boot, id) = (Uuid::now_v7(), wallet.subscription);
    assert_eq!(wallet.borrow_all(boot, id).await, 100);
    // What was not called just now is not looked at.
    wallet.call(boot, id, 10, 0).await;
    let control = wallet.fixture.control.clone();
    let look = async move { control.look_after_credits(Utc::now()).await };
    look_while_calls_are_counted(&wallet, boot, 60, look).await;
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), id).await, 0, "all of it is lent already");
    wallet.fixture.control.look_after_credits(Utc::now()).await.unwrap();
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), id).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_counted_while_a_cap_is_looked_at_are_lent_once() {
    let wallet = Arc::new(Wallet::new("calls").await);
    let (boot, id) = (Uuid::now_v7(), wallet.subscription);
    let control = wallet.fixture.control.clone();
    control.set_spend_cap(&wallet.member, id, cap(100, CapLanding::Block), Utc::now()).await.unwrap();
    assert_eq!(wallet.borrow_all(boot, id).await, 100);
    // What was not called just now is not looked at.
    wallet.call(boot, id, 10, 0).await;
    let look = async move { control.look_after_spend_caps(Utc::now()).await };
    look_while_calls_are_counted(&wallet, boot, 60, look).await;
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), id).await, 0, "all of it is lent already");
    wallet.fixture.control.look_after_spend_caps(Utc::now()).await.unwrap();
    assert_eq!(wallet.borrow_all(Uuid::now_v7(), id).await, 0);
}
