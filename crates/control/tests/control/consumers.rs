//! Applications, subscriptions and keys: what their owners, others and operators may do.

use sha2::{Digest, Sha256};
use tollgate_control::{
    Actor, ApplicationPatch, CredentialInput, CredentialPatch, Error, ImportedKey, OldKeyEnds, PlanPatch,
    SubscriptionInput, SubscriptionPatch,
};
use tollgate_domain::{ApplicationState, Environment, PlanState, Restrictions, Scope, SubscriptionState};
use tollgate_store::Page;

use crate::fixture::Fixture;

fn key_input(name: &str) -> CredentialInput {
    CredentialInput {
        name: name.to_owned(),
        environment: Environment::Test,
        expires_at: None,
        restrictions: tollgate_domain::Restrictions::default(),
    }
}

#[tokio::test]
async fn another_organizations_things_are_not_found() {
    let fixture = Fixture::new().await;
    fixture.publish("things").await;
    let (_, maria) = fixture.sign_up("maria@example.com").await;
    let (eve, _) = fixture.sign_up("eve@example.com").await;
    let control = &fixture.control;
    let key = maria.key.expect("a key").id;
    let app = maria.application_id;
    assert!(matches!(control.revoke_credential(&eve, key).await, Err(Error::NotFound("key"))));
    assert!(matches!(control.rename_credential(&eve, key, "x").await, Err(Error::NotFound("key"))));
    assert!(matches!(control.delete_application(&eve, app, None).await, Err(Error::NotFound("application"))));
    let minted = control.create_credential(&eve, app, key_input("x")).await;
    assert!(matches!(minted, Err(Error::NotFound("application"))), "{minted:?}");
    let patched = control.update_application(&eve, app, None, ApplicationPatch::default()).await;
    assert!(matches!(patched, Err(Error::NotFound("application"))), "{patched:?}");
    let made = control.create_application(&eve, maria.organization_id, "x").await;
    assert!(matches!(made, Err(Error::NotFound("organization"))), "{made:?}");
}

#[tokio::test]
async fn a_key_is_made_renamed_and_revoked_once() {
    let fixture = Fixture::new().await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    let key = control.create_credential(&maria, made.application_id, key_input("Server")).await.unwrap();
    assert_eq!(control.rename_credential(&maria, key.id, "Batch").await.unwrap().name, "Batch");
    let before = fixture.revision().await;
    assert!(control.revoke_credential(&maria, key.id).await.unwrap().revoked_at.is_some());
    assert_eq!(fixture.revision().await, before + 1);
    control.revoke_credential(&maria, key.id).await.unwrap();
    assert_eq!(fixture.revision().await, before + 1, "revoking twice is one change");
    assert!(control.find_active_key(key.secret.reveal()).await.unwrap().is_none());
    let past = CredentialInput { expires_at: Some(chrono::Utc::now()), ..key_input("") };
    let error = control.create_credential(&maria, made.application_id, past).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid(faults) if faults.len() == 2), "{error:?}");
}

#[tokio::test]
async fn what_a_key_is_held_to_goes_to_gateways_and_to_the_key_that_takes_over() {
    let fixture = Fixture::new().await;
    fixture.publish("things").await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    let held = Restrictions { scopes: vec!["things/getThing".to_owned()], ..Restrictions::default() };
    let input = CredentialInput { restrictions: held.clone(), ..key_input("Server") };
    let key = control.create_credential(&maria, made.application_id, input).await.unwrap();
    let now = OldKeyEnds::AfterFirstUse { hours: 24 };
    let next = control.rotate_credential(&maria, key.id, now).await.unwrap();
    let carried = control.store().feed_consumers(&[made.application_id]).await.unwrap();
    for id in [key.id, next.id] {
        let credential = carried[0].credentials.iter().find(|one| one.id == id).unwrap();
        assert_eq!(credential.restrictions.as_deref(), Some(&held));
    }
    let unknown = CredentialPatch { scopes: Some(vec!["nothing".to_owned()]), ..CredentialPatch::default() };
    let refused = control.update_credential(&maria, next.id, None, unknown).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(faults)) if faults[0].pointer == "/scopes/0"),
        "{refused:?}"
    );
    let free = CredentialPatch { scopes: Some(Vec::new()), ..CredentialPatch::default() };
    assert!(control.update_credential(&maria, next.id, None, free).await.unwrap().restrictions().is_empty());
}

