//! API keys: only what they can be checked by, and what is shown to find them again.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    ApplicationId, CredentialId, CredentialState, Environment, OrganizationId, ProductId, Restrictions,
    Scope, UserId,
};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// The digest stays in the database.
pub(crate) const COLUMNS: &str =
    "select id, organization_id, application_id, name, environment, display_prefix, display_last4,
    version, created_at, expires_at, revoked_at, sealed is not null as revealable, replaced_by, retire_hours,
    imported, scopes, networks, origins,
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
    /// Whether its owner can look at it again.
    pub revealable: bool,
    /// The key that takes over from this one.
    pub replaced_by: Option<Uuid>,
    /// Hours that it goes on after that one is first used.
    pub retire_hours: Option<i32>,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// What it is held to beside its plan.
    #[sqlx(flatten)]
    restrictions: RestrictionColumns,
}

/// What a key is held to, as its columns have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct RestrictionColumns {
    scopes: Vec<String>,
    networks: Vec<String>,
    origins: Vec<String>,
}

impl From<RestrictionColumns> for Restrictions {
    fn from(RestrictionColumns { scopes, networks, origins }: RestrictionColumns) -> Self {
        Self { scopes, networks, origins }
    }
}

impl CredentialRow {
    /// What it is held to beside its plan.
    #[must_use]
    pub fn restrictions(&self) -> Restrictions {
        self.restrictions.clone().into()
    }

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
    /// The key itself, sealed, for keys that may be looked at again.
    pub sealed: Option<&'a [u8]>,
    /// Whether it was made elsewhere, and the digest is of the SHA-256 of its text.
    pub imported: bool,
    /// What it is held to beside its plan.
    pub restrictions: &'a Restrictions,
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

    /// The fingerprint that a pepper version has here; none where it was never used. Nothing is written.
    ///
    /// # Errors
    /// The database failed.
    pub async fn known_pepper_fingerprint(&self, version: i16) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("select fingerprint from pepper_fingerprints where version = $1")
            .bind(version)
            .fetch_optional(&self.pool)
            .await?)
    }
}

/// A key that ends soon, and whom to tell.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct ExpiringRow {
    /// The key.
    #[sqlx(try_from = "Uuid")]
    pub credential_id: CredentialId,
    user_id: Option<Uuid>,
    /// Whole days left: 14, 3 or 1 at most.
    pub days: i32,
}

impl ExpiringRow {
    /// Somebody who may renew it, with a confirmed address; none where there is nobody to write to.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.user_id.map(Into::into)
    }
}

impl Store {
    /// A key that its owner may look at again, sealed.
    ///
    /// # Errors
    /// `NotFound`, also for keys that are shown once; or the database failed.
    pub async fn get_sealed_credential(&self, scope: Scope, id: CredentialId) -> Result<Vec<u8>> {
        sqlx::query_scalar(
            "select sealed from credentials where id = $1 and ($2::uuid is null or organization_id = $2)
             and sealed is not null and revoked_at is null",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("key"))
    }

    /// The newest sandbox key, sealed, that an organization has for calls of a product: active, and of an application
    /// with an active subscription.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_sandbox_key(
        &self,
        organization: OrganizationId,
        product: ProductId,
    ) -> Result<Option<(CredentialId, Vec<u8>)>> {
        let row: Option<(Uuid, Vec<u8>)> = sqlx::query_as(
            "select k.id, k.sealed from credentials k
             where k.organization_id = $1 and k.environment = 'test' and k.sealed is not null
               and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
               and exists (select from subscriptions s
                           where s.application_id = k.application_id and s.product_id = $2 and s.state = 'active')
             order by k.id desc limit 1",
        )
        .bind(organization.uuid())
        .bind(product.uuid())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(id, sealed)| (id.into(), sealed)))
    }

    /// Keys that end within 14 days and that nothing takes over from, with everybody who may renew them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_expiring(&self) -> Result<Vec<ExpiringRow>> {
        Ok(sqlx::query_as(
            "select c.id as credential_id, m.user_id,
                case when c.expires_at < now() + interval '1 day' then 1
                     when c.expires_at < now() + interval '3 days' then 3 else 14 end as days
             from credentials c join applications a on a.id = c.application_id and a.deleted_at is null
             left join (members m join users u on u.id = m.user_id and u.disabled_at is null
                and u.email_verified_at is not null) on m.organization_id = c.organization_id and m.role <> 'viewer'
             where c.revoked_at is null and c.replaced_by is null
               and c.expires_at between now() and now() + interval '14 days'
               and c.created_at < c.expires_at - interval '15 days' limit 10000",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Keys whose successors were used for the first time: when they end is decided by that. Returns how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn retire_replaced(&self) -> Result<u64> {
        let done = sqlx::query(
            "update credentials c set expires_at = least(c.expires_at, n.first_used + make_interval(hours => c.retire_hours)),
                retire_hours = null
             from (select o.id, (select min(u.minute) from usage_counters u where u.credential_id = o.replaced_by) as first_used
                   from credentials o where o.retire_hours is not null and o.revoked_at is null) n
             where n.id = c.id and n.first_used is not null",
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Calls with a key since an instant.
    ///
    /// # Errors
    /// The database failed.
    pub async fn calls_with(&self, scope: Scope, id: CredentialId, since: DateTime<Utc>) -> Result<i64> {
        Ok(sqlx::query_scalar(
            "select coalesce(sum(calls), 0)::bigint from usage_counters where credential_id = $1 and minute >= $3
             and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(since)
        .fetch_one(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Lets another key take over: this one ends at an instant, or some hours after the other is first used.
    ///
    /// # Errors
    /// `NotFound` where it was revoked or is replaced already, or the database failed.
    pub async fn replace_credential(
        &mut self,
        id: CredentialId,
        by: CredentialId,
        expires_at: Option<DateTime<Utc>>,
        retire_hours: Option<i32>,
    ) -> Result<()> {
        let done = sqlx::query(
            "update credentials set replaced_by = $2, expires_at = least(expires_at, $3), retire_hours = $4
             where id = $1 and revoked_at is null and replaced_by is null",
        )
        .bind(id.uuid())
        .bind(by.uuid())
        .bind(expires_at)
        .bind(retire_hours)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("key")) } else { Ok(()) }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// `Referenced` where the application is not the organization's; or the database failed.
    pub async fn insert_credential(&mut self, new: &NewCredential<'_>) -> Result<()> {
        sqlx::query(
            "insert into credentials (id, organization_id, application_id, name, environment, display_prefix,
             display_last4, digest, pepper_version, expires_at, sealed, imported, scopes, networks, origins)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
        .bind(new.sealed)
        .bind(new.imported)
        .bind(&new.restrictions.scopes)
        .bind(&new.restrictions.networks)
        .bind(&new.restrictions.origins)
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

    /// Replaces a key's name, end and restrictions, where the scope may see it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn update_credential(
        &mut self,
        scope: Scope,
        id: CredentialId,
        name: &str,
        expires_at: Option<DateTime<Utc>>,
        restrictions: &Restrictions,
    ) -> Result<()> {
        let done = sqlx::query(
            "update credentials set name = $3, expires_at = $4, scopes = $5, networks = $6, origins = $7, version = version + 1 where id = $1 and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(name)
        .bind(expires_at)
        .bind(&restrictions.scopes)
        .bind(&restrictions.networks)
        .bind(&restrictions.origins)
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
