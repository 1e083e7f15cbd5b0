//! Applications, keys and subscriptions, as lists show them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    ApplicationId, ApplicationState, CredentialId, OrganizationId, PlanId, ProductId, Scope, SubscriptionId,
    SubscriptionState,
};
use uuid::Uuid;

use super::{Conditions, Cut, Found, Shape, Type};
use crate::{Result, Store};

/// An application in a list.
#[derive(Debug, Clone, FromRow)]
pub struct ApplicationLine {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// Whether it may call.
    #[sqlx(try_from = "String")]
    pub state: ApplicationState,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// The organization's name.
    pub organization: String,
    /// How many keys of it are active.
    pub keys: i64,
    /// Products that it is subscribed to, by name.
    pub products: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key in a list.
#[derive(Debug, Clone, FromRow)]
pub struct CredentialLine {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// Its first characters.
    pub display_prefix: String,
    /// Its last four.
    pub display_last4: String,
    /// Which application proves itself with it.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// The application's name.
    pub application: String,
    /// The organization's name.
    pub organization: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When its last counted call was made, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A subscription in a list.
#[derive(Debug, Clone, FromRow)]
pub struct SubscriptionLine {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: SubscriptionId,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: SubscriptionState,
    /// Which application.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// The application's name.
    pub application: String,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// The organization's name.
    pub organization: String,
    /// The product's slug.
    pub product_slug: String,
    /// The product's name.
    pub product: String,
    /// The plan's slug.
    pub plan_slug: String,
    /// The plan's name.
    pub plan: String,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Which subscriptions.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubscriptionFilter<'f> {
    /// Words of the application's name.
    pub words: &'f str,
    /// In this state.
    pub state: Option<SubscriptionState>,
    /// To this product.
    pub product: Option<ProductId>,
    /// On this plan.
    pub plan: Option<PlanId>,
    /// Of this application.
    pub application: Option<ApplicationId>,
}

const APPLICATIONS: Shape = Shape {
    columns: "t.id, t.name, t.state, t.organization_id, t.created_at,
        (select o.name from organizations o where o.id = t.organization_id) as organization,
        (select count(*) from credentials c where c.application_id = t.id and c.revoked_at is null) as keys,
        array(select p.name from subscriptions s join products p on p.id = s.product_id
              where s.application_id = t.id and s.state <> 'ended' order by p.name limit 4) as products",
    from: "applications t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)")],
};

const CREDENTIALS: Shape = Shape {
    columns: "t.id, t.name, t.display_prefix, t.display_last4, t.application_id, t.created_at, t.expires_at, t.revoked_at,
        (select a.name from applications a where a.id = t.application_id) as application,
        (select o.name from organizations o where o.id = t.organization_id) as organization,
        (select least(u.minute + interval '59 seconds', now()) from usage_counters u where u.credential_id = t.id
         order by u.minute desc limit 1) as last_used_at",
    from: "credentials t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)")],
};

const SUBSCRIPTIONS: Shape = Shape {
    columns: "t.id, t.state, t.application_id, t.organization_id, t.version, t.created_at,
        (select a.name from applications a where a.id = t.application_id) as application,
        (select o.name from organizations o where o.id = t.organization_id) as organization,
        (select p.slug from products p where p.id = t.product_id) as product_slug,
        (select p.name from products p where p.id = t.product_id) as product,
        (select l.slug from plans l where l.id = t.plan_id) as plan_slug,
        (select l.name from plans l where l.id = t.plan_id) as plan",
    from: "subscriptions t",
    id: ("t.id", Type::Uuid),
    orders: &[],
};

/// What an organization has already, in a few words.
#[derive(Debug, Clone, FromRow)]
pub struct HeldLine {
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// The product's name.
    pub product: String,
    /// The plan's name.
    pub plan: String,
}

