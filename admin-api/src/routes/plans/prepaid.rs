//! `/v1/plans/{plan}/prepaid`: whether a plan's calls are paid from credits as they are made.

use serde::{Deserialize, Serialize};
use tollgate_domain::PlanId;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Whether a plan is prepaid.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "prepaid": true }))]
pub struct Prepaid {
    /// Its calls are admitted as far as the credits of the organization go, and refused with 402 `credits_used_up` beyond.
    prepaid: bool,
}

/// Ask whether a plan is prepaid
#[utoipa::path(
    get, path = "/v1/plans/{plan}/prepaid", tag = "Plans", operation_id = "getPlanPrepaid",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    responses((status = 200, description = "Whether it is.", body = Prepaid))
)]
pub async fn get_plan_prepaid(reader: Reader, Id(id): Id<PlanId>) -> Answer {
    reader.actor.authorize(tollgate_control::Action::ReadPlatform)?;
    Ok(answer::ok(Prepaid { prepaid: reader.control.store().is_prepaid(id).await? }))
}

/// Say whether a plan is prepaid
///
/// For everybody on it, within seconds: give credits first.
#[utoipa::path(
    put, path = "/v1/plans/{plan}/prepaid", tag = "Plans", operation_id = "putPlanPrepaid",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    request_body = Prepaid,
    responses((status = 200, description = "Whether it is.", body = Prepaid))
)]
pub async fn put_plan_prepaid(writer: Writer, Id(id): Id<PlanId>, Json(body): Json<Prepaid>) -> Answer {
    writer.control.set_prepaid(&writer.actor, id, body.prepaid).await?;
    Ok(answer::ok(body))
}
