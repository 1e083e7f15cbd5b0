//! Who changed what.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, Scope};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// One line of the audit log.
#[derive(Debug, Clone, FromRow)]
pub struct AuditRow {
    /// Its place.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// system, token, operator, member or visitor.
    pub actor_kind: String,
    /// Who, where there is an id.
    pub actor_id: Option<Uuid>,
    /// What was done, like `plan.update`.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject_id: Option<Uuid>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// What exactly.
    pub details: Value,
}

/// What a line is made from.
#[derive(Debug, Clone)]
pub struct NewAuditEntry<'a> {
    /// system, token, operator, member or visitor.
    pub actor_kind: &'a str,
    /// Who, where there is an id.
    pub actor_id: Option<Uuid>,
    /// What was done, like `plan.update`.
    pub action: &'a str,
    /// To what kind of thing.
    pub subject_kind: &'a str,
    /// To which.
    pub subject_id: Option<Uuid>,
    /// Whose thing it is.
    pub organization_id: Option<OrganizationId>,
    /// The request that did it.
    pub request_id: Option<&'a str>,
    /// What exactly; never a secret.
    pub details: &'a Value,
}

impl Store {
    /// The latest lines that the scope may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_audit(&self, scope: Scope, limit: i64) -> Result<Vec<AuditRow>> {
        Ok(sqlx::query_as(
            "select * from audit_entries where ($1::uuid is null or organization_id = $1)
             order by sequence desc limit $2",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Adds a line.
    ///
    /// # Errors
    /// The database failed; then the whole change is undone.
    pub async fn insert_audit_entry(&mut self, entry: &NewAuditEntry<'_>) -> Result<()> {
        sqlx::query(
            "insert into audit_entries (actor_kind, actor_id, action, subject_kind, subject_id, organization_id,
             request_id, details) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(entry.actor_kind)
        .bind(entry.actor_id)
        .bind(entry.action)
        .bind(entry.subject_kind)
        .bind(entry.subject_id)
        .bind(entry.organization_id.map(OrganizationId::uuid))
        .bind(entry.request_id)
        .bind(sqlx::types::Json(entry.details))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
