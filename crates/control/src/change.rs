//! One change: a transaction that commits only together with its audit entries, and with the events that follow from them.

use std::mem;

use serde_json::{Value, json};
use tollgate_domain::{Blueprint, OrganizationId};
use tollgate_engine::CompileError;
use tollgate_store::{NewAuditEntry, Tx};
use uuid::Uuid;

use crate::{Actor, Control, Error, FieldFault, Result, events, jobs};

/// An open change. Dropping it undoes everything.
pub struct Change<'a> {
    actor: &'a Actor,
    control: &'a Control,
    /// Written at the end: until then nobody else has to wait for the end of the log.
    notes: Vec<Note>,
    /// Where to write.
    pub tx: Tx,
}

/// What a change did, for the audit log.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Like `plan`.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
    /// Whose, where a tenant owns it.
    pub organization: Option<OrganizationId>,
}

/// One thing that a change did.
#[derive(Debug, Clone)]
pub struct Note {
    /// Like `plan.update`.
    pub action: String,
    /// To what.
    pub subject: Subject,
    /// What exactly: `before` and `after` of an update.
    pub details: Value,
}

impl Control {
    pub(crate) async fn change<'a>(&'a self, actor: &'a Actor) -> Result<Change<'a>> {
        Ok(Change { actor, control: self, notes: Vec::new(), tx: self.store.begin().await? })
    }
}

impl Change<'_> {
    /// Writes the audit entry and commits. `action` is like `plan.update`; `details` never holds a secret.
    pub async fn commit(mut self, action: &str, subject: Subject, details: Value) -> Result<()> {
        self.note(action, &subject, &details).await?;
        self.finish().await.map(drop)
    }

    /// As [`Change::commit`], after checking that gateways would take what it leaves behind.
    pub async fn compile_and_commit(mut self, action: &str, subject: Subject, details: Value) -> Result<()> {
        let (blueprint, fault) = self.new_fault().await?;
        match fault {
            Some(fault) => Err(refused(&fault, &blueprint)),
            None => self.commit(action, subject, details).await,
        }
    }

    /// What this change would leave behind, and the first fault in it that is not in what is in force. A fault that is
    /// there already (somebody wrote to the database by hand) breaks its own part only, and holds up no change.
    pub(crate) async fn new_fault(&mut self) -> Result<(Blueprint, Option<CompileError>)> {
        let (blueprint, mut faults) = faults_of(self.tx.blueprint().await?).await?;
        if !faults.is_empty() {
            let (_, known) = faults_of(self.control.store.feed_blueprint().await?).await?;
            faults.retain(|fault| !known.contains(fault));
        }
        Ok((blueprint, faults.into_iter().next()))
    }

    /// Adds an audit entry; for changes that do several things and end with [`Change::finish`].
    pub async fn note(&mut self, action: &str, subject: &Subject, details: &Value) -> Result<()> {
        self.notes.push(Note {
            action: action.to_owned(),
            subject: subject.clone(),
            details: details.clone(),
        });
        Ok(())
    }

    /// Writes what was noted and commits. Returns the revision, where what gateways run was touched.
    pub async fn finish(mut self) -> Result<Option<i64>> {
        let (actor_kind, actor_id) = self.actor.audit_name();
        let origin = &self.actor.origin;
        let entries: Vec<NewAuditEntry<'_>> = self
            .notes
            .iter()
            .map(|note| NewAuditEntry {
                actor_kind,
                actor_id,
                action: &note.action,
                subject_kind: note.subject.kind,
                subject_id: Some(note.subject.id),
                organization_id: note.subject.organization,
                request_id: self.actor.request_id.as_deref(),
                details: &note.details,
                face: origin.face.map(crate::Face::as_str),
                address: origin.address.map(|address| address.to_canonical().to_string()),
                user_agent: origin.user_agent.as_deref(),
            })
            .collect();
        let sealer = self.control.sealer(self.control.peppers.current());
        let told = events::of_notes(&self.tx.reads(), &self.notes).await?;
        events::emit(&mut self.tx, &told).await?;
        let mut news = jobs::of_events(&told);
        news.extend(self.notes.iter().filter_map(|note| jobs::of_team(note, self.actor.user())));
        for kind in news.chunk_by(|one, other| mem::discriminant(one) == mem::discriminant(other)) {
            jobs::queue_all(&mut self.tx, kind).await?;
        }
        self.tx.append_audit(&entries, &sealer.expect("the current pepper is one of the peppers")).await?;
        let revision = self.tx.commit().await?;
        self.control.made(self.notes);
        Ok(revision)
    }
}

/// Compiling ten thousand routes takes tens of milliseconds: not on a thread that others wait for.
async fn faults_of(blueprint: Blueprint) -> Result<(Blueprint, Vec<CompileError>)> {
    let compiled = tokio::task::spawn_blocking(move || {
        let faults = tollgate_engine::faults_of(&blueprint);
        (blueprint, faults)
    });
    compiled.await.map_err(|error| Error::Internal(Box::new(error)))
}

/// What gateways would refuse: routes of two APIs that collide, or a fault of a field.
fn refused(fault: &CompileError, blueprint: &Blueprint) -> Error {
    let route = |id: &str| {
        blueprint.apis.iter().find_map(|api| {
            let route = api.routes.iter().find(|route| route.id.to_string() == id)?;
            Some((api, format!("{} {}{} ({})", route.method, api.base_path, route.path, route.id)))
        })
    };
    if let Some(other) = &fault.collides_with
        && let (Some((mine, here)), Some((theirs, there))) = (route(&fault.id), route(other))
        && mine.id != theirs.id
    {
        let mut text = format!("{here} of API {} collides with {there} of API {}", mine.slug, theirs.slug);
        if mine.match_headers != theirs.match_headers {
            text.push_str(": one call could carry the headers that both ask for");
        }
        return Error::Conflict(text);
    }
    Error::Invalid(vec![FieldFault::new(format!("/{}", fault.field), fault.to_string())])
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
