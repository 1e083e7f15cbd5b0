//! Products: APIs offered together.

use serde_json::{Value, json};
use tollgate_domain::{ApiId, ProductId, ProductState, Slug, Visibility};
use tollgate_store::{NewProduct, ProductRow, Tx};
use uuid::Uuid;

use crate::apis::check_summary;
use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// What a product is made from.
#[derive(Debug, Clone)]
pub struct ProductInput {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence, up to 500 characters.
    pub summary: String,
    /// What can be built with it, up to 20,000 characters.
    pub description: String,
    /// Whether it is on offer.
    pub state: ProductState,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its APIs, in order.
    pub apis: Vec<ApiId>,
}

/// What to change about a product; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProductPatch {
    /// Its name in URLs.
    pub slug: Option<Slug>,
    /// Its name.
    pub name: Option<String>,
    /// One sentence.
    pub summary: Option<String>,
    /// What can be built with it.
    pub description: Option<String>,
    /// Whether it is on offer.
    pub state: Option<ProductState>,
    /// Who sees it.
    pub visibility: Option<Visibility>,
    /// Its APIs, in order.
    pub apis: Option<Vec<ApiId>>,
}

impl From<ProductInput> for ProductPatch {
    /// Replaces everything.
    fn from(input: ProductInput) -> Self {
        Self {
            slug: Some(input.slug),
            name: Some(input.name),
            summary: Some(input.summary),
            description: Some(input.description),
            state: Some(input.state),
            visibility: Some(input.visibility),
            apis: Some(input.apis),
        }
    }
}

impl ProductInput {
    pub(crate) fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        check_name(&self.name, "/name", &mut faults);
        check_summary(&self.summary, "/summary", &mut faults);
        if self.description.chars().count() > 20_000 {
            faults.push(FieldFault::new("/description", "at most 20000 characters"));
        }
        if self.apis.len() > 100 {
            faults.push(FieldFault::new("/apis", "at most 100 APIs"));
        }
        for (index, api) in self.apis.iter().enumerate() {
            if self.apis[..index].contains(api) {
                faults.push(FieldFault::new(format!("/apis/{index}"), "listed twice"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    pub(crate) fn row(&self, id: ProductId) -> NewProduct<'_> {
        NewProduct {
            id,
            slug: &self.slug,
            name: &self.name,
            summary: &self.summary,
            description: &self.description,
            state: self.state,
            visibility: self.visibility,
            apis: &self.apis,
        }
    }

    pub(crate) fn audit(&self) -> Value {
        json!({
            "slug": self.slug, "name": self.name, "summary": self.summary, "description": self.description,
            "state": self.state, "visibility": self.visibility, "apis": self.apis,
        })
    }
}

impl From<&ProductRow> for ProductInput {
    fn from(row: &ProductRow) -> Self {
        Self {
            slug: row.slug.clone(),
            name: row.name.clone(),
            summary: row.summary.clone(),
            description: row.description.clone(),
            state: row.state,
            visibility: row.visibility,
            apis: row.apis(),
        }
    }
}

impl Control {
    /// Adds a product.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_product(&self, actor: &Actor, input: ProductInput) -> Result<ProductRow> {
        actor.authorize(Action::Publish)?;
        input.check()?;
        let id = ProductId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        known_apis(&change.tx, &input.apis).await?;
        change.tx.insert_product(&input.row(id)).await?;
        change.compile_and_commit("product.create", subject(id), input.audit()).await?;
        Ok(self.store.get_product(id).await?)
    }

    /// Changes a product; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn update_product(
        &self,
        actor: &Actor,
        id: ProductId,
        expected: Option<i64>,
        patch: ProductPatch,
    ) -> Result<ProductRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_product(id).await?;
        check_version(expected, row.version)?;
        let before = ProductInput::from(&row);
        let after = ProductInput {
            slug: patch.slug.unwrap_or_else(|| before.slug.clone()),
            name: patch.name.unwrap_or_else(|| before.name.clone()),
            summary: patch.summary.unwrap_or_else(|| before.summary.clone()),
            description: patch.description.unwrap_or_else(|| before.description.clone()),
            state: patch.state.unwrap_or(before.state),
            visibility: patch.visibility.unwrap_or(before.visibility),
            apis: patch.apis.unwrap_or_else(|| before.apis.clone()),
        };
        after.check()?;
        let (old, new) = (before.audit(), after.audit());
        if old == new {
            return Ok(row);
        }
        if after.apis != before.apis {
            known_apis(&change.tx, &after.apis).await?;
        }
        change.tx.update_product(&after.row(id)).await?;
        change.compile_and_commit("product.update", subject(id), before_after(&old, &new)).await?;
        Ok(self.store.get_product(id).await?)
    }

    /// Removes a product without plans; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn delete_product(&self, actor: &Actor, id: ProductId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_product(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_product(id).await?;
        let details = json!({ "before": ProductInput::from(&row).audit() });
        change.compile_and_commit("product.delete", subject(id), details).await
    }
}

/// A product can only offer APIs that exist; each one that does not is a fault of its place in the list.
async fn known_apis(tx: &Tx, apis: &[ApiId]) -> Result<()> {
    let known = tx.reads().list_known_apis(apis).await?;
    let unknown = apis.iter().enumerate().filter(|(_, id)| !known.contains(id));
    let faults: Vec<FieldFault> =
        unknown.map(|(index, _)| FieldFault::new(format!("/apis/{index}"), "there is no such api")).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

const fn subject(id: ProductId) -> Subject {
    Subject { kind: "product", id: id.uuid(), organization: None }
}
