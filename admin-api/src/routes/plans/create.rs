//! `POST /v1/plans`

use serde::Deserialize;
use tollgate_control::PlanInput;
use tollgate_domain::{Limit, PlanState, ProductId, Slug};
use utoipa::ToSchema;

use super::Plan;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::Answer;
use crate::schema::{self, LimitBody, PriceBody};

/// What a plan is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "product_id": "prd_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "free", "name": "Free",
    "price": { "minor": 0, "currency": "EUR", "per": "month" },
    "limits": [
        { "name": "burst", "kind": "rate", "amount": 10, "period": "second" },
        { "name": "month", "kind": "quota", "amount": 1000, "period": "month" }
    ]
}))]
pub struct NewPlan {
    /// The product it is for; never changes.
    #[schema(value_type = schema::ProductId)]
    product_id: ProductId,
    /// Its name in headers; unique in its product.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// One sentence.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    summary: Text,
    /// Whether it can be chosen.
    #[serde(default = "open")]
    #[schema(value_type = schema::PlanState, default = "open")]
    state: PlanState,
    /// Whether an operator must approve a subscription that a developer asks for.
    #[serde(default)]
    #[schema(default = false)]
    approval: bool,
    /// What it costs.
    price: PriceBody,
    /// Its limits, in the order they are checked and shown: at most four rates and three quotas, one of them `shared`.
    #[serde(default)]
    #[schema(max_items = 5)]
    limits: Vec<LimitBody>,
}

const fn open() -> PlanState {
    PlanState::Open
}

/// Create a plan
#[utoipa::path(
    post, path = "/v1/plans", tag = "Plans", operation_id = "createPlan", request_body = NewPlan,
    responses((status = 201, description = "The new plan.", body = Plan))
)]
pub async fn create_plan(writer: Writer, Json(body): Json<NewPlan>) -> Answer {
    let input = PlanInput {
        product_id: body.product_id,
        slug: body.slug,
        name: body.name.0,
        summary: body.summary.0,
        state: body.state,
        approval: body.approval,
        price: body.price.into(),
        limits: body.limits.into_iter().map(Limit::from).collect(),
    };
    let row = writer.control.create_plan(&writer.actor, input).await?;
    Ok(answer::tagged(row.version, answer::created("plans", row.id, Plan::from(row))))
}
