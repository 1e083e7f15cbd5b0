//! Gateway processes and what they run.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// One gateway process.
#[derive(Debug, Clone, FromRow)]
pub struct NodeRow {
    /// The process.
    pub boot_id: Uuid,
    /// Its host's name or what it was told to be called.
    pub name: String,
    /// The build.
    pub version: String,
    /// The revision that it serves.
    pub revision: i64,
    /// starting, serving, draining or stopped.
    pub state: String,
    /// What of the newest revision it does not run, and why; none where it runs all of it.
    pub last_error: Option<String>,
    /// What the revision is made of: equal wherever the same configuration runs. None until about a second after a change.
    pub hash: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it last spoke.
    pub seen_at: DateTime<Utc>,
}

/// What a gateway process says of itself.
#[derive(Debug, Clone, Copy)]
pub struct NodeReport<'r> {
    /// The process.
    pub boot_id: Uuid,
    /// Its host's name or what it was told to be called.
    pub name: &'r str,
    /// The build.
    pub version: &'r str,
    /// The revision that it serves.
    pub revision: i64,
    /// starting, serving, draining or stopped.
    pub state: &'r str,
    /// What of the newest revision it does not run, and why; none where it runs all of it.
    pub last_error: Option<&'r str>,
    /// What the revision is made of, where that is known.
    pub hash: Option<&'r str>,
    /// All its calls that ended before this are stored.
    pub counted_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Says that a gateway lives, what it runs and what it has handed in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn gateway_heartbeat(&self, report: &NodeReport<'_>) -> Result<()> {
        sqlx::query(
            "insert into gateway_nodes (boot_id, name, version, revision, state, last_error, counted_at, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (boot_id) do update set revision = $4, state = $5, last_error = $6, counted_at = $7, hash = $8,
                seen_at = now(), silent_since = null",
        )
        .bind(report.boot_id)
        .bind(report.name)
        .bind(report.version)
        .bind(report.revision)
        .bind(report.state)
        .bind(report.last_error)
        .bind(report.counted_at)
        .bind(report.hash)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gateway processes that are gone for good, whose counts are all stored: the next one on their disk says so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bury_gateways(&self, boots: &[Uuid]) -> Result<()> {
        sqlx::query(
            "update gateway_nodes set state = 'stopped' where boot_id = any($1) and state <> 'stopped'",
        )
        .bind(boots)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// When a process of this name was heard of last, of those that did not say goodbye; none where there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn gateway_last_seen(&self, name: &str) -> Result<Option<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select max(seen_at) from gateway_nodes where name = $1 and state <> 'stopped'",
        )
        .bind(name)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Gateways heard of in the last day, latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_nodes(&self) -> Result<Vec<NodeRow>> {
        Ok(sqlx::query_as(
            "select * from gateway_nodes where seen_at > now() - interval '1 day' order by seen_at desc limit 100",
        )
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Takes the processes of this name that were silent for a minute for gone for good, whatever they had not handed in;
    /// which those were.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_gateways(&mut self, name: &str) -> Result<Vec<Uuid>> {
        Ok(sqlx::query_scalar(
            "update gateway_nodes set state = 'stopped'
             where name = $1 and state <> 'stopped' and seen_at < now() - interval '1 minute' returning boot_id",
        )
        .bind(name)
        .fetch_all(self.conn())
        .await?)
    }
}
