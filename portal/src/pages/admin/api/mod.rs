//! One API: what it is, its operations, its documents, its settings.

pub mod create;
pub mod delete;
pub mod document;
pub mod headers;
pub mod life;
mod metering;
pub mod overview;
pub mod routes;
pub mod settings;

use tollgate_store::ApiRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Fault;
use crate::parts::{Action, Sheet};
use crate::session::Visit;

/// Where all of them are listed.
pub const LIST: &str = "/admin/apis";

/// An API by the slug in its address.
///
/// # Errors
/// There is none, or the database is away.
pub async fn find(state: &PortalState, slug: &str) -> Result<ApiRow, Fault> {
    state.store.find_api_by_slug(slug).await?.ok_or_else(Fault::not_found)
}

/// Where calls to it begin, as people read it.
#[must_use]
pub fn shown_base(row: &ApiRow) -> String {
    if row.base_path.is_empty() { "/".into() } else { row.base_path.clone() }
}

/// Head and tabs that all its pages share.
///
/// # Errors
/// The database is away.
pub async fn frame(visit: &Visit, desk: &Desk, row: &ApiRow) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}", row.slug);
    let tabs = [
        (base.clone(), "Overview"),
        (format!("{base}/routes"), "Routes"),
        (format!("{base}/document"), "Document"),
        (format!("{base}/life"), "Life"),
        (format!("{base}/settings"), "Settings"),
        (format!("{base}/yaml"), "YAML"),
    ];
    Ok(sheet(visit, &row.name)
        .await?
        .below(LIST, "APIs")
        .labelled(row.state)
        .identified(row.id)
        .action(desk.may_write, Action::link(format!("{base}/document"), "download", "Publish document"))
        .tabs(tabs))
}
