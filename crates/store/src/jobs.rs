//! Work to be done later: queued with the change that causes it, leased by workers, kept when it fails for good.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// What is worked on beside each other: whoever waits in one lane waits for none of another's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(i16)]
pub enum Lane {
    /// What somebody waits for, or what looks after money and keys every few seconds.
    #[default]
    Prompt = 0,
    /// Periodic work over everything.
    Long = 1,
    /// One of many of a kind: a mail about each new invoice, say.
    Many = 2,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prompt, Self::Long, Self::Many];

    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Long => "long",
            Self::Many => "many",
        }
    }
}

/// Work to queue.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// Which work.
    pub kind: &'a str,
    /// Where it waits.
    pub lane: Lane,
    /// What about.
    pub payload: &'a Value,
    /// What it is about, where the same must not be done twice.
    pub once: Option<&'a str>,
    /// Not before this; none for now.
    pub run_at: Option<DateTime<Utc>>,
}

/// Work that this worker has to itself until the lease runs out.
#[derive(Debug, Clone, FromRow)]
pub struct JobRow {
    /// Its id.
    pub id: Uuid,
    /// Which work.
    pub kind: String,
    /// What about.
    pub payload: Value,
    /// How often it was begun, this time included.
    pub attempts: i32,
    /// Shown when it is finished, to prove that it is still ours.
    pub lease: Uuid,
}

/// Work that failed too often.
#[derive(Debug, Clone, FromRow)]
pub struct DeadJobRow {
    /// Its id.
    pub id: Uuid,
    /// Which work.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
}

/// How a lane of the queue is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneFigures {
    /// Jobs whose time has come.
    pub due: i64,
    /// Seconds that the oldest of them has waited.
    pub oldest_seconds: i64,
}

/// How the queue is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// By lane, as in [`Lane::ALL`].
    pub lanes: [LaneFigures; 3],
    /// Jobs that were given up.
    pub dead: i64,
}

const INSERT: &str = "insert into jobs (id, kind, payload, once, run_at, lane)
    values ($1, $2, $3, $4, coalesce($5, now()), $6) on conflict (once) do nothing";

fn insert<'q>(new: &'q NewJob<'q>) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(INSERT)
        .bind(Uuid::now_v7())
        .bind(new.kind)
        .bind(new.payload)
        .bind(new.once)
        .bind(new.run_at)
        .bind(new.lane as i16)
}

impl Tx {
    /// Queues work that is done only if this transaction commits. False where the same was queued before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_job(&mut self, new: &NewJob<'_>) -> Result<bool> {
        Ok(insert(new).execute(self.conn()).await?.rows_affected() == 1)
    }

    /// Queues the same kind of work for many, each done only if this transaction commits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_jobs(&mut self, kind: &str, lane: Lane, payloads: &[Value]) -> Result<()> {
        sqlx::query("insert into jobs (id, kind, payload, run_at, lane) select id, $1, payload, now(), $4 from unnest($2::uuid[], $3::jsonb[]) t (id, payload)")
            .bind(kind)
            .bind(payloads.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
            .bind(payloads)
            .bind(lane as i16)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

impl Store {
    /// Queues work that follows from no other change. False where the same was queued before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_job(&self, new: &NewJob<'_>) -> Result<bool> {
        Ok(insert(new).execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Takes up to `limit` due jobs of a lane for `seconds`. Workers that ask at the same time get different ones; a job whose
    /// worker died comes back when its lease has run out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lease_jobs(&self, lane: Lane, limit: i64, seconds: i32) -> Result<Vec<JobRow>> {
        Ok(sqlx::query_as(
            "update jobs set lease = gen_random_uuid(), attempts = attempts + 1,
                leased_until = now() + make_interval(secs => $2)
             where id in (select id from jobs where lane = $3 and dead_at is null and done_at is null and run_at <= now()
                and (leased_until is null or leased_until < now()) order by run_at limit $1 for update skip locked)
             returning id, kind, payload, attempts, lease",
        )
        .bind(limit)
        .bind(f64::from(seconds))
        .bind(lane as i16)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The job is done, and gone; one that may be done once only is remembered.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_job(&self, job: &JobRow) -> Result<()> {
        sqlx::query(
            "with gone as (delete from jobs where id = $1 and lease = $2 and once is null)
             update jobs set done_at = now(), lease = null, leased_until = null, last_error = null
             where id = $1 and lease = $2 and once is not null",
        )
        .bind(job.id)
        .bind(job.lease)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets what was done a hundred days ago.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_jobs(&self) -> Result<()> {
        sqlx::query("delete from jobs where done_at < now() - interval '100 days'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The job is to be done (again) in some seconds: because it failed, or, without an error, because its time comes
    /// round again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn postpone_job(&self, job: &JobRow, seconds: f64, error: Option<&str>) -> Result<()> {
        sqlx::query(
            "update jobs set run_at = now() + make_interval(secs => $3), lease = null, leased_until = null,
                last_error = $4, attempts = case when $4::text is null then 0 else attempts end
             where id = $1 and lease = $2",
        )
        .bind(job.id)
        .bind(job.lease)
        .bind(seconds)
        .bind(error)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The job is given up, and kept to be looked at.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bury_job(&self, job: &JobRow, error: &str) -> Result<()> {
        sqlx::query(
            "update jobs set dead_at = now(), lease = null, leased_until = null, last_error = $3
             where id = $1 and lease = $2",
        )
        .bind(job.id)
        .bind(job.lease)
        .bind(error)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Jobs that were given up, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_dead_jobs(&self, limit: i64) -> Result<Vec<DeadJobRow>> {
        Ok(sqlx::query_as(
            "select id, kind, attempts, last_error, dead_at from jobs where dead_at is not null
             order by dead_at desc limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// How the queue is doing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn queue_figures(&self) -> Result<QueueFigures> {
        let rows: Vec<(i16, i64, i64, i64)> = sqlx::query_as(
            "select lane, count(*) filter (where dead_at is null and done_at is null and run_at <= now()),
                coalesce(extract(epoch from now() - min(run_at) filter
                    (where dead_at is null and done_at is null and run_at <= now())), 0)::bigint,
                count(*) filter (where dead_at is not null)
             from jobs group by lane",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut figures = QueueFigures::default();
        for (lane, due, oldest_seconds, dead) in rows {
            if let Some(at) = Lane::ALL.iter().position(|one| *one as i16 == lane) {
                figures.lanes[at] = LaneFigures { due, oldest_seconds };
            }
            figures.dead += dead;
        }
        Ok(figures)
    }
}

impl Tx {
    /// Takes a dead job up again, from the beginning.
    ///
    /// # Errors
    /// `NotFound` where no such job is dead, or the database failed.
    pub async fn revive_job(&mut self, id: Uuid) -> Result<()> {
        let done = sqlx::query(
            "update jobs set dead_at = null, attempts = 0, run_at = now() where id = $1 and dead_at is not null",
        )
        .bind(id)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("job")) } else { Ok(()) }
    }

    /// Forgets a dead job.
    ///
    /// # Errors
    /// `NotFound` where no such job is dead, or the database failed.
    pub async fn delete_dead_job(&mut self, id: Uuid) -> Result<()> {
        let done = sqlx::query("delete from jobs where id = $1 and dead_at is not null")
            .bind(id)
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("job")) } else { Ok(()) }
    }
}
