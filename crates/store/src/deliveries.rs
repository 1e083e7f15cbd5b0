//! Deliveries to webhooks: a queue of what is still to be told, and a log of how it went.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{EventId, OrganizationId, Scope, WebhookId};
use uuid::Uuid;

use crate::{Error, EventRow, Result, Store, Tx};

/// A delivery that this worker has to itself until the lease runs out.
#[derive(Debug, Clone, FromRow)]
pub struct LeasedDelivery {
    /// To which webhook.
    #[sqlx(try_from = "Uuid")]
    pub webhook_id: WebhookId,
    /// Where that is.
    pub url: String,
    /// What it is signed with.
    pub secret_sealed: Vec<u8>,
    /// What it is signed with besides, while a rotation goes on.
    pub old_secret_sealed: Option<Vec<u8>>,
    /// What is told.
    #[sqlx(flatten)]
    pub event: EventRow,
    /// How often it was sent in this round before.
    pub tries: i32,
    /// Shown when it is settled, to prove that it is still ours.
    pub lease: Uuid,
}

/// A delivery as its log shows it.
#[derive(Debug, Clone, FromRow)]
pub struct DeliveryRow {
    /// What is told.
    #[sqlx(flatten)]
    pub event: EventRow,
    /// pending, delivered or dead.
    pub state: String,
    /// How often it was sent.
    pub attempts: i64,
    /// What the receiver answered last.
    pub status: Option<i32>,
    /// Why the last attempt did not arrive.
    pub error: Option<String>,
    /// When it is sent next, while it is pending.
    pub run_at: DateTime<Utc>,
    /// When it arrived or was given up.
    pub settled_at: Option<DateTime<Utc>>,
}

/// One time that a delivery was sent.
#[derive(Debug, Clone, FromRow)]
pub struct AttemptRow {
    /// Counts from 1.
    pub number: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// What the receiver answered; none where no answer came.
    pub status: Option<i32>,
    /// Why it did not arrive.
    pub error: Option<String>,
    /// How the answer began.
    pub response: String,
}

/// What came of one attempt.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// What the receiver answered.
    pub status: Option<i32>,
    /// Why it did not arrive.
    pub error: Option<String>,
    /// How the answer began.
    pub response: String,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterAttempt {
    /// It arrived.
    Delivered,
    /// It is sent again then.
    Again(DateTime<Utc>),
    /// It is given up.
    Dead,
}

/// How the queue of deliveries is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct DeliveryFigures {
    /// Not yet arrived and not given up.
    pub pending: i64,
    /// Of them, whose time has come.
    pub due: i64,
    /// Seconds that the oldest of those has waited.
    pub oldest_seconds: i64,
    /// Webhooks that were switched off because they did not work.
    pub disabled: i64,
}

/// One webhook's share of what is sent at once: a slow receiver holds up itself alone.
const AT_ONCE_EACH: i64 = 4;

const LIST: &str = "
select e.id, e.type, e.data, e.created_at, d.state, d.run_at, d.settled_at,
    (select count(*) from webhook_attempts a where a.webhook_id = d.webhook_id and a.event_id = d.event_id) as attempts,
    l.status, l.error
from webhooks w join webhook_deliveries d on d.webhook_id = w.id join events e on e.id = d.event_id
left join lateral (select status, error from webhook_attempts a
    where a.webhook_id = d.webhook_id and a.event_id = d.event_id order by number desc limit 1) l on true
where w.id = $1 and ($2::uuid is null or w.organization_id = $2)";

