//! What gateways are told of quotas.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use tollgate_domain::{CalendarMonth, SubscriptionId};
use tollgate_store::{NodeReport, QuotaAnswer, QuotaMark, QuotaQuestion, Store};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{consumer, world};
use crate::usage::{count, minute_of};

pub async fn all_elsewhere(store: &Store, month: CalendarMonth, boot: Uuid) -> QuotaAnswer {
    store.quota_used_elsewhere(month, boot, QuotaQuestion::All { after: None }).await.unwrap()
}

async fn changed_elsewhere(store: &Store, boot: Uuid, since: QuotaMark) -> QuotaAnswer {
    store.quota_used_elsewhere(month(), boot, QuotaQuestion::Changed { since }).await.unwrap()
}

/// A mark since which nothing changed. Transactions of other databases on the server hold marks back, and what lies
/// beyond a mark is told again, which is harmless; so this waits until they are done.
async fn settled(store: &Store, boot: Uuid, mut since: QuotaMark) -> QuotaMark {
    for _ in 0..1_000 {
        let answer = changed_elsewhere(store, boot, since).await;
        if answer.used.is_empty() {
            return since;
        }
        since = answer.mark;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the same is told for ten seconds");
}

fn month() -> CalendarMonth {
    CalendarMonth::of(Utc.with_ymd_and_hms(2026, 11, 21, 0, 0, 0).unwrap())
}

fn minute() -> u32 {
    minute_of("2026-11-21T10:00:00Z")
}

async fn says(store: &Store, boot_id: Uuid, state: &str) {
    let report = NodeReport {
        boot_id,
        name: "n",
        version: "1",
        revision: 1,
        state,
        last_error: None,
        hash: None,
        counted_at: None,
    };
    store.gateway_heartbeat(&report).await.unwrap();
}

async fn rows(database: &TestDatabase) -> Vec<(Uuid, i64)> {
    sqlx::query_as("select boot_id, charged from quota_usage order by boot_id")
        .fetch_all(database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn only_what_changed_is_told_and_it_is_told_as_sums() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let (acme, other) = (consumer(&store, &world, "acme").await, consumer(&store, &world, "other").await);
    let [asker, one, two] = [(); 3].map(|()| Uuid::now_v7());
    let at = minute();
    store.record_usage(&[count(one, &acme, at, 5, 5), count(one, &other, at, 7, 7)]).await.unwrap();
    let all = all_elsewhere(&store, month(), asker).await;
    assert!(all.complete);
    let sums: HashMap<SubscriptionId, u64> = all.used.into_iter().collect();
    assert_eq!(sums, HashMap::from([(acme.subscription, 5), (other.subscription, 7)]));

    let seen = settled(&store, asker, all.mark).await;
    store.record_usage(&[count(two, &acme, at, 2, 2)]).await.unwrap();
    // Its own calls are no news to it.
    store.record_usage(&[count(asker, &other, at, 9, 9)]).await.unwrap();
    let news = changed_elsewhere(&store, asker, seen).await;
    assert_eq!((news.used, news.complete), (vec![(acme.subscription, 7)], true));
    let quiet = settled(&store, asker, news.mark).await;

    sqlx::query("update config_head set epoch = gen_random_uuid()").execute(database.pool()).await.unwrap();
    let restored = changed_elsewhere(&store, asker, quiet).await;
    assert!(!restored.complete, "a restored backup is read anew");
}

#[tokio::test]
async fn a_change_that_commits_late_is_not_missed() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let (asker, boot) = (Uuid::now_v7(), Uuid::now_v7());
    let mut slow = database.pool().begin().await.unwrap();
    sqlx::query(
        "insert into quota_usage (subscription_id, month, boot_id, charged) values ($1, '2026-11-01', $2, 4)",
    )
    .bind(acme.subscription.uuid())
    .bind(boot)
    .execute(&mut *slow)
    .await
    .unwrap();
    // Others begin later and are done earlier.
    store.record_usage(&[count(Uuid::now_v7(), &acme, minute(), 1, 1)]).await.unwrap();
    let first = all_elsewhere(&store, month(), asker).await;
    assert_eq!(first.used, [(acme.subscription, 1)]);
    let second = changed_elsewhere(&store, asker, first.mark).await;
    slow.commit().await.unwrap();
    let third = changed_elsewhere(&store, asker, second.mark).await;
    assert_eq!(third.used, [(acme.subscription, 5)]);
    settled(&store, asker, third.mark).await;
}

#[tokio::test]
async fn folding_changes_no_sum_and_a_late_journal_of_the_dead_counts_by_its_growth() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let [asker, gone, alive] = [(); 3].map(|()| Uuid::now_v7());
    let at = minute();
    for (boot, calls) in [(gone, 5), (alive, 3)] {
        says(&store, boot, "serving").await;
        store.record_usage(&[count(boot, &acme, at, calls, calls)]).await.unwrap();
    }
    let seen = settled(&store, asker, all_elsewhere(&store, month(), asker).await.mark).await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 0, "nobody is dead yet");

    says(&store, gone, "stopped").await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 1);
    assert_eq!(rows(&database).await, [(Uuid::nil(), 5), (alive, 3)]);
    assert_eq!(changed_elsewhere(&store, asker, seen).await.used, [], "to all others nothing changed");

    // The same journal again, a part of it again, and what it had beyond that.
    store.record_usage(&[count(gone, &acme, at, 5, 5)]).await.unwrap();
    store.record_usage(&[count(gone, &acme, at, 2, 2)]).await.unwrap();
    assert_eq!(store.quota_used(acme.subscription, month()).await.unwrap(), 8);
    store.record_usage(&[count(gone, &acme, at, 6, 6), count(gone, &acme, at + 1, 10, 10)]).await.unwrap();
    assert_eq!(store.quota_used(acme.subscription, month()).await.unwrap(), 19);
    assert_eq!(changed_elsewhere(&store, asker, seen).await.used, [(acme.subscription, 19)]);
    assert_eq!(store.fold_quota_usage().await.unwrap(), 1);
    assert_eq!(store.fold_quota_usage().await.unwrap(), 0);
    assert_eq!(rows(&database).await, [(Uuid::nil(), 16), (alive, 3)]);
    assert_eq!(all_elsewhere(&store, month(), asker).await.used, [(acme.subscription, 19)]);
}

