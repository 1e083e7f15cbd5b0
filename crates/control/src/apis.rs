//! APIs: what is published, and the documents that say so.

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde_json::{Value, json};
use tollgate_domain::{ApiId, ApiPolicies, ApiState, HeaderMatch, Metering, ServiceId, Slug};
use tollgate_openapi::Document;
use tollgate_store::{ApiRow, NewApi, Tx};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::documents::{follow_document, published_changes};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result, policies};

/// What an API is made from.
#[derive(Debug, Clone)]
pub struct ApiInput {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence, up to 500 characters.
    pub summary: String,
    /// Where calls go.
    pub service_id: ServiceId,
    /// Hosts it answers on, without port; empty means any.
    pub hosts: Vec<String>,
    /// What stands before every path: empty or `/segment…` without a final slash.
    pub base_path: String,
    /// What its calls must say to be its own, beside host and path.
    pub match_headers: Vec<HeaderMatch>,
    /// Where it stands in its life.
    pub state: ApiState,
    /// When it stops being served, to the second; of a deprecated or retired one.
    pub sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place; of a deprecated or retired one.
    pub successor_id: Option<ApiId>,
    /// How its calls are metered.
    pub metering: Metering,
    /// What its calls are held to, besides what all are.
    pub policies: ApiPolicies,
}

/// What to change about an API; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ApiPatch {
    /// Its name in URLs.
    pub slug: Option<Slug>,
    /// Its name.
    pub name: Option<String>,
    /// One sentence.
    pub summary: Option<String>,
    /// Where calls go.
    pub service_id: Option<ServiceId>,
    /// Hosts it answers on.
    pub hosts: Option<Vec<String>>,
    /// What stands before every path.
    pub base_path: Option<String>,
    /// What its calls must say to be its own.
    pub match_headers: Option<Vec<HeaderMatch>>,
    /// Where it stands in its life.
    pub state: Option<ApiState>,
    /// When it stops being served; goes where it is to be a draft or published, and nothing else is said.
    pub sunset_at: Option<Option<DateTime<Utc>>>,
    /// The API that takes its place; goes as [`ApiPatch::sunset_at`] does.
    pub successor_id: Option<Option<ApiId>>,
    /// How its calls are metered.
    pub metering: Option<Metering>,
    /// What its calls are held to, besides what all are.
    pub policies: Option<ApiPolicies>,
}

impl From<ApiInput> for ApiPatch {
    /// Replaces everything.
    fn from(input: ApiInput) -> Self {
        Self {
            slug: Some(input.slug),
            name: Some(input.name),
            summary: Some(input.summary),
            service_id: Some(input.service_id),
            hosts: Some(input.hosts),
            base_path: Some(input.base_path),
            match_headers: Some(input.match_headers),
            state: Some(input.state),
            sunset_at: Some(input.sunset_at),
            successor_id: Some(input.successor_id),
            metering: Some(input.metering),
            policies: Some(input.policies),
        }
    }
}

