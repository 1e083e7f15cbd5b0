//! Operators' service tokens.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, TokenId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// A service token as it can be shown.
#[derive(Debug, Clone, FromRow)]
pub struct TokenRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: TokenId,
    /// Its name.
    pub name: String,
    /// What it may do.
    #[sqlx(try_from = "String")]
    pub role: OperatorRole,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a token is stored as.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// Its id.
    pub id: TokenId,
    /// Its name.
    pub name: &'a str,
    /// What it may do.
    pub role: OperatorRole,
    /// HMAC-SHA-256 under the pepper.
    pub digest: &'a [u8; 32],
    /// Which pepper.
    pub pepper_version: i16,
    /// Its first characters.
    pub display_prefix: &'a str,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The token in force with one of these digests.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_token(&self, digests: &[[u8; 32]]) -> Result<Option<TokenRow>> {
        let digests: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        Ok(sqlx::query_as(
            "select id, name, role, expires_at from operator_tokens
             where digest = any($1) and revoked_at is null and (expires_at is null or expires_at > now())",
        )
        .bind(digests)
        .fetch_optional(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Adds a token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_token(&mut self, new: &NewToken<'_>) -> Result<()> {
        sqlx::query(
            "insert into operator_tokens (id, name, role, digest, pepper_version, display_prefix, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id.uuid())
        .bind(new.name)
        .bind(new.role.as_str())
        .bind(new.digest.as_slice())
        .bind(new.pepper_version)
        .bind(new.display_prefix)
        .bind(new.expires_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Revokes every token of a name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_tokens_named(&mut self, name: &str) -> Result<()> {
        sqlx::query("update operator_tokens set revoked_at = now() where name = $1 and revoked_at is null")
            .bind(name)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
