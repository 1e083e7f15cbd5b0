//! How long usage is kept, and where what comes too late lies.

use chrono::{Datelike, Months, NaiveDate, Utc};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{consumer, world};
use crate::usage::{count, minute_of};

/// The first day of the month so many months ago.
fn month_ago(months: u32) -> NaiveDate {
    Utc::now().date_naive().with_day(1).unwrap() - Months::new(months)
}

async fn partitions(database: &TestDatabase, parent: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = $1::regclass order by 1",
    )
    .bind(parent)
    .fetch_all(database.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn months_past_keeping_are_dropped_once_they_are_billed() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    for months in [14, 5, 3] {
        let made = format!(
            "select usage_month(p, '{}') from unnest(array['usage_counters', 'usage_hours']) p",
            month_ago(months)
        );
        sqlx::query(sqlx::AssertSqlSafe(made)).execute(database.pool()).await.unwrap();
    }
    let old = minute_of(&format!("{}T10:00:00Z", month_ago(5)));
    store.record_usage(&[count(Uuid::now_v7(), &acme, old, 7, 7)]).await.unwrap();

    let name = |parent: &str, months: u32| format!("{parent}_{}", month_ago(months).format("%Y%m"));
    // Nothing was billed for months: minutes stay, however old they are.
    sqlx::query("update billing_months set month = $1")
        .bind(month_ago(5))
        .execute(database.pool())
        .await
        .unwrap();
    assert_eq!(store.keep_usage_months().await.unwrap(), 2, "minutes and hours of fourteen months ago");
    assert!(partitions(&database, "usage_counters").await.contains(&name("usage_counters", 5)));
    sqlx::query("update billing_months set month = $1")
        .bind(month_ago(1))
        .execute(database.pool())
        .await
        .unwrap();
    assert_eq!(store.keep_usage_months().await.unwrap(), 1);
    let left = partitions(&database, "usage_counters").await;
    assert!(
        !left.contains(&name("usage_counters", 5)) && left.contains(&name("usage_counters", 3)),
        "{left:?}"
    );
    assert!(partitions(&database, "usage_hours").await.contains(&name("usage_hours", 5)));
    assert_eq!(store.minutes_begin().await.unwrap().unwrap().first_day(), month_ago(4));
    assert_eq!(store.keep_usage_months().await.unwrap(), 0, "once");

    // What is handed in after that is kept apart, and counted once however often it comes.
    for _ in 0..2 {
        store.record_usage(&[count(Uuid::from_u128(5), &acme, old, 9, 9)]).await.unwrap();
    }
    let stray = "select coalesce(sum(calls), 0)::bigint from usage_counters_stray where $1 = ''";
    assert_eq!(database.count(stray, "").await, 9);
}

#[tokio::test]
async fn a_count_of_a_month_ahead_moves_into_its_partition() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    let ahead = Utc::now().date_naive().with_day(1).unwrap() + Months::new(6);
    let minute = minute_of(&format!("{ahead}T10:00:00Z"));
    store.record_usage(&[count(Uuid::now_v7(), &acme, minute, 3, 3)]).await.unwrap();
    let made = format!("select usage_month('usage_counters', '{ahead}')");
    sqlx::query(sqlx::AssertSqlSafe(made)).execute(database.pool()).await.unwrap();
    let moved =
        format!("select sum(calls)::bigint from usage_counters_{} where $1 = ''", ahead.format("%Y%m"));
    let moved: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(moved)).bind("").fetch_one(database.pool()).await.unwrap();
    assert_eq!(moved, 3);
    assert_eq!(database.count("select count(*) from usage_counters_stray where $1 = ''", "").await, 0);
}
