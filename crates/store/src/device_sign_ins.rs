//! Command lines that wait to be let in.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApplicationId, UserId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// A command line that waits, or was decided on.
#[derive(Debug, Clone, FromRow)]
pub struct DeviceSignInRow {
    /// What a person types.
    pub user_code: String,
    /// The network that it was asked from.
    pub asked_from: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Until when it can be decided and fetched.
    pub expires_at: DateTime<Utc>,
    /// When the command line asked before this time; none where it never did.
    pub polled_at: Option<DateTime<Utc>>,
    /// `waiting`, `allowed` or `denied`.
    pub state: String,
    user_id: Option<Uuid>,
    application_id: Option<Uuid>,
}

impl DeviceSignInRow {
    /// Who let it in, and which application gets a key; none before.
    #[must_use]
    pub fn allowed(&self) -> Option<(UserId, ApplicationId)> {
        Some((self.user_id?.into(), self.application_id?.into()))
    }
}

const COLUMNS: &str = "d.user_code, d.asked_from, d.created_at, d.expires_at, d.polled_at, d.state, d.user_id, d.application_id";

impl Store {
    /// Notes a command line that wants to be let in; false where another has the code that a person would type.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_device_sign_in(
        &self,
        digest: &[u8; 32],
        user_code: &str,
        asked_from: &str,
        seconds: i32,
    ) -> Result<bool> {
        let done = sqlx::query(
            "insert into device_sign_ins (digest, user_code, asked_from, expires_at)
             values ($1, $2, $3, now() + make_interval(secs => $4)) on conflict (user_code) do nothing",
        )
        .bind(digest.as_slice())
        .bind(user_code)
        .bind(asked_from)
        .bind(f64::from(seconds))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The command line that waits under a code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_waiting_device(&self, user_code: &str) -> Result<Option<DeviceSignInRow>> {
        let sql = format!(
            "select {COLUMNS} from device_sign_ins d where user_code = $1 and state = 'waiting' and expires_at > now()"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(user_code).fetch_optional(&self.pool).await?)
    }

    /// A command line by its own code, as it was before; that it asked is noted.
    ///
    /// # Errors
    /// The database failed.
    pub async fn poll_device(&self, digest: &[u8; 32]) -> Result<Option<DeviceSignInRow>> {
        let sql = format!(
            "with d as (select * from device_sign_ins where digest = $1),
                noted as (update device_sign_ins set polled_at = now() where digest = $1)
             select {COLUMNS} from d"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?)
    }
}

impl Tx {
    /// Lets a command line in or turns it away; false where it does not wait any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn decide_device(
        &mut self,
        user_code: &str,
        user: UserId,
        application: Option<ApplicationId>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update device_sign_ins set user_id = $2, application_id = $3,
                state = case when $3::uuid is null then 'denied' else 'allowed' end
             where user_code = $1 and state = 'waiting' and expires_at > now()",
        )
        .bind(user_code)
        .bind(user.uuid())
        .bind(application.map(ApplicationId::uuid))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets a command line that was let in; false where another request did.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_device(&mut self, digest: &[u8; 32]) -> Result<bool> {
        let done = sqlx::query("delete from device_sign_ins where digest = $1 and state = 'allowed'")
            .bind(digest.as_slice())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
