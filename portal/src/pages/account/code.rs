//! The second step of signing in: the code of an authenticator, or a recovery code.

use askama::Template;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use tollgate_domain::UserId;

use crate::error::{Answer, Fault, query_value};
use crate::form::{Form, local_path};
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

const HALFWAY: &str = "halfway";
/// How long the second step may take after the first, in seconds.
const HALFWAY_MAX: i64 = 600;

/// Somebody who has shown their password and nothing else.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Halfway {
    user: UserId,
    since: i64,
}

#[derive(Template)]
#[template(path = "account/code.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub next: String,
    /// Whether a passkey of theirs may take the place of the code.
    pub passkey: bool,
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
    code: String,
    #[serde(default)]
    next: String,
}

/// Lets somebody in who has shown their password: at once, or by way of their second factor.
pub async fn admit(state: &PortalState, visit: &Visit, user: UserId, there: &str) -> Answer {
    if state.store.find_second_factor(user).await?.is_none() {
        visit.sign_in(user).await?;
        return visit.go(there, None).await;
    }
    visit.session.clear().await;
    visit.session.cycle_id().await?;
    visit.session.insert(HALFWAY, Halfway { user, since: visit.now.timestamp() }).await?;
    visit.go(&format!("/signin/code?next={}", query_value(there)), None).await
}

pub async fn halfway(visit: &Visit) -> Result<Option<UserId>, Fault> {
    let halfway = visit.session.get::<Halfway>(HALFWAY).await?;
    let fresh = halfway.filter(|halfway| visit.now.timestamp() - halfway.since <= HALFWAY_MAX);
    Ok(fresh.map(|halfway| halfway.user))
}

/// `GET /signin/code`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let Some(user) = halfway(&visit).await? else { return visit.go("/signin", None).await };
    Ok(unkept(visit.page(&view(&state, &visit, user, Form::default(), &address.next).await?)?))
}

/// `POST /signin/code`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let Some(user) = halfway(&visit).await? else { return visit.go("/signin", None).await };
    match state.control.check_second_factor(user, &typed.code, visit.now).await {
        Ok(()) => {
            visit.sign_in(user).await?;
            visit.go(super::signin::destination(&typed.next), None).await
        }
        Err(error) => {
            let form = Form::default().refused(error)?;
            Ok(unkept(visit.refused(&view(&state, &visit, user, form, &typed.next).await?)?))
        }
    }
}

async fn view(
    state: &PortalState,
    visit: &Visit,
    user: UserId,
    form: Form,
    next: &str,
) -> Result<View, Fault> {
    let passkey = state.passkeys.is_some() && !state.store.list_passkeys(user).await?.is_empty();
    let shell = visit.shell(Area::Public, t("code-title")).await?;
    Ok(View { shell, form, next: local_path(next).to_owned(), passkey })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let shell = || Shell::sample(Area::Public, t("code-title"), "/signin/code");
        let faults = vec![tollgate_control::FieldFault::new("/code", "this code is wrong or was used")];
        let refused = Form::default().refused(tollgate_control::Error::Invalid(faults)).expect("shown");
        [(Form::default(), true), (refused, false)]
            .map(|(form, passkey)| Self { shell: shell(), form, next: "/usage".into(), passkey })
            .into()
    }
}
