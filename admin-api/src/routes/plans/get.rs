//! `GET /v1/plans/{plan}`

use tollgate_domain::PlanId;

use super::{Plan, shown};
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a plan
#[utoipa::path(
    get, path = "/v1/plans/{plan}", tag = "Plans", operation_id = "getPlan",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    responses((status = 200, description = "The plan.", body = Plan))
)]
pub async fn get_plan(reader: Reader, Id(id): Id<PlanId>) -> Answer {
    Ok(shown(reader.control.store().get_plan(id).await?))
}
