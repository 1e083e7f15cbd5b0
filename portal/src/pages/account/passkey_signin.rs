//! Signing in with a passkey: without a password, or in place of the code after one.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use tollgate_control::{Control, Error};

use super::code;
use super::signin::destination;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::Flash;

const ASKED: &str = "passkey_asked";

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    credential: String,
    #[serde(default)]
    next: String,
}

/// `POST /signin/passkey/question`
pub async fn question(State(state): State<PortalState>, visit: Visit) -> Answer {
    let site = state.passkeys.as_ref().ok_or_else(Fault::not_found)?;
    let question = Control::ask_for_passkey(site)?;
    visit.session.insert(ASKED, question.kept).await?;
    Ok(unkept(Json(question.options).into_response()))
}

/// `POST /signin/passkey`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let site = state.passkeys.as_ref().ok_or_else(Fault::not_found)?;
    let halfway = code::halfway(&visit).await?;
    let kept = visit.session.get::<String>(ASKED).await?.unwrap_or_default();
    // Gone from the database before it is used: good once.
    visit.session.remove_value(ASKED).await?;
    visit.session.save().await?;
    let user = state.control.check_passkey(site, &kept, typed.credential.as_bytes()).await;
    match user {
        // After a password, the passkey must be of the same account.
        Ok(user) if halfway.is_none_or(|halfway| halfway == user) => {
            visit.sign_in(user).await?;
            visit.go(destination(&typed.next), None).await
        }
        Ok(_) | Err(Error::WrongPassword | Error::Invalid(_)) => {
            visit.go("/signin", Some(Flash::failed(t("passkey-opens-nothing")))).await
        }
        Err(error) => Err(error.into()),
    }
}
