//! `/v1/apis/{api}/documents`: what was published, and the way back.

use axum::extract::{FromRequestParts, Path};
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tollgate_control::DocumentChange;
use tollgate_domain::ApiId;
use tollgate_web::Problem;
use utoipa::ToSchema;

use super::{Api, find, shown};
use crate::App;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::{Answer, Refusal};
use crate::query::Params;

/// A document that was published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 3, "title": "Countries", "version": "1.2.0", "in_force": true, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct PublishedDocument {
    /// Its number; the documents of an API are counted.
    number: i32,
    /// Its title.
    title: String,
    /// Its version, as its author calls it.
    version: String,
    /// Whether the API has its operations now.
    in_force: bool,
    /// When it was published.
    created_at: DateTime<Utc>,
}

/// Documents that were published.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedDocuments {
    /// The latest first, 200 at most.
    data: Vec<PublishedDocument>,
}

/// What changes for callers between two documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentChanges {
    /// Whether anything in it may break callers.
    breaking: bool,
    /// Every operation that was added, removed or changed.
    changes: Vec<OperationChange>,
}

/// What became of one operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "method": "GET", "path": "/{code}", "kind": "changed", "breaking": ["the query parameter lang is required now"],
    "compatible": ["it may answer 404 now"]
}))]
pub struct OperationChange {
    /// Method.
    method: String,
    /// Path template.
    path: String,
    /// `added`, `removed` or `changed`.
    #[schema(pattern = "^(added|removed|changed)$")]
    kind: String,
    /// What callers that worked before may fail at.
    breaking: Vec<String>,
    /// What else is different.
    compatible: Vec<String>,
}

impl From<DocumentChange> for OperationChange {
    fn from(change: DocumentChange) -> Self {
        let DocumentChange { method, path, kind, breaking, compatible } = change;
        Self { method, path, kind, breaking, compatible }
    }
}

/// The API and the number of a document in a path.
#[derive(Debug)]
pub struct Numbered {
    api: Named<ApiId>,
    number: i32,
}

impl FromRequestParts<App> for Numbered {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path((api, number)) = Path::<(String, String)>::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(Problem::not_found)?;
        Ok(Self { api: Named::read(&api).ok_or_else(Problem::not_found)?, number })
    }
}

/// List an API's documents
///
/// Everything that was published for it, the latest first.
#[utoipa::path(
    get, path = "/v1/apis/{api}/documents", tag = "APIs", operation_id = "listApiDocuments",
    params(("api" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The documents.", body = PublishedDocuments))
)]
pub async fn list_api_documents(reader: Reader, name: Named<ApiId>) -> Answer {
    let api = find(reader.control.store(), name).await?;
    let rows = reader.control.store().list_documents(api.id, 200).await?;
    let data = rows.into_iter().map(|row| PublishedDocument {
        in_force: row.number == api.document_number,
        number: row.number,
        title: row.title,
        version: row.version,
        created_at: row.created_at,
    });
    Ok(answer::ok(PublishedDocuments { data: data.collect() }))
}

/// Get a document of an API by its number
#[utoipa::path(
    get, path = "/v1/apis/{api}/documents/{number}", tag = "APIs", operation_id = "getApiDocumentNumbered",
    params(
        ("api" = String, Path, description = "The API's id or slug."),
        ("number" = i32, Path, description = "The document's number.", minimum = 1)
    ),
    responses((status = 200, description = "The document, OpenAPI 3.1.", body = Object))
)]
pub async fn get_api_document_numbered(reader: Reader, Numbered { api, number }: Numbered) -> Answer {
    let store = reader.control.store();
    let api = find(store, api).await?;
    Ok(answer::ok(store.get_document(api.id, number).await?))
}

/// Compare two documents of an API
///
/// What changed for callers, operation by operation, and what of it may break them. Before publishing, `dry_run` on
/// `PUT /v1/apis/{api}/document` tells the same, with the applications that call what would break.
#[utoipa::path(
    get, path = "/v1/apis/{api}/documents/{number}/changes", tag = "APIs", operation_id = "getApiDocumentChanges",
    params(
        ("api" = String, Path, description = "The API's id or slug."),
        ("number" = i32, Path, description = "The later document's number.", minimum = 1),
        ("from" = Option<i32>, Query, description = "The earlier document's number; the one before where absent.", minimum = 1)
    ),
    responses((status = 200, description = "The changes.", body = DocumentChanges))
)]
pub async fn get_api_document_changes(
    reader: Reader,
    Numbered { api, number }: Numbered,
    mut params: Params,
) -> Answer {
    let from =
        params.take("from", "a whole number from 1", |text| text.parse().ok().filter(|from| *from > 0))?;
    params.finish()?;
    let api = find(reader.control.store(), api).await?;
    let from = from.unwrap_or(number - 1);
    let changes = reader.control.document_changes(&reader.actor, api.id, from, number).await?;
    let breaking = changes.iter().any(|change| !change.breaking.is_empty());
    let changes = changes.into_iter().map(OperationChange::from).collect();
    Ok(answer::ok(DocumentChanges { breaking, changes }))
}

/// Which document to go back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "number": 2 }))]
pub struct Rollback {
    /// The number of a document that was published for this API.
    #[schema(minimum = 1)]
    number: i32,
}

/// Put an earlier document in force again
///
/// The API's routes become exactly its operations again. Nothing is lost: the one that was in force stays among the
/// documents. Going back to the one in force changes nothing.
#[utoipa::path(
    post, path = "/v1/apis/{api}/rollback", tag = "APIs", operation_id = "rollbackApiDocument",
    params(("api" = String, Path, description = "Its id or slug."), OptionalIfMatchParam), request_body = Rollback,
    responses((status = 200, description = "The API after the change.", body = Api))
)]
pub async fn rollback_api_document(
    writer: Writer,
    name: Named<ApiId>,
    condition: OptionalIfMatch,
    Json(body): Json<Rollback>,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    let row = writer.control.rollback_document(&writer.actor, id, condition.version, body.number).await?;
    Ok(shown(row))
}
