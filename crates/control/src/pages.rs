//! Pages of the publisher's in the portal.

use serde_json::json;
use tollgate_domain::{Page, PageId};
use tollgate_store::PageRow;
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// Characters of a page.
const TEXT_CHARS_MAX: usize = 50_000;
const POSITION_MAX: u16 = 1_000;

/// Everything that is wrong with a page.
pub fn check(page: &Page) -> Result<()> {
    let mut faults = Vec::new();
    check_name(&page.title, "/title", &mut faults);
    if page.text.chars().count() > TEXT_CHARS_MAX {
        faults.push(FieldFault::new("/text", format!("at most {TEXT_CHARS_MAX} characters")));
    }
    if page.text.contains('\0') {
        faults.push(FieldFault::new("/text", "the character U+0000 cannot be stored"));
    }
    if page.position > POSITION_MAX {
        faults.push(FieldFault::new("/position", format!("0 to {POSITION_MAX}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

pub const fn subject(id: PageId) -> Subject {
    Subject { kind: "page", id: id.uuid(), organization: None }
}

impl Control {
    /// Adds a page.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_page(&self, actor: &Actor, page: Page) -> Result<PageRow> {
        actor.authorize(Action::Publish)?;
        check(&page)?;
        let id = PageId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        change.tx.insert_page(id, &page).await?;
        change.commit("page.create", subject(id), json!(page)).await?;
        self.store.find_page(page.slug.as_str()).await?.ok_or(Error::NotFound("page"))
    }

    /// Replaces a page; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_page(
        &self,
        actor: &Actor,
        id: PageId,
        expected: Option<i64>,
        page: Page,
    ) -> Result<PageRow> {
        actor.authorize(Action::Publish)?;
        check(&page)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_page(id).await?;
        check_version(expected, row.version)?;
        let before = Page::from(row.clone());
        if before == page {
            return Ok(row);
        }
        change.tx.update_page(id, &page).await?;
        change.commit("page.update", subject(id), before_after(&json!(before), &json!(page))).await?;
        self.store.find_page(page.slug.as_str()).await?.ok_or(Error::NotFound("page"))
    }

    /// Removes a page; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_page(&self, actor: &Actor, id: PageId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_page(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_page(id).await?;
        change.commit("page.delete", subject(id), json!({ "before": Page::from(row) })).await
    }
}
