//! Money of bought credits that goes back the way it came.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{Amount, Currency, OrganizationId, PaymentState, Scope};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// A refund of bought credits.
#[derive(Debug, Clone, FromRow)]
pub struct CreditRefundRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// The organization's name.
    pub organization: String,
    /// The grant that was bought.
    pub grant_id: Uuid,
    /// What the provider calls the payment that they were bought with.
    pub payment_ref: Option<String>,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: PaymentState,
    /// What the provider calls it.
    pub provider_ref: Option<String>,
    /// Why somebody asked for it.
    pub note: String,
    /// Where it failed: why, in the provider's words. Customers do not read it.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the provider said what became of it.
    pub settled_at: Option<DateTime<Utc>>,
}

impl CreditRefundRow {
    /// How much goes back.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        Amount { minor: self.amount_minor.unsigned_abs(), currency: self.currency }
    }
}

/// A refund to be asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewCreditRefund<'r> {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub organization_id: OrganizationId,
    /// The grant that was bought.
    pub grant_id: Uuid,
    /// How much goes back.
    pub amount: Amount,
    /// Why.
    pub note: &'r str,
}

const REFUND: &str = "select r.*, o.name as organization, c.payment_ref from credit_refunds r
    join credit_entries e on e.id = r.grant_id join checkouts c on c.id = e.checkout_id
    join organizations o on o.id = r.organization_id";

impl Store {
    /// A refund.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_credit_refund(&self, id: Uuid) -> Result<CreditRefundRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{REFUND} where r.id = $1")))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("refund"))
    }

    /// The last refunds of an organization or all, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_refunds(&self, scope: Scope, limit: i64) -> Result<Vec<CreditRefundRow>> {
        let sql = format!(
            "{REFUND} where $1::uuid is null or r.organization_id = $1 order by r.created_at desc, r.id desc limit $2"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// A refund by what the provider calls it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_credit_refund(&self, provider_ref: &str) -> Result<Option<CreditRefundRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{REFUND} where r.provider_ref = $1")))
            .bind(provider_ref)
            .fetch_optional(&self.pool)
            .await?)
    }
}

impl Tx {
    /// Notes that money is to go back.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_credit_refund(&mut self, new: &NewCreditRefund<'_>) -> Result<()> {
        sqlx::query(
            "insert into credit_refunds (id, organization_id, grant_id, amount_minor, currency, note)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id)
        .bind(new.organization_id.uuid())
        .bind(new.grant_id)
        .bind(new.amount.minor.cast_signed())
        .bind(new.amount.currency.as_str())
        .bind(new.note)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Says what became of a refund, and why it failed. False where that was known, or it had failed: what failed stays so, because its credits
    /// were given again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_credit_refund(
        &mut self,
        id: Uuid,
        state: PaymentState,
        provider_ref: Option<&str>,
        failure: Option<&str>,
    ) -> Result<bool> {
        let settled = sqlx::query(
            "update credit_refunds set state = $2, provider_ref = coalesce($3, provider_ref), failure = $4,
                settled_at = case when $2 = 'pending' then null else now() end
             where id = $1 and state <> 'failed' and (state <> $2 or provider_ref is null)",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(provider_ref)
        .bind(failure)
        .execute(self.conn())
        .await?;
        Ok(settled.rows_affected() == 1)
    }
}
