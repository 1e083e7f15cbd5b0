//! What gateways read: the blueprint, the consumers, and what changed since a revision.

mod blueprint;
mod consumers;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgListener, PgRow};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use tollgate_domain::{ApplicationId, Blueprint, ConsumerApplication};
use uuid::Uuid;

pub use self::blueprint::BlueprintRead;
use self::blueprint::{read_blueprint, touched_apis};
use self::consumers::read_consumers;
use crate::{Error, Result, Store, Tx};

/// Where the configuration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Head {
    /// Differs after a restore from backup.
    pub epoch: Uuid,
    /// Grows by one with every transaction that changed something.
    pub revision: i64,
}

/// One thing that a revision touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedChange {
    /// The revision.
    pub revision: i64,
    /// What it touched.
    pub kind: FeedKind,
}

/// What to read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// Services, APIs, routes, products or plans.
    Blueprint,
    /// One application with its keys and subscriptions.
    Consumer(ApplicationId),
}

/// Everything, in one consistent view.
#[derive(Debug, Clone)]
pub struct FullLoad {
    /// Routes, services, products and plans; carries epoch and revision of the whole load.
    pub blueprint: Blueprint,
    /// Every active application.
    pub applications: Vec<ConsumerApplication>,
}

/// A connection that hears of new revisions. A hint only: it may miss some, so the head is polled as well.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next notice.
    ///
    /// # Errors
    /// The connection was lost; listen again.
    pub async fn recv(&mut self) -> Result<()> {
        // try_recv tells of a lost connection instead of hiding it, and what happened meanwhile was missed.
        match self.0.try_recv().await? {
            Some(_) => Ok(()),
            None => Err(Error::Unavailable(sqlx::Error::WorkerCrashed)),
        }
    }
}

impl Store {
    /// The current revision.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_head(&self) -> Result<Head> {
        Ok(sqlx::query_as("select epoch, revision from config_head").fetch_one(&self.pool).await?)
    }

    /// The current revision, and what time it is there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_head_now(&self) -> Result<(Head, DateTime<Utc>)> {
        let query = sqlx::query_as("select epoch, revision, clock_timestamp() from config_head");
        let (epoch, revision, now) = query.fetch_one(&self.pool).await?;
        Ok((Head { epoch, revision }, now))
    }

    /// Starts to listen.
    ///
    /// # Errors
    /// The database is away.
    pub async fn feed_listen(&self) -> Result<Listener> {
        let mut listener = PgListener::connect_with(self.pool()).await?;
        listener.ignore_pool_close_event(true);
        listener.listen("tollgate_config").await?;
        Ok(Listener(listener))
    }

    /// What changed after a revision, in order; none where the log no longer reaches back that far.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_changes(&self, after: i64) -> Result<Option<Vec<FeedChange>>> {
        let oldest: i64 =
            sqlx::query_scalar("select oldest_delta from config_head").fetch_one(&self.pool).await?;
        if after < oldest {
            return Ok(None);
        }
        let rows: Vec<(i64, String, Uuid)> = sqlx::query_as(
            "select revision, kind, subject_id from config_changes where revision > $1 order by revision",
        )
        .bind(after)
        .fetch_all(&self.pool)
        .await?;
        let changes = rows.into_iter().map(|(revision, kind, subject)| FeedChange {
            revision,
            kind: if kind == "consumer" { FeedKind::Consumer(subject.into()) } else { FeedKind::Blueprint },
        });
        let mut changes: Vec<_> = changes.collect();
        changes.dedup();
        Ok(Some(changes))
    }

    /// Forgets changes older than a week; who is further behind loads everything.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_prune(&self) -> Result<()> {
        sqlx::query(
            "with gone as (delete from config_changes where at < now() - interval '7 days' returning revision)
             update config_head set oldest_delta = greatest(oldest_delta, coalesce((select max(revision) from gone), 0))
             where exists (select from gone)",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Routes, services, products and plans in one consistent view.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_blueprint(&self) -> Result<Blueprint> {
        read_blueprint(&mut *self.consistent_view().await?, None).await
    }

    /// The same, where it is known as it was at `since`: the APIs that changed, and all else.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_blueprint_since(&self, since: Head) -> Result<BlueprintRead> {
        let mut view = self.consistent_view().await?;
        let touched = touched_apis(&mut view, since).await?;
        let blueprint = read_blueprint(&mut view, touched.as_deref()).await?;
        Ok(BlueprintRead { blueprint, touched })
    }

    /// Everything in one consistent view; allowed 60 s, since it may carry a million keys.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_full(&self) -> Result<FullLoad> {
        let mut view = self.consistent_view().await?;
        sqlx::query("set local statement_timeout = '60s'").execute(&mut *view).await?;
        let blueprint = read_blueprint(&mut view, None).await?;
        let applications = read_consumers(&mut view, None).await?;
        Ok(FullLoad { blueprint, applications })
    }

    /// Some applications; one that is not returned is deleted or unknown. All subscriptions of a suspended one are
    /// suspended, so that its calls are refused by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_consumers(&self, ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut view = self.consistent_view().await?;
        read_consumers(&mut view, Some(&ids)).await
    }

    async fn consistent_view(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>> {
        let mut tx = tokio::time::timeout(Duration::from_secs(5), self.pool().begin())
            .await
            .map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))??;
        sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
        Ok(tx)
    }
}

impl Tx {
    /// The blueprint as this transaction would leave it, so that it can be compiled before it is committed. Until this
    /// transaction ends no other configuration change commits, so what was compiled is what will be in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn blueprint(&mut self) -> Result<Blueprint> {
        // The row that gives revisions: whoever holds it is alone. The read below is a statement of its own and sees
        // everything that was committed before the lock was had.
        sqlx::query("select revision from config_head for update").execute(self.conn()).await?;
        let mut connection = self.conn().connection().await?;
        read_blueprint(connection.as_mut().ok_or(sqlx::Error::PoolClosed)?, None).await
    }
}

/// The rows of everything, or those whose `id` is asked for. Two statements, for one that does both would have one plan:
/// PostgreSQL then reads a million rows to find those of one application.
async fn rows<T>(conn: &mut PgConnection, all: &str, id: &str, ids: Option<&[Uuid]>) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(match ids {
        Some(ids) => {
            let some = AssertSqlSafe(format!("{all} and {id} = any($1)"));
            sqlx::query_as(some).bind(ids).fetch_all(conn).await?
        }
        None => sqlx::query_as(AssertSqlSafe(all.to_owned())).fetch_all(conn).await?,
    })
}
