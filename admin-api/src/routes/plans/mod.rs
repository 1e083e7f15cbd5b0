//! Plans: the terms of a product.

pub mod create;
pub mod delete;
pub mod get;
pub mod late_payers;
pub mod list;
pub mod prepaid;
pub mod pricing;
pub mod put;
pub mod shadow;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{PlanId, PlanState, ProductId, Slug};
use tollgate_store::PlanRow;
use utoipa::ToSchema;

use crate::answer;
use crate::schema::{self, LimitBody, PriceBody};

/// The terms under which a product is used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "product_id": "prd_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "free",
    "name": "Free", "summary": "To try things out.", "state": "open", "approval": false,
    "price": { "minor": 0, "currency": "EUR", "per": "month" },
    "limits": [
        { "name": "burst", "kind": "rate", "amount": 10, "period": "second", "burst": null, "per": "subscription", "visible": true },
        { "name": "month", "kind": "quota", "amount": 1000, "period": "month", "burst": null, "per": "subscription", "visible": true }
    ],
    "version": 1, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Plan {
    /// Its id.
    #[schema(value_type = schema::PlanId)]
    id: PlanId,
    /// The product it is for.
    #[schema(value_type = schema::ProductId)]
    product_id: ProductId,
    /// Its name in headers; unique in its product.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    name: String,
    /// One sentence.
    summary: String,
    /// Whether it can be chosen.
    #[schema(value_type = schema::PlanState)]
    state: PlanState,
    /// Whether an operator must approve a subscription that a developer asks for.
    approval: bool,
    /// What it costs.
    price: PriceBody,
    /// Its limits, in the order they are checked and shown.
    limits: Vec<LimitBody>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<PlanRow> for Plan {
    fn from(row: PlanRow) -> Self {
        Self {
            price: row.price().into(),
            id: row.id,
            product_id: row.product_id,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            state: row.state,
            approval: row.approval,
            limits: row.limits.into_iter().map(LimitBody::from).collect(),
            version: row.version,
            created_at: row.created_at,
        }
    }
}

fn shown(row: PlanRow) -> Response {
    answer::tagged(row.version, answer::ok(Plan::from(row)))
}
