//! One change: a transaction that commits only together with its audit entry.

use serde_json::{Value, json};
use tollgate_domain::{Blueprint, OrganizationId};
use tollgate_engine::CompileError;
use tollgate_store::{NewAuditEntry, Store, Tx};
use uuid::Uuid;

use crate::{Actor, Control, Error, FieldFault, Result};

/// An open change. Dropping it undoes everything.
pub struct Change<'a> {
    actor: &'a Actor,
    store: &'a Store,
    /// Where to write.
    pub tx: Tx,
}

/// What a change did, for the audit log.
pub struct Subject {
    /// Like `plan`.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
    /// Whose, where a tenant owns it.
    pub organization: Option<OrganizationId>,
}

impl Control {
    pub(crate) async fn change<'a>(&'a self, actor: &'a Actor) -> Result<Change<'a>> {
        Ok(Change { actor, store: &self.store, tx: self.store.begin().await? })
    }
}

impl Change<'_> {
    /// Writes the audit entry and commits. `action` is like `plan.update`; `details` never holds a secret.
    pub async fn commit(mut self, action: &str, subject: Subject, details: Value) -> Result<()> {
        self.note(action, &subject, &details).await?;
        self.tx.commit().await?;
        Ok(())
    }

    /// As [`Change::commit`], after checking that gateways would accept what it leaves behind. Where they refuse what is
    /// in force already (somebody wrote to the database by hand), a change whose own subject is sound may pass, so that
    /// there is a way out.
    pub async fn compile_and_commit(mut self, action: &str, subject: Subject, details: Value) -> Result<()> {
        if let Err(fault) = compile(self.tx.blueprint().await?).await? {
            let may_mend = action.ends_with(".delete") || action.ends_with(".update");
            if !may_mend || compile(self.store.feed_blueprint().await?).await?.is_ok() {
                let pointer = format!("/{}", fault.field);
                return Err(Error::Invalid(vec![FieldFault::new(pointer, fault.to_string())]));
            }
            tracing::warn!(%fault, "gateways refuse the configuration in force; a change that may mend it passes");
        }
        self.commit(action, subject, details).await
    }

    /// Adds an audit entry; for changes that do several things.
    pub async fn note(&mut self, action: &str, subject: &Subject, details: &Value) -> Result<()> {
        let (actor_kind, actor_id) = self.actor.audit_name();
        let entry = NewAuditEntry {
            actor_kind,
            actor_id,
            action,
            subject_kind: subject.kind,
            subject_id: Some(subject.id),
            organization_id: subject.organization,
            request_id: self.actor.request_id.as_deref(),
            details,
        };
        self.tx.insert_audit_entry(&entry).await?;
        Ok(())
    }
}

/// Compiling ten thousand routes takes tens of milliseconds: not on a thread that others wait for.
async fn compile(blueprint: Blueprint) -> Result<std::result::Result<(), CompileError>> {
    tokio::task::spawn_blocking(move || tollgate_engine::compile(&blueprint).map(drop))
        .await
        .map_err(|error| Error::Internal(Box::new(error)))
}

/// Refuses a change based on an older version than the stored one.
pub fn check_version(expected: Option<i64>, stored: i64) -> Result<()> {
    match expected {
        Some(expected) if expected != stored => Err(Error::VersionMismatch(stored)),
        _ => Ok(()),
    }
}

/// What changed, for the audit log.
pub fn before_after(before: &Value, after: &Value) -> Value {
    json!({ "before": before, "after": after })
}
