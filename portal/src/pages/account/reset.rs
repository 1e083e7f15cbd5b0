//! The link of a mail that sets a new password.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::password_rule;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/reset.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub password_rule: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    new_password: String,
}

/// `GET /password/new/{token}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    if !state.control.reset_is_open(&token).await? {
        return Err(tollgate_control::Error::DeadLink.into());
    }
    Ok(unkept(visit.page(&view(&visit, Form::default()).await?)?))
}

/// `POST /password/new/{token}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(token): Path<String>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    match state.control.reset_password(&visit.visitor(), &token, &typed.new_password).await {
        Ok(_) => {
            let flash = Flash::done(t("reset-done"));
            visit.go("/signin", Some(flash)).await
        }
        Err(error) => {
            let form = Form::default().refused(error)?;
            Ok(unkept(visit.refused(&view(&visit, form).await?)?))
        }
    }
}

async fn view(visit: &Visit, form: Form) -> Result<View, Fault> {
    let shell = visit.shell(Area::Public, t("reset-title")).await?;
    Ok(View { shell, form, password_rule: password_rule() })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let shell = Shell::sample(Area::Public, "Set a new password", "/password/new/3f9c");
        vec![Self { shell, form: Form::default(), password_rule: password_rule() }]
    }
}
