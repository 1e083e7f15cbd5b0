//! What is asked of a payment provider, written before it is asked; and what the provider tells us, once each.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{NewJob, Result, Store, Tx};

/// A call that may be made now.
#[derive(Debug, Clone, FromRow)]
pub struct ProviderCallRow {
    /// Its idempotency key, the same at every attempt.
    pub key: Uuid,
    /// When it was written first.
    pub first_at: DateTime<Utc>,
    /// How often it was begun, this time included.
    pub attempts: i32,
    /// What was made, where it is done.
    pub answer: Option<String>,
    /// When it was done, or the provider said no.
    pub done_at: Option<DateTime<Utc>>,
}

/// An event that a provider sent, and that proved to be from it.
#[derive(Debug, Clone)]
pub struct NewProviderEvent<'a> {
    /// The provider's id for it.
    pub id: &'a str,
    /// Like `invoice.paid`.
    pub kind: &'a str,
    /// What it is about.
    pub object_id: Option<&'a str>,
    /// The version of the provider's API that it is written in.
    pub api_version: Option<&'a str>,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// queued, ignored or foreign.
    pub state: &'a str,
    /// What is odd about it.
    pub note: Option<&'a str>,
}

/// An event that was taken.
#[derive(Debug, Clone, FromRow)]
pub struct ProviderEventRow {
    /// The provider's id for it.
    pub id: String,
    /// Like `invoice.paid`.
    pub kind: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// When it came first.
    pub received_at: DateTime<Utc>,
    /// How often it came.
    pub deliveries: i32,
    /// queued, done, ignored or foreign.
    pub state: String,
    /// What is odd about it.
    pub note: Option<String>,
}

/// How the talk with the provider goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct ProviderFigures {
    /// Calls that were begun and are not done.
    pub calls_waiting: i64,
    /// Seconds that the oldest of them has waited.
    pub oldest_call_seconds: i64,
    /// Events that are not handled yet.
    pub events_queued: i64,
    /// Events of another mode or account than ours.
    pub events_foreign: i64,
    /// Events of the last day that are ours and odd: written in another version of the provider's interface, say.
    pub events_odd: i64,
    /// Differences that the last comparison found.
    pub differences: i64,
    /// Bills that could not be collected.
    pub failed_invoices: i64,
    /// Subscriptions that are stopped or throttled for one.
    pub landed_subscriptions: i64,
    /// Refunds and credit notes that the provider refused, and about which nobody has decided.
    pub failed_returns: i64,
}

/// What a comparison with the provider found.
#[derive(Debug, Clone, FromRow)]
pub struct ReconciliationRow {
    /// When it ran.
    pub ran_at: DateTime<Utc>,
    /// How many bills were compared.
    pub checked: i32,
    /// `[{invoice_id, number, what, ours, theirs}]`.
    pub differences: Value,
}

impl Store {
    /// Writes down that a call is made now, and gives its key: before it is made, so that whoever makes it again after a
    /// crash makes the same one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin_provider_call(&self, purpose: &str) -> Result<ProviderCallRow> {
        Ok(sqlx::query_as(
            "insert into provider_calls as c (purpose) values ($1)
             on conflict (purpose) do update set last_at = now(), attempts = c.attempts + 1
             returning key, first_at, attempts, answer, done_at",
        )
        .bind(purpose)
        .fetch_one(&self.pool)
        .await?)
    }

    /// The call is done, and made this.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_provider_call(&self, purpose: &str, answer: &str) -> Result<()> {
        sqlx::query(
            "update provider_calls set done_at = now(), answer = $2, error = null where purpose = $1",
        )
        .bind(purpose)
        .bind(answer)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The call failed. Nobody waits for one that was `answered`: the provider said no, and will say so again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn fail_provider_call(&self, purpose: &str, error: &str, answered: bool) -> Result<()> {
        sqlx::query(
            "update provider_calls set error = $2, done_at = case when $3 then now() end where purpose = $1",
        )
        .bind(purpose)
        .bind(error)
        .bind(answered)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What a call made, where it is done.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_provider_answer(&self, purpose: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("select answer from provider_calls where purpose = $1 and answer is not null")
            .bind(purpose)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// An event that was taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_provider_event(&self, id: &str) -> Result<Option<ProviderEventRow>> {
        Ok(sqlx::query_as("select * from provider_events where id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The last events, newest first; those that need to be looked at only, with `odd`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_provider_events(&self, odd: bool, limit: i64) -> Result<Vec<ProviderEventRow>> {
        Ok(sqlx::query_as(
            "select * from provider_events where not $1 or state = 'foreign' or note is not null
             order by received_at desc limit $2",
        )
        .bind(odd)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The event is handled.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_provider_event(&self, id: &str) -> Result<()> {
        sqlx::query("update provider_events set state = 'done', handled_at = now() where id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How the talk with the provider goes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn provider_figures(&self) -> Result<ProviderFigures> {
        Ok(sqlx::query_as(
            "select (select count(*) from provider_calls where done_at is null) as calls_waiting,
                (select coalesce(extract(epoch from now() - min(first_at)), 0)::bigint from provider_calls
                    where done_at is null) as oldest_call_seconds,
                (select count(*) from provider_events where state = 'queued') as events_queued,
                (select count(*) from provider_events where state = 'foreign') as events_foreign,
                (select count(*) from provider_events where state <> 'foreign' and note is not null
                    and received_at > now() - interval '1 day') as events_odd,
                coalesce((select jsonb_array_length(differences) from reconciliations
                    order by ran_at desc limit 1), 0)::bigint as differences,
                (select count(*) from invoices where state = 'open' and failed_at is not null) as failed_invoices,
                (select count(*) from subscriptions where unpaid or landed_plan_id is not null)
                    as landed_subscriptions,
                (select count(*) from payments where state = 'failed') as failed_returns",
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// Keeps what a comparison found; reports older than a year go.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_reconciliation(&self, checked: i32, differences: &Value) -> Result<()> {
        sqlx::query(
            "with old as (delete from reconciliations where ran_at < now() - interval '1 year')
             insert into reconciliations (id, checked, differences) values ($1, $2, $3)",
        )
        .bind(Uuid::now_v7())
        .bind(checked)
        .bind(differences)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last comparisons, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_reconciliations(&self, limit: i64) -> Result<Vec<ReconciliationRow>> {
        Ok(sqlx::query_as(
            "select ran_at, checked, differences from reconciliations order by ran_at desc limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Takes an event and queues what is to be done about it, together. False where it was taken before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_provider_event(
        &mut self,
        new: &NewProviderEvent<'_>,
        job: Option<&NewJob<'_>>,
    ) -> Result<bool> {
        let deliveries: i32 = sqlx::query_scalar(
            "insert into provider_events as e (id, kind, object_id, api_version, happened_at, state, note)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (id) do update set deliveries = e.deliveries + 1 returning deliveries",
        )
        .bind(new.id)
        .bind(new.kind)
        .bind(new.object_id)
        .bind(new.api_version)
        .bind(new.happened_at)
        .bind(new.state)
        .bind(new.note)
        .fetch_one(self.conn())
        .await?;
        if deliveries > 1 {
            return Ok(false);
        }
        if let Some(job) = job {
            self.insert_job(job).await?;
        }
        Ok(true)
    }
}
