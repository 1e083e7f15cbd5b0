//! The first admin.

use tollgate_control::{Actor, Error, Who};
use tollgate_domain::OperatorRole;

use crate::fixture::{Fixture, PASSWORD};

#[tokio::test]
async fn a_setup_link_makes_one_admin_once() {
    let fixture = Fixture::new().await;
    let control = &fixture.control;
    let visitor = Actor::new(Who::Visitor, None);
    let token = control.create_setup_token(&Actor::system()).await.unwrap();
    assert!(control.setup_link(token.reveal()).await.is_ok());
    let weak =
        control.redeem_setup_token(&visitor, token.reveal(), "ops@example.com", "short").await.unwrap_err();
    assert!(matches!(weak, Error::Invalid(_)), "a refused password leaves the link usable: {weak:?}");
    let user =
        control.redeem_setup_token(&visitor, token.reveal(), "ops@example.com", PASSWORD).await.unwrap();
    let operator = control.store().find_operator(user).await.unwrap().expect("an operator");
    assert_eq!(operator.role, OperatorRole::Admin);
    let again =
        control.redeem_setup_token(&visitor, token.reveal(), "eve@example.com", PASSWORD).await.unwrap_err();
    assert!(matches!(again, Error::DeadLink), "{again:?}");
}

#[tokio::test]
async fn an_account_that_exists_is_promoted_only_by_its_owner() {
    let fixture = Fixture::new().await;
    let (_, maria) = fixture.sign_up("maria@example.com").await;
    let control = &fixture.control;
    let visitor = Actor::new(Who::Visitor, None);
    let token = control.create_setup_token(&Actor::system()).await.unwrap();
    let wrong =
        control.redeem_setup_token(&visitor, token.reveal(), "maria@example.com", "not her password").await;
    assert!(matches!(wrong, Err(Error::WrongPassword)), "{wrong:?}");
    let user =
        control.redeem_setup_token(&visitor, token.reveal(), "maria@example.com", PASSWORD).await.unwrap();
    assert_eq!(user, maria.user_id);
}

#[tokio::test]
async fn a_service_token_signs_in_until_it_is_replaced() {
    let fixture = Fixture::new().await;
    let control = &fixture.control;
    let system = Actor::system();
    let first = control.create_token(&system, "ci", OperatorRole::Auditor, None, true).await.unwrap();
    let who = control.authenticate_token(first.reveal()).await.unwrap();
    assert!(matches!(who, Who::Token { role: OperatorRole::Auditor, .. }));
    let second = control.create_token(&system, "ci", OperatorRole::Admin, None, true).await.unwrap();
    assert!(matches!(control.authenticate_token(first.reveal()).await, Err(Error::Unauthenticated)));
    assert!(control.authenticate_token(second.reveal()).await.is_ok());
    assert!(matches!(control.authenticate_token("nonsense").await, Err(Error::Unauthenticated)));
    let reader = Actor::new(who, None);
    let refused = control.create_token(&reader, "x", OperatorRole::Admin, None, false).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
}

#[tokio::test]
async fn another_pepper_is_noticed_at_start() {
    let fixture = Fixture::new().await;
    fixture.control.check_peppers().await.unwrap();
    fixture.control.check_peppers().await.unwrap();
    let other = tollgate_engine::key::Peppers::new(vec![(1, *b"another pepper of thirty-two byt")]).unwrap();
    let settings = tollgate_control::Settings::default();
    let wrong =
        tollgate_control::Control::new(fixture.database.store(), std::sync::Arc::new(other), settings);
    assert!(matches!(wrong.check_peppers().await, Err(Error::Conflict(_))));
}
