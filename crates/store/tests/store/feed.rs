//! What gateways read.

use tollgate_domain::{ApplicationState, Blueprint, Scope, UnreadableRow};
use tollgate_store::{FeedChange, FeedKind, Head};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::fixture::{consumer, route, world};

#[tokio::test]
async fn a_transaction_gets_one_revision_and_says_what_it_touched() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let before = store.feed_head().await.unwrap();
    let world = world(&store).await;
    let published = store.feed_head().await.unwrap();
    assert_eq!(published.revision, before.revision + 1);
    assert_eq!(published.epoch, before.epoch);

    let consumer = consumer(&store, &world, "acme").await;
    let changes = store.feed_changes(before.revision).await.unwrap().expect("the log reaches back");
    assert_eq!(
        changes,
        [
            FeedChange { revision: before.revision + 1, kind: FeedKind::Blueprint },
            FeedChange { revision: before.revision + 2, kind: FeedKind::Consumer(consumer.application) },
        ]
    );
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_revision() {
    let database = TestDatabase::create().await;
    let store = database.store();
    world(&store).await;
    let before = store.feed_head().await.unwrap();
    sqlx::query("update plans set name = name").execute(database.pool()).await.unwrap();
    assert_eq!(store.feed_head().await.unwrap(), before);
    sqlx::query("update plans set name = 'Other'").execute(database.pool()).await.unwrap();
    assert_eq!(store.feed_head().await.unwrap().revision, before.revision + 1, "hand-written SQL counts too");
}

#[tokio::test]
async fn a_listener_hears_of_a_commit() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let mut listener = store.feed_listen().await.unwrap();
    world(&store).await;
    listener.recv().await.unwrap();
}

#[tokio::test]
async fn only_apis_that_changed_are_read_again_and_the_whole_is_the_same() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let run = async |sql: &'static str| sqlx::query(sql).execute(database.pool()).await.unwrap();
    run("insert into apis (id, slug, name, service_id, base_path, state) select gen_random_uuid(), 'other', 'Other', service_id, '/other', 'published' from apis").await;
    run("insert into routes (id, api_id, operation_id, method, path) select gen_random_uuid(), id, 'all', 'GET', '/all' from apis where slug = 'other'").await;
    for change in [
        "update plans set name = 'Another name'",
        "update apis set base_path = '/elsewhere' where slug = 'other'",
        "update routes set path = '/some' where path = '/all'",
        "update apis set state = 'deprecated', successor_id = (select id from apis where slug = 'other') where slug = 'thing'",
        "update apis set state = 'draft' where slug = 'other'",
        "update apis set state = 'published' where slug = 'other'",
        "delete from product_apis",
    ] {
        let before = store.feed_blueprint().await.unwrap();
        run(change).await;
        let since = Head { epoch: before.epoch, revision: before.revision };
        let read = store.feed_blueprint_since(since).await.unwrap();
        let whole = store.feed_blueprint().await.unwrap();
        assert_ne!(whole.revision, before.revision, "{change}");
        assert_eq!(format!("{:?}", read.onto(&before)), format!("{whole:?}"), "{change}");
    }
    let before = store.feed_blueprint().await.unwrap();
    run("update routes set path = path || 'x' where path <> '/some'").await;
    let since = Head { epoch: before.epoch, revision: before.revision };
    let without = Blueprint { apis: Vec::new(), ..before.clone() };
    let read = store.feed_blueprint_since(since).await.unwrap().onto(&without);
    assert_eq!(read.apis.len(), 1, "the other one was not read");
    assert_eq!(read.apis[0].id, world.api);
    let elsewhere = Head { epoch: Uuid::now_v7(), ..since };
    let read = store.feed_blueprint_since(elsewhere).await.unwrap().onto(&without);
    assert_eq!(read.apis.len(), 2, "of another database nothing is known");
}

#[tokio::test]
async fn the_blueprint_holds_what_is_published() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let full = store.feed_full().await.unwrap();
    assert_eq!(full.blueprint.revision, store.feed_head().await.unwrap().revision);
    let [api] = full.blueprint.apis.as_slice() else { panic!("one api: {:?}", full.blueprint.apis) };
    assert_eq!(api.product_ids, [world.product]);
    assert_eq!(api.routes.len(), 2);
    assert_eq!(full.blueprint.services[0].targets[0].url, "http://127.0.0.1:1");
    assert_eq!(full.blueprint.plans[0].limits[0].amount, 10);

    sqlx::query("update apis set state = 'retired'").execute(database.pool()).await.unwrap();
    assert!(store.feed_blueprint().await.unwrap().apis.is_empty());
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_is_put_beside_and_holds_nothing_up() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    sqlx::query("update plans set limits = '[{\"name\": \"half\"}]'").execute(database.pool()).await.unwrap();
    let blueprint = store.feed_blueprint().await.unwrap();
    assert!(blueprint.plans.is_empty(), "without its limits it would have none");
    let [row] = blueprint.unreadable.as_slice() else { panic!("{:?}", blueprint.unreadable) };
    assert_eq!((row.row, row.field.as_str()), (UnreadableRow::Plan(world.plan), "limits"));
    assert_eq!(blueprint.apis.len(), 1);
}

#[tokio::test]
async fn a_revoked_key_leaves_the_feed_and_a_suspended_application_is_carried_as_such() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let consumer = consumer(&store, &world, "acme").await;
    let read = async || store.feed_consumers(&[consumer.application]).await.unwrap();
    assert_eq!(read().await[0].credentials.len(), 1);
    assert_eq!(read().await[0].subscriptions.len(), 1);

    let mut tx = store.begin().await.unwrap();
    assert!(tx.revoke_credential(Scope::Operator, consumer.credential).await.unwrap());
    let revision = tx.commit().await.unwrap();
    assert_eq!(revision, Some(store.feed_head().await.unwrap().revision));
    assert!(read().await[0].credentials.is_empty());

    let mut tx = store.begin().await.unwrap();
    tx.update_application(consumer.application, "acme", ApplicationState::Suspended).await.unwrap();
    tx.commit().await.unwrap();
    assert!(read().await[0].subscriptions.iter().all(|subscription| subscription.suspended));

    let mut tx = store.begin().await.unwrap();
    tx.delete_application(Scope::Operator, consumer.application).await.unwrap();
    tx.commit().await.unwrap();
    assert!(read().await.is_empty());
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_to_load_everything() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    sqlx::query("update config_changes set at = now() - interval '8 days'")
        .execute(database.pool())
        .await
        .unwrap();
    store.feed_prune().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.replace_routes(world.api, &[route("read", "GET", "/b")]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.feed_changes(0).await.unwrap().is_none());
    assert_eq!(store.feed_changes(1).await.unwrap().map(|changes| changes.len()), Some(1));
}
