//! People, and which of them run the platform.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, UserId};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

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
    /// When they showed that the e-mail is theirs.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The account that had the e-mail first, where this one was made with a taken one.
    pub shadow_of: Option<Uuid>,
    /// What they read in (BCP 47), where they chose.
    pub language: Option<String>,
}

/// What a user is made from.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// Its id.
    pub id: UserId,
    /// In any case.
    pub email: &'a str,
    /// argon2id PHC string; anything else opens nothing.
    pub password_hash: &'a str,
    /// The account that has the e-mail already.
    pub shadow_of: Option<UserId>,
    /// What they read in (BCP 47), where that is known.
    pub language: Option<&'a str>,
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

/// A link that makes somebody an operator.
#[derive(Debug, Clone, FromRow)]
pub struct SetupLinkRow {
    /// What lists call it by.
    pub id: Uuid,
    /// What whoever opens it may do then.
    #[sqlx(try_from = "String")]
    pub role: OperatorRole,
    /// Whom it was mailed to, and is for; none where it was printed on the server.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// The user whose e-mail it is, in any case; never a shadow.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<UserRow>> {
        Ok(sqlx::query_as("select * from users where email = lower($1) and shadow_of is null")
            .bind(email)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Accounts that were made with the e-mail of this one, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_shadows(&self, owner: UserId) -> Result<Vec<UserRow>> {
        Ok(sqlx::query_as(
            "select * from users where shadow_of = $1 and disabled_at is null order by id desc limit 100",
        )
        .bind(owner.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Shadows whose seven days are over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_expired_shadows(&self) -> Result<Vec<UserRow>> {
        Ok(sqlx::query_as("select * from users where shadow_since < now() - interval '7 days' limit 500")
            .fetch_all(&self.pool)
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
    /// Adds a person. `Conflict("users_email_key")` where the e-mail is taken and this is no shadow.
    ///
    /// # Errors
    /// See above; or the database failed.
    pub async fn insert_user(&mut self, new: &NewUser<'_>) -> Result<()> {
        sqlx::query(
            "insert into users (id, email, password_hash, shadow_of, shadow_since, language)
             values ($1, lower($2), $3, $4, case when $4::uuid is null then null else now() end, $5)",
        )
        .bind(new.id.uuid())
        .bind(new.email)
        .bind(new.password_hash)
        .bind(new.shadow_of.map(UserId::uuid))
        .bind(new.language)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Notes that the e-mail is the user's.
    ///
    /// # Errors
    /// The database failed.
    pub async fn verify_user(&mut self, id: UserId) -> Result<()> {
        sqlx::query("update users set email_verified_at = coalesce(email_verified_at, now()) where id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes what a user reads in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_language(&mut self, id: UserId, tag: &str) -> Result<()> {
        sqlx::query("update users set language = $2 where id = $1")
            .bind(id.uuid())
            .bind(tag)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Locks a user's row and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_user(&mut self, id: UserId) -> Result<UserRow> {
        sqlx::query_as("select * from users where id = $1 for update")
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("user"))
    }

    /// Gives a shadow the address: the account before it becomes its shadow, with all others.
    ///
    /// # Errors
    /// The database failed.
    pub async fn swap_shadow(&mut self, shadow: UserId, owner: UserId) -> Result<()> {
        sqlx::query("update users set shadow_of = $1, shadow_since = now() where id = $2")
            .bind(shadow.uuid())
            .bind(owner.uuid())
            .execute(self.conn())
            .await?;
        sqlx::query("update users set shadow_of = $1 where shadow_of = $2 and id <> $1")
            .bind(shadow.uuid())
            .bind(owner.uuid())
            .execute(self.conn())
            .await?;
        sqlx::query("update users set shadow_of = null, shadow_since = null where id = $1")
            .bind(shadow.uuid())
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

    /// Ends an account: it cannot be signed in to, and what was personal in it is gone. The row stays, because usage and
    /// the audit log refer to it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_user(&mut self, id: UserId) -> Result<()> {
        for statement in [
            "delete from sessions where user_id = $1",
            "delete from account_links where user_id = $1",
            "delete from email_changes where user_id = $1",
            "delete from identities where user_id = $1",
            "delete from passkeys where user_id = $1",
            "delete from recovery_codes where user_id = $1",
            "delete from second_factors where user_id = $1",
            "delete from sent_forms where user_id = $1",
            "delete from operators where user_id = $1",
            "delete from members where user_id = $1",
            "update users set email = 'gone-' || id || '@invalid', name = '', password_hash = '', disabled_at = now(),
                email_verified_at = null, shadow_of = null, shadow_since = null where id = $1",
        ] {
            sqlx::query(statement).bind(id.uuid()).execute(self.conn()).await?;
        }
        Ok(())
    }

    /// How many people run the platform with all rights, apart from one; locked, so that two do not leave at once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_other_admins(&mut self, id: UserId) -> Result<usize> {
        let others: Vec<Uuid> = sqlx::query_scalar(
            "select user_id from operators where role = 'admin' and user_id <> $1 for update",
        )
        .bind(id.uuid())
        .fetch_all(self.conn())
        .await?;
        Ok(others.len())
    }

    /// Makes a user an operator, or changes their role: by hand, or because an issuer's claims say so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_operator(
        &mut self,
        user_id: UserId,
        role: OperatorRole,
        granted_by: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "insert into operators (user_id, role, granted_by) values ($1, $2, $3)
             on conflict (user_id) do update set role = $2, granted_by = $3",
        )
        .bind(user_id.uuid())
        .bind(role.as_str())
        .bind(granted_by)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps a one-time link that makes an operator; one for an address ends the earlier ones for it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_setup_link(
        &mut self,
        digest: &[u8],
        minutes: i32,
        role: OperatorRole,
        email: Option<&str>,
    ) -> Result<()> {
        sqlx::query("delete from setup_links where email = $1 and used_at is null")
            .bind(email)
            .execute(self.conn())
            .await?;
        sqlx::query(
            "insert into setup_links (digest, expires_at, role, email)
             values ($1, now() + make_interval(mins => $2), $3, $4)",
        )
        .bind(digest)
        .bind(minutes)
        .bind(role.as_str())
        .bind(email)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Uses a link up; none where it is unknown, used or too old.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_setup_link(&mut self, digest: &[u8]) -> Result<Option<SetupLinkRow>> {
        Ok(sqlx::query_as(
            "update setup_links set used_at = now() where digest = $1 and used_at is null and expires_at > now()
             returning id, role, email, created_at, expires_at",
        )
        .bind(digest)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Takes a link back that was mailed; false where it is used or unknown.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_setup_link(&mut self, id: Uuid) -> Result<bool> {
        let done =
            sqlx::query("delete from setup_links where id = $1 and email is not null and used_at is null")
                .bind(id)
                .execute(self.conn())
                .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// A one-time link that would still be taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_setup_link(&self, digest: &[u8]) -> Result<Option<SetupLinkRow>> {
        Ok(sqlx::query_as(
            "select id, role, email, created_at, expires_at from setup_links
             where digest = $1 and used_at is null and expires_at > now()",
        )
        .bind(digest)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Links that were mailed and wait to be opened, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_setup_links(&self) -> Result<Vec<SetupLinkRow>> {
        Ok(sqlx::query_as(
            "select id, role, email, created_at, expires_at from setup_links
             where email is not null and used_at is null and expires_at > now() order by created_at limit 200",
        )
        .fetch_all(&self.pool)
        .await?)
    }
}
