//! `GET` and `PUT /v1/plans/{plan}/late-payers`

use axum::response::Response;
use serde::{Deserialize, Serialize};
use tollgate_domain::{PlanId, UnpaidLanding};
use tollgate_store::UnpaidTermsRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What becomes of calls when an invoice for the plan is not paid.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "landing": "throttle", "grace_days": 7 }))]
pub struct LatePayers {
    /// What happens when the days of grace are over.
    #[schema(value_type = schema::UnpaidLanding)]
    landing: UnpaidLanding,
    /// Days between a payment that failed and its landing; `null` for three. A customer's own go before these.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 365)]
    grace_days: Option<i16>,
}

fn shown(version: i64, terms: UnpaidTermsRow) -> Response {
    let UnpaidTermsRow { landing, grace_days } = terms;
    answer::tagged(version, answer::ok(LatePayers { landing, grace_days }))
}

/// Get what happens to late payers
///
/// The `ETag` is the plan's.
#[utoipa::path(
    get, path = "/v1/plans/{plan}/late-payers", tag = "Plans", operation_id = "getPlanLatePayers",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    responses((status = 200, description = "What happens.", body = LatePayers))
)]
pub async fn get_plan_late_payers(reader: Reader, Id(id): Id<PlanId>) -> Answer {
    let store = reader.control.store();
    let version = store.get_plan(id).await?.version;
    Ok(shown(version, store.get_unpaid_terms(id).await?))
}

/// Say what happens to late payers
///
/// Invoices that could not be collected already keep their days of grace.
#[utoipa::path(
    put, path = "/v1/plans/{plan}/late-payers", tag = "Plans", operation_id = "putPlanLatePayers",
    params(("plan" = schema::PlanId, Path, description = "Its id."), OptionalIfMatchParam), request_body = LatePayers,
    responses((status = 200, description = "What happens now.", body = LatePayers))
)]
pub async fn put_plan_late_payers(
    writer: Writer,
    Id(id): Id<PlanId>,
    condition: OptionalIfMatch,
    Json(body): Json<LatePayers>,
) -> Answer {
    let LatePayers { landing, grace_days } = body;
    let terms = writer
        .control
        .agree_on_late_payers(&writer.actor, id, condition.version, landing, grace_days)
        .await?;
    Ok(shown(writer.control.store().get_plan(id).await?.version, terms))
}
