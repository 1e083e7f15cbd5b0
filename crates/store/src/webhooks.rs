//! Webhooks: addresses that are told what happens.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, Scope, UserId, WebhookId};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// Without its secrets.
const COLUMNS: &str = "select id, organization_id,
    (select name from organizations o where o.id = organization_id) as organization, url, description, event_types, state, disabled_because,
    old_secret_until, failing_since, version, created_at from webhooks";
/// An operator sees all, a tenant its own.
const VISIBLE: &str = "($1::uuid is null or organization_id = $1)";

/// An address that is told what happens.
#[derive(Debug, Clone, FromRow)]
pub struct WebhookRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: WebhookId,
    /// Whose it is; none for the platform's.
    organization_id: Option<Uuid>,
    /// Its name.
    pub organization: Option<String>,
    /// Where it is.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// What it wants to be told; everything where empty.
    pub event_types: Vec<String>,
    /// active or disabled.
    pub state: String,
    /// asked, failing or gone.
    pub disabled_because: Option<String>,
    /// Until when the secret before this one signs too.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Since when nothing has arrived.
    pub failing_since: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl WebhookRow {
    /// Whose it is; none for the platform's.
    #[must_use]
    pub fn organization_id(&self) -> Option<OrganizationId> {
        self.organization_id.map(OrganizationId::from)
    }

    /// Whether it is told anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

/// What a webhook is made from.
#[derive(Debug, Clone)]
pub struct NewWebhook<'a> {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is; none for the platform's.
    pub organization_id: Option<OrganizationId>,
    /// Where it is.
    pub url: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// What it wants to be told; everything where empty.
    pub event_types: &'a [String],
}

impl Store {
    /// A webhook that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_webhook(&self, scope: Scope, id: WebhookId) -> Result<WebhookRow> {
        let sql = format!("{COLUMNS} where {VISIBLE} and id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("webhook"))
    }

    /// Webhooks that the scope may see, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_webhooks(&self, scope: Scope, page: Page) -> Result<Vec<WebhookRow>> {
        let sql = format!("{COLUMNS} where {VISIBLE} and ($2::uuid is null or id > $2) order by id limit $3");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Who is written to about a webhook: those who may change it and have shown that their address is theirs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_webhook_keepers(&self, id: WebhookId) -> Result<Vec<UserId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select u.id from webhooks w join users u on u.disabled_at is null and u.email_verified_at is not null
             where w.id = $1 and (w.organization_id is null
                    and exists (select from operators o where o.user_id = u.id and o.role = 'admin')
                or exists (select from members m where m.organization_id = w.organization_id and m.user_id = u.id
                    and m.role <> 'viewer'))
             order by u.id limit 50",
        )
        .bind(id.uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }
}

impl Tx {
    /// Locks a webhook that the scope may see and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_webhook(&mut self, scope: Scope, id: WebhookId) -> Result<WebhookRow> {
        let sql = format!("{COLUMNS} where {VISIBLE} and id = $2 for update");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.organization().map(OrganizationId::uuid))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("webhook"))
    }

    /// How many webhooks an organization has, or the platform.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_webhooks(&mut self, organization: Option<OrganizationId>) -> Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from webhooks where organization_id is not distinct from $1")
            .bind(organization.map(OrganizationId::uuid))
            .fetch_one(self.conn())
            .await?)
    }

    /// Adds a webhook with its sealed secret.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_webhook(&mut self, new: &NewWebhook<'_>, secret_sealed: &[u8]) -> Result<()> {
        sqlx::query(
            "insert into webhooks (id, organization_id, url, description, event_types, secret_sealed)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.uuid())
        .bind(new.organization_id.map(OrganizationId::uuid))
        .bind(new.url)
        .bind(new.description)
        .bind(new.event_types)
        .bind(secret_sealed)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Replaces a webhook's fields. One that is switched on again begins anew; what one that is switched off was still
    /// to be told is given up.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_webhook(
        &mut self,
        new: &NewWebhook<'_>,
        disabled_because: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update webhooks set url = $2, description = $3, event_types = $4, disabled_because = $5,
                state = case when $5::text is null then 'active' else 'disabled' end,
                failing_since = case when $5::text is null and state = 'disabled' then null else failing_since end,
                version = version + 1 where id = $1",
        )
        .bind(new.id.uuid())
        .bind(new.url)
        .bind(new.description)
        .bind(new.event_types)
        .bind(disabled_because)
        .execute(self.conn())
        .await?;
        if disabled_because.is_some() {
            self.give_up_deliveries(new.id).await?;
        }
        Ok(())
    }

    /// Gives a webhook another secret; the one before signs too until `old_until`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rotate_webhook_secret(
        &mut self,
        id: WebhookId,
        secret_sealed: &[u8],
        old_sealed: &[u8],
        old_until: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query(
            "update webhooks set secret_sealed = $2, old_secret_sealed = $3, old_secret_until = $4,
                version = version + 1 where id = $1",
        )
        .bind(id.uuid())
        .bind(secret_sealed)
        .bind(old_sealed)
        .bind(old_until)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The sealed secret of a webhook.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_webhook_secret(&mut self, id: WebhookId) -> Result<Vec<u8>> {
        sqlx::query_scalar("select secret_sealed from webhooks where id = $1")
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("webhook"))
    }

    /// Removes a webhook with its deliveries.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_webhook(&mut self, id: WebhookId) -> Result<()> {
        sqlx::query("delete from webhooks where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        Ok(())
    }

    /// Switches a webhook off that does not work, and gives up what it was still to be told. False where it was off.
    ///
    /// # Errors
    /// The database failed.
    pub async fn disable_webhook(&mut self, id: WebhookId, because: &str) -> Result<bool> {
        let done = sqlx::query(
            "update webhooks set state = 'disabled', disabled_because = $2, version = version + 1
             where id = $1 and state = 'active'",
        )
        .bind(id.uuid())
        .bind(because)
        .execute(self.conn())
        .await?;
        self.give_up_deliveries(id).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn give_up_deliveries(&mut self, id: WebhookId) -> Result<()> {
        sqlx::query(
            "update webhook_deliveries set state = 'dead', settled_at = now(), lease = null, leased_until = null
             where webhook_id = $1 and state = 'pending'",
        )
        .bind(id.uuid())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
