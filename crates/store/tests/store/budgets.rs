//! Leased budgets: the database lends no more than there is, whoever asks how often.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_domain::{Budget, Enforcement, Limit, Period, SubscriptionId};
use tollgate_store::{LeaseAsk, LeaseReturn, Store};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{Consumer, consumer, month_quota, world};
use crate::usage::count;

/// A subscription with an exact quota of so many units a day, and what else it says.
async fn exact(amount: u64, budget: Budget) -> (TestDatabase, Store, Consumer) {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let subscriber = consumer(&store, &world, "acme").await;
    let budget = Budget { enforcement: Enforcement::Exact, ..budget };
    let limit = Limit { name: "day".into(), period: Period::Day, budget, ..month_quota(amount) };
    sqlx::query("update plans set limits = $1")
        .bind(sqlx::types::Json(vec![limit]))
        .execute(store.pool())
        .await
        .unwrap();
    (database, store, subscriber)
}

fn ask(subscription_id: SubscriptionId, wanted: u64) -> LeaseAsk {
    LeaseAsk { subscription_id, needed: 1, wanted }
}

async fn lease(store: &Store, boot: Uuid, of: &Consumer, wanted: u64) -> (u64, u64) {
    let grants = store.lease_budgets(boot, &[ask(of.subscription, wanted)]).await.unwrap();
    let [grant] = &grants[..] else { panic!("one budget, not {grants:?}") };
    assert!(grant.starts <= Utc::now() && Utc::now() < grant.ends);
    (grant.granted, grant.free)
}

async fn give_back(store: &Store, boot: Uuid, of: &Consumer, units: u64) {
    let starts: DateTime<Utc> =
        sqlx::query_scalar("select max(starts) from budgets").fetch_one(store.pool()).await.unwrap();
    let back = LeaseReturn { subscription_id: of.subscription, name: "day".to_owned(), starts, units };
    store.return_leases(boot, &[back]).await.unwrap();
}

fn minute(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp() / 60).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ask_at_once_no_more_is_lent_than_there_is() {
    let (_database, store, subscriber) = exact(1_000, Budget::default()).await;
    let subscription = subscriber.subscription;
    let mut gateways = Vec::new();
    for _ in 0..8 {
        let store = store.clone();
        gateways.push(tokio::spawn(async move {
            let boot = Uuid::now_v7();
            let mut lent = 0;
            for _ in 0..40 {
                let grants = store.lease_budgets(boot, &[ask(subscription, 400)]).await.unwrap();
                lent += grants.iter().map(|grant| grant.granted).sum::<u64>();
            }
            lent
        }));
    }
    let mut lent = 0;
    for gateway in gateways {
        lent += gateway.await.unwrap();
    }
    assert_eq!(lent, 1_000);
    let overdraw = sqlx::query("update budgets set granted = granted + 1").execute(store.pool()).await;
    assert!(overdraw.is_err(), "the table itself refuses");
}

/// Returns once a statement of this database waits for a lock of another.
async fn until_somebody_waits(store: &Store) {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..2_000 {
        if sqlx::query_scalar::<_, i64>(waiting).fetch_one(store.pool()).await.unwrap() > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("nobody waits");
}

/// A budget that another process makes, and lends from, between two statements of one that found none.
#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_appears_meanwhile_is_not_lent_twice() {
    let (_database, store, subscriber) = exact(1_000, Budget::default()).await;
    let (subscription, boot) = (subscriber.subscription, Uuid::now_v7());
    // Every loan looks at the gateways that serve: so it stops between looking for the budget and lending of it.
    let mut gate = store.pool().begin().await.unwrap();
    sqlx::query("lock table gateway_nodes in access exclusive mode").execute(&mut *gate).await.unwrap();
    let asks = {
        let store = store.clone();
        async move { store.lease_budgets(boot, &[ask(subscription, 400)]).await }
    };
    let asks = tokio::spawn(asks);
    until_somebody_waits(&store).await;
    sqlx::query(
        "insert into budgets (subscription_id, name, starts, ends, amount)
         values ($1, 'day', date_trunc('day', now(), 'UTC'), date_trunc('day', now(), 'UTC') + interval '1 day', 1000)",
    )
    .bind(subscription.uuid())
    .execute(store.pool())
    .await
    .unwrap();
    let mut other = store.pool().begin().await.unwrap();
    sqlx::query("update budgets set granted = 1000").execute(&mut *other).await.unwrap();
    gate.commit().await.unwrap();
    until_somebody_waits(&store).await;
    other.commit().await.unwrap();
    let grants = asks.await.unwrap().unwrap();
    assert_eq!(grants.iter().map(|grant| (grant.granted, grant.free)).collect::<Vec<_>>(), [(0, 0)]);
    let lent: Vec<(i64, i64)> =
        sqlx::query_as("select granted, amount from budgets").fetch_all(store.pool()).await.unwrap();
    assert_eq!(lent, [(1_000, 1_000)]);
}

