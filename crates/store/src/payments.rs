//! Money that came, did not come, or went back; and who an organization is at the payment provider.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{Amount, Currency, InvoiceId, OrganizationId, PaymentKind, PaymentState, Scope};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// One movement of money about a bill.
#[derive(Debug, Clone, FromRow)]
pub struct PaymentRow {
    /// Its id.
    pub id: Uuid,
    /// Whose bill it is about.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Their name.
    pub organization: String,
    /// Which bill.
    #[sqlx(try_from = "Uuid")]
    pub invoice_id: InvoiceId,
    /// What people call the bill.
    pub number: String,
    /// What happened.
    #[sqlx(try_from = "String")]
    pub kind: PaymentKind,
    /// Whether it is certain.
    #[sqlx(try_from = "String")]
    pub state: PaymentState,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    /// `manual`, or the name of a payment provider.
    pub provider: String,
    /// What the provider calls it.
    pub provider_ref: Option<String>,
    /// Of a refund: the payment that it gives back.
    pub of_payment: Option<Uuid>,
    /// Why, in words: of the provider, or of who gave it back.
    pub note: Option<String>,
    /// Of what goes back: why the provider did not do it, in its words.
    pub failure: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl PaymentRow {
    /// Whether it happened or still may: what failed or was withdrawn is as if it had never been asked for.
    #[must_use]
    pub const fn counts(&self) -> bool {
        matches!(self.state, PaymentState::Pending | PaymentState::Done)
    }

    /// How much.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        Amount { minor: self.amount_minor.unsigned_abs(), currency: self.currency }
    }
}

/// A movement of money to be noted.
#[derive(Debug, Clone)]
pub struct NewPayment<'a> {
    /// Its id.
    pub id: Uuid,
    /// Whose bill it is about.
    pub organization_id: OrganizationId,
    /// Which bill.
    pub invoice_id: InvoiceId,
    /// What happened.
    pub kind: PaymentKind,
    /// Whether it is certain.
    pub state: PaymentState,
    /// How much.
    pub amount: Amount,
    /// `manual`, or the name of a payment provider.
    pub provider: &'a str,
    /// What the provider calls it.
    pub provider_ref: Option<&'a str>,
    /// Of a refund: the payment that it gives back.
    pub of_payment: Option<Uuid>,
    /// Why, in words.
    pub note: Option<&'a str>,
}

/// Who an organization is at the payment provider.
#[derive(Debug, Clone, FromRow)]
pub struct PaymentAccountRow {
    /// Which provider.
    pub provider: String,
    /// What it calls the organization.
    pub customer_ref: String,
    /// What it calls the way to pay.
    pub method_ref: Option<String>,
    /// The way to pay as people know it: `Visa ending in 4242, 12/2030`.
    pub method_label: Option<String>,
    /// A number for the tax office, its kind before it: `eu_vat DE123456789`.
    pub tax_id: Option<String>,
}

const PAYMENT: &str = "select p.*, o.name as organization, i.number from payments p
    join organizations o on o.id = p.organization_id join invoices i on i.id = p.invoice_id";

