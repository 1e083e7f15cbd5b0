//! `PUT /v1/products/{product}/plans/{plan}`

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::Deserialize;
use tollgate_control::{PlanInput, PlanPatch};
use tollgate_domain::{Limit, PlanState, ProductId, Slug};
use tollgate_web::Problem;
use utoipa::ToSchema;

use super::Plan;
use crate::App;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, PutConditions};
use crate::problem::{Answer, Refusal};
use crate::put::{Put, answered};
use crate::routes::products;
use crate::schema::{self, LimitBody, PriceBody};

/// The whole terms of a plan; its product and slug are in the path.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Free", "price": { "minor": 0, "currency": "EUR", "per": "month" },
    "limits": [{ "name": "burst", "kind": "rate", "amount": 10, "period": "second" }]
}))]
pub struct PlanTerms {
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

/// Product and slug of the path.
#[derive(Debug)]
pub struct OfProduct {
    product: Named<ProductId>,
    slug: Slug,
}

impl FromRequestParts<App> for OfProduct {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path((product, slug)) = Path::<(String, String)>::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let product = Named::read(&product).ok_or_else(Problem::not_found)?;
        Ok(Self { product, slug: slug.parse().map_err(|_| Problem::not_found())? })
    }
}

/// Create or replace a plan
///
/// The whole plan as it shall be, named by its product and slug: made where there is none, replaced for everybody on it
/// where there is, with the defaults for what is absent. Sent again it changes nothing.
#[utoipa::path(
    put, path = "/v1/products/{product}/plans/{plan}", tag = "Plans", operation_id = "putPlan",
    params(
        ("product" = String, Path, description = "The product's id or slug."),
        ("plan" = schema::Slug, Path, description = "The plan's slug."), PutConditions
    ),
    request_body = PlanTerms,
    responses(
        (status = 200, description = "The plan after the change.", body = Plan),
        (status = 201, description = "The new plan.", body = Plan)
    )
)]
pub async fn put_plan(
    writer: Writer,
    OfProduct { product, slug }: OfProduct,
    condition: OptionalIfMatch,
    Json(body): Json<PlanTerms>,
) -> Answer {
    let product_id = products::find(writer.control.store(), product).await?.id;
    let input = PlanInput {
        product_id,
        slug: slug.clone(),
        name: body.name.0,
        summary: body.summary.0,
        state: body.state,
        approval: body.approval,
        price: body.price.into(),
        limits: body.limits.into_iter().map(Limit::from).collect(),
    };
    let put = Put::begin(&writer, &format!("plan {product_id}"), &slug, condition).await?;
    let (control, actor) = (put.control(), &writer.actor);
    let (created, row) = match control.store().find_plan_by_slug(product_id, slug.as_str()).await? {
        Some(row) => {
            let expected = put.replaces()?;
            (false, control.update_plan(actor, row.id, expected, PlanPatch::from(input)).await?)
        }
        None => {
            put.creates(&Named::<ProductId>::Slug(slug.clone()), &slug)?;
            (true, control.create_plan(actor, input).await?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "plans", row.id, row.version, Plan::from(row)))
}
