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

/// A bill to be written.
#[derive(Debug, Clone)]
pub struct NewInvoice {
    /// Its id.
    pub id: InvoiceId,
    /// Who owes it.
    pub organization_id: OrganizationId,
    /// The month that it is for.
    pub month: CalendarMonth,
    /// What it comes to.
    pub total: Amount,
    /// Where it starts.
    pub state: InvoiceState,
    /// When it is written.
    pub issued_at: DateTime<Utc>,
    /// Until when it is to be paid.
    pub due_at: DateTime<Utc>,
}

/// A line to be written.
#[derive(Debug, Clone)]
pub struct NewInvoiceLine {
    /// For which subscription.
    pub subscription_id: SubscriptionId,
    /// On which plan.
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// The month of the use.
    pub month: CalendarMonth,
    /// base, usage, minimum, setup or late.
    pub kind: &'static str,
    /// What was counted.
    pub meter: Option<String>,
    /// What it says on the bill.
    pub title: String,
    /// Units, the included ones among them.
    pub units: u64,
    /// Of them, those that cost nothing.
    pub included: u64,
    /// How the others come to the amount.
    pub parts: Value,
    /// Minor units.
    pub amount_minor: u64,
    /// Day, operation, units, share of the amount.
    pub days: Vec<(NaiveDate, Uuid, u64, u64)>,
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
    /// Writes a bill, without a number: [`Tx::number_invoice`] comes last, because the next bill waits for it.
    ///
    /// # Errors
    /// `Conflict` where the organization has one for the month and currency; or the database failed.
    pub async fn insert_invoice(&mut self, new: &NewInvoice, lines: &[NewInvoiceLine]) -> Result<()> {
        sqlx::query(
            "insert into invoices (id, organization_id, number, month, currency, state, total_minor, issued_at, due_at,
                settled_at)
             values ($1, $2, $1::text, $3, $4, $5, $6, $7, $8, case when $5 = 'open' then null else $7 end)",
        )
        .bind(new.id.uuid())
        .bind(new.organization_id.uuid())
        .bind(new.month.first_day())
        .bind(new.total.currency.as_str())
        .bind(new.state.as_str())
        .bind(new.total.minor.cast_signed())
        .bind(new.issued_at)
        .bind(new.due_at)
        .execute(self.conn())
        .await?;
        self.insert_invoice_lines(new.id, lines).await
    }

    /// Gives a bill the next number of its year. Until the transaction ends, every other bill of the year waits here.
    ///
    /// # Errors
    /// The database failed.
    pub async fn number_invoice(&mut self, id: InvoiceId, year: i32) -> Result<()> {
        sqlx::query(
            "with next as (
                insert into invoice_numbers as n (year, last) values ($2, 1)
                on conflict (year) do update set last = n.last + 1 returning last
             )
             update invoices set number = format('INV-%s-%s', $2, lpad(last::text, greatest(6, length(last::text)), '0'))
             from next where id = $1",
        )
        .bind(id.uuid())
        .bind(year)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// All lines with two statements, however many there are: a month is closed for thousands of organizations.
    async fn insert_invoice_lines(&mut self, id: InvoiceId, lines: &[NewInvoiceLine]) -> Result<()> {
        fn each<T>(lines: &[NewInvoiceLine], pick: impl Fn(&NewInvoiceLine) -> T) -> Vec<T> {
            lines.iter().map(pick).collect()
        }
        sqlx::query(
            "insert into invoice_lines (invoice_id, position, subscription_id, plan_id, tariff, month, kind, meter,
                title, units, included, parts, amount_minor)
             select $1, t.position::int, t.subscription_id, t.plan_id, t.tariff, t.month, t.kind, t.meter, t.title, t.units,
                t.included, t.parts, t.amount_minor
             from unnest($2::uuid[], $3::uuid[], $4::int[], $5::date[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                $10::bigint[], $11::jsonb[], $12::bigint[]) with ordinality
                as t (subscription_id, plan_id, tariff, month, kind, meter, title, units, included, parts, amount_minor, position)",
        )
        .bind(id.uuid())
        .bind(each(lines, |line| line.subscription_id.uuid()))
        .bind(each(lines, |line| line.plan_id.uuid()))
        .bind(each(lines, |line| line.tariff))
        .bind(each(lines, |line| line.month.first_day()))
        .bind(each(lines, |line| line.kind))
        .bind(each(lines, |line| line.meter.clone()))
        .bind(each(lines, |line| line.title.clone()))
        .bind(each(lines, |line| line.units.cast_signed()))
        .bind(each(lines, |line| line.included.cast_signed()))
        .bind(each(lines, |line| line.parts.clone()))
        .bind(each(lines, |line| line.amount_minor.cast_signed()))
        .execute(self.conn())
        .await?;
        let positions = 1i32..;
        let days: Vec<_> =
            positions.zip(lines).flat_map(|(at, line)| line.days.iter().map(move |day| (at, day))).collect();
        sqlx::query(
            "insert into invoice_line_days (invoice_id, position, day, route_id, units, amount_minor)
             select $1, * from unnest($2::int[], $3::date[], $4::uuid[], $5::bigint[], $6::bigint[])",
        )
        .bind(id.uuid())
        .bind(days.iter().map(|(at, _)| *at).collect::<Vec<_>>())
        .bind(days.iter().map(|(_, day)| day.0).collect::<Vec<_>>())
        .bind(days.iter().map(|(_, day)| day.1).collect::<Vec<_>>())
        .bind(days.iter().map(|(_, day)| day.2.cast_signed()).collect::<Vec<_>>())
        .bind(days.iter().map(|(_, day)| day.3.cast_signed()).collect::<Vec<_>>())
        .execute(self.conn())
        .await?;
        Ok(())
    }

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
