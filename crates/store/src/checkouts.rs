//! Visits to the payment provider's page.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    Amount, CheckoutState, Currency, InvoiceId, OrganizationId, PlanId, Scope, SubscriptionId, UserId,
};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// A visit.
#[derive(Debug, Clone, FromRow)]
pub struct CheckoutRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    invoice_id: Option<Uuid>,
    subscription_id: Option<Uuid>,
    plan_id: Option<Uuid>,
    credits_minor: Option<i64>,
    currency: Option<String>,
    /// What the provider calls it.
    pub provider_ref: Option<String>,
    /// Where it stands, by what the provider said.
    #[sqlx(try_from = "String")]
    pub state: CheckoutState,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

impl CheckoutRow {
    /// The credits that are bought.
    #[must_use]
    pub fn credits(&self) -> Option<Amount> {
        let currency: Currency = self.currency.as_ref()?.parse().ok()?;
        Some(Amount { minor: self.credits_minor?.unsigned_abs(), currency })
    }

    /// The bill that is to be paid; none where a way to pay is to be left or credits are bought.
    #[must_use]
    pub fn invoice(&self) -> Option<InvoiceId> {
        self.invoice_id.map(InvoiceId::from)
    }

    /// The subscription that moves to a plan when it completes.
    #[must_use]
    pub fn wish(&self) -> Option<(SubscriptionId, PlanId)> {
        Some((SubscriptionId::from(self.subscription_id?), PlanId::from(self.plan_id?)))
    }
}

/// A visit that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewCheckout {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Who visits.
    pub user_id: Option<UserId>,
    /// The bill that is to be paid.
    pub invoice_id: Option<InvoiceId>,
    /// The credits that are to be bought; with neither a way to pay is left.
    pub credits: Option<Amount>,
    /// The subscription that moves to a plan when it completes.
    pub wish: Option<(SubscriptionId, PlanId)>,
}

impl Store {
    /// A visit that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_checkout(&self, scope: Scope, id: Uuid) -> Result<CheckoutRow> {
        sqlx::query_as("select * from checkouts where id = $1 and ($2::uuid is null or organization_id = $2)")
            .bind(id)
            .bind(scope.organization().map(OrganizationId::uuid))
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("checkout"))
    }

    /// A visit by what the provider calls it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_checkout(&self, provider_ref: &str) -> Result<Option<CheckoutRow>> {
        Ok(sqlx::query_as("select * from checkouts where provider_ref = $1")
            .bind(provider_ref)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Whether somebody is at the provider's page to pay a bill.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_being_paid(&self, invoice: InvoiceId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from checkouts where invoice_id = $1 and state = 'open'
                and created_at > now() - interval '1 hour')",
        )
        .bind(invoice.uuid())
        .fetch_one(&self.pool)
        .await?)
    }

    /// Visits that have been open for long enough to ask the provider about them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_lingering_checkouts(&self, limit: i64) -> Result<Vec<CheckoutRow>> {
        Ok(sqlx::query_as(
            "select * from checkouts where state = 'open' and provider_ref is not null
                and created_at < now() - interval '10 minutes' order by created_at limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What the provider calls a visit.
    ///
    /// # Errors
    /// The database failed.
    pub async fn name_checkout(&self, id: Uuid, provider_ref: &str) -> Result<()> {
        sqlx::query("update checkouts set provider_ref = $2 where id = $1")
            .bind(id)
            .bind(provider_ref)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Notes that a visit begins.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_checkout(&mut self, new: &NewCheckout) -> Result<()> {
        sqlx::query(
            "insert into checkouts (id, organization_id, user_id, kind, invoice_id, subscription_id, plan_id, credits_minor, currency)
             values ($1, $2, $3, case when $4::uuid is not null then 'payment' when $7::bigint is not null then 'credits'
                else 'setup' end, $4, $5, $6, $7, $8)",
        )
        .bind(new.id)
        .bind(new.organization_id.uuid())
        .bind(new.user_id.map(UserId::uuid))
        .bind(new.invoice_id.map(InvoiceId::uuid))
        .bind(new.wish.map(|wish| wish.0.uuid()))
        .bind(new.wish.map(|wish| wish.1.uuid()))
        .bind(new.credits.map(|credits| credits.minor.cast_signed()))
        .bind(new.credits.map(|credits| String::from(credits.currency)))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Says how a visit ended, and what the provider calls the payment that was made on it. False where it had ended before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_checkout(
        &mut self,
        id: Uuid,
        state: CheckoutState,
        payment: Option<&str>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update checkouts set state = $2, payment_ref = $3, settled_at = now() where id = $1 and state = 'open'",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(payment)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
