//! API keys: only what they can be checked by, and what is shown to find them again.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApplicationId, CredentialId, CredentialState, Environment, OrganizationId, Scope};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// The digest stays in the database.
const COLUMNS: &str =
    "select id, organization_id, application_id, name, environment, display_prefix, display_last4,
    version, created_at, expires_at, revoked_at,
    (select least(u.minute + interval '59 seconds', now()) from usage_counters u where u.credential_id = credentials.id
       order by u.minute desc limit 1) as last_used_at
    from credentials";

/// An API key as its owner sees it later.
#[derive(Debug, Clone, FromRow)]
pub struct CredentialRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: CredentialId,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Which application proves itself with it.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its name.
    pub name: String,
    /// Live or test.
    #[sqlx(try_from = "String")]
    pub environment: Environment,
    /// Its first characters.
    pub display_prefix: String,
    /// Its last four.
    pub display_last4: String,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When its last counted call was made, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl CredentialRow {
    /// Active or revoked.
    #[must_use]
    pub const fn state(&self) -> CredentialState {
        if self.revoked_at.is_some() { CredentialState::Revoked } else { CredentialState::Active }
    }
}

/// What a key is stored as.
#[derive(Debug, Clone)]
pub struct NewCredential<'a> {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Which application proves itself with it.
    pub application_id: ApplicationId,
    /// Its name.
    pub name: &'a str,
    /// Live or test.
    pub environment: Environment,
    /// Its first characters.
    pub display_prefix: &'a str,
    /// Its last four.
    pub display_last4: &'a str,
    /// HMAC-SHA-256 under the pepper.
    pub digest: &'a [u8; 32],
    /// Which pepper.
    pub pepper_version: i16,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Store {
    /// A key that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_credential(&self, scope: Scope, id: CredentialId) -> Result<CredentialRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where id = $1 and ($2::uuid is null or organization_id = $2)"
        )))
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("key"))
    }

    /// Keys that the scope may see, of one application or of all, oldest first; revoked ones too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_credentials(
        &self,
        scope: Scope,
        application: Option<ApplicationId>,
        page: Page,
    ) -> Result<Vec<CredentialRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or organization_id = $1)
             and ($2::uuid is null or application_id = $2) and ($3::uuid is null or id > $3) order by id limit $4"
        )))
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(application.map(ApplicationId::uuid))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The active key with this digest, if any.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_credential_by_digest(&self, digest: &[u8; 32]) -> Result<Option<CredentialRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where digest = $1 and revoked_at is null")))
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The fingerprint that a pepper version had when it was first used here.
    ///
    /// # Errors
    /// The database failed.
    pub async fn pepper_fingerprint(&self, version: i16, fingerprint: &str) -> Result<String> {
        Ok(sqlx::query_scalar(
            "with added as (insert into pepper_fingerprints (version, fingerprint) values ($1, $2)
                on conflict do nothing returning fingerprint)
             select fingerprint from added union all
             select fingerprint from pepper_fingerprints where version = $1 limit 1",
        )
        .bind(version)
        .bind(fingerprint)
        .fetch_one(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Adds a key.
    ///
    /// # Errors
    /// `Referenced` where the application is not the organization's; or the database failed.
    pub async fn insert_credential(&mut self, new: &NewCredential<'_>) -> Result<()> {
        sqlx::query(
            "insert into credentials (id, organization_id, application_id, name, environment, display_prefix,
             display_last4, digest, pepper_version, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(new.id.uuid())
        .bind(new.organization_id.uuid())
        .bind(new.application_id.uuid())
        .bind(new.name)
        .bind(new.environment.as_str())
        .bind(new.display_prefix)
        .bind(new.display_last4)
        .bind(new.digest.as_slice())
        .bind(new.pepper_version)
        .bind(new.expires_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keys of an application that are neither revoked nor expired.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_active_credentials(&mut self, application: ApplicationId) -> Result<usize> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from credentials
             where application_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
        )
        .bind(application.uuid())
        .fetch_one(self.conn())
        .await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Locks a key that the scope may see and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_credential(&mut self, scope: Scope, id: CredentialId) -> Result<CredentialRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where id = $1 and ($2::uuid is null or organization_id = $2) for update of credentials"
        )))
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(self.conn())
        .await?
        .ok_or(Error::NotFound("key"))
    }

    /// Replaces a key's name and end, where the scope may see it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn update_credential(
        &mut self,
        scope: Scope,
        id: CredentialId,
        name: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let done = sqlx::query(
            "update credentials set name = $3, expires_at = $4, version = version + 1 where id = $1 and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(name)
        .bind(expires_at)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("key")) } else { Ok(()) }
    }

    /// Revokes a key that the scope may see; false where it was revoked before.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn revoke_credential(&mut self, scope: Scope, id: CredentialId) -> Result<bool> {
        let before: Option<Option<DateTime<Utc>>> = sqlx::query_scalar(
            "select revoked_at from credentials where id = $1 and ($2::uuid is null or organization_id = $2) for update",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(self.conn())
        .await?;
        match before {
            None => Err(Error::NotFound("key")),
            Some(Some(_)) => Ok(false),
            Some(None) => {
                sqlx::query("update credentials set revoked_at = now(), version = version + 1 where id = $1")
                    .bind(id.uuid())
                    .execute(self.conn())
                    .await?;
                Ok(true)
            }
        }
    }
}
