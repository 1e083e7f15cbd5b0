//! One application: its keys and subscriptions.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_domain::{ApplicationId, ApplicationState};
use tollgate_store::Page;

use super::{KeyRow, SubscribedRow, key_row, subscribed_rows};
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::Label;
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "applications/show.html")]
pub struct View {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub state: Label,
    pub suspended: bool,
    pub usage_href: String,
    pub keys: Vec<KeyRow>,
    pub create_key_action: String,
    pub once: uuid::Uuid,
    pub form: Form,
    pub expiries: &'static [(&'static str, &'static str)],
    pub subscriptions: Vec<SubscribedRow>,
}

/// `GET /applications/{id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id = id.parse().map_err(|_| Fault::not_found())?;
    visit.page(&view(&state, &visit, &member, id, Form::default()).await?)
}

/// The page, also for the key form when it was refused.
pub async fn view(
    state: &PortalState,
    visit: &Visit,
    member: &Member,
    id: ApplicationId,
    form: Form,
) -> Result<View, Fault> {
    let row = state.store.get_application(member.scope, id).await?;
    let keys = state.store.list_credentials(member.scope, Some(id), Page::FIRST_500).await?;
    let base = format!("/applications/{id}/keys");
    let mut keys: Vec<KeyRow> = keys.iter().map(|key| key_row(key, &base, visit.now)).collect();
    keys.sort_by_key(|key| key.revoke_href.is_none());
    Ok(View {
        shell: visit.shell(Area::Developer, &row.name).await?,
        id: id.to_string(),
        name: row.name,
        state: row.state.into(),
        suspended: row.state == ApplicationState::Suspended,
        usage_href: format!("/usage?application={id}"),
        keys,
        create_key_action: base,
        once: uuid::Uuid::now_v7(),
        form,
        expiries: super::key_create::EXPIRIES,
        subscriptions: subscribed_rows(state, member.scope, id, "/products/", visit.now).await?,
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let path = "/applications/app_01h455vb4pex5vsknk084sn02q";
        let base = format!("{path}/keys");
        let view = |state: ApplicationState, filled: bool| Self {
            shell: Shell::sample(Area::Developer, "My first app", path),
            id: "app_01h455vb4pex5vsknk084sn02q".into(),
            name: "My first app".into(),
            state: state.into(),
            suspended: state == ApplicationState::Suspended,
            usage_href: "/usage?application=app_01h455vb4pex5vsknk084sn02q".into(),
            keys: if filled { super::sample_keys(&base) } else { vec![] },
            create_key_action: base.clone(),
            once: uuid::Uuid::nil(),
            form: Form::default(),
            expiries: super::key_create::EXPIRIES,
            subscriptions: if filled { super::sample_subscriptions("/products/") } else { vec![] },
        };
        vec![
            view(ApplicationState::Active, true),
            view(ApplicationState::Suspended, true),
            view(ApplicationState::Active, false),
        ]
    }
}
