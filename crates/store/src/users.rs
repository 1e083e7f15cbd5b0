//! People, and which of them run the platform.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, UserId};
use uuid::Uuid;

use crate::{Page, Result, Store, Tx};

/// A person.
#[derive(Debug, Clone, FromRow)]
pub struct UserRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// What they want to be called; may be empty.
    pub name: String,
    /// argon2id PHC string.
    pub password_hash: String,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// Set: may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// A user who runs the platform.
#[derive(Debug, Clone, FromRow)]
pub struct OperatorRow {
    /// The user.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// What they may do.
    #[sqlx(try_from = "String")]
    pub role: OperatorRole,
}

impl Store {
    /// A user by e-mail, in any case.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<UserRow>> {
        Ok(sqlx::query_as("select * from users where email = lower($1)")
            .bind(email)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// A user by id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_user(&self, id: UserId) -> Result<Option<UserRow>> {
        Ok(sqlx::query_as("select * from users where id = $1")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Users, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_users(&self, page: Page) -> Result<Vec<UserRow>> {
        Ok(sqlx::query_as("select * from users where ($1::uuid is null or id > $1) order by id limit $2")
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// A user's role on the platform, if any.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_operator(&self, user_id: UserId) -> Result<Option<OperatorRow>> {
        Ok(sqlx::query_as(
            "select o.user_id, o.role from operators o join users u on u.id = o.user_id
             where o.user_id = $1 and u.disabled_at is null",
        )
        .bind(user_id.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Whether anybody runs the platform yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn any_operator(&self) -> Result<bool> {
        Ok(sqlx::query_scalar("select exists (select from operators)").fetch_one(&self.pool).await?)
    }
}

impl Tx {
    /// Adds a person. `Conflict("users_email_key")` where the e-mail is taken.
    ///
    /// # Errors
    /// See above; or the database failed.
    pub async fn insert_user(
        &mut self,
        id: UserId,
        email: &str,
        name: &str,
        password_hash: &str,
    ) -> Result<()> {
        sqlx::query("insert into users (id, email, name, password_hash) values ($1, lower($2), $3, $4)")
            .bind(id.uuid())
            .bind(email)
            .bind(name)
            .bind(password_hash)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Replaces a user's password hash.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_password(&mut self, id: UserId, password_hash: &str) -> Result<()> {
        sqlx::query("update users set password_hash = $2 where id = $1")
            .bind(id.uuid())
            .bind(password_hash)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Makes a user an operator, or changes their role.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_operator(&mut self, user_id: UserId, role: OperatorRole) -> Result<()> {
        sqlx::query(
            "insert into operators (user_id, role) values ($1, $2) on conflict (user_id) do update set role = $2",
        )
        .bind(user_id.uuid())
        .bind(role.as_str())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps a one-time link that makes the first admin.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_setup_link(&mut self, digest: &[u8], minutes: i32) -> Result<()> {
        sqlx::query(
            "insert into setup_links (digest, expires_at) values ($1, now() + make_interval(mins => $2))",
        )
        .bind(digest)
        .bind(minutes)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Uses a link up; false where it is unknown, used or too old.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_setup_link(&mut self, digest: &[u8]) -> Result<bool> {
        let done = sqlx::query(
            "update setup_links set used_at = now() where digest = $1 and used_at is null and expires_at > now()",
        )
        .bind(digest)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// Whether a one-time link would still be taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn setup_link_is_open(&self, digest: &[u8]) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from setup_links where digest = $1 and used_at is null and expires_at > now())",
        )
        .bind(digest)
        .fetch_one(&self.pool)
        .await?)
    }
}
