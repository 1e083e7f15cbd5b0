//! One product: its APIs, its plans, its settings.

pub mod audience;
pub mod delete;
pub mod overview;
pub mod settings;

use tollgate_store::ProductRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Fault;
use crate::parts::{Action, Sheet};
use crate::session::Visit;

/// Where all of them are listed.
pub const LIST: &str = "/admin/products";

/// A product by the slug in its address.
///
/// # Errors
/// There is none, or the database is away.
pub async fn find(state: &PortalState, slug: &str) -> Result<ProductRow, Fault> {
    state.store.find_product_by_slug(slug).await?.ok_or_else(Fault::not_found)
}

/// Head and tabs that all its pages share.
///
/// # Errors
/// The database is away.
pub async fn frame(visit: &Visit, desk: &Desk, row: &ProductRow) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}", row.slug);
    let tabs = [
        (base.clone(), "Overview"),
        (format!("{base}/audience"), "Audience"),
        (format!("{base}/settings"), "Settings"),
        (format!("{base}/yaml"), "YAML"),
    ];
    Ok(sheet(visit, &row.name)
        .await?
        .below(LIST, "Products")
        .labelled(row.state)
        .identified(row.id)
        .action(true, Action::link(format!("/products/{}", row.slug), "external-link", "See as a developer"))
        .action(
            desk.may_write,
            Action::link(format!("/admin/new/plan?product={}", row.slug), "plus", "Create plan"),
        )
        .tabs(tabs))
}
