//! Documents of an API over time: what changes from one to the next, and the way back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollgate_domain::ApiId;
use tollgate_openapi::{Document, Fate, OperationDiff};
use tollgate_store::{ApiRow, Tx};

use crate::change::{Subject, check_version};
use crate::{Action, Actor, Control, Error, Result, findable};

/// Changes noted in the audit log at most.
const NOTED_MAX: usize = 200;

/// What became of one operation, as the audit log keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Upper-case method.
    pub method: String,
    /// Path template.
    pub path: String,
    /// added, removed or changed.
    pub kind: String,
    /// What callers that worked before may fail at.
    pub breaking: Vec<String>,
    /// What else is different.
    pub compatible: Vec<String>,
}

impl From<OperationDiff> for Change {
    fn from(diff: OperationDiff) -> Self {
        let (kind, breaking, compatible) = match diff.fate {
            Fate::Added => ("added", Vec::new(), Vec::new()),
            Fate::Removed => ("removed", vec!["the operation is gone".to_owned()], Vec::new()),
            Fate::Changed { breaking, harmless } => ("changed", breaking, harmless),
        };
        Self { method: diff.method, path: diff.path, kind: kind.to_owned(), breaking, compatible }
    }
}

impl Control {
    /// What changes for callers from one document of an API to another.
    ///
    /// # Errors
    /// `NotFound` where either is not there, or the actor may not.
    pub async fn document_changes(
        &self,
        actor: &Actor,
        api: ApiId,
        from: i32,
        to: i32,
    ) -> Result<Vec<Change>> {
        actor.authorize(Action::ReadPlatform)?;
        let old = self.store.get_document(api, from).await?;
        let new = self.store.get_document(api, to).await?;
        compared(old, move || Document::from_value(new).ok()).await
    }

    /// Puts a document that was published before in force again, with its operations.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Conflict` where its routes collide with another API's by now, or the actor may not.
    pub async fn rollback_document(
        &self,
        actor: &Actor,
        id: ApiId,
        expected: Option<i64>,
        number: i32,
    ) -> Result<ApiRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_api(id).await?;
        check_version(expected, row.version)?;
        if row.document_number == number {
            return Ok(row);
        }
        let wanted = match change.tx.reads().get_document(id, number).await {
            Err(tollgate_store::Error::NotFound(_)) => {
                return Err(Error::invalid("/number", "there is no document of this number"));
            }
            other => other?,
        };
        let changes = published_changes(&change.tx, id, &wanted).await?;
        let document = read_again(wanted).await?;
        let details = json!({
            "document": number, "before": row.document_number, "operations": document.operations().len(),
            "changes": changes
        });
        change.tx.set_document_in_force(id, number).await?;
        follow_document(&mut change.tx, id, &document).await?;
        let subject = Subject { kind: "api", id: id.uuid(), organization: None };
        change.compile_and_commit("api.publish", subject, details).await?;
        Ok(self.store.get_api(id).await?)
    }
}

/// What a document changes for the callers of an API, for the audit log.
pub async fn published_changes(tx: &Tx, api: ApiId, wanted: &Value) -> Result<Vec<Change>> {
    let Some(current) = tx.reads().find_document(api).await? else { return Ok(Vec::new()) };
    let wanted = wanted.clone();
    let mut changes = compared(current, move || Document::from_value(wanted).ok()).await?;
    changes.truncate(NOTED_MAX);
    Ok(changes)
}

/// Compares off the threads that others wait for. A document that an older release took and this one does not changes
/// everything, which says nothing: then nothing is told.
async fn compared(
    old: Value,
    new: impl FnOnce() -> Option<Document> + Send + 'static,
) -> Result<Vec<Change>> {
    let comparing = tokio::task::spawn_blocking(move || {
        let (old, new) = (Document::from_value(old).ok()?, new()?);
        Some(tollgate_openapi::diff(Some(&old), &new).into_iter().map(Change::from).collect())
    });
    Ok(comparing.await.map_err(|error| Error::Internal(Box::new(error)))?.unwrap_or_default())
}

/// A stored document.
async fn read_again(document: Value) -> Result<Document> {
    let reading = tokio::task::spawn_blocking(move || Document::from_value(document));
    let read = reading.await.map_err(|error| Error::Internal(Box::new(error)))?;
    read.map_err(|_| {
        Error::Conflict(
            "this document was published by an older release that took more; publish it anew".to_owned(),
        )
    })
}

/// Makes of an API what its document says: its routes with their tags, which scopes of keys may name, and what the portal's
/// search finds.
pub async fn follow_document(tx: &mut Tx, api: ApiId, document: &Document) -> Result<()> {
    tx.replace_routes(api, &routes(document)).await?;
    let routed = document.operations().iter().filter(|operation| operation.method != "TRACE");
    let tagged: Vec<(&str, &str, &[String])> =
        routed.map(|one| (one.method.as_str(), one.path.as_str(), one.tags.as_slice())).collect();
    tx.tag_routes(api, &tagged).await?;
    Ok(tx.put_search_entries(api, &findable::entries(document)).await?)
}

/// Operations as routes: id, method and path.
fn routes(document: &Document) -> Vec<(String, String, String)> {
    document
        .operations()
        .iter()
        .filter(|operation| operation.method != "TRACE")
        .map(|operation| (operation.operation_id.clone(), operation.method.clone(), operation.path.clone()))
        .collect()
}
