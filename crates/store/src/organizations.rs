//! Tenants and their members.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{Currency, MemberRole, OrganizationId, Scope, Slug, UserId, Zone};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// A tenant.
#[derive(Debug, Clone, FromRow)]
pub struct OrganizationRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A user in a tenant.
#[derive(Debug, Clone, FromRow)]
pub struct MemberRow {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// The user.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// The user's e-mail.
    pub email: String,
    /// What they may do there.
    #[sqlx(try_from = "String")]
    pub role: MemberRole,
}

impl Store {
    /// A tenant that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_organization(&self, scope: Scope, id: OrganizationId) -> Result<OrganizationRow> {
        sqlx::query_as(
            "select id, name, slug, version, created_at from organizations
             where id = $1 and deleted_at is null and ($2::uuid is null or id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("organization"))
    }

    /// The time zone of a tenant that the scope may see; UTC where it is none that this build knows.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_time_zone(&self, scope: Scope, id: OrganizationId) -> Result<Zone> {
        let zone: Option<String> = sqlx::query_scalar(
            "select time_zone from organizations
             where id = $1 and deleted_at is null and ($2::uuid is null or id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?;
        Ok(zone.ok_or(Error::NotFound("organization"))?.parse().unwrap_or_default())
    }

    /// Tenants that the scope may see, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_organizations(&self, scope: Scope, page: Page) -> Result<Vec<OrganizationRow>> {
        Ok(sqlx::query_as(
            "select id, name, slug, version, created_at from organizations
             where deleted_at is null and ($1::uuid is null or id = $1) and ($2::uuid is null or id > $2)
             order by id limit $3",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A tenant by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_organization_by_slug(&self, slug: &str) -> Result<Option<OrganizationRow>> {
        Ok(sqlx::query_as(
            "select id, name, slug, version, created_at from organizations where slug = $1 and deleted_at is null",
        )
        .bind(slug)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The tenants that a user belongs to, oldest membership first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_memberships(&self, user_id: UserId) -> Result<Vec<MemberRow>> {
        Ok(sqlx::query_as(
            "select m.organization_id, m.user_id, u.email, m.role from members m
             join users u on u.id = m.user_id join organizations o on o.id = m.organization_id
             where m.user_id = $1 and o.deleted_at is null order by m.created_at, m.organization_id",
        )
        .bind(user_id.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// The members of tenants that the scope may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_members(&self, scope: Scope) -> Result<Vec<MemberRow>> {
        Ok(sqlx::query_as(
            "select m.organization_id, m.user_id, u.email, m.role from members m join users u on u.id = m.user_id
             where ($1::uuid is null or m.organization_id = $1) order by m.created_at limit 1000",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Store {
    /// What a tenant pays in; none while that is open.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_currency(&self, scope: Scope, id: OrganizationId) -> Result<Option<Currency>> {
        let code: Option<String> = sqlx::query_scalar(
            "select currency from organizations where id = $1 and deleted_at is null and ($2::uuid is null or id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("organization"))?;
        Ok(code.and_then(|code| code.parse().ok()))
    }

    /// Whether a tenant is or was on a plan that costs something.
    ///
    /// # Errors
    /// The database failed.
    pub async fn pays(&self, id: OrganizationId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             where t.organization_id = $1 and not prices_are_free(tariff_in(f.terms, t.currency)))",
        )
        .bind(id.uuid())
        .fetch_one(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Sets what a tenant pays in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_currency(&mut self, id: OrganizationId, currency: Currency) -> Result<()> {
        sqlx::query("update organizations set currency = $2, version = version + 1 where id = $1")
            .bind(id.uuid())
            .bind(currency.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Locks a tenant that the scope may see and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_organization(&mut self, scope: Scope, id: OrganizationId) -> Result<OrganizationRow> {
        sqlx::query_as(
            "select id, name, slug, version, created_at from organizations
             where id = $1 and deleted_at is null and ($2::uuid is null or id = $2) for update",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(self.conn())
        .await?
        .ok_or(Error::NotFound("organization"))
    }

    /// The members of an organization, locked, so that two do not leave it at once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_members(&mut self, organization: OrganizationId) -> Result<Vec<MemberRow>> {
        Ok(sqlx::query_as(
            "select m.organization_id, m.user_id, u.email, m.role from members m join users u on u.id = m.user_id
             where m.organization_id = $1 order by m.created_at for update of m",
        )
        .bind(organization.uuid())
        .fetch_all(self.conn())
        .await?)
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken, or the database failed.
    pub async fn insert_organization(&mut self, id: OrganizationId, name: &str, slug: &Slug) -> Result<()> {
        sqlx::query("insert into organizations (id, name, slug) values ($1, $2, $3)")
            .bind(id.uuid())
            .bind(name)
            .bind(slug.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Sets a tenant's time zone.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn set_time_zone(&mut self, id: OrganizationId, zone: Zone) -> Result<()> {
        let done = sqlx::query(
            "update organizations set time_zone = $2, version = version + 1 where id = $1 and deleted_at is null",
        )
        .bind(id.uuid())
        .bind(zone.as_str())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("organization")) } else { Ok(()) }
    }

    /// Replaces a tenant's name and slug.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where the slug is taken; or the database failed.
    pub async fn update_organization(&mut self, id: OrganizationId, name: &str, slug: &Slug) -> Result<()> {
        let done = sqlx::query(
            "update organizations set name = $2, slug = $3, version = version + 1
             where id = $1 and deleted_at is null",
        )
        .bind(id.uuid())
        .bind(name)
        .bind(slug.as_str())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("organization")) } else { Ok(()) }
    }

    /// Ends a tenant: its applications, subscriptions and keys stop working; the rows stay for usage and bills.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_organization(&mut self, id: OrganizationId) -> Result<()> {
        let done = sqlx::query(
            "update organizations set deleted_at = now(), version = version + 1, slug = left(slug, 20) || '-' || replace(id::text, '-', '')
             where id = $1 and deleted_at is null",
        )
        .bind(id.uuid())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound("organization"));
        }
        let applications: Vec<Uuid> = sqlx::query_scalar(
            "select id from applications where organization_id = $1 and deleted_at is null",
        )
        .bind(id.uuid())
        .fetch_all(self.conn())
        .await?;
        for application in applications {
            self.delete_application(Scope::Organization(id), application.into()).await?;
        }
        Ok(())
    }

    /// Puts a user into a tenant.
    ///
    /// # Errors
    /// `Conflict` where they are in it, or the database failed.
    pub async fn insert_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: MemberRole,
    ) -> Result<()> {
        sqlx::query("insert into members (organization_id, user_id, role) values ($1, $2, $3)")
            .bind(organization.uuid())
            .bind(user.uuid())
            .bind(role.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
