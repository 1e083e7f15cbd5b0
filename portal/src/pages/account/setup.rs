//! The one-time link that makes the first admin.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_store::SetupLinkRow;

use super::password_rule;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/setup.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub password_rule: String,
    /// The role that somebody was invited to by mail.
    pub invited_as: Option<&'static str>,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
    password: String,
}

/// `GET /setup/{token}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let link = state.control.setup_link(&token).await?;
    let form = Form::with(link.email.clone().map(|email| ("email", email)));
    Ok(unkept(visit.page(&view(&visit, form, &link).await?)?))
}

/// `POST /setup/{token}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(token): Path<String>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let link = state.control.setup_link(&token).await?;
    let redeemed =
        state.control.redeem_setup_token(&visit.visitor(), &token, &typed.email, &typed.password).await;
    match redeemed {
        Ok(user) if state.store.find_second_factor(user).await?.is_some() => {
            super::code::admit(&state, &visit, user, "/admin").await
        }
        Ok(user) => {
            visit.sign_in(user).await?;
            visit.go("/admin", Some(Flash::done(t("setup-done")))).await
        }
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            Ok(unkept(visit.refused(&view(&visit, form, &link).await?)?))
        }
    }
}

async fn view(visit: &Visit, form: Form, link: &SetupLinkRow) -> Result<View, Fault> {
    let invited_as = link.email.as_ref().map(|_| link.role.as_str());
    let title = if invited_as.is_some() { t("setup-run") } else { t("setup-title") };
    let shell = visit.shell(Area::Public, title).await?;
    Ok(View { shell, form, password_rule: password_rule(), invited_as })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [None, Some("publisher")]
            .map(|invited_as| Self {
                shell: Shell::sample(Area::Public, "Make the first admin", "/setup/3f9c"),
                form: Form::default(),
                password_rule: password_rule(),
                invited_as,
            })
            .into()
    }
}
