//! `PUT /v1/apis/{api}`

use tollgate_control::ApiPatch;
use tollgate_domain::ApiId;

use super::create::{NewApi, Sent, placed_in_body};
use super::{Api, find};
use crate::auth::Writer;
use crate::body::Json;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, PutConditions};
use crate::problem::{Answer, found};
use crate::put::{Put, answered};

/// Create or replace an API
///
/// The whole API as it shall be: made where there is none of this slug, replaced where there is, with the defaults for
/// what is absent. Sent again it changes nothing but the document, which is published anew where one is sent and stays
/// where none is. Another slug in the body than in the path renames it.
#[utoipa::path(
    put, path = "/v1/apis/{api}", tag = "APIs", operation_id = "putApi",
    params(("api" = String, Path, description = "Its slug, or its id where it exists."), PutConditions),
    request_body = NewApi,
    responses(
        (status = 200, description = "The API after the change.", body = Api),
        (status = 201, description = "The new API.", body = Api)
    )
)]
pub async fn put_api(
    writer: Writer,
    name: Named<ApiId>,
    condition: OptionalIfMatch,
    Json(body): Json<NewApi>,
) -> Answer {
    let (input, document) = body.parts()?;
    let was_text = matches!(document, Some(Sent::Text(_)));
    let put = Put::begin(&writer, "api", &input.slug, condition).await?;
    let (control, actor) = (put.control(), &writer.actor);
    let (created, row) = match found(find(control.store(), name.clone()).await)? {
        Some(row) => {
            let expected = put.replaces()?;
            let changed = control.update_api(actor, row.id, expected, ApiPatch::from(input)).await;
            let row = changed.map_err(|error| placed_in_body(error, was_text))?;
            let row = match &document {
                Some(document) => {
                    let published = control.publish_document(actor, row.id, None, document.text()).await;
                    published.map_err(|error| placed_in_body(error, was_text))?
                }
                None => row,
            };
            (false, row)
        }
        None => {
            put.creates(&name, &input.slug)?;
            let made = control.create_api(actor, input, document.as_ref().map(Sent::text)).await;
            (true, made.map_err(|error| placed_in_body(error, was_text))?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "apis", row.id, row.version, Api::from(row)))
}
