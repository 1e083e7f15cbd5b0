//! Signing up and in.

use tollgate_control::{Actor, Error, SignIn, SignUp, Who};
use tollgate_domain::{Scope, SubscriptionState};
use tollgate_store::Page;

use crate::fixture::{Fixture, PASSWORD};

fn sign_in(email: &str, password: &str) -> SignIn {
    SignIn { email: email.to_owned(), password: password.to_owned(), address: Some([127, 0, 0, 1].into()) }
}

#[tokio::test]
async fn signing_up_gives_all_that_a_first_call_needs() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let (_, made) = fixture.sign_up(" Maria@Example.com ").await;
    let key = made.key.expect("a key");
    let store = fixture.control.store();
    let scope = Scope::Organization(made.organization_id);
    let subscriptions =
        store.list_subscriptions(scope, Some(made.application_id), Page::FIRST_500).await.unwrap();
    assert_eq!(subscriptions.len(), 1);
    assert_eq!(subscriptions[0].plan_id, published.plan.id);
    assert_eq!(subscriptions[0].state, SubscriptionState::Active);
    let found = fixture.control.find_active_key(key.secret.reveal()).await.unwrap().expect("known");
    assert_eq!(found.id, key.id);
    assert!(key.secret.reveal().starts_with(&found.display_prefix));
    assert!(!format!("{key:?}").contains(key.secret.reveal()), "Debug hides the key");
    assert_eq!(fixture.control.sign_in(&sign_in("maria@example.com", PASSWORD)).await.unwrap(), made.user_id);

    let stored: i64 = sqlx_count(&fixture, key.secret.reveal()).await;
    assert_eq!(stored, 0, "the key's text is nowhere in the database");
}

/// How many rows of the tables that could hold it contain a text.
async fn sqlx_count(fixture: &Fixture, text: &str) -> i64 {
    fixture
        .database
        .count(
            "select (select count(*) from credentials c where strpos(c::text, $1) > 0)
             + (select count(*) from audit_entries a where strpos(a::text, $1) > 0)
             + (select count(*) from users u where strpos(u::text, $1) > 0)",
            text,
        )
        .await
}

#[tokio::test]
async fn signing_up_again_signs_in_with_the_right_password_and_else_says_no_more_than_needed() {
    let fixture = Fixture::new().await;
    let (_, first) = fixture.sign_up("maria@example.com").await;
    let (_, again) = fixture.sign_up("maria@example.com").await;
    assert_eq!((again.user_id, again.application_id), (first.user_id, first.application_id));
    assert!(again.key.is_none(), "no second key appears");
    let other = SignUp {
        email: "maria@example.com".to_owned(),
        password: "another long passphrase".to_owned(),
        product: None,
        address: None,
    };
    let error = fixture.control.sign_up(&Actor::new(Who::Visitor, None), other).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid(faults) if faults[0].pointer == "/email"), "{error:?}");
}

#[tokio::test]
async fn guessing_is_slowed_for_the_guesser_and_not_for_the_owner() {
    let fixture = Fixture::new().await;
    fixture.sign_up("maria@example.com").await;
    for _ in 0..10 {
        let error =
            fixture.control.sign_in(&sign_in("maria@example.com", "wrong wrong wrong")).await.unwrap_err();
        assert!(matches!(error, Error::WrongPassword), "{error:?}");
    }
    let error = fixture.control.sign_in(&sign_in("maria@example.com", PASSWORD)).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTries(900)), "{error:?}");
    let owner = SignIn { address: Some([10, 1, 2, 3].into()), ..sign_in("maria@example.com", PASSWORD) };
    fixture.control.sign_in(&owner).await.unwrap();
}
