//! Replacing an API's operations.

use tollgate_testkit::TestDatabase;

use crate::fixture::{route, world};

#[tokio::test]
async fn a_route_that_stays_keeps_its_id_even_when_operation_ids_move() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let before = store.list_routes(world.api).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    // The two operation ids change places, one route goes, one comes.
    tx.replace_routes(
        world.api,
        &[route("write", "GET", "/a"), route("read", "POST", "/a"), route("new", "GET", "/b")],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let after = store.list_routes(world.api).await.unwrap();
    let id_of = |rows: &[tollgate_store::RouteRow], method: &str, path: &str| {
        rows.iter().find(|row| row.method == method && row.path == path).map(|row| row.id)
    };
    assert_eq!(after.len(), 3);
    assert_eq!(id_of(&after, "GET", "/a"), id_of(&before, "GET", "/a"));
    assert_eq!(id_of(&after, "POST", "/a"), id_of(&before, "POST", "/a"));
    assert_eq!(
        after.iter().find(|row| row.method == "GET" && row.path == "/a").unwrap().operation_id,
        "write"
    );
}
