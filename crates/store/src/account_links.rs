//! Links in mails that prove something once.

use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Result, Store, Tx};

impl Store {
    /// Whose link it is, where it still works for this purpose.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_account_link(&self, digest: &[u8; 32], purpose: &str) -> Result<Option<UserId>> {
        let user: Option<Uuid> = sqlx::query_scalar(
            "select user_id from account_links where digest = $1 and purpose = $2 and expires_at > now()",
        )
        .bind(digest.as_slice())
        .bind(purpose)
        .fetch_optional(&self.pool)
        .await?;
        Ok(user.map(UserId::from))
    }
}

impl Tx {
    /// Keeps a link, and ends the user's earlier ones of the same purpose.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_account_link(
        &mut self,
        digest: &[u8; 32],
        user: UserId,
        purpose: &str,
        minutes: i32,
    ) -> Result<()> {
        sqlx::query("delete from account_links where user_id = $1 and purpose = $2")
            .bind(user.uuid())
            .bind(purpose)
            .execute(self.conn())
            .await?;
        sqlx::query(
            "insert into account_links (digest, user_id, purpose, expires_at)
             values ($1, $2, $3, now() + make_interval(mins => $4))",
        )
        .bind(digest.as_slice())
        .bind(user.uuid())
        .bind(purpose)
        .bind(minutes)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Uses a link up and says whose it was; none where it is unknown, used, too old or for something else. Of two at
    /// once, one gets it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_account_link(&mut self, digest: &[u8; 32], purpose: &str) -> Result<Option<UserId>> {
        let user: Option<Uuid> = sqlx::query_scalar(
            "delete from account_links where digest = $1 and purpose = $2 and expires_at > now() returning user_id",
        )
        .bind(digest.as_slice())
        .bind(purpose)
        .fetch_optional(self.conn())
        .await?;
        Ok(user.map(UserId::from))
    }
}
