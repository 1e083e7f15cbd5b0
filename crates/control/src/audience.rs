//! Whom a product is shown to, where organizations are chosen for it.

use serde_json::json;
use tollgate_domain::{OrganizationId, ProductId};

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// Organizations that one product can be shown to.
const AUDIENCE_MAX: usize = 1_000;

impl Control {
    /// The organizations that see a product where its visibility is chosen: ids and slugs.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn product_audience(
        &self,
        actor: &Actor,
        product: ProductId,
    ) -> Result<Vec<(OrganizationId, String)>> {
        actor.authorize(Action::ReadPlatform)?;
        self.store.get_product(product).await?;
        Ok(self.store.product_audience(product).await?)
    }

    /// Shows a product to exactly these organizations; with `expected`, only where that is the product's version. Whoever
    /// subscribes keeps what they have, and goes on to see it.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn set_product_audience(
        &self,
        actor: &Actor,
        product: ProductId,
        expected: Option<i64>,
        organizations: Vec<OrganizationId>,
    ) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_product(product).await?;
        check_version(expected, row.version)?;
        let known = self.store.list_known_organizations(&organizations).await?;
        let mut faults: Vec<FieldFault> = organizations
            .iter()
            .enumerate()
            .filter(|(_, id)| !known.contains(id))
            .map(|(at, _)| {
                FieldFault::new(format!("/organization_ids/{at}"), "there is no such organization")
            })
            .collect();
        if organizations.len() > AUDIENCE_MAX {
            faults.push(FieldFault::new("/organization_ids", "at most 1,000 organizations"));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let ids =
            |list: Vec<(OrganizationId, String)>| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        let (mut before, mut after) = (ids(self.store.product_audience(product).await?), known);
        before.sort_unstable();
        after.sort_unstable();
        if before == after {
            return Ok(());
        }
        change.tx.set_product_audience(product, &after).await?;
        let details =
            before_after(&json!({ "organization_ids": before }), &json!({ "organization_ids": after }));
        let subject = Subject { kind: "product", id: product.uuid(), organization: None };
        change.commit("product.audience", subject, details).await
    }
}
