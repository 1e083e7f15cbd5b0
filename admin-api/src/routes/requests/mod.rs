//! Single calls through the gateways, as they ended.

pub mod get;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tollgate_domain::{ApiId, ApplicationId, CredentialId, OrganizationId, PlanId, RouteId, SubscriptionId};
use tollgate_store::RequestRow;
use utoipa::ToSchema;

/// One call as it ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "request_id": "019a9f1c-7d7a-7c31-9b1e-2f0f5a6f7c11", "at": "2026-11-21T09:30:00.123456Z",
    "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb", "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "key_id": "key_01ks2v8d3tf5cs9y0v3jq1q7zb", "subscription_id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "api_id": "api_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "route_id": "rte_01ks2v8d3tf5cs9y0v3jq1q7zb", "method": "GET", "host": "api.example.com", "path": "/countries/de",
    "status": 429, "code": "rate_limited", "detail": { "limit": "burst", "retry_after_s": 1 },
    "duration_ms": 0.2, "upstream_ms": null, "bytes_in": 0, "bytes_out": 412, "client": "203.0.113.0/24",
    "user_agent": "curl/8.5"
}))]
pub struct Call {
    /// As in the answer's `X-Request-Id`. A caller may choose it, so it need not be unique.
    request_id: String,
    /// When it ended, by the gateway's clock.
    at: DateTime<Utc>,
    /// Whose call it was; `null`, like the next members, where it did not come so far.
    #[schema(required, value_type = Option<String>)]
    organization_id: Option<OrganizationId>,
    /// Which application made it.
    #[schema(required, value_type = Option<String>)]
    application_id: Option<ApplicationId>,
    /// With which key.
    #[schema(required, value_type = Option<String>)]
    key_id: Option<CredentialId>,
    /// What it was decided under.
    #[schema(required, value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// On which terms.
    #[schema(required, value_type = Option<String>)]
    plan_id: Option<PlanId>,
    /// Which API was called.
    #[schema(required, value_type = Option<String>)]
    api_id: Option<ApiId>,
    /// Which operation of it.
    #[schema(required, value_type = Option<String>)]
    route_id: Option<RouteId>,
    /// Method; `null`, with host and path, where the request could not be read.
    #[schema(required)]
    method: Option<String>,
    /// Host.
    #[schema(required)]
    host: Option<String>,
    /// Path without query.
    #[schema(required)]
    path: Option<String>,
    /// What the caller saw; 499 where it went away before an answer.
    status: i16,
    /// The problem's code where the gateway answered itself; `null` where the upstream did.
    #[schema(required)]
    code: Option<String>,
    /// What the refusal was about: the limit and when it opens, the methods there are, the ends of an unknown key.
    #[schema(required, value_type = Object)]
    detail: Option<Value>,
    /// Milliseconds of the whole call.
    duration_ms: f64,
    /// Milliseconds to the head of the upstream's answer; `null` where it gave none.
    #[schema(required)]
    upstream_ms: Option<f64>,
    /// Bytes of the request's body.
    bytes_in: i64,
    /// Bytes of the answer's body.
    bytes_out: i64,
    /// The caller's network, or address where the operator has them kept whole.
    #[schema(required)]
    client: Option<String>,
    /// What the caller's program called itself.
    #[schema(required)]
    user_agent: Option<String>,
}

impl From<RequestRow> for Call {
    fn from(row: RequestRow) -> Self {
        // Lossy above 2^53 µs, which is 285 years.
        let milliseconds = |us: i64| us as f64 / 1_000.0;
        Self {
            request_id: row.request_id,
            at: row.at,
            organization_id: row.organization_id.map(Into::into),
            application_id: row.application_id.map(Into::into),
            key_id: row.credential_id.map(Into::into),
            subscription_id: row.subscription_id.map(Into::into),
            plan_id: row.plan_id.map(Into::into),
            api_id: row.api_id.map(Into::into),
            route_id: row.route_id.map(Into::into),
            method: row.method,
            host: row.host,
            path: row.path,
            status: row.status,
            code: row.code,
            detail: row.detail,
            duration_ms: milliseconds(row.duration_us),
            upstream_ms: row.upstream_us.map(milliseconds),
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
            client: row.client,
            user_agent: row.user_agent,
        }
    }
}
