//! Times in which calls went wrong: noticed by what gateways counted, or written by an operator.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiId, IncidentId, Trouble};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// One of them.
#[derive(Debug, Clone, FromRow)]
pub struct IncidentRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: IncidentId,
    /// Of which API; see [`IncidentRow::api_id`].
    #[sqlx(rename = "api_id")]
    pub api_uuid: Option<Uuid>,
    /// Whether gateways noticed it; else an operator wrote it.
    pub noticed: bool,
    /// The worst that it was.
    #[sqlx(try_from = "String")]
    pub trouble: Trouble,
    /// What it is about, in an operator's words; may be empty where it was noticed.
    pub title: String,
    /// What is known of it, in Markdown.
    pub text: String,
    /// When it began, or was noticed.
    pub began_at: DateTime<Utc>,
    /// When it was over; none while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
    /// Calls while it was worst, where that was counted.
    pub calls: Option<i64>,
    /// Of them, those that the API failed.
    pub failed: Option<i64>,
    /// Grows with every change of an operator's.
    pub version: i64,
}

impl IncidentRow {
    /// Of which API; none where an operator wrote it about all of them.
    #[must_use]
    pub fn api_id(&self) -> Option<ApiId> {
        self.api_uuid.map(ApiId::from)
    }

    /// Calls while it was worst and, of them, those that the API failed; none where an operator wrote it.
    #[must_use]
    pub fn counted(&self) -> Option<(i64, i64)> {
        self.calls.zip(self.failed)
    }
}

/// What an operator says of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldIncident {
    /// Of which API; none for all of them.
    pub api_id: Option<ApiId>,
    /// The worst that it was.
    pub trouble: Trouble,
    /// What it is about.
    pub title: String,
    /// What is known of it, in Markdown.
    pub text: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was over; none while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<&IncidentRow> for ToldIncident {
    fn from(row: &IncidentRow) -> Self {
        Self {
            api_id: row.api_id(),
            trouble: row.trouble,
            title: row.title.clone(),
            text: row.text.clone(),
            began_at: row.began_at,
            ended_at: row.ended_at,
        }
    }
}

impl Store {
    /// Notes that an API fails calls. What is open becomes as bad as this, never better. Returns whether it is new.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_trouble(&self, api: ApiId, trouble: Trouble, calls: i64, failed: i64) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "insert into incidents as i (id, api_id, trouble, calls, failed) values ($1, $2, $3, $4, $5)
             on conflict (api_id) where ended_at is null and noticed do update set
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

    /// Ends what was noticed and is open of all APIs but these. Returns how many ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_trouble(&self, but: &[ApiId]) -> Result<u64> {
        let but: Vec<Uuid> = but.iter().map(|api| api.uuid()).collect();
        let done = sqlx::query(
            "update incidents set ended_at = now() where ended_at is null and noticed and api_id <> all ($1)",
        )
        .bind(but)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Which APIs have an incident that was noticed and lasts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_troubled(&self) -> Result<Vec<ApiId>> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("select api_id from incidents where ended_at is null and noticed")
                .fetch_all(&self.pool)
                .await?;
        Ok(ids.into_iter().map(ApiId::from).collect())
    }

    /// Those of these APIs, and of all together, that began in the last so long or last still, newest first; the first
    /// hundred.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_recent_incidents(&self, apis: &[ApiId], within: TimeDelta) -> Result<Vec<IncidentRow>> {
        let apis: Vec<Uuid> = apis.iter().map(|api| api.uuid()).collect();
        Ok(sqlx::query_as(
            "select * from incidents where (api_id is null or api_id = any ($1))
                and (ended_at is null or began_at > now() - make_interval(secs => $2))
             order by began_at desc, id desc limit 100",
        )
        .bind(apis)
        .bind(within.num_seconds() as f64)
        .fetch_all(&self.pool)
        .await?)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_incidents(&self, page: Page) -> Result<Vec<IncidentRow>> {
        Ok(sqlx::query_as("select * from incidents where ($1::uuid is null or id > $1) order by id limit $2")
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The latest five hundred, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_latest_incidents(&self) -> Result<Vec<IncidentRow>> {
        Ok(sqlx::query_as("select * from incidents order by began_at desc, id desc limit 500")
            .fetch_all(&self.pool)
            .await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_incident(&self, id: IncidentId) -> Result<IncidentRow> {
        sqlx::query_as("select * from incidents where id = $1")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("incident"))
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

impl Tx {
    /// Adds an incident that an operator wrote.
    ///
    /// # Errors
    /// `Invalid` where there is no such API, or the database failed.
    pub async fn insert_incident(&mut self, id: IncidentId, told: &ToldIncident) -> Result<IncidentRow> {
        Ok(sqlx::query_as(
            "insert into incidents (id, noticed, api_id, trouble, title, text, began_at, ended_at)
             values ($1, false, $2, $3, $4, $5, $6, $7) returning *",
        )
        .bind(id.uuid())
        .bind(told.api_id.map(ApiId::uuid))
        .bind(told.trouble.as_str())
        .bind(&told.title)
        .bind(&told.text)
        .bind(told.began_at)
        .bind(told.ended_at)
        .fetch_one(self.conn())
        .await?)
    }

    /// Locks an incident and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_incident(&mut self, id: IncidentId) -> Result<IncidentRow> {
        sqlx::query_as("select * from incidents where id = $1 for update")
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("incident"))
    }

    /// Replaces what is said of an incident.
    ///
    /// # Errors
    /// As [`Tx::insert_incident`].
    pub async fn update_incident(&mut self, id: IncidentId, told: &ToldIncident) -> Result<IncidentRow> {
        Ok(sqlx::query_as(
            "update incidents set api_id = $2, trouble = $3, title = $4, text = $5, began_at = $6, ended_at = $7,
             version = version + 1, updated_at = now() where id = $1 returning *",
        )
        .bind(id.uuid())
        .bind(told.api_id.map(ApiId::uuid))
        .bind(told.trouble.as_str())
        .bind(&told.title)
        .bind(&told.text)
        .bind(told.began_at)
        .bind(told.ended_at)
        .fetch_one(self.conn())
        .await?)
    }

    /// Removes an incident.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_incident(&mut self, id: IncidentId) -> Result<()> {
        sqlx::query("delete from incidents where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        Ok(())
    }
}
