//! `/v1/organizations/{organization}/time-zone`

use serde::{Deserialize, Serialize};
use tollgate_domain::{OrganizationId, Zone};
use utoipa::ToSchema;

use super::find;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Named;
use crate::problem::Answer;

/// An organization's time zone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "time_zone": "Europe/Berlin" }))]
pub struct TimeZone {
    /// A name of the IANA database.
    #[schema(value_type = String, max_length = 64)]
    time_zone: Zone,
}

/// Get an organization's time zone
///
/// Days and months of its exact and soft quotas are those of a clock there.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/time-zone", tag = "Organizations", operation_id = "getOrganizationTimeZone",
    params(("organization" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The time zone.", body = TimeZone))
)]
pub async fn get_organization_time_zone(reader: Reader, name: Named<OrganizationId>) -> Answer {
    let id = find(reader.control.store(), reader.scope, name).await?.id;
    let time_zone = reader.control.time_zone(&reader.actor, id).await?;
    Ok(answer::ok(TimeZone { time_zone }))
}

/// Set an organization's time zone
///
/// It holds at once: what was used counts in the periods of the new zone.
#[utoipa::path(
    put, path = "/v1/organizations/{organization}/time-zone", tag = "Organizations", operation_id = "putOrganizationTimeZone",
    params(("organization" = String, Path, description = "Its id or slug.")),
    request_body = TimeZone,
    responses((status = 200, description = "The time zone.", body = TimeZone))
)]
pub async fn put_organization_time_zone(
    writer: Writer,
    name: Named<OrganizationId>,
    Json(body): Json<TimeZone>,
) -> Answer {
    let id = find(writer.control.store(), writer.actor.tenants(true)?, name).await?.id;
    writer.control.set_time_zone(&writer.actor, id, body.time_zone).await?;
    Ok(answer::ok(body))
}
