//! Bills, their lines, and what the lines open to.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{
    Amount, CalendarMonth, Currency, InvoiceId, InvoiceState, OrganizationId, PlanId, RouteId, Scope,
    SubscriptionId,
};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// A bill.
#[derive(Debug, Clone, FromRow)]
pub struct InvoiceRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: InvoiceId,
    /// Who owes it.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Their name.
    pub organization: String,
    /// As people call it: `INV-2026-000001`.
    pub number: String,
    #[sqlx(rename = "month")]
    first_day: NaiveDate,
    #[sqlx(try_from = "String")]
    currency: Currency,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: InvoiceState,
    total_minor: i64,
    /// When it was written.
    pub issued_at: DateTime<Utc>,
    /// Until when it is to be paid.
    pub due_at: DateTime<Utc>,
    /// When it was paid or given up.
    pub settled_at: Option<DateTime<Utc>>,
    /// What the payment provider calls it, once it has it.
    pub provider_ref: Option<String>,
    /// Where the provider shows it.
    pub hosted_url: Option<String>,
    tax_minor: i64,
    /// How often it was tried to be collected, or found overdue.
    pub attempts: i32,
    /// When it is tried next.
    pub attempt_at: Option<DateTime<Utc>>,
    /// When it could not be collected first.
    pub failed_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
    /// When the days of grace are over.
    pub grace_until: Option<DateTime<Utc>>,
    /// When they were, and calls were refused or throttled for it.
    pub landed_at: Option<DateTime<Utc>>,
    refunded_minor: i64,
    credited_minor: i64,
    /// The language that it is written in (BCP 47).
    pub language: String,
    /// Grows with every change.
    pub version: i64,
}

impl InvoiceRow {
    /// The month that it is for.
    #[must_use]
    pub fn month(&self) -> CalendarMonth {
        self.first_day.into()
    }

    /// What it comes to.
    #[must_use]
    pub const fn total(&self) -> Amount {
        self.amount(self.total_minor)
    }

    const fn amount(&self, minor: i64) -> Amount {
        Amount { minor: minor.unsigned_abs(), currency: self.currency }
    }

    /// Tax that the provider put on top of the total.
    #[must_use]
    pub const fn tax(&self) -> Amount {
        self.amount(self.tax_minor)
    }

    /// What is to be paid: the total with tax, without what was credited.
    #[must_use]
    pub const fn due(&self) -> Amount {
        let due = self.total_minor + self.tax_minor - self.credited_minor;
        self.amount(if due > 0 { due } else { 0 })
    }

    /// What was given back.
    #[must_use]
    pub const fn refunded(&self) -> Amount {
        self.amount(self.refunded_minor)
    }

    /// By how much credit notes lowered it.
    #[must_use]
    pub const fn credited(&self) -> Amount {
        self.amount(self.credited_minor)
    }
}

/// One amount of a bill.
#[derive(Debug, Clone, FromRow)]
pub struct InvoiceLineRow {
    /// Counts from 1.
    pub position: i32,
    /// For which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// On which plan.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// The first day of the month of the use.
    pub month: NaiveDate,
    /// base, usage, minimum, setup or late.
    pub kind: String,
    /// What was counted.
    pub meter: Option<String>,
    /// What it says on the bill.
    pub title: String,
    /// Units, the included ones among them.
    pub units: i64,
    /// Of them, those that cost nothing.
    pub included: i64,
    /// How the others come to the amount: `{units, unit_minor, flat_minor}`.
    pub parts: Value,
    /// Minor units.
    pub amount_minor: i64,
}

/// What a line says of one day and operation.
#[derive(Debug, Clone, FromRow)]
pub struct InvoiceDayRow {
    /// Of which line.
    pub position: i32,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The operation.
    #[sqlx(try_from = "Uuid")]
    pub route_id: RouteId,
    /// Method; none where the operation is gone.
    pub method: Option<String>,
    /// Path template, with the API's base path.
    pub path: Option<String>,
    /// Units.
    pub units: i64,
    /// Its share of the line, in minor units.
    pub amount_minor: i64,
}

const INVOICE: &str =
    "select i.*, o.name as organization from invoices i join organizations o on o.id = i.organization_id";

impl Store {
    /// A bill that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_invoice(&self, scope: Scope, id: InvoiceId) -> Result<InvoiceRow> {
        let sql = format!("{INVOICE} where i.id = $1 and ($2::uuid is null or i.organization_id = $2)");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id.uuid())
            .bind(scope.organization().map(OrganizationId::uuid))
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("invoice"))
    }

    /// Bills that the scope may see, in one state or in all, newest first; `page.after` is the last one of the page before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_invoices(
        &self,
        scope: Scope,
        state: Option<InvoiceState>,
        page: Page,
    ) -> Result<Vec<InvoiceRow>> {
        let sql = format!(
            "{INVOICE} where ($1::uuid is null or i.organization_id = $1) and ($2::text is null or i.state = $2)
             and ($3::uuid is null or i.id < $3) order by i.id desc limit $4"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(state.map(InvoiceState::as_str))
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Bills of anybody by their ids, in any order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_invoices_of(&self, ids: &[Uuid]) -> Result<Vec<InvoiceRow>> {
        let sql = format!("{INVOICE} where i.id = any($1)");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(&self.pool).await?)
    }

    /// The lines of a bill that the scope may see; none where it may not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_invoice_lines(&self, scope: Scope, id: InvoiceId) -> Result<Vec<InvoiceLineRow>> {
        Ok(sqlx::query_as(
            "select l.* from invoice_lines l join invoices i on i.id = l.invoice_id
             where l.invoice_id = $1 and ($2::uuid is null or i.organization_id = $2) order by l.position",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_all(&self.pool)
        .await?)
    }

    /// What the lines of a bill open to, by line, day and operation; `limit` rows at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_invoice_days(
        &self,
        scope: Scope,
        id: InvoiceId,
        limit: i64,
    ) -> Result<Vec<InvoiceDayRow>> {
        Ok(sqlx::query_as(
            "select d.position, d.day, d.route_id, r.method, a.base_path || r.path as path, d.units, d.amount_minor
             from invoice_line_days d join invoices i on i.id = d.invoice_id
             left join routes r on r.id = d.route_id left join apis a on a.id = r.api_id
             where d.invoice_id = $1 and ($2::uuid is null or i.organization_id = $2)
             order by d.position, d.day, path, r.method limit $3",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a bill and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_invoice(&mut self, id: InvoiceId) -> Result<InvoiceRow> {
        let sql = format!("{INVOICE} where i.id = $1 for update of i");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("invoice"))
    }

    /// Says that a bill was paid, or given up.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_invoice(&mut self, id: InvoiceId, state: InvoiceState) -> Result<()> {
        sqlx::query(
            "update invoices set state = $2, settled_at = now(), attempt_at = null, version = version + 1 where id = $1",
        )
        .bind(id.uuid())
        .bind(state.as_str())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
