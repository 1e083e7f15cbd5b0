//! Writing bills: many with one statement for each table, because a month is closed for thousands of organizations.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use tollgate_domain::{
    Amount, CalendarMonth, InvoiceId, InvoiceState, OrganizationId, PlanId, SubscriptionId,
};
use uuid::Uuid;

use crate::{Result, Tx};

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
    /// The language that it is written in (BCP 47).
    pub language: &'static str,
    /// What it is made of.
    pub lines: Vec<NewInvoiceLine>,
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

fn each<'a, R: 'a, T>(rows: impl IntoIterator<Item = &'a R>, pick: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.into_iter().map(pick).collect()
}

impl Tx {
    /// Writes bills with their lines, without a number: [`Tx::number_invoices`] comes last, because the next bill waits for it.
    ///
    /// # Errors
    /// `Conflict` where an organization has one for the month and currency; or the database failed.
    pub async fn insert_invoices(&mut self, new: &[NewInvoice]) -> Result<()> {
        sqlx::query(
            "insert into invoices (id, organization_id, number, month, currency, state, total_minor, issued_at, due_at,
                language, settled_at)
             select id, organization_id, id::text, month, currency, state, total_minor, issued_at, due_at, language,
                case when state = 'open' then null else issued_at end
             from unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[],
                $8::timestamptz[], $9::text[])
                as t (id, organization_id, month, currency, state, total_minor, issued_at, due_at, language)",
        )
        .bind(each(new, |bill| bill.id.uuid()))
        .bind(each(new, |bill| bill.organization_id.uuid()))
        .bind(each(new, |bill| bill.month.first_day()))
        .bind(each(new, |bill| bill.total.currency.as_str()))
        .bind(each(new, |bill| bill.state.as_str()))
        .bind(each(new, |bill| bill.total.minor.cast_signed()))
        .bind(each(new, |bill| bill.issued_at))
        .bind(each(new, |bill| bill.due_at))
        .bind(each(new, |bill| bill.language))
        .execute(self.conn())
        .await?;
        self.insert_invoice_lines(new).await?;
        self.insert_invoice_days(new).await
    }

    /// What the owners of some organizations read in, where any of them chose: the first one's choice.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_bill_languages(
        &mut self,
        organizations: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, String)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select distinct on (m.organization_id) m.organization_id, u.language
             from members m join users u on u.id = m.user_id
             where m.organization_id = any($1) and m.role = 'owner' and u.disabled_at is null and u.language is not null
             order by m.organization_id, m.user_id",
        )
        .bind(organizations.iter().map(|one| one.uuid()).collect::<Vec<_>>())
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(|(id, language)| (id.into(), language)).collect())
    }

    async fn insert_invoice_lines(&mut self, bills: &[NewInvoice]) -> Result<()> {
        let lines = || bills.iter().flat_map(|bill| &bill.lines);
        let invoices = bills.iter().flat_map(|bill| bill.lines.iter().map(|_| bill.id.uuid()));
        let positions = bills.iter().flat_map(|bill| (1i32..).zip(&bill.lines).map(|(at, _)| at));
        sqlx::query(
            "insert into invoice_lines (invoice_id, position, subscription_id, plan_id, tariff, month, kind, meter,
                title, units, included, parts, amount_minor)
             select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::int[], $6::date[], $7::text[],
                $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::jsonb[], $13::bigint[])",
        )
        .bind(invoices.collect::<Vec<_>>())
        .bind(positions.collect::<Vec<_>>())
        .bind(each(lines(), |line| line.subscription_id.uuid()))
        .bind(each(lines(), |line| line.plan_id.uuid()))
        .bind(each(lines(), |line| line.tariff))
        .bind(each(lines(), |line| line.month.first_day()))
        .bind(each(lines(), |line| line.kind))
        .bind(each(lines(), |line| line.meter.as_deref()))
        .bind(each(lines(), |line| line.title.as_str()))
        .bind(each(lines(), |line| line.units.cast_signed()))
        .bind(each(lines(), |line| line.included.cast_signed()))
        .bind(each(lines(), |line| &line.parts))
        .bind(each(lines(), |line| line.amount_minor.cast_signed()))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn insert_invoice_days(&mut self, bills: &[NewInvoice]) -> Result<()> {
        let days: Vec<_> = bills
            .iter()
            .flat_map(|bill| (1i32..).zip(&bill.lines).map(|(at, line)| (bill.id.uuid(), at, line)))
            .flat_map(|(id, at, line)| line.days.iter().map(move |day| (id, at, day)))
            .collect();
        sqlx::query(
            "insert into invoice_line_days (invoice_id, position, day, route_id, units, amount_minor)
             select * from unnest($1::uuid[], $2::int[], $3::date[], $4::uuid[], $5::bigint[], $6::bigint[])",
        )
        .bind(each(&days, |(id, ..)| *id))
        .bind(each(&days, |(_, at, _)| *at))
        .bind(each(&days, |(.., day)| day.0))
        .bind(each(&days, |(.., day)| day.1))
        .bind(each(&days, |(.., day)| day.2.cast_signed()))
        .bind(each(&days, |(.., day)| day.3.cast_signed()))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Gives bills the next numbers of their year, in this order. Until the transaction ends, every other bill of the year
    /// waits here.
    ///
    /// # Errors
    /// The database failed.
    pub async fn number_invoices(&mut self, ids: &[InvoiceId], year: i32) -> Result<()> {
        sqlx::query(
            "with next as (
                insert into invoice_numbers as n (year, last) values ($2, cardinality($1::uuid[]))
                on conflict (year) do update set last = n.last + cardinality($1::uuid[])
                returning last - cardinality($1::uuid[]) as before
             ), given as (
                select t.id, (next.before + t.position)::text as number
                from next, unnest($1::uuid[]) with ordinality t (id, position)
             )
             update invoices i set number = format('INV-%s-%s', $2, lpad(g.number, greatest(6, length(g.number)), '0'))
             from given g where i.id = g.id",
        )
        .bind(each(ids, |id| id.uuid()))
        .bind(year)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
