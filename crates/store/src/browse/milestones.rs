//! How far a platform is on its way to a first counted call.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Result, Store};

/// What is there, each looked for and not counted: a large platform is asked as quickly as an empty one.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Milestones {
    /// A service.
    pub service: bool,
    /// A published API.
    pub published_api: bool,
    /// The slug of the oldest published product, one with APIs in it before others.
    pub product: Option<String>,
    /// A published product with an API in it.
    pub filled_product: bool,
    /// A plan that can be chosen.
    pub open_plan: bool,
    /// Somebody beside the first.
    pub second_person: bool,
    /// A call that was counted, since the time that was asked about.
    pub counted_call: bool,
}

impl Store {
    /// What of a platform is there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn milestones(&self, since: DateTime<Utc>) -> Result<Milestones> {
        Ok(sqlx::query_as(
            "with filled as (select p.slug from products p where p.state = 'published'
                and exists (select from product_apis a where a.product_id = p.id) order by p.id limit 1)
             select exists (select from services) as service,
                exists (select from apis where state = 'published') as published_api,
                coalesce((select slug from filled),
                    (select slug from products where state = 'published' order by id limit 1)) as product,
                exists (select from filled) as filled_product,
                exists (select from plans where state = 'open') as open_plan,
                (select count(*) from (select from users limit 2) two) > 1 as second_person,
                exists (select from usage_counters where minute >= date_trunc('minute', $1) and calls > 0) as counted_call",
        )
        .bind(since)
        .fetch_one(&self.pool)
        .await?)
    }
}
