//! Services, APIs, products and plans, as lists show them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiState, Limit, PlanState, ProductId, ProductState, ServiceId, Visibility};
use uuid::Uuid;

use super::{Conditions, Cut, Found, Shape, Type};
use crate::plan_limits::Written;
use crate::{Result, Store};

/// A service in a list.
#[derive(Debug, Clone, FromRow)]
pub struct ServiceLine {
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its addresses, in order.
    pub targets: Vec<String>,
    /// How many APIs forward to it.
    pub apis: i64,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An API in a list.
#[derive(Debug, Clone, FromRow)]
pub struct ApiLine {
    /// Its id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Where it stands in its life.
    #[sqlx(try_from = "String")]
    pub state: ApiState,
    /// What stands before every path.
    pub base_path: String,
    /// The slug of the service that answers.
    pub service: String,
    /// How many operations it has.
    pub routes: i64,
    /// How many products offer it.
    pub products: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Which APIs.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApiFilter<'f> {
    /// Words of name, slug or base path.
    pub words: &'f str,
    /// In this state.
    pub state: Option<ApiState>,
    /// Answered by this service.
    pub service: Option<ServiceId>,
    /// Offered by this product.
    pub product: Option<ProductId>,
}

/// A product in a list.
#[derive(Debug, Clone, FromRow)]
pub struct ProductLine {
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it is on offer.
    #[sqlx(try_from = "String")]
    pub state: ProductState,
    /// Who sees it.
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    /// How many APIs are in it.
    pub apis: i64,
    /// How many plans it has.
    pub plans: i64,
    /// How many subscriptions to it have not ended.
    pub subscriptions: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A plan in a list.
#[derive(Debug, Clone, FromRow)]
pub struct PlanLine {
    /// Its id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it can be chosen.
    #[sqlx(try_from = "String")]
    pub state: PlanState,
    /// Whether an operator must approve.
    pub approval: bool,
    /// Price in minor units.
    pub price_minor: i64,
    /// The price's currency.
    pub price_currency: String,
    /// Its limits.
    #[sqlx(try_from = "Written")]
    pub limits: Vec<Limit>,
    /// The slug of its product.
    pub product: String,
    /// How many subscriptions on it have not ended.
    pub subscriptions: i64,
}

const SERVICES: Shape = Shape {
    columns: "t.slug, t.name, t.read_timeout_ms, t.created_at,
        array(select g.url from targets g where g.service_id = t.id order by g.position limit 4) as targets,
        (select count(*) from apis a where a.service_id = t.id) as apis",
    from: "services t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)"), ("slug", "t.slug")],
};

const APIS: Shape = Shape {
    columns: "t.id, t.slug, t.name, t.state, t.base_path, t.created_at,
        (select s.slug from services s where s.id = t.service_id) as service,
        (select count(*) from routes r where r.api_id = t.id) as routes,
        (select count(*) from product_apis p where p.api_id = t.id) as products",
    from: "apis t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)"), ("path", "t.base_path")],
};

const PRODUCTS: Shape = Shape {
    columns: "t.slug, t.name, t.state, t.visibility, t.created_at,
        (select count(*) from product_apis p where p.product_id = t.id) as apis,
        (select count(*) from plans p where p.product_id = t.id) as plans,
        (select count(*) from subscriptions s where s.product_id = t.id and s.state <> 'ended') as subscriptions",
    from: "products t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)")],
};

const PLANS: Shape = Shape {
    columns:
        "t.id, t.slug, t.name, t.state, t.approval, t.price_minor, t.price_currency, t.limits,
        (select p.slug from products p where p.id = t.product_id) as product,
        (select count(*) from subscriptions s where s.plan_id = t.id and s.state <> 'ended') as subscriptions",
    from: "plans t",
    id: ("t.id", Type::Uuid),
    orders: &[],
};

impl Store {
    /// Services with these words in name or slug. Orders: `name`, `slug`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_services(&self, words: &str, cut: &Cut) -> Result<Found<ServiceLine>> {
        self.browse(&SERVICES, cut, |and| {
            and.words("services w where true", "w.name || ' ' || w.slug", words);
        })
        .await
    }

    /// APIs. Orders: `name`, `path`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_apis(&self, filter: ApiFilter<'_>, cut: &Cut) -> Result<Found<ApiLine>> {
        self.browse(&APIS, cut, |and: &mut Conditions| {
            and.words("apis w where true", "w.name || ' ' || w.slug || ' ' || w.base_path", filter.words)
                .and("t.state = ", filter.state.map(ApiState::as_str))
                .and("t.service_id = ", filter.service.map(ServiceId::uuid));
            if let Some(product) = filter.product {
                and.and(
                    "exists (select from product_apis p where p.api_id = t.id and p.product_id = ",
                    Some(product.uuid()),
                )
                .push(")");
            }
        })
        .await
    }

    /// Products with these words in name or slug. Orders: `name`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_products(
        &self,
        words: &str,
        state: Option<ProductState>,
        cut: &Cut,
    ) -> Result<Found<ProductLine>> {
        self.browse(&PRODUCTS, cut, |and| {
            and.words("products w where true", "w.name || ' ' || w.slug", words)
                .and("t.state = ", state.map(ProductState::as_str));
        })
        .await
    }

    /// The plans of a product, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_plans(&self, product: ProductId, cut: &Cut) -> Result<Found<PlanLine>> {
        self.browse(&PLANS, cut, |and| {
            and.and("t.product_id = ", Some(product.uuid()));
        })
        .await
    }
}
