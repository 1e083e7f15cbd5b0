//! Revoking a key, after one question.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_domain::{ApplicationId, CredentialId, Scope};
use tollgate_store::CredentialRow;

use super::shown;
use crate::error::{Answer, Fault};
use crate::say::say;
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "applications/key_revoke.html")]
pub struct View {
    pub shell: Shell,
    pub key_name: String,
    pub shown: String,
    pub last_used: Option<Moment>,
    pub application_href: String,
}

/// `GET /applications/{id}/keys/{key}/revoke`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    visit.page(&question(&visit, Area::Developer, &row, format!("/applications/{id}")).await?)
}

/// `POST /applications/{id}/keys/{key}/revoke`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    state.control.revoke_credential(&member.actor, row.id).await?;
    let flash = Flash::done(say("revoke-done").with("name", &row.name));
    visit.go(&format!("/applications/{id}"), Some(flash)).await
}

/// A key of this application that the scope may see.
pub async fn key_of(state: &PortalState, scope: Scope, id: &str, key: &str) -> Result<CredentialRow, Fault> {
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let key: CredentialId = key.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_credential(scope, key).await?;
    if row.application_id == id { Ok(row) } else { Err(Fault::not_found()) }
}

/// The page that asks; operators get the same one.
pub async fn question(
    visit: &Visit,
    area: Area,
    row: &CredentialRow,
    application_href: String,
) -> Result<View, Fault> {
    Ok(View {
        shell: visit.shell(area, say("revoke-page").with("name", &row.name)).await?,
        key_name: row.name.clone(),
        shown: shown(row),
        last_used: row.last_used_at.map(|at| Moment::of(at, visit.now)),
        application_href,
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let path = "/applications/app_01h455vb4pex5vsknk084sn02q/keys/key_01h455vb4pex5vsknk084sn02q/revoke";
        vec![Self {
            shell: Shell::sample(Area::Developer, "Revoke First key", path),
            key_name: "First key".into(),
            shown: "tg_live_8Kd2…x9Qa".into(),
            last_used: Some(crate::pages::sample_time(-4_000)),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
        }]
    }
}
