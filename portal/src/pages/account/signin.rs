//! Signing in.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_control::SignIn;

use crate::error::{Answer, Fault, query_value};
use crate::form::{Form, local_path};
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/signin.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub next: String,
    pub ways: Vec<Way>,
    /// Whether browsers make passkeys here.
    pub passkeys: bool,
}

/// A provider to go on with, instead of a password.
pub struct Way {
    pub name: String,
    pub href: String,
}

/// The providers of this site; to sign up, those that make accounts.
pub fn ways(state: &PortalState, signing_up: bool, query: &str) -> Vec<Way> {
    let buttons = state.control.provider_buttons().into_iter();
    buttons
        .filter(|button| button.for_developers || !signing_up)
        .map(|button| Way { href: format!("/signin/with/{}{query}", button.slug), name: button.name })
        .collect()
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
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    if visit.account.is_some() {
        return visit.go(destination(&address.next), None).await;
    }
    visit.page(&view(&state, &visit, Form::default(), &address.next).await?)
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
            visit.refused(&view(&state, &visit, form, &typed.next).await?)
        }
    }
}

async fn view(state: &PortalState, visit: &Visit, form: Form, next: &str) -> Result<View, Fault> {
    let shell = visit.shell(Area::Public, t("around-sign-in")).await?;
    let next = local_path(next).to_owned();
    let query = if next.is_empty() { String::new() } else { format!("?next={}", query_value(&next)) };
    Ok(View { shell, form, ways: ways(state, false, &query), passkeys: state.passkeys.is_some(), next })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let refused = Form::with([("email", "maria@example.com".to_owned())])
            .refused(tollgate_control::Error::WrongPassword)
            .expect("a wrong password is shown in the form");
        let ways = || vec![Way { name: "Example SSO".into(), href: "/signin/with/work?next=/usage".into() }];
        [(Form::default(), Vec::new()), (Form::default(), ways()), (refused, ways())]
            .map(|(form, ways)| Self {
                shell: Shell::sample(Area::Public, "Sign in", "/signin"),
                form,
                next: "/usage".into(),
                passkeys: !ways.is_empty(),
                ways,
            })
            .into()
    }
}
