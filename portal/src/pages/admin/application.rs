//! One application as operators see it, with the switch that stops it.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_control::ApplicationPatch;
use tollgate_domain::{ApplicationId, ApplicationState, OperatorRole};
use tollgate_store::Page;

use crate::error::{Answer, Fault};
use crate::pages::applications::{KeyRow, SubscribedRow, key_row, subscribed_rows};
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::show::{Label, Moment};
use crate::{PortalState, filters};

pub struct Switch {
    pub action: String,
    pub state: ApplicationState,
    pub text: &'static str,
}

#[derive(Template)]
#[template(path = "admin/application.html")]
pub struct View {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub state: Label,
    pub organization: String,
    pub people: String,
    pub created: Moment,
    pub switch: Option<Switch>,
    pub keys: Vec<KeyRow>,
    pub subscriptions: Vec<SubscribedRow>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    state: ApplicationState,
}

/// `GET /admin/applications/{id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let (_, scope) = visit.operator()?;
    let may_write = visit.account()?.operator == Some(OperatorRole::Admin);
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_application(scope, id).await?;
    let organization = state.store.get_organization(scope, row.organization_id).await?;
    let members = state.store.list_members(tollgate_domain::Scope::Organization(row.organization_id)).await?;
    let keys = state.store.list_credentials(scope, Some(id), Page::FIRST_500).await?;
    let base = format!("/admin/applications/{id}/keys");
    let mut keys: Vec<KeyRow> = keys.iter().map(|key| key_row(key, &base, visit.now)).collect();
    if !may_write {
        keys.iter_mut().for_each(|key| key.revoke_href = None);
    }
    visit.page(&View {
        shell: visit.shell(Area::Admin, &row.name).await?,
        id: id.to_string(),
        name: row.name,
        state: row.state.into(),
        organization: organization.name,
        people: members.into_iter().map(|one| one.email).collect::<Vec<_>>().join(", "),
        created: Moment::of(row.created_at, visit.now),
        switch: may_write.then(|| switch(id, row.state)),
        keys,
        subscriptions: subscribed_rows(&state, scope, id, "/admin/products#", visit.now).await?,
    })
}

fn switch(id: ApplicationId, state: ApplicationState) -> Switch {
    let (state, text) = match state {
        ApplicationState::Active => (ApplicationState::Suspended, "Suspend application"),
        ApplicationState::Suspended => (ApplicationState::Active, "Lift suspension"),
    };
    Switch { action: format!("/admin/applications/{id}/state"), state, text }
}

/// `POST /admin/applications/{id}/state`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (actor, _) = visit.operator()?;
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let patch = ApplicationPatch { name: None, state: Some(typed.state) };
    let row = state.control.update_application(&actor, id, None, patch).await?;
    let flash = Flash::done(match row.state {
        ApplicationState::Active => format!("{} may call again.", row.name),
        ApplicationState::Suspended => {
            format!("{} is suspended. Its calls fail with 403 from now on.", row.name)
        }
    });
    visit.go(&format!("/admin/applications/{id}"), Some(flash)).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let path = "/admin/applications/app_01h455vb4pex5vsknk084sn02q";
        let id: ApplicationId = "app_01h455vb4pex5vsknk084sn02q".parse().expect("an id");
        [ApplicationState::Active, ApplicationState::Suspended]
            .map(|state| Self {
                shell: Shell::sample(Area::Admin, "My first app", path),
                id: id.to_string(),
                name: "My first app".into(),
                state: state.into(),
                organization: "maria.lindqvist".into(),
                people: "maria.lindqvist@example.com".into(),
                created: crate::pages::sample_time(-90_000),
                switch: Some(switch(id, state)),
                keys: crate::pages::applications::sample_keys(&format!("{path}/keys")),
                subscriptions: crate::pages::applications::sample_subscriptions("/admin/products#"),
            })
            .into()
    }
}