impl Store {
    /// Takes up to `limit` due deliveries for `seconds`. Workers that ask at the same time get different ones; one whose
    /// worker died comes back when its lease has run out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lease_deliveries(&self, limit: i64, seconds: i32) -> Result<Vec<LeasedDelivery>> {
        Ok(sqlx::query_as(
            "with due as (
                select d.webhook_id, d.event_id from webhooks w cross join lateral (
                    select webhook_id, event_id, run_at from webhook_deliveries
                    where webhook_id = w.id and state = 'pending' and run_at <= now()
                        and (leased_until is null or leased_until < now())
                    order by run_at limit $3 for update skip locked
                ) d where w.state = 'active' order by d.run_at limit $1
             ), taken as (
                update webhook_deliveries d set lease = gen_random_uuid(),
                    leased_until = now() + make_interval(secs => $2)
                from due where d.webhook_id = due.webhook_id and d.event_id = due.event_id
                returning d.webhook_id, d.event_id, d.tries, d.lease
             )
             select t.webhook_id, w.url, w.secret_sealed, t.tries, t.lease, e.id, e.type, e.data, e.created_at,
                case when w.old_secret_until > now() then w.old_secret_sealed end as old_secret_sealed
             from taken t join webhooks w on w.id = t.webhook_id join events e on e.id = t.event_id",
        )
        .bind(limit)
        .bind(f64::from(seconds))
        .bind(AT_ONCE_EACH)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The latest deliveries to a webhook; with `before`, those of earlier events.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_deliveries(
        &self,
        scope: Scope,
        webhook: WebhookId,
        state: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>> {
        let sql = format!(
            "{LIST} and ($3::text is null or d.state = $3) and ($4::uuid is null or d.event_id < $4)
             order by d.event_id desc limit $5"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(webhook.uuid())
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(state)
            .bind(before)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// One delivery.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_delivery(
        &self,
        scope: Scope,
        webhook: WebhookId,
        event: EventId,
    ) -> Result<DeliveryRow> {
        let sql = format!("{LIST} and d.event_id = $3");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(webhook.uuid())
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(event.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("delivery"))
    }

    /// How a delivery went, the latest attempt first. Ask for the delivery before: that is where the scope counts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_attempts(&self, webhook: WebhookId, event: EventId) -> Result<Vec<AttemptRow>> {
        Ok(sqlx::query_as(
            "select number, at, duration_ms, status, error, response from webhook_attempts
             where webhook_id = $1 and event_id = $2 order by number desc limit 100",
        )
        .bind(webhook.uuid())
        .bind(event.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// How the queue is doing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delivery_figures(&self) -> Result<DeliveryFigures> {
        Ok(sqlx::query_as(
            "select count(*) as pending, count(*) filter (where run_at <= now()) as due,
                coalesce(extract(epoch from now() - min(run_at) filter (where run_at <= now())), 0)::bigint
                    as oldest_seconds,
                (select count(*) from webhooks where disabled_because in ('failing', 'gone')) as disabled
             from webhook_deliveries where state = 'pending'",
        )
        .fetch_one(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Writes down an attempt and what becomes of the delivery. None where the lease was lost: then nothing is written.
    /// Else since when the webhook has been failing, if it has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_attempt(
        &mut self,
        delivery: &LeasedDelivery,
        attempt: &NewAttempt,
        after: AfterAttempt,
    ) -> Result<Option<Option<DateTime<Utc>>>> {
        let (state, run_at) = match after {
            AfterAttempt::Delivered => ("delivered", None),
            AfterAttempt::Again(at) => ("pending", Some(at)),
            AfterAttempt::Dead => ("dead", None),
        };
        let settled = sqlx::query(
            "update webhook_deliveries set state = $4, tries = tries + 1, run_at = coalesce($5, run_at), lease = null,
                leased_until = null, settled_at = case when $4 = 'pending' then null else now() end
             where webhook_id = $1 and event_id = $2 and lease = $3",
        )
        .bind(delivery.webhook_id.uuid())
        .bind(delivery.event.id.uuid())
        .bind(delivery.lease)
        .bind(state)
        .bind(run_at)
        .execute(self.conn())
        .await?;
        if settled.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query(
            "insert into webhook_attempts (webhook_id, event_id, number, at, duration_ms, status, error, response)
             select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7 from webhook_attempts
             where webhook_id = $1 and event_id = $2",
        )
        .bind(delivery.webhook_id.uuid())
        .bind(delivery.event.id.uuid())
        .bind(attempt.at)
        .bind(attempt.duration_ms)
        .bind(attempt.status)
        .bind(attempt.error.as_deref())
        .bind(&attempt.response)
        .execute(self.conn())
        .await?;
        let failing = sqlx::query_scalar(
            "update webhooks set failing_since = case when $2 then null else coalesce(failing_since, $3) end
             where id = $1 returning failing_since",
        )
        .bind(delivery.webhook_id.uuid())
        .bind(after == AfterAttempt::Delivered)
        .bind(attempt.at)
        .fetch_one(self.conn())
        .await?;
        Ok(Some(failing))
    }

    /// Sends a delivery anew, from the beginning.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn replay_delivery(&mut self, webhook: WebhookId, event: EventId) -> Result<()> {
        let done = sqlx::query(
            "update webhook_deliveries set state = 'pending', tries = 0, run_at = now(), lease = null,
                leased_until = null, settled_at = null where webhook_id = $1 and event_id = $2",
        )
        .bind(webhook.uuid())
        .bind(event.uuid())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("delivery")) } else { Ok(()) }
    }

    /// Sends everything anew that was given up since an instant; returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replay_dead_deliveries(&mut self, webhook: WebhookId, since: DateTime<Utc>) -> Result<u64> {
        let done = sqlx::query(
            "update webhook_deliveries d set state = 'pending', tries = 0, run_at = now(), settled_at = null
             from events e where e.id = d.event_id and d.webhook_id = $1 and d.state = 'dead' and e.created_at >= $2",
        )
        .bind(webhook.uuid())
        .bind(since)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }
}
