//! APIs, their documents and their routes.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow};
use tollgate_domain::{ApiId, ApiPolicies, ApiState, HeaderMatch, Metering, RouteId, ServiceId, Slug};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// Not what it is found by: nobody reads that, and the driver would have to ask what type it is.
pub(crate) const COLUMNS: &str = "select a.id, a.slug, a.name, a.summary, a.service_id, a.hosts, a.base_path, a.match_headers, a.state,
    a.deprecated_at, a.sunset_at, a.successor_id, a.metering, a.policies, a.document_number, a.version, a.created_at
    from apis a";

/// The APIs of which the rest of a statement tells.
fn apis(rest: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("{COLUMNS} {rest}"))
}

/// What is published.
#[derive(Debug, Clone, FromRow)]
pub struct ApiRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: ApiId,
    /// Its name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Where calls go.
    #[sqlx(try_from = "Uuid")]
    pub service_id: ServiceId,
    /// Hosts it answers on; empty means any.
    pub hosts: Vec<String>,
    /// What stands before every path.
    pub base_path: String,
    /// What its calls must say; in the order of the names.
    #[sqlx(json)]
    pub match_headers: Vec<HeaderMatch>,
    /// Where it stands in its life.
    #[sqlx(try_from = "String")]
    pub state: ApiState,
    /// Since when it is deprecated.
    pub deprecated_at: Option<DateTime<Utc>>,
    /// When it stops being served; of a deprecated or retired one.
    pub sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place; of a deprecated or retired one.
    pub successor_id: Option<Uuid>,
    /// How its calls are metered.
    #[sqlx(json)]
    pub metering: Metering,
    /// What its calls are held to, besides what all are.
    #[sqlx(json)]
    pub policies: ApiPolicies,
    /// The document in force; 0 means none.
    pub document_number: i32,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ApiRow {
    /// Whether gateways serve it.
    #[must_use]
    pub fn is_served(&self, now: DateTime<Utc>) -> bool {
        match self.state {
            ApiState::Published => true,
            ApiState::Deprecated => self.sunset_at.is_none_or(|at| now < at),
            ApiState::Draft | ApiState::Retired => false,
        }
    }

    /// The API that takes its place.
    #[must_use]
    pub fn successor(&self) -> Option<ApiId> {
        self.successor_id.map(ApiId::from)
    }
}

/// One operation.
#[derive(Debug, Clone, FromRow)]
pub struct RouteRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: RouteId,
    /// The document's name for it.
    pub operation_id: String,
    /// Upper-case method.
    pub method: String,
    /// OpenAPI path template.
    pub path: String,
    /// The groups it is in.
    pub tags: Vec<String>,
}

/// What an API is made from.
#[derive(Debug, Clone)]
pub struct NewApi<'a> {
    /// Its id.
    pub id: ApiId,
    /// Its name in URLs.
    pub slug: &'a Slug,
    /// Its name.
    pub name: &'a str,
    /// One sentence.
    pub summary: &'a str,
    /// Where calls go.
    pub service_id: ServiceId,
    /// Hosts it answers on.
    pub hosts: &'a [String],
    /// What stands before every path.
    pub base_path: &'a str,
    /// What its calls must say; in the order of the names.
    pub match_headers: &'a [HeaderMatch],
    /// Where it stands in its life.
    pub state: ApiState,
    /// When it stops being served.
    pub sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place; it may be made later in the same transaction.
    pub successor: Option<ApiId>,
    /// How its calls are metered.
    pub metering: &'a Metering,
    /// What its calls are held to, besides what all are.
    pub policies: &'a ApiPolicies,
}

