//! Leaving: everything personal as a file, and the end of the account.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/delete.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub email: String,
    /// Whether it is asked for.
    pub has_password: bool,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
    #[serde(default)]
    password: String,
}

/// `GET /account/export`
pub async fn export(State(state): State<PortalState>, visit: Visit) -> Answer {
    let person = state.control.export_person(visit.account()?.user_id).await?;
    let mut response = unkept(axum::Json(person).into_response());
    let attachment = HeaderValue::from_static("attachment; filename=\"tollgate-account.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment);
    Ok(response)
}

/// `GET /account/delete`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&view(&state, &visit, Form::default()).await?)
}

/// `POST /account/delete`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    if typed.email.trim().to_lowercase() != visit.account()?.email {
        let fault = tollgate_control::FieldFault::new("/email", "the address of this account, to be sure");
        let form =
            Form::with([("email", typed.email)]).refused(tollgate_control::Error::Invalid(vec![fault]))?;
        return visit.refused(&view(&state, &visit, form).await?);
    }
    let signed_in_at = visit.account()?.signed_in_at;
    match state.control.delete_account(&actor, user, &typed.password, signed_in_at).await {
        Ok(()) => {
            visit.sign_out().await?;
            visit.go("/", Some(Flash::done(t("delete-done")))).await
        }
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            visit.refused(&view(&state, &visit, form).await?)
        }
    }
}

async fn view(state: &PortalState, visit: &Visit, form: Form) -> Result<View, Fault> {
    let (user, _) = visit.person()?;
    let has_password = state.control.has_password(user).await?;
    let email = visit.account()?.email.clone();
    Ok(View { shell: visit.shell(Area::Developer, t("account-delete")).await?, form, email, has_password })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let one = |has_password| Self {
            shell: Shell::sample(Area::Developer, "Delete account", "/account/delete"),
            form: Form::default(),
            email: "maria.lindqvist@example.com".into(),
            has_password,
        };
        vec![one(true), one(false)]
    }
}
