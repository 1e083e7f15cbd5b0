//! `PUT /v1/apis/{api}/document`

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Serialize;
use tollgate_domain::ApiId;
use tollgate_web::Problem;
use utoipa::ToSchema;

use super::{Api, find, of_routes};
use crate::App;
use crate::answer;
use crate::auth::Writer;
use crate::body::media_type;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::{Answer, Refusal, malformed, unsupported_media_type};

/// A document's text. Which of the two languages it is written in is seen from the text itself.
#[derive(Debug)]
pub struct DocumentText(String);

impl FromRequest<App> for DocumentText {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let known = media_type(request.headers()).is_some_and(|media_type| {
            let subtype =
                media_type.strip_prefix("application/").or_else(|| media_type.strip_prefix("text/"));
            matches!(
                subtype,
                Some(
                    "json"
                        | "yaml"
                        | "x-yaml"
                        | "openapi+json"
                        | "openapi+yaml"
                        | "vnd.oai.openapi+json"
                        | "vnd.oai.openapi"
                )
            )
        });
        if !known {
            return Err(unsupported_media_type("application/json or application/yaml").into());
        }
        let bytes = Bytes::from_request(request, app).await.map_err(Problem::from)?;
        let text = String::from_utf8(bytes.into());
        text.map(Self).map_err(|_| malformed("The document is not UTF-8.").into())
    }
}

/// An API whose document was published, with what its callers will miss in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedApi {
    #[serde(flatten)]
    api: Api,
    /// What could be better, in the document's order; at most 100. Nothing of it held up the publishing.
    warnings: Vec<DocumentWarning>,
}

/// Something that callers of an API will miss in its document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "rule": "error_answer_missing", "pointer": "/paths/~1cities/get/responses", "line": 12,
    "message": "GET /cities describes no answer of class 4xx: callers learn what can go wrong by trying"
}))]
pub struct DocumentWarning {
    /// `operation_id_missing`, `description_missing`, `error_answer_missing`, `good_answer_missing`, `tag_undefined` or
    /// `security_missing`.
    rule: &'static str,
    /// Where in the document, as a JSON Pointer.
    pointer: String,
    /// The line in the text that was sent, from 1; `null` where it cannot be told.
    #[schema(required)]
    line: Option<u32>,
    /// What is missing, and what it costs.
    message: String,
}

/// Publish an API's document
///
/// The body is an OpenAPI document: 3.1, 3.0 or Swagger 2, JSON or YAML, up to 20 MiB. It is checked as a whole,
/// lifted to 3.1 and stored; the API's routes become exactly its operations. A route whose method and path stay
/// keeps its id, and with it its usage. A faulty document is refused with pointers and lines, and changes nothing. What
/// could be better about a good one is told in `warnings`.
#[utoipa::path(
    put, path = "/v1/apis/{api}/document", tag = "APIs", operation_id = "putApiDocument",
    params(("api" = String, Path, description = "Its id or slug."), OptionalIfMatchParam),
    request_body(content(
        (Object = "application/json"),
        (String = "application/yaml")
    ), description = "The document."),
    responses((status = 200, description = "The API after the change.", body = PublishedApi))
)]
pub async fn put_api_document(
    writer: Writer,
    name: Named<ApiId>,
    condition: OptionalIfMatch,
    DocumentText(text): DocumentText,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    let changed = writer.control.publish_document(&writer.actor, id, condition.version, &text).await;
    let row = changed.map_err(of_routes)?;
    let warnings = writer.control.lint_document(text).await?.into_iter().map(|one| DocumentWarning {
        rule: one.rule,
        pointer: one.pointer,
        line: one.line,
        message: one.message,
    });
    let version = row.version;
    let published = PublishedApi { api: Api::from(row), warnings: warnings.collect() };
    Ok(answer::tagged(version, answer::ok(published)))
}
