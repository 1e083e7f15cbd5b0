//! Plans: the terms of a product.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{Currency, Limit, Period, PlanId, PlanState, Price, ProductId, Slug, UnpaidLanding};
use uuid::Uuid;

use crate::plan_limits::Written;
use crate::{Error, Page, Result, Store, Tx};

/// The terms under which a product is used.
#[derive(Debug, Clone, FromRow)]
pub struct PlanRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: PlanId,
    /// The product it is for.
    #[sqlx(try_from = "Uuid")]
    pub product_id: ProductId,
    /// Its name in headers; unique in its product.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Whether it can be chosen.
    #[sqlx(try_from = "String")]
    pub state: PlanState,
    /// Whether an operator must approve a subscription.
    pub approval: bool,
    price_minor: i64,
    #[sqlx(try_from = "String")]
    price_currency: Currency,
    /// Its limits, as far as this release can read them.
    #[sqlx(try_from = "Written")]
    pub limits: Vec<Limit>,
    /// Whether it can read all of them. A plan of which it cannot is refused by gateways, not served without.
    #[sqlx(rename = "limits", try_from = "Written")]
    pub limits_are_whole: bool,
    /// What becomes of calls when a bill stays unpaid past its grace.
    #[sqlx(try_from = "String")]
    pub unpaid_landing: UnpaidLanding,
    /// Days of grace; none for the installation's.
    pub grace_days: Option<i16>,
    /// Whether its calls are paid from credits as they are made.
    pub prepaid: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl PlanRow {
    /// What it costs.
    #[must_use]
    pub const fn price(&self) -> Price {
        Price { minor: self.price_minor.unsigned_abs(), currency: self.price_currency, per: Period::Month }
    }
}

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct NewPlan<'a> {
    /// Its id.
    pub id: PlanId,
    /// The product it is for; never changes.
    pub product_id: ProductId,
    /// Its name in headers.
    pub slug: &'a Slug,
    /// Its name.
    pub name: &'a str,
    /// One sentence.
    pub summary: &'a str,
    /// Whether it can be chosen.
    pub state: PlanState,
    /// Whether an operator must approve a subscription.
    pub approval: bool,
    /// What it costs.
    pub price: Price,
    /// Its limits.
    pub limits: &'a [Limit],
}

impl Store {
    /// A plan by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_plan(&self, id: PlanId) -> Result<PlanRow> {
        sqlx::query_as("select * from plans where id = $1")
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// The oldest plan of a product that anybody can choose without paying: nothing that it charges, in no currency, and
    /// nothing in advance.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_gratis_plan(&self, product: ProductId) -> Result<Option<PlanRow>> {
        Ok(sqlx::query_as(
            "select p.* from plans p join tariffs t on t.plan_id = p.id
                and t.number = (select max(number) from tariffs where plan_id = p.id)
             where p.product_id = $1 and p.state = 'open' and not p.approval and not p.prepaid and prices_are_free(t.terms)
             order by p.id limit 1",
        )
        .bind(product.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// A plan by its product and slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_plan_by_slug(&self, product: ProductId, slug: &str) -> Result<Option<PlanRow>> {
        Ok(sqlx::query_as("select * from plans where product_id = $1 and slug = $2")
            .bind(product.uuid())
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Plans, of one product or of all, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_plans(&self, product: Option<ProductId>, page: Page) -> Result<Vec<PlanRow>> {
        Ok(sqlx::query_as(
            "select * from plans where ($1::uuid is null or product_id = $1) and ($2::uuid is null or id > $2)
             order by id limit $3",
        )
        .bind(product.map(ProductId::uuid))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a plan and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_plan(&mut self, id: PlanId) -> Result<PlanRow> {
        sqlx::query_as("select * from plans where id = $1 for update")
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// Adds a plan.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken in its product; `Referenced` where the product is unknown; or the
    /// database failed.
    pub async fn insert_plan(&mut self, new: &NewPlan<'_>) -> Result<()> {
        sqlx::query(
            "insert into plans (id, product_id, slug, name, summary, state, approval, price_minor, price_currency, limits)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(new.id.uuid())
        .bind(new.product_id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.state.as_str())
        .bind(new.approval)
        .bind(new.price.minor.cast_signed())
        .bind(new.price.currency.as_str())
        .bind(sqlx::types::Json(new.limits))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Replaces a plan's fields.
    ///
    /// # Errors
    /// As [`Tx::insert_plan`].
    pub async fn update_plan(&mut self, new: &NewPlan<'_>) -> Result<()> {
        sqlx::query(
            "update plans set slug = $2, name = $3, summary = $4, state = $5, approval = $6, price_minor = $7,
             price_currency = $8, limits = $9, version = version + 1 where id = $1",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.state.as_str())
        .bind(new.approval)
        .bind(new.price.minor.cast_signed())
        .bind(new.price.currency.as_str())
        .bind(sqlx::types::Json(new.limits))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes a plan.
    ///
    /// # Errors
    /// `NotFound`; `Referenced` while a subscription, ended ones too, refers to it; or the database failed.
    pub async fn delete_plan(&mut self, id: PlanId) -> Result<()> {
        let done =
            sqlx::query("delete from plans where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("plan")) } else { Ok(()) }
    }
}
