//! Times in which an API failed its calls.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiId, Trouble};
use uuid::Uuid;

use crate::{Result, Store};

/// One of them.
#[derive(Debug, Clone, FromRow)]
pub struct IncidentRow {
    /// Its id.
    pub id: Uuid,
    /// Of which API.
    #[sqlx(try_from = "Uuid")]
    pub api_id: ApiId,
    /// The worst that it was.
    #[sqlx(try_from = "String")]
    pub trouble: Trouble,
    /// When it was noticed.
    pub began_at: DateTime<Utc>,
    /// When it was over; none while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
    /// Calls while it was worst.
    pub calls: i64,
    /// Of them, those that the API failed.
    pub failed: i64,
}

impl Store {
    /// Notes that an API fails calls. What is open becomes as bad as this, never better. Returns whether it is new.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_trouble(&self, api: ApiId, trouble: Trouble, calls: i64, failed: i64) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "insert into incidents as i (id, api_id, trouble, calls, failed) values ($1, $2, $3, $4, $5)
             on conflict (api_id) where ended_at is null do update set
                 trouble = case when excluded.trouble = 'down' then 'down' else i.trouble end,
                 calls = case when excluded.failed * i.calls > i.failed * excluded.calls then excluded.calls else i.calls end,
                 failed = case when excluded.failed * i.calls > i.failed * excluded.calls then excluded.failed else i.failed end
             returning xmax = 0",
        )
        .bind(Uuid::now_v7())
        .bind(api.uuid())
        .bind(trouble.as_str())
        .bind(calls)
        .bind(failed)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Ends what is open of all APIs but these. Returns how many ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_trouble(&self, but: &[ApiId]) -> Result<u64> {
        let but: Vec<Uuid> = but.iter().map(|api| api.uuid()).collect();
        let done = sqlx::query(
            "update incidents set ended_at = now() where ended_at is null and api_id <> all ($1)",
        )
        .bind(but)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Which APIs have an incident that lasts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_troubled(&self) -> Result<Vec<ApiId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar("select api_id from incidents where ended_at is null")
            .fetch_all(&self.pool)
            .await?;
        Ok(ids.into_iter().map(ApiId::from).collect())
    }

    /// Those of these APIs that began in the last so long or last still, newest first; the first hundred.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_incidents(&self, apis: &[ApiId], within: TimeDelta) -> Result<Vec<IncidentRow>> {
        let apis: Vec<Uuid> = apis.iter().map(|api| api.uuid()).collect();
        Ok(sqlx::query_as(
            "select * from incidents where api_id = any ($1)
                and (ended_at is null or began_at > now() - make_interval(secs => $2))
             order by began_at desc, id desc limit 100",
        )
        .bind(apis)
        .bind(within.num_seconds() as f64)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Forgets what was over a year ago.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_incidents(&self) -> Result<()> {
        sqlx::query("delete from incidents where ended_at < now() - interval '1 year'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
