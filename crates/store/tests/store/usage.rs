//! The ledger.

use chrono::{TimeZone, Utc};
use tollgate_domain::{CalendarMonth, Outcome, RouteId, Scope, UsageCount, UsageKey};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{Consumer, consumer, world};

fn count(boot: Uuid, consumer: &Consumer, minute: u32, calls: u64, charged: u64) -> UsageCount {
    UsageCount {
        boot_id: boot,
        key: UsageKey {
            credential_id: consumer.credential,
            subscription_id: consumer.subscription,
            route_id: RouteId::from(Uuid::from_u128(9)),
            status: 200,
            outcome: Outcome::Served,
            minute,
        },
        calls,
        charged,
        bytes_in: 0,
        bytes_out: calls * 10,
        duration_us: calls * 100,
    }
}

fn minute_of(text: &str) -> u32 {
    u32::try_from(text.parse::<chrono::DateTime<Utc>>().unwrap().timestamp() / 60).unwrap()
}

#[tokio::test]
async fn a_repeated_late_or_reordered_flush_changes_nothing() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let boot = Uuid::now_v7();
    let minute = minute_of("2026-11-21T10:00:00Z");
    let (early, late) = (count(boot, &acme, minute, 3, 3), count(boot, &acme, minute, 7, 6));
    for batch in [&[early][..], &[late], &[early], &[late, early], &[late]] {
        store.record_usage(batch).await.unwrap();
    }
    let since = Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0).unwrap();
    let scope = Scope::Organization(acme.organization);
    let totals = store.usage_totals(scope, Some(acme.application), since).await.unwrap();
    assert_eq!((totals.calls, totals.charged, totals.duration_us), (7, 6, 700));
    assert_eq!(store.quota_used(acme.subscription, CalendarMonth::of(since)).await.unwrap(), 6);
}

#[tokio::test]
async fn quotas_sum_over_gateways_and_split_by_month() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let (october, november) = (minute_of("2026-10-31T23:59:00Z"), minute_of("2026-11-01T00:00:00Z"));
    store.record_usage(&[count(one, &acme, october, 5, 5), count(one, &acme, november, 2, 2)]).await.unwrap();
    store.record_usage(&[count(two, &acme, november, 3, 3)]).await.unwrap();
    let month = CalendarMonth::of(Utc.with_ymd_and_hms(2026, 11, 15, 0, 0, 0).unwrap());
    assert_eq!(store.quota_used(acme.subscription, month).await.unwrap(), 5);
    assert_eq!(store.quota_used_elsewhere(month, one).await.unwrap(), [(acme.subscription, 3)]);
    assert_eq!(store.quota_used_elsewhere(month, two).await.unwrap(), [(acme.subscription, 2)]);
}

#[tokio::test]
async fn the_same_batch_sent_by_many_at_once_counts_once() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let boot = Uuid::now_v7();
    let minute = minute_of("2026-11-21T10:00:00Z");
    let batch: Vec<UsageCount> = (0..20).map(|i| count(boot, &acme, minute + i, 2, 1)).collect();
    let senders: Vec<_> = (0..6)
        .map(|_| {
            let (store, batch) = (store.clone(), batch.clone());
            tokio::spawn(async move { store.record_usage(&batch).await })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    let month = CalendarMonth::of(Utc.with_ymd_and_hms(2026, 11, 21, 0, 0, 0).unwrap());
    assert_eq!(store.quota_used(acme.subscription, month).await.unwrap(), 20);
}

#[tokio::test]
async fn a_series_has_a_step_for_every_minute_and_only_ones_own_calls() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let other = consumer(&store, &world, "other").await;
    let now = Utc::now();
    let minute = u32::try_from(now.timestamp() / 60).unwrap();
    let boot = Uuid::now_v7();
    store.record_usage(&[count(boot, &acme, minute, 4, 4), count(boot, &other, minute, 9, 9)]).await.unwrap();
    let scope = Scope::Organization(acme.organization);
    let series = store.usage_series(scope, None, now - chrono::Duration::minutes(5), 60).await.unwrap();
    assert!(series.len() >= 5, "{series:?}");
    assert_eq!(series.iter().map(|step| step.calls).sum::<i64>(), 4);
    assert!(store.has_called(scope, acme.application).await.unwrap());
    assert!(!store.has_called(scope, other.application).await.unwrap());
}
