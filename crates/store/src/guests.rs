//! Products that visitors may try without an account.

use sqlx::FromRow;
use tollgate_domain::{ApplicationId, CredentialId, PlanId, ProductId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// As whom guests call.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct GuestRow {
    /// The application that their calls are counted for.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its key, whose text nobody holds.
    #[sqlx(try_from = "Uuid")]
    pub credential_id: CredentialId,
}

/// A product's guests, and their terms.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct GuestTerms {
    /// The application that their calls are counted for.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// The plan that they have together.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
}

impl Store {
    /// As whom guests call a product; none where it is closed to them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_guest(&self, product: ProductId) -> Result<Option<GuestRow>> {
        Ok(sqlx::query_as(
            "select guest.application_id, guest.credential_id from guest_access guest
             join credentials on credentials.id = guest.credential_id and credentials.revoked_at is null
             join applications on applications.id = guest.application_id and applications.deleted_at is null
             where guest.product_id = $1",
        )
        .bind(product.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// On which terms guests call a product; none where it is closed to them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_guest_terms(&self, product: ProductId) -> Result<Option<GuestTerms>> {
        Ok(sqlx::query_as(
            "select guest.application_id, s.plan_id from guest_access guest
             join credentials on credentials.id = guest.credential_id and credentials.revoked_at is null
             join subscriptions s on s.application_id = guest.application_id
                and s.product_id = guest.product_id and s.state <> 'ended'
             where guest.product_id = $1",
        )
        .bind(product.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Opens a product to guests; what was opened before is forgotten.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_guest(&mut self, product: ProductId, guest: GuestRow) -> Result<()> {
        sqlx::query(
            "insert into guest_access (product_id, application_id, credential_id) values ($1, $2, $3)
             on conflict (product_id) do update set application_id = $2, credential_id = $3, created_at = now()",
        )
        .bind(product.uuid())
        .bind(guest.application_id.uuid())
        .bind(guest.credential_id.uuid())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Closes a product to guests; says as whom they called.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_guest(&mut self, product: ProductId) -> Result<Option<GuestRow>> {
        Ok(sqlx::query_as(
            "delete from guest_access where product_id = $1 returning application_id, credential_id",
        )
        .bind(product.uuid())
        .fetch_optional(self.conn())
        .await?)
    }
}
