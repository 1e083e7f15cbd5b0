//! Stopping an organization or a person, and letting them go on.

use chrono::{DateTime, Utc};
use tollgate_domain::{OrganizationId, UserId};

use crate::{Error, Result, Store, Tx};

impl Store {
    /// When an organization was stopped; none where it goes on.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn organization_suspended_at(&self, id: OrganizationId) -> Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar("select suspended_at from organizations where id = $1 and deleted_at is null")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("organization"))
    }
}

impl Tx {
    /// Stops an organization with all its applications, or lets it go on with those that were stopped with it. Returns how
    /// many applications that were; none where nothing was to be done.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn suspend_organization(&mut self, id: OrganizationId, suspend: bool) -> Result<Option<u64>> {
        let before: Option<Option<DateTime<Utc>>> = sqlx::query_scalar(
            "select suspended_at from organizations where id = $1 and deleted_at is null for update",
        )
        .bind(id.uuid())
        .fetch_optional(self.conn())
        .await?;
        if before.ok_or(Error::NotFound("organization"))?.is_some() == suspend {
            return Ok(None);
        }
        sqlx::query("update organizations set suspended_at = case when $2 then now() end where id = $1")
            .bind(id.uuid())
            .bind(suspend)
            .execute(self.conn())
            .await?;
        let done = sqlx::query(
            "update applications set state = case when $2 then 'suspended' else 'active' end,
                suspended_with_organization = $2, version = version + 1
             where organization_id = $1 and deleted_at is null
               and case when $2 then state = 'active' else suspended_with_organization and state = 'suspended' end",
        )
        .bind(id.uuid())
        .bind(suspend)
        .execute(self.conn())
        .await?;
        Ok(Some(done.rows_affected()))
    }

    /// Keeps a person from signing in and ends their sessions, or lets them in again; false where nothing was to be done.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn disable_user(&mut self, id: UserId, disable: bool) -> Result<bool> {
        let before: Option<Option<DateTime<Utc>>> =
            sqlx::query_scalar("select disabled_at from users where id = $1 for update")
                .bind(id.uuid())
                .fetch_optional(self.conn())
                .await?;
        if before.ok_or(Error::NotFound("user"))?.is_some() == disable {
            return Ok(false);
        }
        sqlx::query("update users set disabled_at = case when $2 then now() end where id = $1")
            .bind(id.uuid())
            .bind(disable)
            .execute(self.conn())
            .await?;
        if disable {
            sqlx::query("delete from sessions where user_id = $1")
                .bind(id.uuid())
                .execute(self.conn())
                .await?;
        }
        Ok(true)
    }

    /// Admins of the platform who may sign in, locked, so that two at once do not each remove the other.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_admins(&mut self) -> Result<Vec<UserId>> {
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "select o.user_id from operators o join users u on u.id = o.user_id
             where o.role = 'admin' and u.disabled_at is null order by o.user_id for update",
        )
        .fetch_all(self.conn())
        .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }
}
