//! Services and their targets.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ServiceId, ServiceProtocol, Slug, Target};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

pub(crate) const COLUMNS: &str =
    "select s.id, s.slug, s.name, s.connect_timeout_ms, s.read_timeout_ms, s.protocol, s.version, s.created_at,
    (select coalesce(json_agg(json_build_object('url', t.url, 'weight', t.weight) order by t.position), '[]')
     from targets t where t.service_id = s.id) as targets
    from services s";

/// A service with its targets.
#[derive(Debug, Clone, FromRow)]
pub struct ServiceRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: ServiceId,
    /// Its name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: i32,
    /// How it is spoken to.
    #[sqlx(try_from = "String")]
    pub protocol: ServiceProtocol,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its addresses, in order.
    #[sqlx(json)]
    pub targets: Vec<Target>,
}

/// What a service is made from.
#[derive(Debug, Clone)]
pub struct NewService<'a> {
    /// Its id.
    pub id: ServiceId,
    /// Its name in URLs.
    pub slug: &'a Slug,
    /// Its name.
    pub name: &'a str,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: i32,
    /// How it is spoken to.
    pub protocol: ServiceProtocol,
    /// Its addresses, in order.
    pub targets: &'a [Target],
}

impl Store {
    /// A service by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_service(&self, id: ServiceId) -> Result<ServiceRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where s.id = $1")))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("service"))
    }

    /// A service by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_service_by_slug(&self, slug: &str) -> Result<Option<ServiceRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where s.slug = $1")))
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Services, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_services(&self, page: Page) -> Result<Vec<ServiceRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or s.id > $1) order by s.id limit $2"
        )))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a service and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_service(&mut self, id: ServiceId) -> Result<ServiceRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where s.id = $1 for update of s")))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("service"))
    }

    /// Adds a service.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken, or the database failed.
    pub async fn insert_service(&mut self, new: &NewService<'_>) -> Result<()> {
        sqlx::query(
            "insert into services (id, slug, name, connect_timeout_ms, read_timeout_ms, protocol)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.connect_timeout_ms)
        .bind(new.read_timeout_ms)
        .bind(new.protocol.as_str())
        .execute(self.conn())
        .await?;
        self.insert_targets(new.id, new.targets).await
    }

    /// Replaces a service's fields and targets.
    ///
    /// # Errors
    /// `Conflict`, or the database failed.
    pub async fn update_service(&mut self, new: &NewService<'_>) -> Result<()> {
        sqlx::query(
            "update services set slug = $2, name = $3, connect_timeout_ms = $4, read_timeout_ms = $5,
             protocol = $6, version = version + 1 where id = $1",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.connect_timeout_ms)
        .bind(new.read_timeout_ms)
        .bind(new.protocol.as_str())
        .execute(self.conn())
        .await?;
        sqlx::query("delete from targets where service_id = $1")
            .bind(new.id.uuid())
            .execute(self.conn())
            .await?;
        self.insert_targets(new.id, new.targets).await
    }

    async fn insert_targets(&mut self, service: ServiceId, targets: &[Target]) -> Result<()> {
        for (position, target) in (0i32..).zip(targets) {
            sqlx::query(
                "insert into targets (id, service_id, url, weight, position) values ($1, $2, $3, $4, $5)",
            )
            .bind(Uuid::now_v7())
            .bind(service.uuid())
            .bind(&target.url)
            .bind(i32::from(target.weight))
            .bind(position)
            .execute(self.conn())
            .await?;
        }
        Ok(())
    }

    /// Removes a service.
    ///
    /// # Errors
    /// `NotFound`; `Referenced` while an API uses it; or the database failed.
    pub async fn delete_service(&mut self, id: ServiceId) -> Result<()> {
        let done =
            sqlx::query("delete from services where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("service")) } else { Ok(()) }
    }
}
