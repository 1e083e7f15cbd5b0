//! Credits: money that was paid in advance, as a ledger that is only written to. The database keeps the sums and refuses to
//! hold or use more than there is.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    Amount, CalendarMonth, Currency, InvoiceId, OrganizationId, PlanId, Scope, SubscriptionId,
};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// A movement of credits.
#[derive(Debug, Clone, FromRow)]
pub struct CreditEntryRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// In which currency.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// grant, use, expiry or refund.
    pub kind: String,
    /// Minor units: above 0 for grants, below for what is taken from one.
    pub amount_minor: i64,
    /// The grant that it is taken from.
    pub grant_id: Option<Uuid>,
    /// Of grants: when what is left is lost.
    pub expires_at: Option<DateTime<Utc>>,
    /// The invoice that it paid.
    pub invoice_id: Option<Uuid>,
    /// That invoice's number.
    pub invoice: Option<String>,
    /// Of grants: the visit to the payment provider's page that they were bought on.
    pub checkout_id: Option<Uuid>,
    /// What it is for, in somebody's words.
    pub note: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The balance after it, in minor units.
    pub balance_minor: i64,
    /// Of grants: what is left, in minor units.
    pub left_minor: i64,
    /// Of grants that were bought: what is on its way back, in minor units.
    pub returning_minor: i64,
}

/// What is left of a grant.
#[derive(Debug, Clone, FromRow)]
pub struct CreditGrantRow {
    /// Its id.
    pub id: Uuid,
    /// Minor units that it was.
    pub granted_minor: i64,
    /// Minor units that are left.
    pub left_minor: i64,
    /// When they are lost.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The sums of an organization in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct CreditAccountRow {
    /// In which currency.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    balance_minor: i64,
    held_minor: i64,
}

impl CreditAccountRow {
    /// What is there.
    #[must_use]
    pub const fn balance(&self) -> Amount {
        Amount { minor: self.balance_minor.unsigned_abs(), currency: self.currency }
    }

    /// Of it, what is set apart for calls under way.
    #[must_use]
    pub const fn held(&self) -> Amount {
        Amount { minor: self.held_minor.unsigned_abs(), currency: self.currency }
    }
}

/// A movement to be noted.
#[derive(Debug, Clone, Copy)]
pub struct NewCreditEntry<'e> {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which currency.
    pub currency: Currency,
    /// grant, use, expiry or refund.
    pub kind: &'static str,
    /// Minor units: above 0 for grants, below for what is taken from one.
    pub amount_minor: i64,
    /// The grant that it is taken from; none for grants.
    pub grant_id: Option<Uuid>,
    /// Of grants: when what is left is lost.
    pub expires_at: Option<DateTime<Utc>>,
    /// Of uses: the invoice that is paid.
    pub invoice_id: Option<InvoiceId>,
    /// Of grants that were bought: the visit to the payment provider's page.
    pub checkout_id: Option<Uuid>,
    /// What it is for.
    pub note: &'e str,
}

/// A subscription whose calls are paid from credits.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct PrepaidRow {
    /// Which.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// Whether its calls are served now.
    pub active: bool,
}

const LEFT: &str = "select g.id, g.expires_at, g.amount_minor as granted_minor,
        (g.amount_minor + coalesce((select sum(e.amount_minor) from credit_entries e where e.grant_id = g.id), 0))::bigint as left_minor
    from credit_entries g where g.kind = 'grant'";

