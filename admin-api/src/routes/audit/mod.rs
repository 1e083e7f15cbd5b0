//! The audit log: who changed what.

pub mod head;
pub mod list;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tollgate_domain::{
    ApiId, ApplicationId, CertificateId, CredentialId, InvoiceId, OrganizationId, PlanId, ProductId,
    ServiceId, SubscriptionId, TokenId, UserId, WebhookId,
};
use tollgate_store::AuditRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who changed what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "sequence": 17, "at": "2026-11-21T09:30:00Z", "actor_kind": "token", "actor_id": "tok_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "action": "application.update", "subject_kind": "application", "subject_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb", "face": "admin_api", "address": "203.0.113.7",
    "user_agent": "curl/8.5", "request_id": "019a9f1c-7d7a-7c31-9b1e-2f0f5a6f7c11",
    "details": { "before": { "name": "Old" }, "after": { "name": "New" } }
}))]
pub struct AuditEntry {
    /// Its place in the log.
    sequence: i64,
    /// When.
    at: DateTime<Utc>,
    /// system, token, operator, member or visitor.
    actor_kind: String,
    /// Who: a token's or a user's id; `null` where there is none.
    #[schema(required)]
    actor_id: Option<String>,
    /// What was done, like `plan.update`.
    action: String,
    /// To what kind of thing.
    subject_kind: String,
    /// To which one.
    #[schema(required)]
    subject_id: Option<String>,
    /// Whose thing it is; `null` for the platform's own.
    #[schema(required, value_type = Option<String>)]
    organization_id: Option<OrganizationId>,
    /// The request that did it: the `X-Request-Id` of its answer.
    #[schema(required)]
    request_id: Option<String>,
    /// Through which face: `admin_api`, `portal` or `cli`; `null` for what Tollgate does by itself.
    #[schema(required)]
    face: Option<String>,
    /// The IP address that the request came from.
    #[schema(required)]
    address: Option<String>,
    /// The program that sent it, as it called itself.
    #[schema(required)]
    user_agent: Option<String>,
    /// What exactly; never a secret. Its form depends on the action.
    #[schema(value_type = Object)]
    details: Value,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            actor_id: row.actor_id.map(|id| typed(&row.actor_kind, id)),
            subject_id: row.subject_id.map(|id| typed(&row.subject_kind, id)),
            sequence: row.sequence,
            at: row.at,
            actor_kind: row.actor_kind,
            action: row.action,
            subject_kind: row.subject_kind,
            organization_id: row.organization_id.map(OrganizationId::from),
            request_id: row.request_id,
            face: row.face,
            address: row.address,
            user_agent: row.user_agent,
            details: row.details,
        }
    }
}

/// The id as the other operations write it; a kind that they do not know stays a UUID.
pub fn typed(kind: &str, id: Uuid) -> String {
    match kind {
        "service" => ServiceId::from(id).to_string(),
        "api" => ApiId::from(id).to_string(),
        "product" => ProductId::from(id).to_string(),
        "plan" => PlanId::from(id).to_string(),
        "organization" => OrganizationId::from(id).to_string(),
        "application" => ApplicationId::from(id).to_string(),
        "subscription" => SubscriptionId::from(id).to_string(),
        "key" => CredentialId::from(id).to_string(),
        "certificate" => CertificateId::from(id).to_string(),
        "invoice" => InvoiceId::from(id).to_string(),
        "webhook" => WebhookId::from(id).to_string(),
        "token" => TokenId::from(id).to_string(),
        "user" | "member" | "operator" => UserId::from(id).to_string(),
        _ => id.to_string(),
    }
}

/// The UUID in an id of any kind, like `plan_01ks…`.
fn untyped(text: &str) -> Option<Uuid> {
    // All kinds spell their UUID alike.
    let (_, tail) = text.split_once('_')?;
    format!("{}_{tail}", UserId::PREFIX).parse::<UserId>().ok().map(UserId::uuid)
}
