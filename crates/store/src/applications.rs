//! Developers' programs.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApplicationId, ApplicationState, OrganizationId, Scope};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// A developer's program.
#[derive(Debug, Clone, FromRow)]
pub struct ApplicationRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: ApplicationId,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Whether it may call.
    #[sqlx(try_from = "String")]
    pub state: ApplicationState,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// An application that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_application(&self, scope: Scope, id: ApplicationId) -> Result<ApplicationRow> {
        sqlx::query_as(
            "select * from applications where id = $1 and deleted_at is null
             and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("application"))
    }

    /// Applications that the scope may see, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_applications(&self, scope: Scope, page: Page) -> Result<Vec<ApplicationRow>> {
        Ok(sqlx::query_as(
            "select * from applications where deleted_at is null and ($1::uuid is null or organization_id = $1)
             and ($2::uuid is null or id > $2) order by id limit $3",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks an application that the scope may see and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_application(&mut self, scope: Scope, id: ApplicationId) -> Result<ApplicationRow> {
        sqlx::query_as(
            "select * from applications where id = $1 and deleted_at is null
             and ($2::uuid is null or organization_id = $2) for update",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(self.conn())
        .await?
        .ok_or(Error::NotFound("application"))
    }

    /// Adds an application.
    ///
    /// # Errors
    /// `Referenced` where the organization is unknown, or the database failed.
    pub async fn insert_application(
        &mut self,
        id: ApplicationId,
        organization: OrganizationId,
        name: &str,
    ) -> Result<()> {
        sqlx::query("insert into applications (id, organization_id, name) values ($1, $2, $3)")
            .bind(id.uuid())
            .bind(organization.uuid())
            .bind(name)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Renames, suspends or resumes an application.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_application(
        &mut self,
        id: ApplicationId,
        name: &str,
        state: ApplicationState,
    ) -> Result<()> {
        sqlx::query("update applications set name = $2, state = $3, version = version + 1 where id = $1")
            .bind(id.uuid())
            .bind(name)
            .bind(state.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Ends an application: keys revoked, subscriptions ended; the row stays for usage and bills.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_application(&mut self, scope: Scope, id: ApplicationId) -> Result<()> {
        let done = sqlx::query(
            "update applications set deleted_at = now(), version = version + 1 where id = $1 and deleted_at is null
             and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound("application"));
        }
        sqlx::query(
            "update credentials set revoked_at = now() where application_id = $1 and revoked_at is null",
        )
        .bind(id.uuid())
        .execute(self.conn())
        .await?;
        sqlx::query(
            "update subscriptions set state = 'ended', ended_at = now(), version = version + 1
             where application_id = $1 and state <> 'ended'",
        )
        .bind(id.uuid())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
