//! Units of work: steps of one transaction, undone from the inside out.

use tollgate_domain::OrganizationId;
use tollgate_domain::Scope;
use tollgate_store::{Page, Store};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

async fn add(store: &Store, slug: &str) -> tollgate_store::Result<()> {
    let mut tx = store.begin().await?;
    tx.insert_organization(OrganizationId::from(Uuid::now_v7()), slug, &slug.parse().unwrap()).await?;
    tx.commit().await.map(drop)
}

async fn slugs(store: &Store) -> Vec<String> {
    let rows = store.list_organizations(Scope::Operator, Page::FIRST_500).await.unwrap();
    rows.into_iter().map(|row| row.slug.to_string()).collect()
}

#[tokio::test]
async fn a_unit_sees_itself_and_nobody_sees_it_before_it_is_committed() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let unit = store.open_unit().await.unwrap();
    add(&unit, "a").await.unwrap();
    assert_eq!((slugs(&unit).await, slugs(&store).await), (vec!["a".to_owned()], vec![]));
    unit.commit_unit().await.unwrap();
    assert_eq!(slugs(&store).await, ["a"]);
    assert!(unit.ping().await.is_err(), "a unit that is over takes nothing");
}

#[tokio::test]
async fn a_dropped_unit_never_was() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let unit = store.open_unit().await.unwrap();
    add(&unit, "a").await.unwrap();
    drop(unit);
    add(&store, "a").await.unwrap();
    assert_eq!(slugs(&store).await, ["a"]);
}

#[tokio::test]
async fn steps_that_fail_or_are_dropped_leave_the_others() {
    let database = TestDatabase::create().await;
    let unit = database.store().open_unit().await.unwrap();
    add(&unit, "a").await.unwrap();
    assert!(add(&unit, "a").await.is_err(), "taken");
    let outer = unit.begin().await.unwrap();
    add(&unit, "inside-1").await.unwrap();
    let inner = unit.begin().await.unwrap();
    add(&unit, "inside-2").await.unwrap();
    drop(inner);
    drop(outer);
    add(&unit, "b").await.unwrap();
    // The other way round: what held the rest goes first.
    let outer = unit.begin().await.unwrap();
    let inner = unit.begin().await.unwrap();
    drop(outer);
    drop(inner);
    add(&unit, "c").await.unwrap();
    assert_eq!(slugs(&unit).await, ["a", "b", "c"]);
}
