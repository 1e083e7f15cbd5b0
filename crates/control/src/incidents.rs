//! Incidents: noticed by what gateways counted, and over when calls go well again or nobody calls any more; or written
//! by an operator, who says when they are over.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tollgate_domain::{ApiId, IncidentId, Trouble};
use tollgate_store::{IncidentRow, ToldIncident};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// The time that is looked at, as the status page does.
pub const HEALTH_WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Fewer calls say too little for something to begin; for it to go on, one is enough.
const CALLS_MIN: i64 = 20;
/// Characters of a title and of a text.
const TITLE_CHARS_MAX: usize = 120;
const TEXT_CHARS_MAX: usize = 5_000;
/// How far ahead of ours a clock may be.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// What to change about an incident; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct IncidentPatch {
    /// Of which API; none for all of them.
    pub api_id: Option<Option<ApiId>>,
    /// The worst that it was.
    pub trouble: Option<Trouble>,
    /// What it is about.
    pub title: Option<String>,
    /// What is known of it, in Markdown.
    pub text: Option<String>,
    /// When it began.
    pub began_at: Option<DateTime<Utc>>,
    /// When it was over; none while it lasts.
    pub ended_at: Option<Option<DateTime<Utc>>>,
}

impl From<ToldIncident> for IncidentPatch {
    fn from(told: ToldIncident) -> Self {
        Self {
            api_id: Some(told.api_id),
            trouble: Some(told.trouble),
            title: Some(told.title),
            text: Some(told.text),
            began_at: Some(told.began_at),
            ended_at: Some(told.ended_at),
        }
    }
}

impl IncidentPatch {
    fn on(self, told: ToldIncident) -> ToldIncident {
        ToldIncident {
            api_id: self.api_id.unwrap_or(told.api_id),
            trouble: self.trouble.unwrap_or(told.trouble),
            title: self.title.unwrap_or(told.title),
            text: self.text.unwrap_or(told.text),
            began_at: self.began_at.unwrap_or(told.began_at),
            ended_at: self.ended_at.unwrap_or(told.ended_at),
        }
    }
}

/// What is wrong with what an operator says, whoever noticed it.
fn check(told: &ToldIncident, needs_title: bool, now: DateTime<Utc>) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut wrong = |pointer, message: String| faults.push(FieldFault::new(pointer, message));
    let title = told.title.chars().count();
    if title > TITLE_CHARS_MAX || (needs_title && title == 0) || told.title.chars().any(char::is_control) {
        wrong("/title", format!("1 to {TITLE_CHARS_MAX} characters on one line"));
    }
    if told.text.chars().count() > TEXT_CHARS_MAX || told.text.contains('\0') {
        wrong("/text", format!("at most {TEXT_CHARS_MAX} characters, none of them U+0000"));
    }
    if told.began_at > now + AHEAD_MAX {
        wrong("/began_at", "not in the future".into());
    }
    if told.ended_at.is_some_and(|ended| ended < told.began_at || ended > now + AHEAD_MAX) {
        wrong("/ended_at", "not before it began, and not in the future".into());
    }
    faults
}

/// What gateways noticed is theirs to say: an operator's words stand beside it.
fn check_noticed(before: &ToldIncident, after: &ToldIncident) -> Vec<FieldFault> {
    let changed = [
        ("/api_id", before.api_id != after.api_id),
        ("/trouble", before.trouble != after.trouble),
        ("/began_at", before.began_at != after.began_at),
        ("/ended_at", before.ended_at != after.ended_at),
    ];
    let message = "gateways noticed this incident: only its title and text can be changed";
    changed.into_iter().filter(|(_, changed)| *changed).map(|(at, _)| FieldFault::new(at, message)).collect()
}

const fn subject(id: IncidentId) -> Subject {
    Subject { kind: "incident", id: id.uuid(), organization: None }
}

fn audit(told: &ToldIncident) -> Value {
    json!({ "api_id": told.api_id, "trouble": told.trouble, "title": told.title, "text": told.text,
        "began_at": told.began_at, "ended_at": told.ended_at })
}

impl Control {
    /// Adds an incident that an operator knows of.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_incident(
        &self,
        actor: &Actor,
        told: ToldIncident,
        now: DateTime<Utc>,
    ) -> Result<IncidentRow> {
        actor.authorize(Action::Publish)?;
        self.check_told(&told, Vec::new(), true, now).await?;
        let id = IncidentId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        let row = change.tx.insert_incident(id, &told).await?;
        change.commit("incident.create", subject(id), audit(&told)).await?;
        Ok(row)
    }

    /// Changes what is said of an incident; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_incident(
        &self,
        actor: &Actor,
        id: IncidentId,
        expected: Option<i64>,
        patch: IncidentPatch,
        now: DateTime<Utc>,
    ) -> Result<IncidentRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_incident(id).await?;
        check_version(expected, row.version)?;
        let before = ToldIncident::from(&row);
        let after = patch.on(before.clone());
        let faults = if row.noticed { check_noticed(&before, &after) } else { Vec::new() };
        self.check_told(&after, faults, !row.noticed, now).await?;
        if after == before {
            return Ok(row);
        }
        let row = change.tx.update_incident(id, &after).await?;
        let details = before_after(&audit(&before), &audit(&after));
        change.commit("incident.update", subject(id), details).await?;
        Ok(row)
    }

    /// Removes an incident; with `expected`, only where that is its version. One that was noticed and lasts is noticed anew.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_incident(&self, actor: &Actor, id: IncidentId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_incident(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_incident(id).await?;
        let details = json!({ "before": audit(&ToldIncident::from(&row)) });
        change.commit("incident.delete", subject(id), details).await
    }

    async fn check_told(
        &self,
        told: &ToldIncident,
        mut faults: Vec<FieldFault>,
        needs_title: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        faults.extend(check(told, needs_title, now));
        if let Some(id) = told.api_id {
            match self.store.get_api(id).await.map_err(Error::from) {
                Err(Error::NotFound(_)) => faults.push(FieldFault::new("/api_id", "there is no such API")),
                other => drop(other?),
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    /// Notes which APIs fail calls now, and what is over. A gateway's refusals are the callers' and do not count.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_health(&self, now: DateTime<Utc>) -> Result<()> {
        let troubled = self.store.list_troubled().await?;
        let mut lasting = Vec::new();
        for health in self.store.api_health(now - HEALTH_WINDOW).await? {
            let Some(trouble) = Trouble::of(health.calls, health.failed) else { continue };
            if health.calls < CALLS_MIN && !troubled.contains(&health.api_id) {
                continue;
            }
            if self.store.note_trouble(health.api_id, trouble, health.calls, health.failed).await? {
                tracing::warn!(api = %health.api_id, %trouble, calls = health.calls, failed = health.failed, "an API fails calls");
            }
            lasting.push(health.api_id);
        }
        if self.store.end_trouble(&lasting).await? > 0 {
            tracing::info!("an API answers as it should again");
        }
        Ok(())
    }
}
