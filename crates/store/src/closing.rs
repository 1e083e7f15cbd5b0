//! Closing a month: who is to be billed for it, what was billed so far, and that it is done.

use chrono::NaiveDate;
use sqlx::FromRow;
use tollgate_domain::{CalendarMonth, Currency, OrganizationId, PlanId, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// What was billed for a subscription on one tariff in one month.
#[derive(Debug, Clone, FromRow)]
pub struct BilledRow {
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// Which plan it was on.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// Minor units.
    pub amount_minor: i64,
}

impl Store {
    /// The last month that is closed, and whether bills were written for it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn last_closed_month(&self) -> Result<(CalendarMonth, bool)> {
        let (month, billed): (NaiveDate, bool) =
            sqlx::query_as("select month, billed from billing_months order by month desc limit 1")
                .fetch_one(&self.pool)
                .await?;
        Ok((CalendarMonth::from(month), billed))
    }

    /// Who may owe something for a month, or still for one before, and has no invoice for it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_unbilled(&self, month: CalendarMonth) -> Result<Vec<(OrganizationId, Currency)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select distinct t.organization_id, t.currency
             from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             where t.begins < $2 and coalesce(t.ends, 'infinity') > $1 and not prices_are_free(tariff_in(f.terms, t.currency))
               and not exists (select from invoices i where i.organization_id = t.organization_id
                    and i.month = $3 and i.currency = t.currency)
             union
             select t.organization_id, t.currency
             from late_counts l join billing_months b on b.month = l.month and b.billed
             join subscription_terms t on t.organization_id = l.organization_id
                and t.begins < (l.month + interval '1 month') at time zone 'UTC'
                and coalesce(t.ends, 'infinity') > l.month::timestamp at time zone 'UTC'
             where l.month < $3 and not exists (select from invoices i where i.organization_id = t.organization_id
                    and i.month = $3 and i.currency = t.currency)
             order by 1, 2",
        )
        .bind(month.previous().start())
        .bind(month.end())
        .bind(month.first_day())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, currency)| Some((OrganizationId::from(id), currency.parse().ok()?)))
            .collect())
    }

    /// Has the database look at what was written of bills. It checks each line against its bill, and does so by reading all
    /// of them as long as it believes that there are few.
    ///
    /// # Errors
    /// The database failed.
    pub async fn analyze_invoices(&self) -> Result<()> {
        sqlx::query("analyze invoices, invoice_lines").execute(&self.pool).await?;
        Ok(())
    }

    /// Nothing more is billed for a month but what comes late.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close_month(&self, month: CalendarMonth) -> Result<()> {
        sqlx::query("insert into billing_months (month) values ($1) on conflict do nothing")
            .bind(month.first_day())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Of some who may owe something, those without an invoice for the month. Until this transaction ends nobody else gets
    /// an answer about them: who asks meanwhile waits, and finds them billed.
    ///
    /// # Errors
    /// The database failed, or somebody else took too long.
    pub async fn claim_unbilled(
        &mut self,
        month: CalendarMonth,
        those: &[(OrganizationId, Currency)],
    ) -> Result<Vec<(OrganizationId, Currency)>> {
        let ids: Vec<Uuid> = those.iter().map(|(id, _)| id.uuid()).collect();
        let currencies: Vec<&str> = those.iter().map(|(_, currency)| currency.as_str()).collect();
        // In one order for all, so that no two wait for each other; and a statement of its own, because the next one must see
        // what others wrote while this one waited.
        sqlx::query(
            "select pg_advisory_xact_lock(hashtextextended(name, 0)) from (
                select format('bill:%s:%s:%s', $1::date, id, currency) as name
                from unnest($2::uuid[], $3::text[]) t (id, currency) order by 1
             ) names",
        )
        .bind(month.first_day())
        .bind(&ids)
        .bind(&currencies)
        .execute(self.conn())
        .await?;
        let open: Vec<bool> = sqlx::query_scalar(
            "select not exists (select from invoices i where i.organization_id = t.id and i.month = $1 and i.currency = t.currency)
             from unnest($2::uuid[], $3::text[]) with ordinality t (id, currency, position) order by position",
        )
        .bind(month.first_day())
        .bind(&ids)
        .bind(&currencies)
        .fetch_all(self.conn())
        .await?;
        Ok(those.iter().zip(open).filter_map(|(one, open)| open.then_some(*one)).collect())
    }

    /// What was billed so far for the use of a month.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_billed(
        &mut self,
        organizations: &[OrganizationId],
        month: CalendarMonth,
    ) -> Result<Vec<BilledRow>> {
        Ok(sqlx::query_as(
            "select i.organization_id, l.subscription_id, l.plan_id, l.tariff, sum(l.amount_minor)::bigint as amount_minor
             from invoice_lines l join invoices i on i.id = l.invoice_id
             where i.organization_id = any($1) and l.month = $2 group by 1, 2, 3, 4",
        )
        .bind(organizations.iter().map(|one| one.uuid()).collect::<Vec<_>>())
        .bind(month.first_day())
        .fetch_all(self.conn())
        .await?)
    }

    /// Which of some organizations have credits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_with_credits(
        &mut self,
        organizations: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, Currency)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select organization_id, currency from credit_accounts where organization_id = any($1) and balance_minor > 0",
        )
        .bind(organizations.iter().map(|one| one.uuid()).collect::<Vec<_>>())
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().filter_map(|(id, currency)| Some((id.into(), currency.parse().ok()?))).collect())
    }
}
