//! The demo is published once, and what operators change stays changed.

use std::sync::Arc;

use tollgate_control::{Actor, Control, ProductPatch, Settings};
use tollgate_demo::{paths, seed};
use tollgate_domain::{PlanState, Scope};
use tollgate_engine::key::Peppers;
use tollgate_store::Page;
use tollgate_testkit::TestDatabase;

fn control(database: &TestDatabase) -> Control {
    let pepper: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).expect("below 32"));
    let peppers = Arc::new(Peppers::new(vec![(1, pepper)]).expect("a pepper"));
    Control::new(database.store(), peppers, Settings { hashing_slots: 1, ..Settings::default() })
}

async fn revision(control: &Control) -> i64 {
    control.store().begin().await.expect("a transaction").blueprint().await.expect("readable").revision
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let database = TestDatabase::create().await;
    let control = control(&database);
    let first = seed(&control, "http://127.0.0.1:4001", None).await.expect("published");
    assert_eq!(first.demo_path, "/atlas/v1/countries/NZ");
    assert!(first.key_is_new && first.key.contains("_test_"));
    let api = control.store().find_api_by_slug("atlas").await.expect("readable").expect("published");
    assert_eq!(control.store().list_routes(api.id).await.expect("readable").len(), paths().len());
    let before = revision(&control).await;

    let second = seed(&control, "http://127.0.0.1:4001", Some(&first.key)).await.expect("published");
    assert_eq!((second.key.as_str(), second.key_is_new), (first.key.as_str(), false));
    assert_eq!(revision(&control).await, before);
}

#[tokio::test]
async fn a_new_address_is_the_only_thing_that_a_start_changes() {
    let database = TestDatabase::create().await;
    let control = control(&database);
    let first = seed(&control, "http://127.0.0.1:4001", None).await.expect("published");
    let store = control.store();
    let product = store.find_product_by_slug("atlas").await.expect("readable").expect("published");
    let patch = ProductPatch { summary: Some("Ours now.".to_owned()), ..ProductPatch::default() };
    control.update_product(&Actor::system(), product.id, None, patch).await.expect("changed");

    seed(&control, "http://127.0.0.1:4002", Some(&first.key)).await.expect("published");
    let service = store.find_service_by_slug("atlas").await.expect("readable").expect("published");
    assert_eq!(service.targets[0].url, "http://127.0.0.1:4002");
    assert_eq!(service.targets.len(), 1);
    assert_eq!(store.get_product(product.id).await.expect("there").summary, "Ours now.");
    let plans = store.list_plans(Some(product.id), Page::FIRST_500).await.expect("readable");
    let shown: Vec<_> = plans.iter().map(|p| (p.slug.as_str(), p.state, p.price().to_string())).collect();
    assert_eq!(
        shown,
        [
            ("free", PlanState::Open, "free".to_owned()),
            ("growth", PlanState::Announced, "29.00 EUR per month".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_key_that_is_not_the_demos_own_is_replaced() {
    let database = TestDatabase::create().await;
    let control = control(&database);
    let first = seed(&control, "http://127.0.0.1:4001", Some("nonsense")).await.expect("published");
    let row = control.find_active_key(&first.key).await.expect("readable").expect("active");
    control.revoke_credential(&Actor::system(), row.id).await.expect("revoked");

    let second = seed(&control, "http://127.0.0.1:4001", Some(&first.key)).await.expect("published");
    assert!(second.key_is_new && second.key != first.key);
    let again = control.find_active_key(&second.key).await.expect("readable").expect("active");
    assert_eq!(again.application_id, row.application_id);
    let subscriptions =
        control.store().list_subscriptions(Scope::Operator, Some(row.application_id), Page::FIRST_500).await;
    assert_eq!(subscriptions.expect("readable").len(), 1);
}
