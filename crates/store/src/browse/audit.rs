//! The audit log, as operators look through it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, Scope};
use uuid::Uuid;

use super::{Conditions, Cut, Found, Shape, Type};
use crate::{Error, Result, Store};

/// A line of the audit log with the names of those in it.
#[derive(Debug, Clone, FromRow)]
pub struct AuditLine {
    /// Its place.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// system, token, operator, member or visitor.
    pub actor_kind: String,
    /// The e-mail of the user, or the name of the token.
    pub actor: Option<String>,
    /// What was done, like `plan.update`.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject_id: Option<Uuid>,
    /// Whose, where a tenant owns it.
    pub organization_id: Option<Uuid>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// What exactly.
    pub details: Value,
}

/// Which lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter<'f> {
    /// Of this kind of thing.
    pub subject_kind: Option<&'f str>,
    /// Of this thing.
    pub subject: Option<Uuid>,
    /// By this user or token.
    pub actor: Option<Uuid>,
    /// By this kind of actor.
    pub actor_kind: Option<&'f str>,
    /// In this request.
    pub request_id: Option<&'f str>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
}

const AUDIT: Shape = Shape {
    columns: "t.sequence, t.at, t.actor_kind, t.action, t.subject_kind, t.subject_id, t.organization_id, t.request_id,
        t.details, coalesce((select u.email from users u where u.id = t.actor_id),
                            (select k.name from operator_tokens k where k.id = t.actor_id)) as actor",
    from: "audit_entries t",
    id: ("t.sequence", Type::Bigint),
    orders: &[],
};

impl Store {
    /// Lines that the scope may see, in the order of their writing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_audit(
        &self,
        scope: Scope,
        filter: AuditFilter<'_>,
        cut: &Cut,
    ) -> Result<Found<AuditLine>> {
        self.browse(&AUDIT, cut, |and: &mut Conditions| {
            and.and("t.organization_id = ", scope.organization().map(OrganizationId::uuid))
                .and("t.subject_kind = ", filter.subject_kind)
                .and("t.subject_id = ", filter.subject)
                .and("t.actor_id = ", filter.actor)
                .and("t.actor_kind = ", filter.actor_kind)
                .and("t.request_id = ", filter.request_id)
                .and("t.at >= ", filter.since);
        })
        .await
    }

    /// One line.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_audit_line(&self, scope: Scope, sequence: i64) -> Result<AuditLine> {
        let cut = Cut::first(1);
        let found = self.browse(&AUDIT, &cut, |and: &mut Conditions| {
            and.and("t.organization_id = ", scope.organization().map(OrganizationId::uuid))
                .and("t.sequence = ", Some(sequence));
        });
        found.await?.rows.into_iter().next().ok_or(Error::NotFound("audit entry"))
    }
}