impl ApiInput {
    pub(crate) fn check(&mut self) -> Result<()> {
        let mut faults = Vec::new();
        check_name(&self.name, "/name", &mut faults);
        check_summary(&self.summary, "/summary", &mut faults);
        let path = &self.base_path;
        let segments_ok = path.is_empty()
            || path.strip_prefix('/').is_some_and(|rest| {
                rest.split('/').all(|segment| {
                    !matches!(segment, "" | "." | "..")
                        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
                })
            });
        if !segments_ok || path.len() > 200 {
            faults.push(FieldFault::new(
                "/base_path",
                "empty, or /segments of letters, digits, '.', '_', '~' and '-' without a final slash",
            ));
        }
        if self.hosts.len() > 32 {
            faults.push(FieldFault::new("/hosts", "at most 32 hosts"));
        }
        for (index, host) in self.hosts.iter_mut().enumerate() {
            host.make_ascii_lowercase();
            let ok = (1..=253).contains(&host.len())
                && host.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                });
            if !ok {
                faults.push(FieldFault::new(
                    format!("/hosts/{index}"),
                    "a host name without port, like api.example.com",
                ));
            }
        }
        if let Err(fault) = HeaderMatch::normalise(&mut self.match_headers) {
            faults.push(FieldFault::new(format!("/match_headers{}", fault.pointer), fault.message));
        }
        self.sunset_at = self.sunset_at.map(|at| at.trunc_subsecs(0));
        for (given, pointer) in
            [(self.sunset_at.is_some(), "/sunset_at"), (self.successor_id.is_some(), "/successor_id")]
        {
            if given && !self.state.is_ending() {
                faults.push(FieldFault::new(pointer, "only an API that is deprecated or retired has one"));
            }
        }
        // As `Sunset` writes it, and the database keeps it.
        if self.sunset_at.is_some_and(|at| !(2000..=9999).contains(&at.year())) {
            faults.push(FieldFault::new("/sunset_at", "a year from 2000 to 9999"));
        }
        if let Err(fault) = self.metering.check() {
            faults.push(FieldFault::new(format!("/metering{}", fault.pointer), fault.message));
        }
        faults.extend(policies::check_of_api(&mut self.policies));
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    pub(crate) fn row(&self, id: ApiId) -> NewApi<'_> {
        NewApi {
            id,
            slug: &self.slug,
            name: &self.name,
            summary: &self.summary,
            service_id: self.service_id,
            hosts: &self.hosts,
            base_path: &self.base_path,
            match_headers: &self.match_headers,
            state: self.state,
            sunset_at: self.sunset_at,
            successor: self.successor_id,
            metering: &self.metering,
            policies: &self.policies,
        }
    }

    pub(crate) fn audit(&self) -> Value {
        json!({
            "slug": self.slug, "name": self.name, "summary": self.summary, "service_id": self.service_id,
            "hosts": self.hosts, "base_path": self.base_path, "match_headers": self.match_headers,
            "state": self.state, "metering": self.metering, "sunset_at": self.sunset_at,
            "successor_id": self.successor_id, "policies": self.policies,
        })
    }
}

/// A summary is one sentence of up to 500 characters.
pub fn check_summary(summary: &str, pointer: &str, faults: &mut Vec<FieldFault>) {
    if summary.chars().count() > 500 {
        faults.push(FieldFault::new(pointer, "at most 500 characters"));
    }
}

impl From<&ApiRow> for ApiInput {
    fn from(row: &ApiRow) -> Self {
        Self {
            slug: row.slug.clone(),
            name: row.name.clone(),
            summary: row.summary.clone(),
            service_id: row.service_id,
            hosts: row.hosts.clone(),
            base_path: row.base_path.clone(),
            match_headers: row.match_headers.clone(),
            state: row.state,
            sunset_at: row.sunset_at,
            successor_id: row.successor(),
            metering: row.metering.clone(),
            policies: row.policies.clone(),
        }
    }
}

impl Control {
    /// Adds an API, with its operations where a document is given.
    ///
    /// # Errors
    /// `Invalid`, `Conflict` (a route collides with another API's), or the actor may not.
    pub async fn create_api(
        &self,
        actor: &Actor,
        mut input: ApiInput,
        document: Option<&str>,
    ) -> Result<ApiRow> {
        actor.authorize(Action::Publish)?;
        input.check()?;
        let document = match document {
            Some(text) => Some(read_document(text).await?),
            None => None,
        };
        let id = ApiId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        known_service(&change.tx, input.service_id).await?;
        known_successor(&change.tx, id, input.successor_id).await?;
        change.tx.insert_api(&input.row(id)).await?;
        if let Some(document) = &document {
            put_document(&mut change.tx, id, document).await?;
        }
        change.compile_and_commit("api.create", subject(id), input.audit()).await?;
        Ok(self.store.get_api(id).await?)
    }

