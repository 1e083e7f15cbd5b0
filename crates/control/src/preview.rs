//! What publishing a document would do, before it is done.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use tollgate_domain::ApiId;
use tollgate_openapi::{Document, OperationDiff, Warning, diff, lint};
use tollgate_store::CallerRow;

use crate::apis::read_document;
use crate::{Action, Actor, Control, Error, Result};

/// So many days back somebody counts as a caller.
const CALLERS_OF_DAYS: i64 = 30;
const CALLERS_MAX: i64 = 1_000;

/// A document beside the one in force.
#[derive(Debug, Clone)]
pub struct DocumentPreview {
    /// Its title.
    pub title: String,
    /// Its version, as its author counts.
    pub version: String,
    /// How many operations there will be.
    pub operations: usize,
    /// What becomes of operations, what breaks callers first.
    pub changes: Vec<OperationDiff>,
    /// Who called operations that break, in the last 30 days.
    pub callers: Vec<CallerRow>,
    /// What its callers will miss in it.
    pub warnings: Vec<Warning>,
}

impl Control {
    /// What the callers of an API will miss in a document that can be read; nothing of one that cannot.
    ///
    /// # Errors
    /// A thread was lost.
    pub async fn lint_document(&self, text: String) -> Result<Vec<Warning>> {
        let looking = tokio::task::spawn_blocking(move || {
            Document::parse(&text).map(|document| lint(&document, Some(&text))).unwrap_or_default()
        });
        looking.await.map_err(|error| Error::Internal(Box::new(error)))
    }

    /// Reads a document as publishing would and compares it with the one in force. Nothing is written.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` with pointers into the document; or the actor may not.
    pub async fn preview_document(&self, actor: &Actor, id: ApiId, text: &str) -> Result<DocumentPreview> {
        actor.authorize(Action::Publish)?;
        self.store.get_api(id).await?;
        let stored = self.store.find_document(id).await?;
        let document = Arc::new(read_document(text).await?);
        let (new, written) = (Arc::clone(&document), text.to_owned());
        let (changes, warnings) = tokio::task::spawn_blocking(move || {
            // A stored document that cannot be read any more is compared as if there were none.
            let old = stored.and_then(|value| Document::from_value(value).ok());
            (diff(old.as_ref(), &new), lint(&new, Some(&written)))
        })
        .await
        .map_err(|error| Error::Internal(Box::new(error)))?;
        let since = Utc::now() - TimeDelta::days(CALLERS_OF_DAYS);
        let breaking = |caller: &CallerRow| {
            changes.iter().any(|one| one.breaks() && one.method == caller.method && one.path == caller.path)
        };
        let mut callers = self.store.list_operation_callers(id, since, CALLERS_MAX).await?;
        callers.retain(breaking);
        Ok(DocumentPreview {
            title: document.title().to_owned(),
            version: document.version().to_owned(),
            operations: document.operations().len(),
            changes,
            callers,
            warnings,
        })
    }
}
