//! Products and the APIs in them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiId, OrganizationId, ProductId, ProductState, Slug, Visibility};
use uuid::Uuid;

use crate::audience::SEES;
use crate::{Error, Page, Result, Store, Tx, Viewer};

pub(crate) const COLUMNS: &str =
    "select p.id, p.slug, p.name, p.summary, p.description, p.state, p.visibility, p.version, p.created_at,
    array(select a.api_id from product_apis a where a.product_id = p.id order by a.position, a.api_id) as api_ids
    from products p";

/// APIs offered together.
#[derive(Debug, Clone, FromRow)]
pub struct ProductRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: ProductId,
    /// Its name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// What can be built with it; plain text, paragraphs by blank lines.
    pub description: String,
    /// Whether it is on offer.
    #[sqlx(try_from = "String")]
    pub state: ProductState,
    /// Who sees it.
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its APIs, in order; see [`ProductRow::apis`].
    api_ids: Vec<Uuid>,
}

impl ProductRow {
    /// Its APIs, in order.
    #[must_use]
    pub fn apis(&self) -> Vec<ApiId> {
        self.api_ids.iter().copied().map(ApiId::from).collect()
    }
}

/// What a product is made from.
#[derive(Debug, Clone)]
pub struct NewProduct<'a> {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs.
    pub slug: &'a Slug,
    /// Its name.
    pub name: &'a str,
    /// One sentence.
    pub summary: &'a str,
    /// What can be built with it.
    pub description: &'a str,
    /// Whether it is on offer.
    pub state: ProductState,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its APIs, in order.
    pub apis: &'a [ApiId],
}

impl Store {
    /// A product by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_product(&self, id: ProductId) -> Result<ProductRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where p.id = $1")))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("product"))
    }

    /// A product by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_product_by_slug(&self, slug: &str) -> Result<Option<ProductRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where p.slug = $1")))
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Products, oldest first; drafts and retired ones too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_products(&self, page: Page) -> Result<Vec<ProductRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or p.id > $1) order by p.id limit $2"
        )))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The oldest product on offer to a visitor that has this API.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_offer(&self, api: ApiId, viewer: Viewer) -> Result<Option<ProductRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where p.state = 'published' and {SEES}
             and exists (select from product_apis a where a.product_id = p.id and a.api_id = $3)
             order by p.id limit 1"
        )))
        .bind(viewer.signed_in)
        .bind(viewer.organization.map(OrganizationId::uuid))
        .bind(api.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Products on offer to a visitor, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_offered_products(&self, viewer: Viewer) -> Result<Vec<ProductRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where p.state = 'published' and {SEES} order by p.id limit 200"
        )))
        .bind(viewer.signed_in)
        .bind(viewer.organization.map(OrganizationId::uuid))
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a product and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_product(&mut self, id: ProductId) -> Result<ProductRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where p.id = $1 for update of p")))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("product"))
    }

    /// Adds a product.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken; `Referenced` where an API is unknown; or the database failed.
    pub async fn insert_product(&mut self, new: &NewProduct<'_>) -> Result<()> {
        sqlx::query(
            "insert into products (id, slug, name, summary, description, state, visibility)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.description)
        .bind(new.state.as_str())
        .bind(new.visibility.as_str())
        .execute(self.conn())
        .await?;
        self.insert_product_apis(new.id, new.apis).await
    }

    /// Replaces a product's fields and APIs.
    ///
    /// # Errors
    /// As [`Tx::insert_product`].
    pub async fn update_product(&mut self, new: &NewProduct<'_>) -> Result<()> {
        sqlx::query(
            "update products set slug = $2, name = $3, summary = $4, description = $5, state = $6, visibility = $7,
             version = version + 1 where id = $1",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.description)
        .bind(new.state.as_str())
        .bind(new.visibility.as_str())
        .execute(self.conn())
        .await?;
        sqlx::query("delete from product_apis where product_id = $1")
            .bind(new.id.uuid())
            .execute(self.conn())
            .await?;
        self.insert_product_apis(new.id, new.apis).await
    }

    async fn insert_product_apis(&mut self, product: ProductId, apis: &[ApiId]) -> Result<()> {
        let ids: Vec<Uuid> = apis.iter().map(|id| id.uuid()).collect();
        sqlx::query(
            "insert into product_apis (product_id, api_id, position)
             select $1, t.id, t.position from unnest($2::uuid[]) with ordinality t (id, position)
             on conflict do nothing",
        )
        .bind(product.uuid())
        .bind(ids)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes a product.
    ///
    /// # Errors
    /// `NotFound`; `Referenced` while it has plans; or the database failed.
    pub async fn delete_product(&mut self, id: ProductId) -> Result<()> {
        let done =
            sqlx::query("delete from products where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("product")) } else { Ok(()) }
    }
}
