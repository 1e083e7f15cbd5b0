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

fn sign_up(email: &str, password: &str) -> SignUp {
    SignUp {
        email: email.to_owned(),
        password: password.to_owned(),
        product: None,
        address: None,
        language: None,
    }
}

fn visitor() -> Actor {
    Actor::new(Who::Visitor, None)
}

#[tokio::test]
async fn signing_up_again_with_the_right_password_signs_in() {
    let fixture = Fixture::new().await;
    let (_, first) = fixture.sign_up("maria@example.com").await;
    let (_, again) = fixture.sign_up("maria@example.com").await;
    assert_eq!((again.user_id, again.application_id), (first.user_id, first.application_id));
    assert!(again.key.is_none(), "no second key appears");
}

/// Bad input 147: the same page, the same work, whoever's address it is; only the mail differs.
#[tokio::test]
async fn case_147_signing_up_with_a_taken_address_looks_like_any_other_sign_up() {
    const OTHER: &str = "another long passphrase";
    let fixture = Fixture::new().await;
    fixture.publish("things").await;
    let control = &fixture.control;
    let (_, owner) = fixture.sign_up("maria@example.com").await;
    fixture.work().await;
    control.verify_email(&visitor(), &fixture.link_to("maria@example.com")).await.unwrap();

    let taken = control.sign_up(&visitor(), sign_up("maria@example.com", OTHER)).await.unwrap();
    let free = control.sign_up(&visitor(), sign_up("eve@example.com", OTHER)).await.unwrap();
    assert!(taken.key.is_some() && free.key.is_some() && taken.user_id != owner.user_id);
    // Both sign in again with what they typed; the owner still with theirs.
    for (email, made) in [("maria@example.com", &taken), ("eve@example.com", &free)] {
        assert_eq!(control.sign_in(&sign_in(email, OTHER)).await.unwrap(), made.user_id, "{email}");
    }
    let owner_again = control.sign_in(&sign_in("maria@example.com", PASSWORD)).await.unwrap();
    assert_eq!(owner_again, owner.user_id);
    let rows =
        "select count(*) from audit_entries a join users u on u.id = a.subject_id where u.password_hash <> $1
        and a.action = 'user.sign_up'";
    assert_eq!(fixture.database.count(rows, "").await, 3, "each leaves the same rows");

    fixture.work().await;
    let told = fixture.mails.last_to("maria@example.com").unwrap();
    assert_eq!(told.subject, "You have an account already");
    assert!(!told.text.contains("/verify/"), "nothing proves a shadow: {}", told.text);
    assert_eq!(fixture.mails.last_to("eve@example.com").unwrap().subject, "Confirm your e-mail address");
}

/// Bad input 148: nothing is cut off, neither when it is set nor when it is typed.
#[tokio::test]
async fn case_148_every_letter_of_a_long_password_counts() {
    let fixture = Fixture::new().await;
    let control = &fixture.control;
    let long = format!("{}é", "q8Zr-".repeat(25));
    let made = control.sign_up(&visitor(), sign_up("maria@example.com", &long)).await.unwrap();
    assert_eq!(control.sign_in(&sign_in("maria@example.com", &long)).await.unwrap(), made.user_id);
    let (cut, other): (String, _) = (long.chars().take(125).collect(), long.replace('é', "e"));
    for wrong in [cut, other, format!("{long} "), format!(" {long}")] {
        let refused = control.sign_in(&sign_in("maria@example.com", &wrong)).await;
        assert!(matches!(refused, Err(Error::WrongPassword)), "{wrong}");
    }
}

#[tokio::test]
async fn who_proves_an_address_gets_it_from_who_only_claimed_it() {
    const OTHER: &str = "another long passphrase";
    let fixture = Fixture::new().await;
    let control = &fixture.control;
    let (_, claimed) = fixture.sign_up("maria@example.com").await;
    fixture.work().await;
    let stale = fixture.link_to("maria@example.com");
    let real = control.sign_up(&visitor(), sign_up("maria@example.com", OTHER)).await.unwrap();
    fixture.work().await;
    let link = fixture.link_to("maria@example.com");
    assert_eq!(control.verify_email(&visitor(), &link).await.unwrap(), real.user_id);

    let store = control.store();
    let owner = store.find_user_by_email("maria@example.com").await.unwrap().unwrap();
    assert_eq!(owner.id, real.user_id);
    assert!(owner.email_verified_at.is_some());
    let shadow = store.find_user(claimed.user_id).await.unwrap().unwrap();
    assert_eq!(shadow.shadow_of, Some(real.user_id.uuid()));
    for dead in [&link, &stale] {
        let error = control.verify_email(&visitor(), dead).await.unwrap_err();
        assert!(matches!(error, Error::DeadLink), "{error:?}");
    }
    assert_eq!(control.sign_in(&sign_in("maria@example.com", OTHER)).await.unwrap(), real.user_id);
    assert_eq!(control.sign_in(&sign_in("maria@example.com", PASSWORD)).await.unwrap(), claimed.user_id);
}

#[tokio::test]
async fn nobodys_mailbox_is_filled_from_here() {
    let fixture = Fixture::new().await;
    let (_, made) = fixture.sign_up("maria@example.com").await;
    for _ in 0..5 {
        fixture.control.resend_verification(made.user_id).await.unwrap();
    }
    let error = fixture.control.resend_verification(made.user_id).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTries(3_600)), "{error:?}");
}

#[tokio::test]
async fn guessing_is_slowed_for_the_guesser_and_not_for_the_owner() {
    let fixture = Fixture::new().await;
    fixture.sign_up("maria@example.com").await;
    for _ in 0..9 {
        let error =
            fixture.control.sign_in(&sign_in("maria@example.com", "wrong wrong wrong")).await.unwrap_err();
        assert!(matches!(error, Error::WrongPassword), "{error:?}");
    }
    let error = fixture.control.sign_in(&sign_in("maria@example.com", PASSWORD)).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTries(900)), "{error:?}");
    let owner = SignIn { address: Some([10, 1, 2, 3].into()), ..sign_in("maria@example.com", PASSWORD) };
    fixture.control.sign_in(&owner).await.unwrap();
}
