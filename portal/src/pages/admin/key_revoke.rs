//! Revoking a developer's key, after one question.

use axum::extract::{Path, State};

use crate::PortalState;
use crate::error::Answer;
use crate::pages::applications::key_revoke::{key_of, question};
use crate::session::Visit;
use crate::shell::{Area, Flash};

/// `GET /admin/applications/{id}/keys/{key}/revoke`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let (_, scope) = visit.operator()?;
    let row = key_of(&state, scope, &id, &key).await?;
    visit.page(&question(&visit, Area::Admin, &row, format!("/admin/applications/{id}")).await?)
}

/// `POST /admin/applications/{id}/keys/{key}/revoke`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let (actor, scope) = visit.operator()?;
    let row = key_of(&state, scope, &id, &key).await?;
    state.control.revoke_credential(&actor, row.id).await?;
    let flash = Flash::done(format!("{} is revoked. Calls with it fail from now on.", row.name));
    visit.go(&format!("/admin/applications/{id}"), Some(flash)).await
}
