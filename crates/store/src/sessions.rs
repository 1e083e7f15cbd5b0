//! Browser sessions.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// A stored session.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// What the face keeps in it.
    pub payload: Vec<u8>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Whose session it is, and what they recognise it by.
#[derive(Debug, Clone)]
pub struct SessionOwner {
    /// The user.
    pub user: UserId,
    /// Browser and system in a few words.
    pub agent: String,
    /// Where it was signed in from.
    pub address: String,
    /// When it was last used, to some minutes.
    pub seen_at: DateTime<Utc>,
}

/// A session as its owner sees it in a list.
#[derive(Debug, Clone, FromRow)]
pub struct SignedInRow {
    /// What it is called by.
    pub id: Uuid,
    /// SHA-256 of the cookie's value.
    pub digest: Vec<u8>,
    /// Browser and system in a few words.
    pub agent: String,
    /// Where it was signed in from.
    pub address: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to some minutes.
    pub seen_at: Option<DateTime<Utc>>,
}

impl Store {
    /// A user's sessions that have not ended, last used first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_sessions(&self, user: UserId) -> Result<Vec<SignedInRow>> {
        Ok(sqlx::query_as(
            "select id, digest, agent, address, created_at, seen_at from sessions
             where user_id = $1 and expires_at > now() order by seen_at desc nulls last, created_at desc limit 100",
        )
        .bind(user.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Adds a session; false where the digest is taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_session(
        &self,
        digest: &[u8],
        payload: &[u8],
        owner: Option<&SessionOwner>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "insert into sessions (digest, payload, user_id, expires_at, agent, address, seen_at)
             values ($1, $2, $3, $4, coalesce($5, ''), coalesce($6, ''), $7) on conflict do nothing",
        )
        .bind(digest)
        .bind(payload)
        .bind(owner.map(|owner| owner.user.uuid()))
        .bind(expires_at)
        .bind(owner.map(|owner| owner.agent.as_str()))
        .bind(owner.map(|owner| owner.address.as_str()))
        .bind(owner.map(|owner| owner.seen_at))
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
        owner: Option<&SessionOwner>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query(
            "update sessions set payload = $2, user_id = $3, expires_at = $4, agent = coalesce($5, ''),
                address = coalesce($6, ''), seen_at = $7 where digest = $1",
        )
        .bind(digest)
        .bind(payload)
        .bind(owner.map(|owner| owner.user.uuid()))
        .bind(expires_at)
        .bind(owner.map(|owner| owner.agent.as_str()))
        .bind(owner.map(|owner| owner.address.as_str()))
        .bind(owner.map(|owner| owner.seen_at))
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
        sqlx::query("delete from known_networks where seen_at < now() - interval '90 days'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from attempts where made_at < now() - interval '1 hour'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from setup_links where expires_at < now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from account_links where expires_at <= now()").execute(&self.pool).await?;
        sqlx::query("delete from email_changes where expires_at <= now()").execute(&self.pool).await?;
        // Its command line is told for a day that it came too late.
        sqlx::query("delete from device_sign_ins where expires_at < now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from invitations where expires_at < now() - interval '30 days'")
            .execute(&self.pool)
            .await?;
        sqlx::query("delete from sent_forms where sent_at < now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Ends all sessions of a user but the one with this digest; returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_sessions(&mut self, user: UserId, except: Option<&[u8]>) -> Result<u64> {
        let done =
            sqlx::query("delete from sessions where user_id = $1 and ($2::bytea is null or digest <> $2)")
                .bind(user.uuid())
                .bind(except)
                .execute(self.conn())
                .await?;
        Ok(done.rows_affected())
    }

    /// Ends one session of a user, by what a list calls it. False where there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_session_by_id(&mut self, user: UserId, id: Uuid) -> Result<bool> {
        let done = sqlx::query("delete from sessions where user_id = $1 and id = $2")
            .bind(user.uuid())
            .bind(id)
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
