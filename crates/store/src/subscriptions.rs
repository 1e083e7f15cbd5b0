//! Applications on plans.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    ApplicationId, OrganizationId, PlanId, ProductId, Scope, SubscriptionId, SubscriptionState,
};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// An application on a plan.
#[derive(Debug, Clone, FromRow)]
pub struct SubscriptionRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: SubscriptionId,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Which application.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// The product that it opens.
    #[sqlx(try_from = "Uuid")]
    pub product_id: ProductId,
    /// On which terms.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: SubscriptionState,
    /// Whether it was suspended by its owner, who may resume it.
    pub paused: bool,
    /// A bill for it is unpaid and its grace is over: gateways refuse its calls.
    pub unpaid: bool,
    landed_plan_id: Option<Uuid>,
    /// What was said when its request was decided.
    pub decision: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl SubscriptionRow {
    /// The free plan whose limits hold until an overdue bill is paid.
    #[must_use]
    pub fn landed_plan(&self) -> Option<PlanId> {
        self.landed_plan_id.map(PlanId::from)
    }
}

/// What a subscription is made from.
#[derive(Debug, Clone, Copy)]
pub struct NewSubscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Which application.
    pub application_id: ApplicationId,
    /// The product that it opens.
    pub product_id: ProductId,
    /// On which terms.
    pub plan_id: PlanId,
    /// Where it starts.
    pub state: SubscriptionState,
}

impl Store {
    /// A subscription that the scope may see.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_subscription(&self, scope: Scope, id: SubscriptionId) -> Result<SubscriptionRow> {
        sqlx::query_as(
            "select * from subscriptions where id = $1 and ($2::uuid is null or organization_id = $2)",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("subscription"))
    }

    /// Subscriptions that the scope may see, of one application or of all, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_subscriptions(
        &self,
        scope: Scope,
        application: Option<ApplicationId>,
        page: Page,
    ) -> Result<Vec<SubscriptionRow>> {
        Ok(sqlx::query_as(
            "select * from subscriptions where ($1::uuid is null or organization_id = $1)
             and ($2::uuid is null or application_id = $2) and ($3::uuid is null or id > $3) order by id limit $4",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(application.map(ApplicationId::uuid))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a subscription that the scope may see and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_subscription(&mut self, scope: Scope, id: SubscriptionId) -> Result<SubscriptionRow> {
        sqlx::query_as(
            "select * from subscriptions where id = $1 and ($2::uuid is null or organization_id = $2) for update",
        )
        .bind(id.uuid())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(self.conn())
        .await?
        .ok_or(Error::NotFound("subscription"))
    }

    /// Adds a subscription.
    ///
    /// # Errors
    /// `Conflict("subscriptions_one_per_product")` where the application has one already; or the database failed.
    pub async fn insert_subscription(&mut self, new: NewSubscription) -> Result<()> {
        sqlx::query(
            "insert into subscriptions (id, organization_id, application_id, product_id, plan_id, state)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.uuid())
        .bind(new.organization_id.uuid())
        .bind(new.application_id.uuid())
        .bind(new.product_id.uuid())
        .bind(new.plan_id.uuid())
        .bind(new.state.as_str())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps what was said when a request was decided.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_decision(&mut self, id: SubscriptionId, said: &str) -> Result<()> {
        sqlx::query("update subscriptions set decision = $2 where id = $1")
            .bind(id.uuid())
            .bind(said)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Moves a subscription to another state or plan.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_subscription(
        &mut self,
        id: SubscriptionId,
        plan: PlanId,
        state: SubscriptionState,
    ) -> Result<()> {
        sqlx::query(
            "update subscriptions set plan_id = $2, state = $3, paused = paused and $3 = 'suspended', version = version + 1,
             ended_at = case when $3 = 'ended' then now() else ended_at end where id = $1",
        )
        .bind(id.uuid())
        .bind(plan.uuid())
        .bind(state.as_str())
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