impl Store {
    /// What happened to a bill that the scope may see, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_payments(&self, scope: Scope, invoice: InvoiceId) -> Result<Vec<PaymentRow>> {
        let sql = format!(
            "{PAYMENT} where p.invoice_id = $1 and ($2::uuid is null or p.organization_id = $2) order by p.at, p.id"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(invoice.uuid())
            .bind(scope.organization().map(OrganizationId::uuid))
            .fetch_all(&self.pool)
            .await?)
    }

    /// The last movements of one kind, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_payments_of_kind(&self, kind: PaymentKind, limit: i64) -> Result<Vec<PaymentRow>> {
        let sql = format!("{PAYMENT} where p.kind = $1 order by p.at desc, p.id desc limit $2");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(kind.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// One movement.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_payment(&self, id: Uuid) -> Result<PaymentRow> {
        let sql = format!("{PAYMENT} where p.id = $1");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("payment"))
    }

    /// A movement by what its provider calls it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_payment(
        &self,
        provider: &str,
        kind: PaymentKind,
        provider_ref: &str,
    ) -> Result<Option<PaymentRow>> {
        let sql = format!("{PAYMENT} where p.provider = $1 and p.kind = $2 and p.provider_ref = $3");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(provider)
            .bind(kind.as_str())
            .bind(provider_ref)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Who an organization is at the payment provider; none before it was asked about anything.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_payment_account(&self, id: OrganizationId) -> Result<Option<PaymentAccountRow>> {
        Ok(sqlx::query_as(
            "select provider, customer_ref, method_ref, method_label, tax_id from payment_accounts
             where organization_id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Whose account this is at the provider.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_payer(&self, provider: &str, customer_ref: &str) -> Result<Option<OrganizationId>> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "select organization_id from payment_accounts where provider = $1 and customer_ref = $2",
        )
        .bind(provider)
        .bind(customer_ref)
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(OrganizationId::from))
    }

    /// Notes who an organization is at the provider, or its way to pay there; none leaves what is known.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_payment_account(
        &self,
        id: OrganizationId,
        provider: &str,
        customer_ref: &str,
        method: Option<(&str, &str)>,
    ) -> Result<()> {
        sqlx::query(
            "insert into payment_accounts as a (organization_id, provider, customer_ref, method_ref, method_label)
             values ($1, $2, $3, $4, $5) on conflict (organization_id) do update set provider = excluded.provider,
                customer_ref = excluded.customer_ref, method_ref = coalesce(excluded.method_ref, a.method_ref),
                method_label = coalesce(excluded.method_label, a.method_label), updated_at = now()",
        )
        .bind(id.uuid())
        .bind(provider)
        .bind(customer_ref)
        .bind(method.map(|method| method.0))
        .bind(method.map(|method| method.1))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Tx {
    /// Notes a movement. False where the provider told us of it before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_payment(&mut self, new: &NewPayment<'_>) -> Result<bool> {
        let done = sqlx::query(
            "insert into payments (id, organization_id, invoice_id, kind, state, amount_minor, currency, provider,
                provider_ref, of_payment, note)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (provider, kind, provider_ref) do nothing",
        )
        .bind(new.id)
        .bind(new.organization_id.uuid())
        .bind(new.invoice_id.uuid())
        .bind(new.kind.as_str())
        .bind(new.state.as_str())
        .bind(new.amount.minor.cast_signed())
        .bind(new.amount.currency.as_str())
        .bind(new.provider)
        .bind(new.provider_ref)
        .bind(new.of_payment)
        .bind(new.note)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Says what became of a movement that was asked of the provider, and why it failed. What failed stays so: it may have
    /// been tried anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_payment(
        &mut self,
        id: Uuid,
        state: PaymentState,
        provider_ref: Option<&str>,
        failure: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update payments set state = $2, provider_ref = coalesce($3, provider_ref), failure = $4
             where id = $1 and state in ('pending', 'done')",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(provider_ref)
        .bind(failure)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Nobody waits any more for a movement that failed. False where it did not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn withdraw_payment(&mut self, id: Uuid) -> Result<bool> {
        let done = sqlx::query("update payments set state = 'withdrawn' where id = $1 and state = 'failed'")
            .bind(id)
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Sums what went back of a bill into its row: refunds and credit notes that happened or may.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sum_returns(&mut self, invoice: InvoiceId) -> Result<()> {
        sqlx::query(
            "update invoices set version = version + 1,
                refunded_minor = (select coalesce(sum(amount_minor), 0) from payments
                    where invoice_id = $1 and kind = 'refund' and state in ('pending', 'done')),
                credited_minor = (select coalesce(sum(amount_minor), 0) from payments
                    where invoice_id = $1 and kind = 'credit' and state in ('pending', 'done'))
             where id = $1",
        )
        .bind(invoice.uuid())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps the tax number that an organization gave.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_tax_id(&mut self, id: OrganizationId, reference: &str, text: &str) -> Result<()> {
        sqlx::query(
            "update payment_accounts set tax_id_ref = $2, tax_id = $3, updated_at = now() where organization_id = $1",
        )
        .bind(id.uuid())
        .bind(reference)
        .bind(text)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
