//! Bills that are not paid: their days of grace, and what happens to subscriptions when those are over.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{InvoiceId, OrganizationId, PlanId, SubscriptionId, UnpaidLanding};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// What is to be done about a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueKind {
    /// To be tried again to be collected.
    Attempt,
    /// Its due date passed without a payment.
    Overdue,
    /// Its grace is over.
    Landing,
}

/// A subscription that was stopped or throttled for an unpaid bill.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct LandedRow {
    /// Which.
    #[sqlx(try_from = "Uuid")]
    pub id: SubscriptionId,
    /// Whether its calls are refused; else they are held to the free plan's limits.
    pub unpaid: bool,
}

/// What is agreed about late payers of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct UnpaidTermsRow {
    /// What becomes of their calls.
    #[sqlx(try_from = "String", rename = "unpaid_landing")]
    pub landing: UnpaidLanding,
    /// Days of grace; none for the default of three.
    pub grace_days: Option<i16>,
}

impl Store {
    /// Bills about which something is to be done by now, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_due_invoices(
        &self,
        kind: DueKind,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<InvoiceId>> {
        let sql = match kind {
            DueKind::Attempt => "attempt_at <= $1 and provider_ref is not null",
            DueKind::Overdue => "due_at < $1 and failed_at is null",
            DueKind::Landing => "grace_until <= $1 and landed_at is null",
        };
        let sql = format!("select id from invoices where state = 'open' and {sql} order by id limit $2");
        let ids: Vec<Uuid> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(now).bind(limit).fetch_all(&self.pool).await?;
        Ok(ids.into_iter().map(InvoiceId::from).collect())
    }

