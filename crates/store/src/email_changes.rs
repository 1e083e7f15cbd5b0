//! New addresses of people, until they are confirmed.

use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Result, Store, Tx};

impl Store {
    /// The address that somebody wants to have, while it can be confirmed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_email_change(&self, user: UserId) -> Result<Option<String>> {
        let sql = "select email from email_changes where user_id = $1 and expires_at > now()";
        Ok(sqlx::query_scalar(sql).bind(user.uuid()).fetch_optional(&self.pool).await?)
    }

    /// The address that a link would confirm.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_email_change_by_link(&self, digest: &[u8; 32]) -> Result<Option<String>> {
        let sql = "select email from email_changes where digest = $1 and expires_at > now()";
        Ok(sqlx::query_scalar(sql).bind(digest.as_slice()).fetch_optional(&self.pool).await?)
    }

    /// Gives a wanted address its link; one that was sent before opens nothing any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn link_email_change(&self, user: UserId, digest: &[u8; 32]) -> Result<()> {
        sqlx::query("update email_changes set digest = $2 where user_id = $1")
            .bind(user.uuid())
            .bind(digest.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Notes which address somebody wants to have, in place of what they wanted before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_email_change(&mut self, user: UserId, email: &str, hours: i32) -> Result<()> {
        sqlx::query(
            "insert into email_changes (user_id, email, expires_at) values ($1, $2, now() + make_interval(hours => $3))
             on conflict (user_id) do update set email = $2, digest = null, expires_at = excluded.expires_at",
        )
        .bind(user.uuid())
        .bind(email)
        .bind(hours)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Forgets which address somebody wants to have.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_email_change(&mut self, user: UserId) -> Result<()> {
        sqlx::query("delete from email_changes where user_id = $1")
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Uses a link up: who wants to have which address. Of two at once, one gets it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_email_change(&mut self, digest: &[u8; 32]) -> Result<Option<(UserId, String)>> {
        let used: Option<(Uuid, String)> = sqlx::query_as(
            "delete from email_changes where digest = $1 and expires_at > now() returning user_id, email",
        )
        .bind(digest.as_slice())
        .fetch_optional(self.conn())
        .await?;
        Ok(used.map(|(user, email)| (user.into(), email)))
    }

    /// Gives somebody another address, which is proven to be theirs.
    ///
    /// # Errors
    /// `Conflict` where another account has it, or the database failed.
    pub async fn update_email(&mut self, user: UserId, email: &str) -> Result<()> {
        sqlx::query("update users set email = $2, email_verified_at = now() where id = $1")
            .bind(user.uuid())
            .bind(email)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
