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
    insert into events (id, type, organization_id, api_id, data, once)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::text[])
    on conflict (once) do nothing returning id, type, organization_id, api_id
)
insert into webhook_deliveries (webhook_id, event_id)
    select w.id, t.id from told t, webhooks w
    where w.state = 'active' and (w.event_types = '{}' or t.type = any (w.event_types))
      and (w.organization_id is null or w.organization_id = t.organization_id
        or t.api_id is not null and exists (select from subscriptions s
            join product_apis p on p.product_id = s.product_id and p.api_id = t.api_id
            where s.organization_id = w.organization_id and s.state in ('active', 'suspended')))";

fn insert<'q>(
    new: &'q [NewEvent<'q>],
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    fn each<'q, T>(new: &'q [NewEvent<'q>], pick: impl Fn(&'q NewEvent<'q>) -> T) -> Vec<T> {
        new.iter().map(pick).collect()
    }
    sqlx::query(INSERT)
        .bind(each(new, |event| event.id.uuid()))
        .bind(each(new, |event| event.kind))
        .bind(each(new, |event| event.organization_id.map(OrganizationId::uuid)))
        .bind(each(new, |event| event.api_id.map(ApiId::uuid)))
        .bind(each(new, |event| event.data))
        .bind(each(new, |event| event.once))
}

impl Tx {
    /// Notes what happened, and that it is to be told; both only if this transaction commits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_events(&mut self, new: &[NewEvent<'_>]) -> Result<()> {
        if !new.is_empty() {
            insert(new).execute(self.conn()).await?;
        }
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
        insert(std::slice::from_ref(new)).execute(&self.pool).await?;
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
