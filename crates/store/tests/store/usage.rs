//! The ledger.

use chrono::{TimeZone, Utc};
use tollgate_domain::{CalendarMonth, Outcome, RouteId, Scope, UsageCount, UsageKey};
use tollgate_store::NodeReport;
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{Consumer, consumer, world};
use crate::quota::all_elsewhere;

pub fn count(boot: Uuid, consumer: &Consumer, minute: u32, calls: u64, charged: u64) -> UsageCount {
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
        units: charged,
        readings: [0, 0],
        bytes_in: 0,
        bytes_out: calls * 10,
        duration_us: calls * 100,
    }
}

pub fn minute_of(text: &str) -> u32 {
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
    assert_eq!(all_elsewhere(&store, month, one).await.used, [(acme.subscription, 3)]);
    assert_eq!(all_elsewhere(&store, month, two).await.used, [(acme.subscription, 2)]);
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

#[tokio::test]
async fn rows_that_break_a_rule_are_told_from_a_database_that_is_away() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let minute = minute_of("2026-11-21T10:00:00Z");
    let charged_too_much = count(Uuid::now_v7(), &acme, minute, 1, 2);
    assert!(store.record_usage(&[charged_too_much]).await.unwrap_err().is_refusal());
    let beyond_all_numbers =
        [1, 2].map(|i| count(Uuid::now_v7(), &acme, minute + i, u64::MAX / 1_000, u64::MAX / 1_000));
    store.record_usage(&[beyond_all_numbers[0]]).await.unwrap();
    sqlx::query("update quota_usage set charged = 9223372036854775807")
        .execute(database.pool())
        .await
        .unwrap();
    let again = UsageCount { boot_id: beyond_all_numbers[0].boot_id, ..beyond_all_numbers[1] };
    assert!(store.record_usage(&[again]).await.unwrap_err().is_refusal());
    sqlx::query("alter table usage_counters rename to gone").execute(database.pool()).await.unwrap();
    assert!(!store.record_usage(&[again]).await.unwrap_err().is_refusal());
}

#[tokio::test]
async fn counts_are_complete_up_to_what_the_slowest_living_gateway_has_handed_in() {
    let database = TestDatabase::create().await;
    let store = database.store();
    assert_eq!(store.counted_up_to().await.unwrap(), None);
    let at = |seconds: i64| Some(Utc.timestamp_opt(1_790_000_000 + seconds, 0).unwrap());
    let [slow, quick, killed, stopped] = [5, 8, 1, 2].map(|seconds| (Uuid::now_v7(), at(seconds)));
    for ((boot_id, counted_at), state) in
        [(slow, "draining"), (quick, "serving"), (killed, "serving"), (stopped, "stopped")]
    {
        let report = NodeReport {
            boot_id,
            name: "n",
            version: "1",
            revision: 1,
            state,
            last_error: None,
            hash: None,
            counted_at,
        };
        store.gateway_heartbeat(&report).await.unwrap();
    }
    sqlx::query("update gateway_nodes set seen_at = now() - interval '16 seconds' where boot_id = $1")
        .bind(killed.0)
        .execute(database.pool())
        .await
        .unwrap();
    assert_eq!(store.counted_up_to().await.unwrap(), slow.1);
}