impl Store {
    /// Of each of these organizations, the oldest active subscriptions, so many at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn active_subscriptions_of(
        &self,
        organizations: &[OrganizationId],
        each: i64,
    ) -> Result<Vec<HeldLine>> {
        let organizations: Vec<Uuid> = organizations.iter().map(|one| one.uuid()).collect();
        Ok(sqlx::query_as(
            "select held.* from unnest($1::uuid[]) wanted(id), lateral (
                select s.organization_id, p.name as product, l.name as plan
                from subscriptions s join products p on p.id = s.product_id join plans l on l.id = s.plan_id
                where s.organization_id = wanted.id and s.state = 'active' order by s.id limit $2) held",
        )
        .bind(organizations)
        .bind(each)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Applications that the scope may see, with these words in their name. Orders: `name`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_applications(
        &self,
        scope: Scope,
        words: &str,
        state: Option<ApplicationState>,
        cut: &Cut,
    ) -> Result<Found<ApplicationLine>> {
        self.browse(&APPLICATIONS, cut, |and: &mut Conditions| {
            and.push(" and t.deleted_at is null")
                .and("t.organization_id = ", scope.organization().map(OrganizationId::uuid))
                .and("t.state = ", state.map(ApplicationState::as_str))
                .words("applications w where w.deleted_at is null", "w.name", words);
        })
        .await
    }

    /// Keys that the scope may see, whose visible part begins so, or with these words in their name; `revoked` narrows
    /// to those that were, or were not. Orders: `name`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_credentials(
        &self,
        scope: Scope,
        typed: &str,
        revoked: Option<bool>,
        cut: &Cut,
    ) -> Result<Found<CredentialLine>> {
        let is_prefix = typed.contains('_');
        self.browse(&CREDENTIALS, cut, |and: &mut Conditions| {
            and.and("t.organization_id = ", scope.organization().map(OrganizationId::uuid));
            if is_prefix {
                let (from, to) = (typed.to_owned(), format!("{typed}\u{10ffff}"));
                and.and("t.display_prefix collate \"C\" >= ", Some(from));
                and.and("t.display_prefix collate \"C\" < ", Some(to));
            } else {
                and.words("credentials w where true", "w.name", typed);
            }
            match revoked {
                Some(true) => and.push(" and t.revoked_at is not null"),
                Some(false) => and.push(" and t.revoked_at is null"),
                None => and,
            };
        })
        .await
    }

    /// Names of applications, deleted ones too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn application_names(&self, scope: Scope, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
        Ok(sqlx::query_as(
            "select id, name from applications where id = any($1) and ($2::uuid is null or organization_id = $2)",
        )
        .bind(ids)
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_all(&self.pool)
        .await?)
    }

    /// The key with this digest, active or not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_credential_id(&self, scope: Scope, digest: &[u8; 32]) -> Result<Option<CredentialId>> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "select id from credentials where digest = $1 and ($2::uuid is null or organization_id = $2)",
        )
        .bind(digest.as_slice())
        .bind(scope.organization().map(OrganizationId::uuid))
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(CredentialId::from))
    }

    /// Subscriptions that the scope may see. Order: `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_subscriptions(
        &self,
        scope: Scope,
        filter: SubscriptionFilter<'_>,
        cut: &Cut,
    ) -> Result<Found<SubscriptionLine>> {
        self.browse(&SUBSCRIPTIONS, cut, |and: &mut Conditions| {
            and.and("t.organization_id = ", scope.organization().map(OrganizationId::uuid))
                .and("t.state = ", filter.state.map(SubscriptionState::as_str))
                .and("t.product_id = ", filter.product.map(ProductId::uuid))
                .and("t.plan_id = ", filter.plan.map(PlanId::uuid))
                .and("t.application_id = ", filter.application.map(ApplicationId::uuid))
                .words_of(
                    "t.application_id",
                    "applications w where w.deleted_at is null",
                    "w.name",
                    filter.words,
                );
        })
        .await
    }
}
