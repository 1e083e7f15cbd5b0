//! `/v1/incidents`

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::IncidentPatch;
use tollgate_domain::{ApiId, IncidentId, Trouble};
use tollgate_store::{IncidentRow, ToldIncident};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::{Json, Text, given};
use crate::page::{Listing, PageParams};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// A time in which calls went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "inc_01ks2v8d3tf5cs9y0v3jq1q7zb", "api_id": null, "noticed": false, "trouble": "degraded",
    "title": "Slow answers", "text": "A data centre lost its power. Calls go to another one.",
    "began_at": "2026-11-21T09:30:00Z", "ended_at": null, "calls": null, "failed": null, "version": 1
}))]
pub struct Incident {
    /// Its id.
    #[schema(value_type = schema::IncidentId)]
    id: IncidentId,
    /// Of which API; `null` where an operator wrote it about all of them.
    #[schema(value_type = Option<String>, required)]
    api_id: Option<ApiId>,
    /// Whether gateways noticed it; else an operator wrote it.
    noticed: bool,
    /// The worst that it was.
    #[schema(value_type = schema::Trouble)]
    trouble: Trouble,
    /// What it is about, in an operator's words; may be empty where it was noticed.
    title: String,
    /// What is known of it, in Markdown.
    text: String,
    /// When it began, or was noticed.
    began_at: DateTime<Utc>,
    /// When it was over; `null` while it lasts.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
    /// Calls of the quarter of an hour in which it was worst; `null` where an operator wrote it.
    #[schema(required)]
    calls: Option<i64>,
    /// Of them, those that the API failed.
    #[schema(required)]
    failed: Option<i64>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
}

impl From<IncidentRow> for Incident {
    fn from(row: IncidentRow) -> Self {
        let (calls, failed) = row.counted().unzip();
        Self {
            id: row.id,
            api_id: row.api_id(),
            noticed: row.noticed,
            trouble: row.trouble,
            title: row.title,
            text: row.text,
            began_at: row.began_at,
            ended_at: row.ended_at,
            calls,
            failed,
            version: row.version,
        }
    }
}

/// What an incident is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "title": "Slow answers", "trouble": "degraded", "began_at": "2026-11-21T09:30:00Z" }))]
pub struct NewIncident {
    /// Of which API; absent or `null` for all of them.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    api_id: Option<ApiId>,
    /// How bad it is.
    #[schema(value_type = schema::Trouble)]
    trouble: Trouble,
    /// What it is about, on one line.
    #[schema(value_type = String, min_length = 1, max_length = 120)]
    title: Text,
    /// What is known of it, in Markdown. HTML in it is shown as text.
    #[serde(default)]
    #[schema(value_type = String, max_length = 5_000)]
    text: Text,
    /// When it began; not in the future.
    began_at: DateTime<Utc>,
    /// When it was over; absent or `null` while it lasts.
    #[serde(default)]
    ended_at: Option<DateTime<Utc>>,
}

/// What to change about an incident; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "ended_at": "2026-11-21T10:15:00Z" }))]
pub struct IncidentChange {
    /// Of which API; `null` for all of them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    api_id: Option<Option<ApiId>>,
    /// How bad it was at worst.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Trouble)]
    trouble: Option<Trouble>,
    /// What it is about, on one line.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 120)]
    title: Option<Text>,
    /// What is known of it, in Markdown.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 5_000)]
    text: Option<Text>,
    /// When it began; not in the future.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = DateTime<Utc>)]
    began_at: Option<DateTime<Utc>>,
    /// When it was over; `null` while it lasts.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    ended_at: Option<Option<DateTime<Utc>>>,
}

fn shown(row: IncidentRow) -> Response {
    answer::tagged(row.version, answer::ok(Incident::from(row)))
}

/// List incidents
///
/// Those that gateways noticed and those that operators wrote, oldest first; they are kept for a year after their end.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "Portal", operation_id = "listIncidents", params(PageParams),
    responses((status = 200, description = "A page of incidents.", body = Listing<Incident>))
)]
pub async fn list_incidents(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_incidents(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Incident::from)))
}

/// Write an incident
///
/// The portal's status page and its feed tell of it at once: of one API to whoever sees that API, of all of them to everybody.
#[utoipa::path(
    post, path = "/v1/incidents", tag = "Portal", operation_id = "createIncident", request_body = NewIncident,
    responses((status = 201, description = "The new incident.", body = Incident))
)]
pub async fn create_incident(writer: Writer, Json(body): Json<NewIncident>) -> Answer {
    let told = ToldIncident {
        api_id: body.api_id,
        trouble: body.trouble,
        title: body.title.0,
        text: body.text.0,
        began_at: body.began_at,
        ended_at: body.ended_at,
    };
    let row = writer.control.create_incident(&writer.actor, told, Utc::now()).await?;
    let (id, version) = (row.id, row.version);
    Ok(answer::tagged(version, answer::created("incidents", id, Incident::from(row))))
}

/// Get an incident
#[utoipa::path(
    get, path = "/v1/incidents/{incident}", tag = "Portal", operation_id = "getIncident",
    params(("incident" = schema::IncidentId, Path, description = "Its id.")),
    responses((status = 200, description = "The incident.", body = Incident))
)]
pub async fn get_incident(reader: Reader, Id(id): Id<IncidentId>) -> Answer {
    Ok(shown(reader.control.store().get_incident(id).await?))
}

/// Change an incident, or say that it is over
///
/// Of one that gateways noticed, only title and text can be changed: the rest was counted.
#[utoipa::path(
    patch, path = "/v1/incidents/{incident}", tag = "Portal", operation_id = "updateIncident",
    params(("incident" = schema::IncidentId, Path, description = "Its id."), IfMatchParam),
    request_body = IncidentChange,
    responses((status = 200, description = "The incident after the change.", body = Incident))
)]
pub async fn update_incident(
    writer: Writer,
    Id(id): Id<IncidentId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<IncidentChange>,
) -> Answer {
    let patch = IncidentPatch {
        api_id: body.api_id,
        trouble: body.trouble,
        title: body.title.map(|text| text.0),
        text: body.text.map(|text| text.0),
        began_at: body.began_at,
        ended_at: body.ended_at,
    };
    Ok(shown(writer.control.update_incident(&writer.actor, id, expected, patch, Utc::now()).await?))
}

/// Delete an incident
///
/// One that was noticed and lasts is noticed anew within a minute.
#[utoipa::path(
    delete, path = "/v1/incidents/{incident}", tag = "Portal", operation_id = "deleteIncident",
    params(("incident" = schema::IncidentId, Path, description = "Its id."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_incident(writer: Writer, Id(id): Id<IncidentId>, IfMatch(expected): IfMatch) -> Answer {
    writer.control.delete_incident(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
