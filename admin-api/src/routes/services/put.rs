//! `PUT /v1/services/{service}`

use tollgate_control::{ServiceInput, ServicePatch};
use tollgate_domain::ServiceId;

use super::create::NewService;
use super::{Service, find};
use crate::auth::Writer;
use crate::body::Json;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, PutConditions};
use crate::problem::{Answer, found};
use crate::put::{Put, answered};

/// Create or replace a service
///
/// The whole service as it shall be: made where there is none of this slug, replaced where there is, with the defaults for
/// what is absent. Sent again it changes nothing. Another slug in the body than in the path renames it.
#[utoipa::path(
    put, path = "/v1/services/{service}", tag = "Services", operation_id = "putService",
    params(("service" = String, Path, description = "Its slug, or its id where it exists."), PutConditions),
    request_body = NewService,
    responses(
        (status = 200, description = "The service after the change.", body = Service),
        (status = 201, description = "The new service.", body = Service)
    )
)]
pub async fn put_service(
    writer: Writer,
    name: Named<ServiceId>,
    condition: OptionalIfMatch,
    Json(body): Json<NewService>,
) -> Answer {
    let input = ServiceInput::from(body);
    let put = Put::begin(&writer, "service", &input.slug, condition).await?;
    let (created, row) = match found(find(put.control().store(), name.clone()).await)? {
        Some(row) => {
            let expected = put.replaces()?;
            let patch = ServicePatch::from(input);
            (false, put.control().update_service(&writer.actor, row.id, expected, patch).await?)
        }
        None => {
            put.creates(&name, &input.slug)?;
            (true, put.control().create_service(&writer.actor, input).await?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "services", row.id, row.version, Service::from(row)))
}
