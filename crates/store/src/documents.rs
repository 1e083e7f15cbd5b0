//! The documents that an API was published from, and who calls what they list.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{ApiId, ApplicationId};
use uuid::Uuid;

use crate::{Error, Result, Store};

/// A document that was published.
#[derive(Debug, Clone, FromRow)]
pub struct DocumentRow {
    /// Its number; the latest is the largest.
    pub number: i32,
    /// When it was published.
    pub created_at: DateTime<Utc>,
    /// Its title.
    pub title: String,
    /// Its version, as its author calls it.
    pub version: String,
}

/// An application that calls an operation.
#[derive(Debug, Clone, FromRow)]
pub struct CallerRow {
    /// Upper-case method.
    pub method: String,
    /// Path template, without the API's base path.
    pub path: String,
    /// Which application.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its name.
    pub application: String,
    /// Its organization's name.
    pub organization: String,
    /// Calls.
    pub calls: i64,
}

impl Store {
    /// The documents of an API, latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_documents(&self, api: ApiId, limit: i64) -> Result<Vec<DocumentRow>> {
        Ok(sqlx::query_as(
            "select number, created_at, title, version from api_documents where api_id = $1 order by number desc limit $2",
        )
        .bind(api.uuid())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// One document of an API.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_document(&self, api: ApiId, number: i32) -> Result<Value> {
        sqlx::query_scalar("select document from api_documents where api_id = $1 and number = $2")
            .bind(api.uuid())
            .bind(number)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("document"))
    }

    /// Which applications have called which operations of an API since an instant, most calls first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_operation_callers(
        &self,
        api: ApiId,
        since: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<CallerRow>> {
        Ok(sqlx::query_as(
            "select r.method, r.path, a.id as application_id, a.name as application, o.name as organization,
                sum(u.calls)::bigint as calls
             from usage_counters u join routes r on r.id = u.route_id
             join applications a on a.id = u.application_id join organizations o on o.id = a.organization_id
             where r.api_id = $1 and u.minute >= date_trunc('minute', $2)
             group by 1, 2, 3, 4, 5 order by calls desc, r.path limit $3",
        )
        .bind(api.uuid())
        .bind(since)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
