//! Browser sessions.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::UserId;

use crate::{Result, Store};

/// A stored session.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// What the face keeps in it.
    pub payload: Vec<u8>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// Adds a session; false where the digest is taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_session(
        &self,
        digest: &[u8],
        payload: &[u8],
        user: Option<UserId>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "insert into sessions (digest, payload, user_id, expires_at) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(digest)
        .bind(payload)
        .bind(user.map(UserId::uuid))
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Replaces what a session holds. One that has ended meanwhile stays ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_session(
        &self,
        digest: &[u8],
        payload: &[u8],
        user: Option<UserId>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query("update sessions set payload = $2, user_id = $3, expires_at = $4 where digest = $1")
            .bind(digest)
            .bind(payload)
            .bind(user.map(UserId::uuid))
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A session that has not ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_session(&self, digest: &[u8]) -> Result<Option<SessionRow>> {
        Ok(sqlx::query_as(
            "select payload, expires_at from sessions where digest = $1 and expires_at > now()",
        )
        .bind(digest)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_session(&self, digest: &[u8]) -> Result<()> {
        sqlx::query("delete from sessions where digest = $1").bind(digest).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what is over: sessions, sign-in attempts, setup links, sent forms.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_expired(&self) -> Result<()> {
        sqlx::query("delete from sessions where expires_at <= now()").execute(&self.pool).await?;
        sqlx::query("delete from attempts where made_at < now() - interval '1 hour'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from setup_links where expires_at < now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from account_links where expires_at <= now()").execute(&self.pool).await?;
        sqlx::query("delete from sent_forms where sent_at < now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
