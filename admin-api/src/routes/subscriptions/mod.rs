//! Subscriptions: applications on plans.

pub mod create;
pub mod end;
pub mod get;
pub mod limits;
pub mod list;
pub mod movement;
pub mod spend_cap;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{ApplicationId, OrganizationId, PlanId, ProductId, SubscriptionId, SubscriptionState};
use tollgate_store::SubscriptionRow;
use utoipa::ToSchema;

use crate::answer;
use crate::schema;

/// An application on a plan. It is never deleted, only ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb", "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "product_id": "prd_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "state": "active", "paused": false, "version": 1,
    "created_at": "2026-11-21T09:30:00Z", "ended_at": null
}))]
pub struct Subscription {
    /// Its id.
    #[schema(value_type = schema::SubscriptionId)]
    id: SubscriptionId,
    /// Whose it is.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Which application.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// The product that it opens.
    #[schema(value_type = schema::ProductId)]
    product_id: ProductId,
    /// On which terms.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
    /// Where it stands.
    #[schema(value_type = schema::SubscriptionState)]
    state: SubscriptionState,
    /// Whether it was suspended by its owner, who may resume it.
    paused: bool,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ended; `null` before.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl From<SubscriptionRow> for Subscription {
    fn from(row: SubscriptionRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            application_id: row.application_id,
            product_id: row.product_id,
            plan_id: row.plan_id,
            state: row.state,
            paused: row.paused,
            version: row.version,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

fn shown(row: SubscriptionRow) -> Response {
    answer::tagged(row.version, answer::ok(Subscription::from(row)))
}
