//! `?dry_run=true`: everything is done, told and undone.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use tollgate_control::{Effect, Note};
use tollgate_domain::{ApplicationId, OrganizationId, SubscriptionId};
use utoipa::ToSchema;

use super::{admitted, whole, whole_answer, within};
use crate::App;
use crate::answer;
use crate::problem::Refusal;
use crate::routes::audit::typed;
use crate::schema;

/// What a write would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRun {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// The status that the write would be answered with.
    status: u16,
    /// What would change, one entry for each audit entry that would be written; empty where it holds already.
    changes: Vec<DryChange>,
    /// Who would notice, 200 at most.
    affected: Vec<Affected>,
    /// The body that the write would be answered with; `null` where there is none. Secrets are left out.
    #[schema(required, value_type = Option<Object>)]
    result: Option<Value>,
}

/// Somebody who would notice a write.
#[derive(Debug, Serialize, ToSchema)]
pub struct Affected {
    /// `over_quota` or `over_rate`: used more than a lowered limit allows. `breaks_calls`: calls an
    /// operation in a way that would fail. `loses_api`: calls what would be gone.
    /// `keys_stop`: has keys that would open nothing.
    #[schema(value_type = String)]
    kind: &'static str,
    /// Whose application it is.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Which application.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// Its name.
    application: String,
    /// The subscription that it uses it by; `null` where it is not one.
    #[schema(required, value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// What would happen, with the figures.
    message: String,
}

impl From<Effect> for Affected {
    fn from(effect: Effect) -> Self {
        Self {
            kind: effect.kind,
            organization_id: effect.organization_id,
            application_id: effect.application_id,
            application: effect.application,
            subscription_id: effect.subscription_id,
            message: effect.message,
        }
    }
}

/// One thing that a write would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryChange {
    /// What would be done, like `plan.update`.
    action: String,
    /// To what kind of thing.
    #[schema(value_type = String)]
    subject_kind: &'static str,
    /// To which one; a new thing's id is another one when it is made.
    subject_id: String,
    /// What exactly: `before` and `after` of an update.
    #[schema(value_type = Object)]
    details: Value,
}

/// Does what the request asks for inside a transaction that is never committed, compiling included, and tells what it
/// did. A refusal is the write's own.
pub async fn run(app: &App, request: Request, next: Next) -> Result<Response, Refusal> {
    let (request, admitted) = admitted(app, request).await?;
    // Read before the transaction begins, so that a slow sender holds nobody up.
    let (mut request, _) = whole(request).await?;
    let unit = app.control.open_unit().await?;
    within(&mut request, &admitted, unit.control());
    let response = next.run(request).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    unit.check().await?;
    let notes = unit.notes();
    // What is done is undone before anybody is asked who would notice: that is read from what holds now.
    drop(unit);
    let affected = app.control.effects(&admitted.actor, &notes).await?;
    let (parts, body) = whole_answer(response).await?;
    let mut result: Option<Value> = serde_json::from_slice(&body).ok();
    if let Some(Value::Object(members)) = &mut result {
        members.remove("secret");
    }
    let affected = affected.into_iter().map(Affected::from).collect();
    let changes = notes.into_iter().map(DryChange::from).collect();
    Ok(answer::ok(DryRun { dry_run: true, status: parts.status.as_u16(), changes, affected, result }))
}

impl From<Note> for DryChange {
    fn from(note: Note) -> Self {
        Self {
            action: note.action,
            subject_kind: note.subject.kind,
            subject_id: typed(note.subject.kind, note.subject.id),
            details: note.details,
        }
    }
}