    /// Changes an API; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn update_api(
        &self,
        actor: &Actor,
        id: ApiId,
        expected: Option<i64>,
        patch: ApiPatch,
    ) -> Result<ApiRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_api(id).await?;
        check_version(expected, row.version)?;
        let before = ApiInput::from(&row);
        let state = patch.state.unwrap_or(before.state);
        let mut after = ApiInput {
            slug: patch.slug.unwrap_or_else(|| before.slug.clone()),
            name: patch.name.unwrap_or_else(|| before.name.clone()),
            summary: patch.summary.unwrap_or_else(|| before.summary.clone()),
            service_id: patch.service_id.unwrap_or(before.service_id),
            hosts: patch.hosts.unwrap_or_else(|| before.hosts.clone()),
            base_path: patch.base_path.unwrap_or_else(|| before.base_path.clone()),
            match_headers: patch.match_headers.unwrap_or_else(|| before.match_headers.clone()),
            state,
            sunset_at: patch.sunset_at.unwrap_or_else(|| before.sunset_at.filter(|_| state.is_ending())),
            successor_id: patch
                .successor_id
                .unwrap_or_else(|| before.successor_id.filter(|_| state.is_ending())),
            metering: patch.metering.unwrap_or_else(|| before.metering.clone()),
            policies: patch.policies.unwrap_or_else(|| before.policies.clone()),
        };
        after.check()?;
        let (old, new) = (before.audit(), after.audit());
        if old == new {
            return Ok(row);
        }
        if after.service_id != before.service_id {
            known_service(&change.tx, after.service_id).await?;
        }
        if after.successor_id != before.successor_id {
            known_successor(&change.tx, id, after.successor_id).await?;
        }
        change.tx.update_api(&after.row(id)).await?;
        change.compile_and_commit("api.update", subject(id), before_after(&old, &new)).await?;
        Ok(self.store.get_api(id).await?)
    }

    /// Publishes an OpenAPI document (3.1, 3.0 or Swagger 2; JSON or YAML): it is lifted to 3.1 and stored, and the
    /// API's operations become exactly those of the document. Operations that stay keep their ids.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`; `Invalid` with pointers into the document; or the actor may not.
    pub async fn publish_document(
        &self,
        actor: &Actor,
        id: ApiId,
        expected: Option<i64>,
        text: &str,
    ) -> Result<ApiRow> {
        actor.authorize(Action::Publish)?;
        let document = read_document(text).await?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_api(id).await?;
        check_version(expected, row.version)?;
        let changes = published_changes(&change.tx, id, document.value()).await?;
        let number = put_document(&mut change.tx, id, &document).await?;
        let details =
            json!({ "document": number, "operations": document.operations().len(), "changes": changes });
        change.compile_and_commit("api.publish", subject(id), details).await?;
        Ok(self.store.get_api(id).await?)
    }

    /// Removes an API that no product offers; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn delete_api(&self, actor: &Actor, id: ApiId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_api(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_api(id).await?;
        let details = json!({ "before": ApiInput::from(&row).audit() });
        change.compile_and_commit("api.delete", subject(id), details).await
    }
}

/// An API can only forward to a service that exists.
async fn known_service(tx: &Tx, id: ServiceId) -> Result<()> {
    match tx.reads().get_service(id).await {
        Ok(_) => Ok(()),
        Err(tollgate_store::Error::NotFound(_)) => {
            Err(Error::invalid("/service_id", "there is no such service"))
        }
        Err(other) => Err(other.into()),
    }
}

/// What takes an API's place exists, and is another one.
async fn known_successor(tx: &Tx, id: ApiId, successor: Option<ApiId>) -> Result<()> {
    let Some(successor) = successor else { return Ok(()) };
    if successor == id {
        return Err(Error::invalid("/successor_id", "an API does not take its own place"));
    }
    match tx.reads().get_api(successor).await {
        Ok(_) => Ok(()),
        Err(tollgate_store::Error::NotFound(_)) => {
            Err(Error::invalid("/successor_id", "there is no such API"))
        }
        Err(other) => Err(other.into()),
    }
}

pub(crate) async fn read_document(text: &str) -> Result<Document> {
    let text = text.to_owned();
    // Megabytes of YAML take a while: not on a thread that others wait for.
    tokio::task::spawn_blocking(move || Document::parse(&text))
        .await
        .map_err(|error| Error::Internal(Box::new(error)))?
        .map_err(|faults| {
            Error::Invalid(
                faults
                    .into_iter()
                    .take(100)
                    .map(|fault| {
                        let message = match fault.line {
                            Some(line) => format!("line {line}: {}", fault.message),
                            None => fault.message,
                        };
                        FieldFault::new(fault.pointer, message)
                    })
                    .collect(),
            )
        })
}

pub(crate) async fn put_document(tx: &mut Tx, id: ApiId, document: &Document) -> Result<i32> {
    let number = tx.insert_document(id, document.value()).await?;
    follow_document(tx, id, document).await?;
    Ok(number)
}

const fn subject(id: ApiId) -> Subject {
    Subject { kind: "api", id: id.uuid(), organization: None }
}