impl Store {
    /// An API by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_api(&self, id: ApiId) -> Result<ApiRow> {
        sqlx::query_as(apis("where a.id = $1"))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("api"))
    }

    /// An API by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_api_by_slug(&self, slug: &str) -> Result<Option<ApiRow>> {
        Ok(sqlx::query_as(apis("where a.slug = $1")).bind(slug).fetch_optional(&self.pool).await?)
    }

    /// APIs, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_apis(&self, page: Page) -> Result<Vec<ApiRow>> {
        Ok(sqlx::query_as(apis("where ($1::uuid is null or a.id > $1) order by a.id limit $2"))
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Which of these APIs exist.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_known_apis(&self, ids: &[ApiId]) -> Result<Vec<ApiId>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let known: Vec<Uuid> = sqlx::query_scalar("select id from apis where id = any($1) order by id")
            .bind(ids)
            .fetch_all(&self.pool)
            .await?;
        Ok(known.into_iter().map(ApiId::from).collect())
    }

    /// Deprecated APIs whose sunset is past.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_apis_past_sunset(&self) -> Result<Vec<ApiId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select id from apis where state = 'deprecated' and sunset_at <= now() order by sunset_at limit 100",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(ApiId::from).collect())
    }

    /// Deprecated APIs whose sunset comes within so many days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_ending_apis(&self, days: i32) -> Result<Vec<ApiRow>> {
        Ok(sqlx::query_as(apis(
            "where a.state = 'deprecated' and a.sunset_at > now()
                and a.sunset_at <= now() + make_interval(days => $1) order by a.sunset_at, a.id",
        ))
        .bind(days)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The APIs of a product that gateways serve, in its order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_served_apis(&self, product: tollgate_domain::ProductId) -> Result<Vec<ApiRow>> {
        Ok(sqlx::query_as(apis(
            "join product_apis p on p.api_id = a.id
             where p.product_id = $1 and (a.state = 'published'
                or a.state = 'deprecated' and (a.sunset_at is null or now() < a.sunset_at))
             order by p.position, a.id",
        ))
        .bind(product.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// The APIs of a product, in its order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_product_apis(&self, product: tollgate_domain::ProductId) -> Result<Vec<ApiRow>> {
        Ok(sqlx::query_as(apis(
            "join product_apis p on p.api_id = a.id
             where p.product_id = $1 order by p.position, a.id",
        ))
        .bind(product.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// An API's operations, in document order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_routes(&self, api: ApiId) -> Result<Vec<RouteRow>> {
        Ok(sqlx::query_as(
            "select id, operation_id, method, path, tags from routes where api_id = $1 order by id",
        )
        .bind(api.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// A route with its API, if both are still there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_route(&self, id: RouteId) -> Result<Option<(RouteRow, ApiRow)>> {
        let route: Option<RouteRow> =
            sqlx::query_as("select id, operation_id, method, path, tags from routes where id = $1")
                .bind(id.uuid())
                .fetch_optional(&self.pool)
                .await?;
        let Some(route) = route else { return Ok(None) };
        let api = sqlx::query_as(apis("join routes r on r.api_id = a.id where r.id = $1"))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?;
        Ok(api.map(|api| (route, api)))
    }

    /// The OpenAPI 3.1 document in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_document(&self, api: ApiId) -> Result<Option<Value>> {
        Ok(sqlx::query_scalar(
            "select d.document from api_documents d join apis a on a.id = d.api_id and a.document_number = d.number
             where a.id = $1",
        )
        .bind(api.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks an API and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_api(&mut self, id: ApiId) -> Result<ApiRow> {
        sqlx::query_as(apis("where a.id = $1 for update of a"))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("api"))
    }

    /// Adds an API.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken; `Referenced` where the service is unknown; or the database failed.
    pub async fn insert_api(&mut self, new: &NewApi<'_>) -> Result<()> {
        sqlx::query(
            "insert into apis (id, slug, name, summary, service_id, hosts, base_path, state, metering, sunset_at,
                successor_id, policies, match_headers, deprecated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                case when $8 = 'deprecated' then least(now(), $10) end)",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.service_id.uuid())
        .bind(new.hosts)
        .bind(new.base_path)
        .bind(new.state.as_str())
        .bind(sqlx::types::Json(new.metering))
        .bind(new.sunset_at)
        .bind(new.successor.map(ApiId::uuid))
        .bind(sqlx::types::Json(new.policies))
        .bind(sqlx::types::Json(new.match_headers))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Replaces an API's fields.
    ///
    /// # Errors
    /// As [`Tx::insert_api`].
    pub async fn update_api(&mut self, new: &NewApi<'_>) -> Result<()> {
        sqlx::query(
            "update apis set slug = $2, name = $3, summary = $4, service_id = $5, hosts = $6, base_path = $7,
             state = $8, metering = $9, sunset_at = $10, successor_id = $11, deprecated_at = case $8
                when 'deprecated' then least(coalesce(deprecated_at, now()), $10) when 'retired' then deprecated_at end,
             policies = $12, match_headers = $13, version = version + 1 where id = $1",
        )
        .bind(new.id.uuid())
        .bind(new.slug.as_str())
        .bind(new.name)
        .bind(new.summary)
        .bind(new.service_id.uuid())
        .bind(new.hosts)
        .bind(new.base_path)
        .bind(new.state.as_str())
        .bind(sqlx::types::Json(new.metering))
        .bind(new.sunset_at)
        .bind(new.successor.map(ApiId::uuid))
        .bind(sqlx::types::Json(new.policies))
        .bind(sqlx::types::Json(new.match_headers))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Stores a new document and puts it in force. Returns its number.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_document(&mut self, api: ApiId, document: &Value) -> Result<i32> {
        let number: i32 = sqlx::query_scalar(
            "insert into api_documents (api_id, number, document)
             select $1, coalesce(max(number), 0) + 1, $2::text::json from api_documents where api_id = $1
             returning number",
        )
        .bind(api.uuid())
        // As text: sqlx sends JSON as jsonb, which would forget the author's order on its way into the json column.
        .bind(document.to_string())
        .fetch_one(self.conn())
        .await?;
        sqlx::query("update apis set document_number = $2, version = version + 1 where id = $1")
            .bind(api.uuid())
            .bind(number)
            .execute(self.conn())
            .await?;
        Ok(number)
    }

    /// Puts a document that was published before in force again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_document_in_force(&mut self, api: ApiId, number: i32) -> Result<()> {
        sqlx::query("update apis set document_number = $2, version = version + 1 where id = $1")
            .bind(api.uuid())
            .bind(number)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Makes the operations of an API exactly these. A route whose method and path stay keeps its id, so that its
    /// usage stays one line.
    ///
    /// # Errors
    /// `Conflict` where two share an operation id or method and path; or the database failed.
    pub async fn replace_routes(&mut self, api: ApiId, routes: &[(String, String, String)]) -> Result<()> {
        let operations: Vec<&str> = routes.iter().map(|(operation, ..)| operation.as_str()).collect();
        let methods: Vec<&str> = routes.iter().map(|(_, method, _)| method.as_str()).collect();
        let paths: Vec<&str> = routes.iter().map(|(.., path)| path.as_str()).collect();
        sqlx::query(
            "delete from routes r where r.api_id = $1 and not exists
             (select from unnest($2::text[], $3::text[]) t (method, path) where t.method = r.method and t.path = r.path)",
        )
        .bind(api.uuid())
        .bind(&methods)
        .bind(&paths)
        .execute(self.conn())
        .await?;
        // An operation id may move from one kept route to another, so the old ones step aside first.
        sqlx::query(
            "update routes r set operation_id = 'moving ' || r.id from unnest($2::text[], $3::text[], $4::text[])
             t (method, path, operation_id) where r.api_id = $1 and r.method = t.method and r.path = t.path
             and r.operation_id <> t.operation_id",
        )
        .bind(api.uuid())
        .bind(&methods)
        .bind(&paths)
        .bind(&operations)
        .execute(self.conn())
        .await?;
        let ids: Vec<Uuid> = routes.iter().map(|_| Uuid::now_v7()).collect();
        sqlx::query(
            "insert into routes (id, api_id, operation_id, method, path)
             select t.id, $1, t.operation_id, t.method, t.path
             from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) t (id, operation_id, method, path)
             on conflict (api_id, method, path) do update set operation_id = excluded.operation_id
             where routes.operation_id <> excluded.operation_id",
        )
        .bind(api.uuid())
        .bind(ids)
        .bind(&operations)
        .bind(&methods)
        .bind(&paths)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Puts the operations of an API, by method and path, into these groups.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tag_routes(&mut self, api: ApiId, routes: &[(&str, &str, &[String])]) -> Result<()> {
        let methods: Vec<&str> = routes.iter().map(|(method, ..)| *method).collect();
        let paths: Vec<&str> = routes.iter().map(|(_, path, _)| *path).collect();
        let tags: Vec<Value> = routes.iter().map(|(.., tags)| Value::from(tags.to_vec())).collect();
        sqlx::query(
            "update routes r set tags = t.tags from (
                select method, path, array(select jsonb_array_elements_text(tags)) as tags
                from unnest($2::text[], $3::text[], $4::jsonb[]) t (method, path, tags)
             ) t where r.api_id = $1 and r.method = t.method and r.path = t.path and r.tags <> t.tags",
        )
        .bind(api.uuid())
        .bind(&methods)
        .bind(&paths)
        .bind(&tags)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes an API with its documents and routes.
    ///
    /// # Errors
    /// `NotFound`; `Referenced` while a product offers it; or the database failed.
    pub async fn delete_api(&mut self, id: ApiId) -> Result<()> {
        let done = sqlx::query("delete from apis where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("api")) } else { Ok(()) }
    }
}
