//! Who sees which product.

use tollgate_domain::{OrganizationId, ProductId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// Somebody who looks at what is on offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Whether they are signed in.
    pub signed_in: bool,
    /// The organization that they act in.
    pub organization: Option<OrganizationId>,
}

impl Viewer {
    /// Of anybody who is about to have an account: what needs no choosing.
    pub const SIGNED_IN: Self = Self { signed_in: true, organization: None };

    /// A member of an organization.
    #[must_use]
    pub const fn of(organization: OrganizationId) -> Self {
        Self { signed_in: true, organization: Some(organization) }
    }
}

/// Whether the viewer ($1 signed in, $2 organization) sees product `p`. Whoever subscribes to it goes on to see it.
pub(crate) const SEES: &str = "(p.visibility = 'public' or $1 and p.visibility = 'signed_in'
    or exists (select from product_audience v where p.visibility = 'chosen' and v.product_id = p.id and v.organization_id = $2)
    or exists (select from subscriptions s where s.product_id = p.id and s.organization_id = $2 and s.state <> 'ended'))";

impl Store {
    /// Whether a viewer sees a product, as far as its visibility goes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sees_product(&self, viewer: Viewer, product: ProductId) -> Result<bool> {
        let text = format!("select exists (select from products p where p.id = $3 and {SEES})");
        Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .bind(viewer.signed_in)
            .bind(viewer.organization.map(OrganizationId::uuid))
            .bind(product.uuid())
            .fetch_one(&self.pool)
            .await?)
    }

    /// The organizations that see a product where its visibility is chosen: ids and slugs, by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn product_audience(&self, product: ProductId) -> Result<Vec<(OrganizationId, String)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select o.id, o.slug from product_audience v join organizations o on o.id = v.organization_id
             where v.product_id = $1 and o.deleted_at is null order by o.slug",
        )
        .bind(product.uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, slug)| (id.into(), slug)).collect())
    }

    /// Which of these organizations exist.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_known_organizations(&self, ids: &[OrganizationId]) -> Result<Vec<OrganizationId>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let known: Vec<Uuid> = sqlx::query_scalar(
            "select id from organizations where id = any($1) and deleted_at is null order by id",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(known.into_iter().map(OrganizationId::from).collect())
    }
}

impl Tx {
    /// Shows a product to exactly these organizations.
    ///
    /// # Errors
    /// `Referenced` where one is unknown; or the database failed.
    pub async fn set_product_audience(&mut self, product: ProductId, to: &[OrganizationId]) -> Result<()> {
        let ids: Vec<Uuid> = to.iter().map(|id| id.uuid()).collect();
        sqlx::query("delete from product_audience where product_id = $1 and organization_id <> all($2)")
            .bind(product.uuid())
            .bind(&ids)
            .execute(self.conn())
            .await?;
        sqlx::query(
            "insert into product_audience (product_id, organization_id) select $1, unnest($2::uuid[])
             on conflict do nothing",
        )
        .bind(product.uuid())
        .bind(&ids)
        .execute(self.conn())
        .await?;
        sqlx::query("update products set version = version + 1 where id = $1")
            .bind(product.uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
