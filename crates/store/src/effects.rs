//! Who uses what is about to change.

use sqlx::FromRow;
use tollgate_domain::{
    ApiId, ApplicationId, CredentialId, OrganizationId, PlanId, ProductId, Slug, SubscriptionId,
};
use uuid::Uuid;

use crate::{Result, Store};

/// An application that uses something, and how much.
#[derive(Debug, Clone, FromRow)]
pub struct UserOfThing {
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Which application.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its name.
    pub application: String,
    /// The subscription or key by which it does, where there is one.
    pub by: Option<Uuid>,
    /// Calls, or keys.
    pub amount: i64,
}

/// Users told at most; who uses most comes first.
const USERS_MAX: i64 = 200;

impl Store {
    /// Active subscriptions to a plan that used more than this of their month.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_over_quota(&self, plan: PlanId, amount: i64) -> Result<Vec<UserOfThing>> {
        self.users_of(
            "select s.organization_id, s.application_id, a.name as application, s.id as by,
                sum(q.charged)::bigint as amount
             from subscriptions s join applications a on a.id = s.application_id
             join quota_usage q on q.subscription_id = s.id
                and q.month = date_trunc('month', now() at time zone 'utc')::date
             where s.plan_id = $1 and s.state = 'active'
             group by s.organization_id, s.application_id, a.name, s.id having sum(q.charged) > $2
             order by amount desc limit $3",
            plan.uuid(),
            amount,
        )
        .await
    }

    /// Applications with working keys that are held to an API by its slug, or to a part of it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_held_to(&self, slug: &Slug) -> Result<Vec<UserOfThing>> {
        Ok(sqlx::query_as(
            "select c.organization_id, c.application_id, a.name as application, null::uuid as by, count(*) as amount
             from credentials c join applications a on a.id = c.application_id
             where c.scopes <> '{}' and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())
               and exists (select from unnest(c.scopes) scope where split_part(scope, '/', 1) = $1)
             group by c.organization_id, c.application_id, a.name order by amount desc, a.name limit $2",
        )
        .bind(slug.as_str())
        .bind(USERS_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Active subscriptions to a plan that made more than this many calls in a minute of the last day.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_over_rate(&self, plan: PlanId, calls_per_minute: i64) -> Result<Vec<UserOfThing>> {
        self.users_of(
            "select s.organization_id, s.application_id, a.name as application, s.id as by, max(m.calls)::bigint as amount
             from subscriptions s join applications a on a.id = s.application_id
             join (select u.subscription_id, u.minute, sum(u.calls) as calls from usage_counters u
                   where u.minute > now() - interval '24 hours' group by u.subscription_id, u.minute) m
                on m.subscription_id = s.id
             where s.plan_id = $1 and s.state = 'active'
             group by s.organization_id, s.application_id, a.name, s.id having max(m.calls) > $2
             order by amount desc limit $3",
            plan.uuid(),
            calls_per_minute,
        )
        .await
    }

    /// Applications that called an API in the last 30 days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_callers(&self, api: ApiId) -> Result<Vec<UserOfThing>> {
        self.users_of(
            "select a.organization_id, a.id as application_id, a.name as application, null::uuid as by,
                sum(u.calls)::bigint as amount
             from usage_counters u join routes r on r.id = u.route_id join applications a on a.id = u.application_id
             where r.api_id = $1 and u.minute > now() - interval '30 days' and a.deleted_at is null
             group by a.organization_id, a.id, a.name having sum(u.calls) > $2 order by amount desc limit $3",
            api.uuid(),
            0,
        )
        .await
    }

    /// Applications that called an operation in the last 30 days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_callers_of_operation(
        &self,
        api: ApiId,
        method: &str,
        path: &str,
    ) -> Result<Vec<UserOfThing>> {
        Ok(sqlx::query_as(
            "select a.organization_id, a.id as application_id, a.name as application, null::uuid as by,
                sum(u.calls)::bigint as amount
             from usage_counters u join routes r on r.id = u.route_id join applications a on a.id = u.application_id
             where r.api_id = $1 and r.method = $2 and r.path = $3 and u.minute > now() - interval '30 days'
                and a.deleted_at is null
             group by a.organization_id, a.id, a.name order by amount desc limit $4",
        )
        .bind(api.uuid())
        .bind(method)
        .bind(path)
        .bind(USERS_MAX)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Applications with an active subscription to a product, and how many active keys each has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_subscribers(&self, product: ProductId) -> Result<Vec<UserOfThing>> {
        self.users_of(
            "select s.organization_id, s.application_id, a.name as application, s.id as by,
                (select count(*) from credentials c where c.application_id = a.id and c.revoked_at is null
                    and (c.expires_at is null or c.expires_at > now())) as amount
             from subscriptions s join applications a on a.id = s.application_id
             where s.product_id = $1 and s.state = 'active' and $2::bigint is not null order by amount desc limit $3",
            product.uuid(),
            0,
        )
        .await
    }

    /// The application, or those of the organization, or the one with the subscription or the key, that has active keys.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_key_holders(&self, of: KeyHolder) -> Result<Vec<UserOfThing>> {
        let (column, id) = match of {
            KeyHolder::Organization(id) => ("a.organization_id", id.uuid()),
            KeyHolder::Application(id) => ("a.id", id.uuid()),
            KeyHolder::Subscription(id) => (
                "(select a.id from subscriptions s where s.application_id = a.id and s.id = $1 and s.state = 'active')",
                id.uuid(),
            ),
            KeyHolder::Key(id) => ("c.id", id.uuid()),
        };
        let found = match of {
            KeyHolder::Subscription(_) => format!("{column} is not null"),
            _ => format!("{column} = $1"),
        };
        let sql = format!(
            "select a.organization_id, a.id as application_id, a.name as application, null::uuid as by, count(*) as amount
             from applications a join credentials c on c.application_id = a.id
             where {found} and a.deleted_at is null and c.revoked_at is null
                and (c.expires_at is null or c.expires_at > now())
             group by a.organization_id, a.id, a.name having count(*) > $2 order by amount desc limit $3"
        );
        self.users_of(&sql, id, 0).await
    }

    /// What a subscription was charged this month.
    ///
    /// # Errors
    /// The database failed.
    pub async fn charged_this_month(&self, subscription: SubscriptionId) -> Result<i64> {
        Ok(sqlx::query_scalar(
            "select coalesce(sum(charged), 0)::bigint from quota_usage
             where subscription_id = $1 and month = date_trunc('month', now() at time zone 'utc')::date",
        )
        .bind(subscription.uuid())
        .fetch_one(&self.pool)
        .await?)
    }

    async fn users_of(&self, sql: &str, id: Uuid, above: i64) -> Result<Vec<UserOfThing>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(id)
            .bind(above)
            .bind(USERS_MAX)
            .fetch_all(&self.pool)
            .await?)
    }
}

/// Whose keys are meant.
#[derive(Debug, Clone, Copy)]
pub enum KeyHolder {
    /// All applications of a tenant.
    Organization(OrganizationId),
    /// One application.
    Application(ApplicationId),
    /// The application of an active subscription.
    Subscription(SubscriptionId),
    /// The application of one key, which is the only one counted.
    Key(CredentialId),
}