#[tokio::test]
async fn what_is_handed_back_can_be_lent_again_and_nobody_hands_back_what_another_has() {
    let (_database, store, subscriber) = exact(10, Budget::default()).await;
    let (store, [one, two]) = (&store, [Uuid::now_v7(), Uuid::now_v7()]);
    let mut lent = 0;
    while lent < 10 {
        lent += lease(store, one, &subscriber, 10).await.0;
    }
    assert_eq!(lease(store, two, &subscriber, 10).await, (0, 0));
    give_back(store, two, &subscriber, 4).await;
    assert_eq!(lease(store, two, &subscriber, 10).await, (0, 0));
    give_back(store, one, &subscriber, 4).await;
    assert_eq!(lease(store, two, &subscriber, 10).await, (1, 3));
}

#[tokio::test]
async fn units_used_before_anybody_asked_count_and_those_of_yesterday_are_carried_over() {
    let (_database, store, subscriber) = exact(100, Budget { rollover: 30, ..Budget::default() }).await;
    let (store, boot) = (&store, Uuid::now_v7());
    sqlx::query("update subscriptions set created_at = now() - interval '10 days'")
        .execute(store.pool())
        .await
        .unwrap();
    let (now, yesterday) = (Utc::now(), Utc::now() - TimeDelta::days(1));
    store.record_usage(&[count(boot, &subscriber, minute(now), 25, 25)]).await.unwrap();
    store.record_usage(&[count(boot, &subscriber, minute(yesterday), 80, 80)]).await.unwrap();
    let (granted, free) = lease(store, boot, &subscriber, 1).await;
    assert_eq!(granted + free, 100 - 25 + 20);
    // Lowered below what is used: nothing more is lent, and nothing breaks.
    sqlx::query("update plans set limits = jsonb_set(limits, '{0,amount}', '5')")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(lease(store, boot, &subscriber, 1).await, (0, 0));
}

#[tokio::test]
async fn an_amount_of_its_own_holds_until_it_expires() {
    let (_database, store, subscriber) = exact(10, Budget::default()).await;
    let (store, boot) = (&store, Uuid::now_v7());
    let own = "insert into limit_overrides (subscription_id, name, application_id, organization_id, amount, expires_at)
        select id, 'day', application_id, organization_id, 50, now() + interval '1 day' from subscriptions";
    sqlx::query(own).execute(store.pool()).await.unwrap();
    let (granted, free) = lease(store, boot, &subscriber, 1).await;
    assert_eq!(granted + free, 50);
    let blueprint = store.feed_blueprint().await.unwrap();
    let plan = blueprint.plans.iter().find(|plan| plan.id.uuid() == subscriber.subscription.uuid()).unwrap();
    assert_eq!((plan.limits[0].name.as_str(), plan.limits[0].amount), ("day", 50));
    let full = store.feed_full().await.unwrap();
    let of_own =
        full.applications.iter().flat_map(|one| &one.subscriptions).any(|one| one.plan_id == plan.id);
    assert!(of_own, "gateways hold it to a plan of its own");
    sqlx::query("update limit_overrides set expires_at = now()").execute(store.pool()).await.unwrap();
    assert_eq!(lease(store, boot, &subscriber, 1).await, (1, 8));
}

#[tokio::test]
async fn what_a_process_that_is_gone_did_not_spend_is_free_again() {
    let (_database, store, subscriber) = exact(100, Budget::default()).await;
    let (store, boot) = (&store, Uuid::now_v7());
    let mut lent = 0;
    while lent < 40 {
        lent += lease(store, boot, &subscriber, 20).await.0;
    }
    store.record_usage(&[count(boot, &subscriber, minute(Utc::now()), 7, 7)]).await.unwrap();
    sqlx::query("insert into gateway_nodes (boot_id, name, version, revision, state) values ($1, 'n', '1', 1, 'serving')")
        .bind(boot)
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(store.reclaim_leases().await.unwrap(), 0, "it lives");
    sqlx::query("update gateway_nodes set state = 'stopped'").execute(store.pool()).await.unwrap();
    store.reclaim_leases().await.unwrap();
    let granted: i64 =
        sqlx::query_scalar("select granted from budgets").fetch_one(store.pool()).await.unwrap();
    assert_eq!(granted, 7, "what it used, and no more");
}

#[tokio::test]
async fn a_day_and_a_month_at_once_are_lent_each_from_its_own() {
    let (_database, store, subscriber) = exact(5, Budget::default()).await;
    let month = "update plans set limits = limits || jsonb_build_array(limits -> 0 || '{\"name\": \"month\", \"period\": \"month\", \"amount\": 8}')";
    sqlx::query(month).execute(store.pool()).await.unwrap();
    let boot = Uuid::now_v7();
    let mut lent = [0, 0];
    for _ in 0..9 {
        let grants = store.lease_budgets(boot, &[ask(subscriber.subscription, 1)]).await.unwrap();
        assert_eq!(
            grants.iter().map(|grant| (grant.cell, &*grant.name)).collect::<Vec<_>>(),
            [(0, "day"), (1, "month")]
        );
        assert!(grants[1].starts <= grants[0].starts && grants[0].ends <= grants[1].ends);
        lent = [lent[0] + grants[0].granted, lent[1] + grants[1].granted];
    }
    assert_eq!(lent, [5, 8]);
}