    /// Open bills that the provider has not been given yet, of organizations or all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_uncollected(&self, limit: i64) -> Result<Vec<InvoiceId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select id from invoices where state = 'open' and provider_ref is null and failed_at is null
             and issued_at < now() - interval '10 minutes' order by id limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(InvoiceId::from).collect())
    }

    /// What is agreed about late payers of a plan.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_unpaid_terms(&self, id: PlanId) -> Result<UnpaidTermsRow> {
        sqlx::query_as("select unpaid_landing, grace_days from plans where id = $1")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// Days of grace that were agreed with an organization; none where its plans say.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_grace(&self, id: OrganizationId) -> Result<Option<i16>> {
        sqlx::query_scalar("select grace_days from organizations where id = $1")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("organization"))
    }

    /// Whether a bill of an organization is unpaid and its grace is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_landed(&self, id: OrganizationId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from invoices where organization_id = $1 and state = 'open' and landed_at is not null)",
        )
        .bind(id.uuid())
        .fetch_one(&self.pool)
        .await?)
    }

    /// The people who pay for an organization: those who may change its things.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_payers(&self, id: OrganizationId) -> Result<Vec<tollgate_domain::UserId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select m.user_id from members m join users u on u.id = m.user_id
             where m.organization_id = $1 and m.role = 'owner' and u.disabled_at is null order by m.user_id",
        )
        .bind(id.uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(Into::into).collect())
    }

    /// Keeps what a bill is at the provider.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_invoice_ref(
        &self,
        id: InvoiceId,
        provider_ref: &str,
        hosted_url: Option<&str>,
        tax_minor: u64,
    ) -> Result<()> {
        sqlx::query(
            "update invoices set provider_ref = $2, hosted_url = coalesce($3, hosted_url), tax_minor = $4 where id = $1",
        )
        .bind(id.uuid())
        .bind(provider_ref)
        .bind(hosted_url)
        .bind(tax_minor.cast_signed())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All open bills of an organization are to be tried again now: it left a way to pay.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attempt_now(&self, id: OrganizationId) -> Result<()> {
        sqlx::query(
            "update invoices set attempt_at = now() where organization_id = $1 and state = 'open' and provider_ref is not null",
        )
        .bind(id.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Tx {
    /// Notes that a bill could not be collected. The days of grace count from the first time: the customer's, else the
    /// longest of the plans on the bill, else three.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_failure(
        &mut self,
        id: InvoiceId,
        at: DateTime<Utc>,
        reason: &str,
        again_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        sqlx::query(
            "update invoices i set attempts = attempts + 1, failure = $3, attempt_at = $4, version = version + 1,
                failed_at = coalesce(failed_at, $2),
                grace_until = coalesce(grace_until, $2 + make_interval(days => coalesce(
                    (select grace_days::int from organizations o where o.id = i.organization_id),
                    (select max(coalesce(p.grace_days, 3))::int from invoice_lines l join plans p on p.id = l.plan_id
                     where l.invoice_id = i.id), 3)))
             where id = $1",
        )
        .bind(id.uuid())
        .bind(at)
        .bind(reason)
        .bind(again_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// A bill's grace is over: stops the subscriptions that it is for, or holds them to the limits of their product's free
    /// plan, as the plans on the bill say. A product without a free plan is stopped.
    ///
    /// # Errors
    /// The database failed.
    pub async fn land(&mut self, id: InvoiceId, now: DateTime<Utc>) -> Result<Vec<LandedRow>> {
        sqlx::query("update invoices set landed_at = $2, version = version + 1 where id = $1")
            .bind(id.uuid())
            .bind(now)
            .execute(self.conn())
            .await?;
        Ok(sqlx::query_as(
            "with hit as (
                select s.id, bool_or(p.unpaid_landing = 'block') as block,
                    (select f.id from plans f where f.product_id = s.product_id and f.price_minor = 0
                        and not exists (select from tariffs t where t.plan_id = f.id
                            and t.number = (select max(number) from tariffs where plan_id = f.id)
                            and (jsonb_array_length(t.terms -> 'meters') > 0 or (t.terms ->> 'minimum_minor')::bigint > 0))
                     order by f.created_at, f.id limit 1) as free
                from subscriptions s join invoice_lines l on l.subscription_id = s.id join plans p on p.id = l.plan_id
                where l.invoice_id = $1 and s.state in ('active', 'suspended') and p.unpaid_landing <> 'go_on'
                group by s.id)
             update subscriptions s set version = version + 1, unpaid = s.unpaid or hit.block or hit.free is null,
                landed_plan_id = case when hit.block then null else hit.free end
             from hit where hit.id = s.id returning s.id, s.unpaid",
        )
        .bind(id.uuid())
        .fetch_all(self.conn())
        .await?)
    }

    /// Lets subscriptions of an organization go on for which no unpaid bill is left.
    ///
    /// # Errors
    /// The database failed.
    pub async fn relieve(&mut self, id: OrganizationId) -> Result<Vec<SubscriptionId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "update subscriptions s set unpaid = false, landed_plan_id = null, version = version + 1
             where organization_id = $1 and (unpaid or landed_plan_id is not null)
                and not exists (select from invoices i join invoice_lines l on l.invoice_id = i.id
                    where i.organization_id = $1 and i.state = 'open' and i.landed_at is not null
                        and l.subscription_id = s.id)
             returning id",
        )
        .bind(id.uuid())
        .fetch_all(self.conn())
        .await?;
        Ok(ids.into_iter().map(SubscriptionId::from).collect())
    }

    /// Agrees on what becomes of late payers of a plan.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn update_unpaid_terms(&mut self, id: PlanId, terms: UnpaidTermsRow) -> Result<()> {
        let done = sqlx::query(
            "update plans set unpaid_landing = $2, grace_days = $3, version = version + 1 where id = $1",
        )
        .bind(id.uuid())
        .bind(terms.landing.as_str())
        .bind(terms.grace_days)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("plan")) } else { Ok(()) }
    }

    /// Agrees on an organization's days of grace; none leaves it to its plans.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn update_grace(&mut self, id: OrganizationId, days: Option<i16>) -> Result<()> {
        let done =
            sqlx::query("update organizations set grace_days = $2, version = version + 1 where id = $1")
                .bind(id.uuid())
                .bind(days)
                .execute(self.conn())
                .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("organization")) } else { Ok(()) }
    }
}