#[tokio::test]
async fn a_change_that_was_folded_before_it_was_seen_is_still_told() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let (asker, gone) = (Uuid::now_v7(), Uuid::now_v7());
    let seen = all_elsewhere(&store, month(), asker).await;
    store.record_usage(&[count(gone, &acme, minute(), 5, 5)]).await.unwrap();
    says(&store, gone, "stopped").await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 1);
    assert_eq!(changed_elsewhere(&store, asker, seen.mark).await.used, [(acme.subscription, 5)]);
}

#[tokio::test]
async fn only_a_silence_that_was_noticed_a_day_ago_is_death_and_it_can_be_survived() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let (asker, silent) = (Uuid::now_v7(), Uuid::now_v7());
    says(&store, silent, "serving").await;
    let at = minute();
    store.record_usage(&[count(silent, &acme, at, 5, 5)]).await.unwrap();
    let set = async |set: &str| {
        let sql = format!("update gateway_nodes set {set}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(database.pool()).await.unwrap();
    };
    // As after an outage of the database over a week: it is noticed, not buried.
    set("seen_at = now() - interval '7 days'").await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 0);
    says(&store, silent, "serving").await;
    set("seen_at = now() - interval '2 days'").await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 0, "its word took the suspicion back");
    set("silent_since = now() - interval '25 hours'").await;
    assert_eq!(store.fold_quota_usage().await.unwrap(), 1);

    // It was only cut off. What it charged is never told to itself as somebody else's.
    store.record_usage(&[count(silent, &acme, at, 8, 8)]).await.unwrap();
    store.record_usage(&[count(asker, &acme, at, 1, 1)]).await.unwrap();
    assert_eq!(all_elsewhere(&store, month(), silent).await.used.last(), Some(&(acme.subscription, 1)));
    assert_eq!(rows(&database).await.iter().find(|(boot, _)| *boot == silent), Some(&(silent, 8)));
    assert_eq!(store.quota_used(acme.subscription, month()).await.unwrap(), 9);
    assert_eq!(all_elsewhere(&store, month(), asker).await.used, [(acme.subscription, 8)]);
}

#[tokio::test]
async fn folding_beside_writers_loses_and_doubles_nothing() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let boots: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    for boot in &boots {
        says(&store, *boot, "stopped").await;
    }
    let writers = boots.iter().map(|boot| {
        let (store, boot) = (store.clone(), *boot);
        let batches: Vec<_> = (1..=25).map(|calls| count(boot, &acme, minute(), calls, calls)).collect();
        tokio::spawn(async move {
            for batch in batches {
                store.record_usage(&[batch]).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        store.fold_quota_usage().await.unwrap();
        // One that is not dead after all.
        all_elsewhere(&store, month(), boots[0]).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.quota_used(acme.subscription, month()).await.unwrap(), 100);
}