impl Store {
    /// Whether a plan's calls are paid from credits as they are made.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn is_prepaid(&self, plan: PlanId) -> Result<bool> {
        sqlx::query_scalar("select prepaid from plans where id = $1")
            .bind(plan.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// The sums of an organization, by currency.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_accounts(&self, id: OrganizationId) -> Result<Vec<CreditAccountRow>> {
        Ok(sqlx::query_as(
            "select currency, balance_minor, held_minor from credit_accounts where organization_id = $1 order by currency",
        )
        .bind(id.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Movements, newest first, of an organization or all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_entries(&self, scope: Scope, limit: i64) -> Result<Vec<CreditEntryRow>> {
        Ok(sqlx::query_as(
            "select e.*, i.number as invoice,
                case when e.kind = 'grant' then e.amount_minor + coalesce((select sum(u.amount_minor) from credit_entries u
                    where u.grant_id = e.id), 0) else 0 end::bigint as left_minor,
                (select coalesce(sum(r.amount_minor), 0) from credit_refunds r where r.grant_id = e.id and r.state = 'pending')::bigint
                    as returning_minor,
                (sum(e.amount_minor) over (partition by e.organization_id, e.currency
                order by e.at, e.id))::bigint as balance_minor
             from credit_entries e left join invoices i on i.id = e.invoice_id
             where $1::uuid is null or e.organization_id = $1 order by e.at desc, e.id desc limit $2",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A movement of an organization.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_credit_entry(
        &self,
        organization: OrganizationId,
        id: Uuid,
    ) -> Result<Option<CreditEntryRow>> {
        Ok(sqlx::query_as(
            "select e.*, null::text as invoice, 0::bigint as balance_minor, 0::bigint as left_minor, 0::bigint as returning_minor
             from credit_entries e where e.id = $1 and e.organization_id = $2",
        )
        .bind(id)
        .bind(organization.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Accounts that are to be looked at: with subscriptions that are paid from them and were used since, or grants that
    /// expired, or a month that turns; with `all`, every one that has such subscriptions.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_accounts_to_look_at(
        &self,
        now: DateTime<Utc>,
        all: bool,
    ) -> Result<Vec<(OrganizationId, Currency)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select distinct s.organization_id, coalesce((select t.currency from subscription_terms t where t.subscription_id = s.id and t.ends is null), p.price_currency) from subscriptions s join plans p on p.id = s.plan_id
             where p.prepaid and s.state = 'active' and ($2 or exists (select from usage_counters u
                where u.organization_id = s.organization_id and u.subscription_id = s.id
                    and u.minute >= now() - interval '3 minutes' and u.charged > 0)
                or not exists (select from budgets b where b.subscription_id = s.id and b.name = '$credits'
                    and b.starts <= $1 and b.ends > $1))
             union
             select g.organization_id, g.currency from credit_entries g where g.expires_at <= $1
                and g.amount_minor + coalesce((select sum(e.amount_minor) from credit_entries e where e.grant_id = g.id), 0) > 0
             order by 1, 2 limit 10000",
        )
        .bind(now)
        .bind(all)
        .fetch_all(&self.pool)
        .await?;
        let known = rows.into_iter().filter_map(|(id, currency)| Some((id.into(), currency.parse().ok()?)));
        Ok(known.collect())
    }

    /// Sums over all organizations, by currency: credits that are owed to customers.
    ///
    /// # Errors
    /// The database failed.
    pub async fn credit_figures(&self) -> Result<Vec<CreditAccountRow>> {
        Ok(sqlx::query_as(
            "select currency, sum(balance_minor)::bigint as balance_minor, sum(held_minor)::bigint as held_minor
             from credit_accounts group by 1 order by 1",
        )
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks an account until this transaction ends; what is there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_credits(&mut self, id: OrganizationId, currency: Currency) -> Result<u64> {
        sqlx::query(
            "insert into credit_accounts (organization_id, currency) values ($1, $2) on conflict do nothing",
        )
        .bind(id.uuid())
        .bind(currency.as_str())
        .execute(self.conn())
        .await?;
        let balance: i64 = sqlx::query_scalar(
            "select balance_minor from credit_accounts where organization_id = $1 and currency = $2 for update",
        )
        .bind(id.uuid())
        .bind(currency.as_str())
        .fetch_one(self.conn())
        .await?;
        Ok(balance.unsigned_abs())
    }

    /// What is left of each grant, in the order in which they are used: what is lost first, then what came first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_grants(
        &mut self,
        id: OrganizationId,
        currency: Currency,
    ) -> Result<Vec<CreditGrantRow>> {
        let sql = format!(
            "select id, granted_minor, left_minor, expires_at from ({LEFT} and g.organization_id = $1 and g.currency = $2) l where left_minor > 0
             order by expires_at nulls last, id"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id.uuid())
            .bind(currency.as_str())
            .fetch_all(self.conn())
            .await?)
    }

    /// Notes a movement.
    ///
    /// # Errors
    /// The database failed, or refuses it because there is no more.
    pub async fn insert_credit_entry(&mut self, entry: &NewCreditEntry<'_>) -> Result<()> {
        sqlx::query(
            "insert into credit_entries (id, organization_id, currency, kind, amount_minor, grant_id, expires_at, invoice_id, note, checkout_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(entry.id)
        .bind(entry.organization_id.uuid())
        .bind(entry.currency.as_str())
        .bind(entry.kind)
        .bind(entry.amount_minor)
        .bind(entry.grant_id)
        .bind(entry.expires_at)
        .bind(entry.invoice_id.map(InvoiceId::uuid))
        .bind(entry.note)
        .bind(entry.checkout_id)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Subscriptions of an organization that are, or were in this or the last month, paid from its credits in a currency.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_prepaid(&mut self, id: OrganizationId, currency: Currency) -> Result<Vec<PrepaidRow>> {
        Ok(sqlx::query_as(
            "select s.id as subscription_id, s.state = 'active' and p.prepaid and coalesce((select t.currency from subscription_terms t where t.subscription_id = s.id and t.ends is null), p.price_currency) = $2 as active
             from subscriptions s join plans p on p.id = s.plan_id
             where s.organization_id = $1 and ((p.prepaid and coalesce((select t.currency from subscription_terms t where t.subscription_id = s.id and t.ends is null), p.price_currency) = $2 and s.state <> 'requested')
                or exists (select from credit_holds h where h.subscription_id = s.id and h.currency = $2))
             order by s.id",
        )
        .bind(id.uuid())
        .bind(currency.as_str())
        .fetch_all(self.conn())
        .await?)
    }

    /// Sets apart what a subscription's calls of a month may cost; nothing ends it.
    ///
    /// # Errors
    /// The database failed, or refuses it because there is no more.
    pub async fn hold_credits(
        &mut self,
        subscription: SubscriptionId,
        month: CalendarMonth,
        organization: OrganizationId,
        amount: Amount,
    ) -> Result<()> {
        if amount.minor == 0 {
            sqlx::query("delete from credit_holds where subscription_id = $1 and month = $2")
                .bind(subscription.uuid())
                .bind(month.first_day())
                .execute(self.conn())
                .await?;
            return Ok(());
        }
        sqlx::query(
            "insert into credit_holds (subscription_id, month, organization_id, currency, amount_minor)
             values ($1, $2, $3, $4, $5) on conflict (subscription_id, month) do update
                set amount_minor = excluded.amount_minor, currency = excluded.currency
                where credit_holds.amount_minor <> excluded.amount_minor or credit_holds.currency <> excluded.currency",
        )
        .bind(subscription.uuid())
        .bind(month.first_day())
        .bind(organization.uuid())
        .bind(amount.currency.as_str())
        .bind(amount.minor.cast_signed())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// What is set apart for an organization's calls, by subscription and month.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credit_holds(
        &mut self,
        id: OrganizationId,
        currency: Currency,
    ) -> Result<Vec<(SubscriptionId, CalendarMonth, u64)>> {
        let rows: Vec<(Uuid, NaiveDate, i64)> = sqlx::query_as(
            "select subscription_id, month, amount_minor from credit_holds where organization_id = $1 and currency = $2",
        )
        .bind(id.uuid())
        .bind(currency.as_str())
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(|(id, month, held)| (id.into(), month.into(), held.unsigned_abs())).collect())
    }

    /// Says whether a plan is paid for in advance.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_prepaid(&mut self, plan: PlanId, prepaid: bool) -> Result<()> {
        sqlx::query("update plans set prepaid = $2, version = version + 1 where id = $1 and prepaid <> $2")
            .bind(plan.uuid())
            .bind(prepaid)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
