//! `PATCH /v1/plans/{plan}`

use serde::Deserialize;
use tollgate_control::PlanPatch;
use tollgate_domain::{Limit, PlanId, PlanState, Slug};
use utoipa::ToSchema;

use super::{Plan, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema::{self, LimitBody, PriceBody};

/// What to change about a plan; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "limits": [{ "name": "burst", "kind": "rate", "amount": 20, "period": "second" }] }))]
pub struct PlanChange {
    /// Its name in headers; unique in its product.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
    /// One sentence.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 500)]
    summary: Option<Text>,
    /// Whether it can be chosen.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::PlanState)]
    state: Option<PlanState>,
    /// Whether an operator must approve a subscription that a developer asks for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    approval: Option<bool>,
    /// What it costs; replaced as a whole.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = PriceBody)]
    price: Option<PriceBody>,
    /// Its limits; replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<LimitBody>, max_items = 5)]
    limits: Option<Vec<LimitBody>>,
}

/// Change a plan
///
/// For everybody on it, at once.
#[utoipa::path(
    patch, path = "/v1/plans/{plan}", tag = "Plans", operation_id = "updatePlan",
    params(("plan" = schema::PlanId, Path, description = "Its id."), IfMatchParam), request_body = PlanChange,
    responses((status = 200, description = "The plan after the change.", body = Plan))
)]
pub async fn update_plan(
    writer: Writer,
    Id(id): Id<PlanId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<PlanChange>,
) -> Answer {
    let patch = PlanPatch {
        slug: body.slug,
        name: body.name.map(|name| name.0),
        summary: body.summary.map(|summary| summary.0),
        state: body.state,
        approval: body.approval,
        price: body.price.map(Into::into),
        limits: body.limits.map(|limits| limits.into_iter().map(Limit::from).collect()),
    };
    Ok(shown(writer.control.update_plan(&writer.actor, id, expected, patch).await?))
}
