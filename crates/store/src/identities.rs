//! People as OpenID Connect providers know them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, UserId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// Who a user is at a provider.
#[derive(Debug, Clone, FromRow)]
pub struct IdentityRow {
    /// The provider.
    pub issuer: String,
    /// How it calls them; never changes.
    pub subject: String,
    /// The address that it told at the first sign-in; may be empty.
    pub email: String,
    /// Since when it opens the account.
    pub created_at: DateTime<Utc>,
    /// When it opened it last.
    pub last_used_at: DateTime<Utc>,
}

/// A role on the platform, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedRole {
    /// What they may do.
    pub role: OperatorRole,
    /// The issuer whose claims gave it; none where somebody gave it by hand.
    pub granted_by: Option<String>,
}

impl Store {
    /// Whose account an identity opens.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>> {
        let user: Option<Uuid> =
            sqlx::query_scalar("select user_id from identities where issuer = $1 and subject = $2")
                .bind(issuer)
                .bind(subject)
                .fetch_optional(&self.pool)
                .await?;
        Ok(user.map(UserId::from))
    }

    /// A user's identities, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_identities(&self, user: UserId) -> Result<Vec<IdentityRow>> {
        Ok(sqlx::query_as("select * from identities where user_id = $1 order by created_at, issuer")
            .bind(user.uuid())
            .fetch_all(&self.pool)
            .await?)
    }

    /// Notes that an identity opened its account just now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn touch_identity(&self, issuer: &str, subject: &str) -> Result<()> {
        sqlx::query("update identities set last_used_at = now() where issuer = $1 and subject = $2")
            .bind(issuer)
            .bind(subject)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Lets an identity open a user's account. `Conflict("identities_pkey")` where it opens one already.
    ///
    /// # Errors
    /// See above; or the database failed.
    pub async fn insert_identity(
        &mut self,
        user: UserId,
        issuer: &str,
        subject: &str,
        email: &str,
    ) -> Result<()> {
        sqlx::query("insert into identities (issuer, subject, user_id, email) values ($1, $2, $3, $4)")
            .bind(issuer)
            .bind(subject)
            .bind(user.uuid())
            .bind(email)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Takes one of a user's identities away; false where there was none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_identity(&mut self, user: UserId, issuer: &str, subject: &str) -> Result<bool> {
        let done = sqlx::query("delete from identities where user_id = $1 and issuer = $2 and subject = $3")
            .bind(user.uuid())
            .bind(issuer)
            .bind(subject)
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// A user's role on the platform with who gave it, locked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_granted_role(&mut self, user: UserId) -> Result<Option<GrantedRole>> {
        let row: Option<(String, Option<String>)> =
            sqlx::query_as("select role, granted_by from operators where user_id = $1 for update")
                .bind(user.uuid())
                .fetch_optional(self.conn())
                .await?;
        Ok(row.and_then(|(role, granted_by)| Some(GrantedRole { role: role.parse().ok()?, granted_by })))
    }
}
