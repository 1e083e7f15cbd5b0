//! Invoices.

use tollgate_domain::{InvoiceState, OrganizationId, Scope};

use super::{Conditions, Cut, Found, Shape, Type};
use crate::{InvoiceRow, Result, Store};

/// Which invoices.
#[derive(Debug, Clone, Copy, Default)]
pub struct InvoiceFilter<'f> {
    /// Words of the organization's name.
    pub words: &'f str,
    /// In this state.
    pub state: Option<InvoiceState>,
}

const INVOICES: Shape = Shape {
    columns: "t.*, o.name as organization",
    from: "invoices t join organizations o on o.id = t.organization_id",
    id: ("t.id", Type::Uuid),
    // A total as a text that sorts like the number; those of other currencies stand among them.
    orders: &[("number", "t.number"), ("total", "lpad(t.total_minor::text, 19, '0')")],
};

impl Store {
    /// Invoices that the scope may see. Orders: `number`, `total`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_invoices(
        &self,
        scope: Scope,
        filter: InvoiceFilter<'_>,
        cut: &Cut,
    ) -> Result<Found<InvoiceRow>> {
        self.browse(&INVOICES, cut, |and: &mut Conditions| {
            and.and("t.organization_id = ", scope.organization().map(OrganizationId::uuid))
                .and("t.state = ", filter.state.map(InvoiceState::as_str))
                .words(
                    "invoices w join organizations x on x.id = w.organization_id where x.deleted_at is null",
                    "x.name || ' ' || x.slug",
                    filter.words,
                );
        })
        .await
    }
}
