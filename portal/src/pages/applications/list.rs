//! The organization's applications.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use tollgate_domain::{CredentialState, SubscriptionState};
use tollgate_store::Page;

use super::Names;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::{say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Flash, Shell};
use crate::show::{Label, Moment};
use crate::{PortalState, filters};

pub struct Row {
    pub href: String,
    pub name: String,
    pub products: String,
    pub keys: usize,
    pub state: Label,
    pub created: Moment,
}

#[derive(Template)]
#[template(path = "applications/list.html")]
pub struct View {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub form: Form,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
}

/// `GET /applications`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    visit.page(&view(&state, &visit, &member, Form::default()).await?)
}

/// `POST /applications`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let member = visit.member()?;
    let name = typed.name.trim();
    match state.control.create_application(&member.actor, member.organization_id, name).await {
        Ok(row) => {
            let flash = Flash::done(say("applications-ready").with("name", &row.name));
            visit.go(&format!("/applications/{}", row.id), Some(flash)).await
        }
        Err(error) => {
            let form = Form::with([("name", typed.name)]).refused(error)?;
            visit.refused(&view(&state, &visit, &member, form).await?)
        }
    }
}

async fn view(state: &PortalState, visit: &Visit, member: &Member, form: Form) -> Result<View, Fault> {
    let store = &state.store;
    let applications = store.list_applications(member.scope, Page::FIRST_500).await?;
    let keys = store.list_credentials(member.scope, None, Page::FIRST_500).await?;
    let subscriptions = store.list_subscriptions(member.scope, None, Page::FIRST_500).await?;
    let names = Names::read(state).await?;
    let rows = applications.into_iter().map(|row| {
        let products: Vec<&str> = subscriptions
            .iter()
            .filter(|one| one.application_id == row.id && one.state != SubscriptionState::Ended)
            .map(|one| names.product(one))
            .collect();
        let is_own = |key: &&tollgate_store::CredentialRow| {
            key.application_id == row.id && key.state() == CredentialState::Active
        };
        Row {
            href: format!("/applications/{}", row.id),
            name: row.name,
            products: if products.is_empty() { t("show-none").into() } else { products.join(", ") },
            keys: keys.iter().filter(is_own).count(),
            state: row.state.into(),
            created: Moment::of(row.created_at, visit.now),
        }
    });
    Ok(View {
        shell: visit.shell(Area::Developer, t("around-applications")).await?,
        rows: rows.collect(),
        form,
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::ApplicationState;
        let row = |name: &str, products: &str, state: ApplicationState| Row {
            href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            name: name.into(),
            products: products.into(),
            keys: 2,
            state: state.into(),
            created: crate::pages::sample_time(-90_000),
        };
        let shell = || Shell::sample(Area::Developer, "Applications", "/applications");
        let rows = vec![
            row("My first app", "Countries", ApplicationState::Active),
            row("Nightly import", "Countries, Exchange rates", ApplicationState::Suspended),
        ];
        vec![
            Self { shell: shell(), rows, form: Form::default() },
            Self { shell: shell(), rows: vec![], form: Form::default() },
        ]
    }
}
