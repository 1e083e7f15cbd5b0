//! Changing the password.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use super::password_rule;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/password.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub password_rule: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    password: String,
    new_password: String,
}

/// `GET /account/password`
pub async fn get(visit: Visit) -> Answer {
    visit.account()?;
    visit.page(&view(&visit, Form::default()).await?)
}

/// `POST /account/password`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    match state.control.change_password(&actor, user, &typed.password, &typed.new_password).await {
        Ok(()) => {
            // Every session ended, this one too; whoever just showed the password goes on in a new one.
            visit.sign_in(user).await?;
            let flash = Flash::done(t("password-done"));
            visit.go("/account", Some(flash)).await
        }
        Err(error) => {
            let form = Form::default().refused(error)?;
            visit.refused(&view(&visit, form).await?)
        }
    }
}

async fn view(visit: &Visit, form: Form) -> Result<View, Fault> {
    let shell = visit.shell(Area::Developer, t("password-change")).await?;
    Ok(View { shell, form, password_rule: password_rule() })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let shell = Shell::sample(Area::Developer, "Change password", "/account/password");
        vec![Self { shell, form: Form::default(), password_rule: password_rule() }]
    }
}
