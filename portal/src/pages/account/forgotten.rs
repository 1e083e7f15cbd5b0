//! A forgotten password: asking for the mail that sets a new one.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use crate::error::Answer;
use crate::form::Form;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/forgotten.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    /// The address that was asked for; the page says the same whether it is known or not.
    pub sent_to: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
}

/// `GET /password/forgotten`
pub async fn get(visit: Visit) -> Answer {
    let shell = visit.shell(Area::Public, t("forgotten-title")).await?;
    visit.page(&View { shell, form: Form::default(), sent_to: None })
}

/// `POST /password/forgotten`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let asked = state.control.request_password_reset(&typed.email, visit.address).await;
    let shell = visit.shell(Area::Public, t("forgotten-title")).await?;
    match asked {
        Ok(()) => visit.page(&View { shell, form: Form::default(), sent_to: Some(typed.email) }),
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            visit.refused(&View { shell, form, sent_to: None })
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [None, Some("maria.lindqvist@example.com".to_owned())]
            .map(|sent_to| Self {
                shell: Shell::sample(Area::Public, "Forgotten password", "/password/forgotten"),
                form: Form::default(),
                sent_to,
            })
            .into()
    }
}
