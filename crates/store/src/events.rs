//! What happened, and which webhooks are told of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{ApiId, EventId, OrganizationId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// Something that happened.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// Its id; by it receivers know a repetition.
    pub id: EventId,
    /// Like `subscription.activated`.
    pub kind: &'a str,
    /// Whose it is; none for what happens to all.
    pub organization_id: Option<OrganizationId>,
    /// Of which API, where it is one's: its subscribers are told.
    pub api_id: Option<ApiId>,
    /// What is told.
    pub data: &'a Value,
    /// What it is about, where the same must not be told twice.
    pub once: Option<&'a str>,
}

/// Something that happened, as it is told.
#[derive(Debug, Clone, FromRow)]
pub struct EventRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: EventId,
    /// Like `subscription.activated`.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// What is told.
    pub data: Value,
    /// When it happened.
    pub created_at: DateTime<Utc>,
}

/// Who is told: the platform's webhooks of everything, an organization's of what is its own and of the APIs that it
/// subscribes to.
const INSERT: &str = "
with told as (
    insert into events (id, type, organization_id, api_id, data, once) values ($1, $2, $3, $4, $5, $6)
    on conflict (once) do nothing returning id
)
insert into webhook_deliveries (webhook_id, event_id)
    select w.id, told.id from told, webhooks w
    where w.state = 'active' and (w.event_types = '{}' or $2 = any (w.event_types))
      and (w.organization_id is null or w.organization_id = $3
        or $4 is not null and exists (select from subscriptions s
            join product_apis p on p.product_id = s.product_id and p.api_id = $4
            where s.organization_id = w.organization_id and s.state in ('active', 'suspended')))";

fn insert<'q>(new: &'q NewEvent<'q>) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(INSERT)
        .bind(new.id.uuid())
        .bind(new.kind)
        .bind(new.organization_id.map(OrganizationId::uuid))
        .bind(new.api_id.map(ApiId::uuid))
        .bind(new.data)
        .bind(new.once)
}

impl Tx {
    /// Notes what happened, and that it is to be told; both only if this transaction commits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_event(&mut self, new: &NewEvent<'_>) -> Result<()> {
        insert(new).execute(self.conn()).await?;
        Ok(())
    }

    /// Notes something that one webhook alone is told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_event_for(
        &mut self,
        webhook: tollgate_domain::WebhookId,
        new: &NewEvent<'_>,
    ) -> Result<()> {
        sqlx::query(
            "with told as (
                insert into events (id, type, organization_id, data) values ($1, $2, $3, $4) returning id
             ) insert into webhook_deliveries (webhook_id, event_id) select $5, id from told",
        )
        .bind(new.id.uuid())
        .bind(new.kind)
        .bind(new.organization_id.map(OrganizationId::uuid))
        .bind(new.data)
        .bind(webhook.uuid())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Notes what happened without a change of ours: a threshold was reached, an end came near.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_event(&self, new: &NewEvent<'_>) -> Result<()> {
        insert(new).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what happened thirty days ago, with its deliveries; what must not be told twice is remembered a hundred.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_events(&self) -> Result<()> {
        sqlx::query(
            "delete from events where created_at < now() - case when once is null then interval '30 days' else interval '100 days' end",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