#[tokio::test]
async fn a_key_that_was_made_elsewhere_is_found_by_its_text_and_only_operators_bring_it() {
    let fixture = Fixture::new().await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let (control, system) = (&fixture.control, Actor::system());
    let text = "a key of the old gateway";
    let imported =
        || ImportedKey { sha256: Sha256::digest(text).into(), prefix: String::new(), last4: String::new() };
    let own = control.import_credential(&maria, made.application_id, key_input("Old"), imported()).await;
    assert!(matches!(own, Err(Error::Forbidden)), "{own:?}");
    let row =
        control.import_credential(&system, made.application_id, key_input("Old"), imported()).await.unwrap();
    assert_eq!(control.find_key(&system, text).await.unwrap().map(|found| found.id), Some(row.id));
    let again = control.import_credential(&system, made.application_id, key_input("Old"), imported()).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let stored = "select count(*) from credentials where encode(digest, 'hex') = $1";
    let plain: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        fixture.database.count(stored, &plain).await,
        0,
        "whoever writes to the database cannot make one"
    );
}

#[tokio::test]
async fn members_choose_open_plans_and_operators_decide_the_rest() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    let system = Actor::system();
    let input = SubscriptionInput { application_id: made.application_id, plan_id: published.plan.id };
    let twice = control.subscribe(&maria, input).await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "one subscription per product: {twice:?}");

    let store = control.store();
    let scope = Scope::Organization(made.organization_id);
    let current = store.list_subscriptions(scope, None, Page::FIRST_500).await.unwrap().remove(0);
    let suspend =
        SubscriptionPatch { state: Some(SubscriptionState::Suspended), ..SubscriptionPatch::default() };
    let own = control.update_subscription(&maria, current.id, None, suspend).await;
    assert!(matches!(own, Err(Error::Forbidden)), "{own:?}");
    control.update_subscription(&system, current.id, None, suspend).await.unwrap();
    let end = SubscriptionPatch { state: Some(SubscriptionState::Ended), ..SubscriptionPatch::default() };
    control.update_subscription(&maria, current.id, None, end).await.unwrap();
    let back = SubscriptionPatch { state: Some(SubscriptionState::Active), ..SubscriptionPatch::default() };
    let revived = control.update_subscription(&system, current.id, None, back).await;
    assert!(matches!(&revived, Err(Error::Invalid(faults)) if faults[0].pointer == "/state"), "{revived:?}");

    let announce = PlanPatch { state: Some(PlanState::Announced), ..PlanPatch::default() };
    control.update_plan(&system, published.plan.id, None, announce).await.unwrap();
    let refused = control.subscribe(&maria, input).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(faults)) if faults[0].pointer == "/plan_id"),
        "{refused:?}"
    );
    let approve = PlanPatch { state: Some(PlanState::Open), approval: Some(true), ..PlanPatch::default() };
    control.update_plan(&system, published.plan.id, None, approve).await.unwrap();
    assert_eq!(control.subscribe(&maria, input).await.unwrap().state, SubscriptionState::Requested);
}

#[tokio::test]
async fn only_operators_suspend_an_application_and_deleting_it_ends_everything() {
    let fixture = Fixture::new().await;
    fixture.publish("things").await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    let suspend =
        ApplicationPatch { state: Some(ApplicationState::Suspended), ..ApplicationPatch::default() };
    let own = control.update_application(&maria, made.application_id, None, suspend.clone()).await;
    assert!(matches!(own, Err(Error::Forbidden)), "{own:?}");
    control.update_application(&Actor::system(), made.application_id, None, suspend).await.unwrap();
    let carried = control.store().feed_consumers(&[made.application_id]).await.unwrap();
    assert!(carried[0].subscriptions.iter().all(|subscription| subscription.suspended));

    control.delete_application(&maria, made.application_id, None).await.unwrap();
    assert!(control.store().feed_consumers(&[made.application_id]).await.unwrap().is_empty());
    let scope = Scope::Organization(made.organization_id);
    let subscriptions = control.store().list_subscriptions(scope, None, Page::FIRST_500).await.unwrap();
    assert_eq!(subscriptions[0].state, SubscriptionState::Ended);
    let gone = control.delete_application(&maria, made.application_id, None).await;
    assert!(matches!(gone, Err(Error::NotFound("application"))), "{gone:?}");
}

#[tokio::test]
async fn free_quotas_cannot_be_multiplied_without_end() {
    let fixture = Fixture::new().await;
    let (maria, made) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    for number in 2..=20 {
        let name = format!("App {number}");
        control.create_application(&maria, made.organization_id, &name).await.unwrap();
    }
    let more = control.create_application(&maria, made.organization_id, "One more").await;
    assert!(matches!(more, Err(Error::Conflict(_))), "{more:?}");
    control.create_application(&Actor::system(), made.organization_id, "By an operator").await.unwrap();
    for number in 2..=50 {
        control.create_credential(&maria, made.application_id, key_input(&number.to_string())).await.unwrap();
    }
    let more = control.create_credential(&maria, made.application_id, key_input("one more")).await;
    assert!(matches!(more, Err(Error::Conflict(_))), "{more:?}");
    control
        .create_credential(&Actor::system(), made.application_id, key_input("By an operator"))
        .await
        .unwrap();
}
