//! Passkeys: what authenticators were registered with, and as of their last use.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// A passkey. States are in the encoding of whoever checks them.
#[derive(Debug, Clone, FromRow)]
pub struct PasskeyRow {
    /// Its id in pages.
    pub id: Uuid,
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// How its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// The public key, and what never changes.
    pub static_state: Vec<u8>,
    /// What changes with every use.
    pub dynamic_state: Vec<u8>,
    /// Ways to the authenticator, as bits.
    pub transports: i16,
    /// How its owner calls it.
    pub name: String,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it opened the account last.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A passkey that was just registered.
#[derive(Debug, Clone)]
pub struct NewPasskey<'a> {
    /// Its id in pages.
    pub id: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// How its authenticator calls it.
    pub credential_id: &'a [u8],
    /// The public key, and what never changes.
    pub static_state: &'a [u8],
    /// What changes with every use.
    pub dynamic_state: &'a [u8],
    /// Ways to the authenticator, as bits.
    pub transports: i16,
    /// How its owner calls it.
    pub name: &'a str,
}

impl Store {
    /// A user's passkeys, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_passkeys(&self, user: UserId) -> Result<Vec<PasskeyRow>> {
        Ok(sqlx::query_as("select * from passkeys where user_id = $1 order by created_at, id")
            .bind(user.uuid())
            .fetch_all(&self.pool)
            .await?)
    }

    /// The passkey that an authenticator calls so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_passkey(&self, credential_id: &[u8]) -> Result<Option<PasskeyRow>> {
        Ok(sqlx::query_as("select * from passkeys where credential_id = $1")
            .bind(credential_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Notes that a passkey opened its account, with what it is like since; false where another use came between.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_passkey(&self, id: Uuid, before: &[u8], after: &[u8]) -> Result<bool> {
        let done = sqlx::query(
            "update passkeys set dynamic_state = $3, last_used_at = now() where id = $1 and dynamic_state = $2",
        )
        .bind(id)
        .bind(before)
        .bind(after)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Tx {
    /// Adds a passkey. `Conflict("passkeys_credential_id_key")` where it is registered.
    ///
    /// # Errors
    /// See above; or the database failed.
    pub async fn insert_passkey(&mut self, new: &NewPasskey<'_>) -> Result<()> {
        sqlx::query(
            "insert into passkeys (id, user_id, credential_id, static_state, dynamic_state, transports, name)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id)
        .bind(new.user_id.uuid())
        .bind(new.credential_id)
        .bind(new.static_state)
        .bind(new.dynamic_state)
        .bind(new.transports)
        .bind(new.name)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Calls one of a user's passkeys otherwise; returns how it was called.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn rename_passkey(&mut self, user: UserId, id: Uuid, name: &str) -> Result<String> {
        sqlx::query_scalar(
            "update passkeys p set name = $3 from passkeys before
             where p.id = $2 and p.user_id = $1 and before.id = p.id returning before.name",
        )
        .bind(user.uuid())
        .bind(id)
        .bind(name)
        .fetch_optional(self.conn())
        .await?
        .ok_or(Error::NotFound("passkey"))
    }

    /// Takes one of a user's passkeys away; returns how it was called.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_passkey(&mut self, user: UserId, id: Uuid) -> Result<String> {
        sqlx::query_scalar("delete from passkeys where id = $2 and user_id = $1 returning name")
            .bind(user.uuid())
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("passkey"))
    }
}
