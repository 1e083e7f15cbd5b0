//! Operators' service tokens.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, TokenId, TokenScope};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

const COLUMNS: &str = "select id, name, role, scopes, display_prefix, made_by, created_at, expires_at, revoked_at from operator_tokens";

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
    scopes: Option<Vec<String>>,
    /// Its first characters.
    pub display_prefix: String,
    /// The user or token that made it.
    pub made_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl TokenRow {
    /// What it was narrowed to; none where it may do all that its role may. A word of a newer release narrows to nothing.
    #[must_use]
    pub fn scopes(&self) -> Option<Vec<TokenScope>> {
        let words = self.scopes.as_ref()?;
        Some(words.iter().filter_map(|word| word.parse().ok()).collect())
    }
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
    /// What it is narrowed to.
    pub scopes: Option<&'a [TokenScope]>,
    /// HMAC-SHA-256 under the pepper.
    pub digest: &'a [u8; 32],
    /// Which pepper.
    pub pepper_version: i16,
    /// Its first characters.
    pub display_prefix: &'a str,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
    /// The user or token that makes it.
    pub made_by: Option<Uuid>,
}

impl Store {
    /// The token in force with one of these digests.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_token(&self, digests: &[[u8; 32]]) -> Result<Option<TokenRow>> {
        let digests: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where digest = any($1) and revoked_at is null and (expires_at is null or expires_at > now())"
        )))
        .bind(digests)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// A token by id, also one that is over.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_token(&self, id: TokenId) -> Result<TokenRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("token"))
    }

    /// Tokens, oldest first; those that are over too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_tokens(&self, page: Page) -> Result<Vec<TokenRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or id > $1) order by id limit $2"
        )))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
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
            "insert into operator_tokens (id, name, role, digest, pepper_version, display_prefix, expires_at, scopes, made_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(new.id.uuid())
        .bind(new.name)
        .bind(new.role.as_str())
        .bind(new.digest.as_slice())
        .bind(new.pepper_version)
        .bind(new.display_prefix)
        .bind(new.expires_at)
        .bind(new.scopes.map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>()))
        .bind(new.made_by)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Revokes a token; false where it was revoked before.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn revoke_token(&mut self, id: TokenId) -> Result<bool> {
        let before: Option<Option<DateTime<Utc>>> =
            sqlx::query_scalar("select revoked_at from operator_tokens where id = $1 for update")
                .bind(id.uuid())
                .fetch_optional(self.conn())
                .await?;
        if before.ok_or(Error::NotFound("token"))?.is_some() {
            return Ok(false);
        }
        sqlx::query("update operator_tokens set revoked_at = now() where id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        Ok(true)
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
