//! `GET` and `PUT /v1/policies`

use serde::Serialize;
use tollgate_store::PoliciesRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What all calls are held to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "policies": { "rates": [{ "name": "each", "amount": 50, "period": "second", "per": "subscription" }], "networks": [] },
    "version": 1
}))]
pub struct PlatformPolicies {
    /// The policies.
    #[schema(value_type = schema::Policies)]
    policies: tollgate_domain::Policies,
    /// Grows with every change; the `ETag` carries it. 0 where nobody has said anything yet.
    version: i64,
}

impl From<PoliciesRow> for PlatformPolicies {
    fn from(PoliciesRow { policies, version }: PoliciesRow) -> Self {
        Self { policies, version }
    }
}

fn shown(row: PoliciesRow) -> axum::response::Response {
    answer::tagged(row.version, answer::ok(PlatformPolicies::from(row)))
}

/// Get the policies of the platform
#[utoipa::path(
    get, path = "/v1/policies", tag = "Policies", operation_id = "getPolicies",
    responses((status = 200, description = "What all calls are held to.", body = PlatformPolicies))
)]
pub async fn get_policies(reader: Reader) -> Answer {
    Ok(shown(reader.control.store().get_policies().await?))
}

/// Set the policies of the platform
///
/// All of them at once: what is absent is not asked. They hold for all calls of all APIs, with the next call. What calls of one
/// API or operation are held to besides is in the API's `policies`.
#[utoipa::path(
    put, path = "/v1/policies", tag = "Policies", operation_id = "putPolicies", params(OptionalIfMatchParam),
    request_body = schema::Policies,
    responses((status = 200, description = "What all calls are held to now.", body = PlatformPolicies))
)]
pub async fn put_policies(
    writer: Writer,
    condition: OptionalIfMatch,
    Json(body): Json<tollgate_domain::Policies>,
) -> Answer {
    Ok(shown(writer.control.put_policies(&writer.actor, condition.version, body).await?))
}
