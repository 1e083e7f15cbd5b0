//! Another e-mail address: asked for here, confirmed by the link that goes to it.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;

use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::{say, t};
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/email.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub present: String,
    /// Whether a code is asked for as well.
    pub second_factor: bool,
}

#[derive(Template)]
#[template(path = "account/email_confirm.html")]
pub struct ConfirmView {
    pub shell: Shell,
    pub email: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
    password: String,
    #[serde(default)]
    code: String,
}

/// `GET /account/email`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&view(&state, &visit, Form::default()).await?)
}

/// `POST /account/email`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    let shown = (typed.password.as_str(), typed.code.as_str());
    match state.control.request_email_change(&actor, user, &typed.email, shown, visit.now).await {
        Ok(()) => {
            let flash = Flash::done(say("email-sent").with("email", typed.email.trim()));
            visit.go("/account", Some(flash)).await
        }
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            visit.refused(&view(&state, &visit, form).await?)
        }
    }
}

async fn view(state: &PortalState, visit: &Visit, form: Form) -> Result<View, Fault> {
    let account = visit.account()?;
    Ok(View {
        second_factor: state.store.find_second_factor(account.user_id).await?.is_some(),
        present: account.email.clone(),
        shell: visit.shell(Area::Developer, t("email-change")).await?,
        form,
    })
}

/// `GET /email/{token}`: only asks, because programs that look through mails open every link in them.
pub async fn ask(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let email = state.control.wanted_email(&token).await?;
    let shell = visit.shell(Area::Public, t("email-confirm-title")).await?;
    Ok(unkept(visit.page(&ConfirmView { shell, email })?))
}

/// `POST /email/{token}`
pub async fn confirm(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let (user, email) = state.control.confirm_email_change(&visit.visitor(), &token).await?;
    let is_theirs = visit.account.as_ref().is_some_and(|account| account.user_id == user);
    let there = if is_theirs { "/account" } else { "/signin" };
    visit.go(there, Some(Flash::done(say("email-done").with("email", email)))).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [false, true]
            .map(|second_factor| Self {
                shell: Shell::sample(Area::Developer, "Change e-mail address", "/account/email"),
                form: Form::default(),
                present: "maria.lindqvist@example.com".into(),
                second_factor,
            })
            .into()
    }
}

#[cfg(test)]
impl ConfirmView {
    pub fn samples() -> Vec<Self> {
        let shell = Shell::sample(Area::Public, "Your new address", "/email/3f9c");
        vec![Self { shell, email: "maria@example.org".into() }]
    }
}
