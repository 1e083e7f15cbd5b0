//! Signing in.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_control::SignIn;

use crate::error::{Answer, Fault};
use crate::form::{Form, local_path};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/signin.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub next: String,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Where somebody goes after signing in: to where they wanted, or to what is theirs.
pub fn destination(next: &str) -> &str {
    match local_path(next) {
        "" | "/" => "/applications",
        path => path,
    }
}

/// `GET /signin`
pub async fn get(visit: Visit, Query(address): Query<Address>) -> Answer {
    if visit.account.is_some() {
        return visit.go(destination(&address.next), None).await;
    }
    visit.page(&view(&visit, Form::default(), &address.next).await?)
}

/// `POST /signin`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let input = SignIn { email: typed.email.clone(), password: typed.password, address: visit.address };
    match state.control.sign_in(&input).await {
        Ok(user) => super::code::admit(&state, &visit, user, destination(&typed.next)).await,
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            visit.refused(&view(&visit, form, &typed.next).await?)
        }
    }
}

async fn view(visit: &Visit, form: Form, next: &str) -> Result<View, Fault> {
    let shell = visit.shell(Area::Public, "Sign in").await?;
    Ok(View { shell, form, next: local_path(next).to_owned() })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let refused = Form::with([("email", "maria@example.com".to_owned())])
            .refused(tollgate_control::Error::WrongPassword)
            .expect("a wrong password is shown in the form");
        [Form::default(), refused]
            .map(|form| Self {
                shell: Shell::sample(Area::Public, "Sign in", "/signin"),
                form,
                next: "/usage".into(),
            })
            .into()
    }
}
