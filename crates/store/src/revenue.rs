//! Sums for whoever runs the platform: what is due every month, and what was billed.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{CalendarMonth, Currency, InvoiceState, OrganizationId, PlanId, Scope};
use uuid::Uuid;

use crate::{Result, Store};

/// Subscriptions in force on one tariff of a plan.
#[derive(Debug, Clone, FromRow)]
pub struct RecurringRow {
    /// The product's name.
    pub product: String,
    /// Which plan.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// The plan's name.
    pub plan: String,
    /// Of the amount.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// So many.
    pub subscriptions: i64,
    /// Their base fees of a month together, in minor units.
    pub base_minor: i64,
}

/// What of bills that could not be collected is for one plan.
#[derive(Debug, Clone, FromRow)]
pub struct FailedRow {
    /// The product's name.
    pub product: String,
    /// Which plan.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// The plan's name.
    pub plan: String,
    /// Of the amount.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// Minor units.
    pub amount_minor: i64,
}

/// Invoices of one state and currency.
#[derive(Debug, Clone, FromRow)]
pub struct InvoiceSumRow {
    /// Where they stand.
    #[sqlx(try_from = "String")]
    pub state: InvoiceState,
    /// Whether they should have been paid by now.
    pub overdue: bool,
    /// Of the amount.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// So many.
    pub invoices: i64,
    /// Together, in minor units.
    pub total_minor: i64,
}

impl Store {
    /// Base fees of all subscriptions in force, by plan and currency; those of trials are nothing yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_recurring(&self) -> Result<Vec<RecurringRow>> {
        Ok(sqlx::query_as(
            "select r.name as product, t.plan_id, p.name as plan, t.currency, count(*) as subscriptions,
                sum(case when t.trial_ends > now() and not coalesce((f.terms -> 'trial' ->> 'base_due')::boolean, false) then 0
                    else coalesce((tariff_in(f.terms, t.currency) ->> 'base_minor')::bigint, 0) end)::bigint as base_minor
             from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             join plans p on p.id = t.plan_id join products r on r.id = p.product_id
             where t.ends is null group by 1, 2, 3, 4 order by 1, 3, 4",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// What bills that could not be collected are for, by plan and currency; taxes and what was credited are not in it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_failed(&self) -> Result<Vec<FailedRow>> {
        Ok(sqlx::query_as(
            "select r.name as product, l.plan_id, p.name as plan, i.currency, sum(l.amount_minor)::bigint as amount_minor
             from invoices i join invoice_lines l on l.invoice_id = i.id
             join plans p on p.id = l.plan_id join products r on r.id = p.product_id
             where i.state = 'open' and i.failed_at is not null group by 1, 2, 3, 4 order by 1, 3, 4",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// All invoices by state and currency, those that are overdue apart.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sum_invoices(&self, now: DateTime<Utc>) -> Result<Vec<InvoiceSumRow>> {
        Ok(sqlx::query_as(
            "select state, state = 'open' and due_at < $1 as overdue, currency, count(*) as invoices,
                sum(total_minor)::bigint as total_minor
             from invoices group by 1, 2, 3 order by 1, 2, 3",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await?)
    }
}

/// One line of one invoice, for the books.
#[derive(Debug, Clone, FromRow)]
pub struct JournalRow {
    /// The invoice's number.
    pub number: String,
    /// When it was written.
    pub issued_at: DateTime<Utc>,
    /// The first day of the month of the use.
    pub month: chrono::NaiveDate,
    /// Who owes it.
    pub organization: String,
    /// Where the invoice stands.
    pub state: String,
    /// base, usage, minimum, setup or late.
    pub kind: String,
    /// What it says on the bill.
    pub title: String,
    /// Units.
    pub units: i64,
    /// Minor units.
    pub amount_minor: i64,
    /// Of the amount.
    pub currency: String,
}

impl Store {
    /// Lines of invoices, those issued in one month or all, the latest invoice first; 50,000 at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_journal(&self, scope: Scope, issued: Option<CalendarMonth>) -> Result<Vec<JournalRow>> {
        Ok(sqlx::query_as(
            "select i.number, i.issued_at, l.month, o.name as organization, i.state, l.kind, l.title, l.units,
                l.amount_minor, i.currency
             from invoices i join organizations o on o.id = i.organization_id
             join invoice_lines l on l.invoice_id = i.id
             where ($1::uuid is null or i.organization_id = $1)
               and ($2::timestamptz is null or i.issued_at >= $2 and i.issued_at < $3)
             order by i.id desc, l.position limit 50000",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(issued.map(CalendarMonth::start))
        .bind(issued.map(CalendarMonth::end))
        .fetch_all(&self.pool)
        .await?)
    }
}
