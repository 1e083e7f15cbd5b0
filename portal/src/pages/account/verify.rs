//! Showing that an e-mail address is one's own: the link of a mail, and having it sent again.

use askama::Template;
use axum::extract::{Path, State};

use crate::error::Answer;
use crate::say::{say, t};
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/verify.html")]
pub struct View {
    pub shell: Shell,
}

/// `GET /verify/{token}`: only asks, because programs that look through mails open every link in them.
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    if !state.control.verification_is_open(&token).await? {
        return Err(tollgate_control::Error::DeadLink.into());
    }
    let shell = visit.shell(Area::Public, t("verify-title")).await?;
    Ok(unkept(visit.page(&View { shell })?))
}

/// `POST /verify/{token}`
pub async fn post(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let user = state.control.verify_email(&visit.visitor(), &token).await?;
    let is_theirs = visit.account.as_ref().is_some_and(|account| account.user_id == user);
    let there = if is_theirs { "/applications" } else { "/signin" };
    visit.go(there, Some(Flash::done(t("verify-done")))).await
}

/// `POST /account/verification`
pub async fn again(State(state): State<PortalState>, visit: Visit) -> Answer {
    let account = visit.account()?;
    state.control.resend_verification(account.user_id).await?;
    let flash = Flash::done(say("verify-sent").with("email", &account.email));
    visit.go("/account", Some(flash)).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        vec![Self { shell: Shell::sample(Area::Public, "Confirm your address", "/verify/3f9c") }]
    }
}
