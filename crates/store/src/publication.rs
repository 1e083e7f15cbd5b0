//! All that is published, read at once: for export, and for changes that touch many things together.

use tollgate_domain::{ApiId, PlanId};
use uuid::Uuid;

use crate::policies::{self, PoliciesColumns};
use crate::portal::{self, PortalColumns};
use crate::{
    ApiRow, PageRow, PlanRow, PoliciesRow, PortalRow, ProductRow, Result, ServiceRow, Store, Tx, apis,
    products, services,
};

/// Every row that publishers declare, each list oldest first.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// All services.
    pub services: Vec<ServiceRow>,
    /// All APIs.
    pub apis: Vec<ApiRow>,
    /// All products.
    pub products: Vec<ProductRow>,
    /// All plans.
    pub plans: Vec<PlanRow>,
    /// What each plan charges whoever subscribes now.
    pub tariffs: Vec<(PlanId, serde_json::Value)>,
    /// What all calls are held to, where somebody has said so.
    pub policies: Option<PoliciesRow>,
    /// How the portal looks, where somebody has said so.
    pub portal: Option<PortalRow>,
    /// All pages of the publisher's.
    pub pages: Vec<PageRow>,
}

/// The transaction-level advisory lock that whole publications are changed under.
const LOCK: i64 = 0x746f_6c6c_7075_626c;

impl Publication {
    /// `locking` is empty, or a locking clause for plain rows.
    async fn read(conn: &mut sqlx::PgConnection, locking: &str) -> Result<Self> {
        let of = |alias: &str| match locking {
            "" => String::new(),
            locking => format!("{locking} of {alias}"),
        };
        let sql = |text: String| sqlx::AssertSqlSafe(text);
        Ok(Self {
            services: sqlx::query_as(sql(format!("{} order by s.id {}", services::COLUMNS, of("s"))))
                .fetch_all(&mut *conn)
                .await?,
            apis: sqlx::query_as(sql(format!("{} order by a.id {}", apis::COLUMNS, of("a"))))
                .fetch_all(&mut *conn)
                .await?,
            products: sqlx::query_as(sql(format!("{} order by p.id {}", products::COLUMNS, of("p"))))
                .fetch_all(&mut *conn)
                .await?,
            plans: sqlx::query_as(sql(format!("select p.* from plans p order by p.id {}", of("p"))))
                .fetch_all(&mut *conn)
                .await?,
            tariffs: sqlx::query_as::<_, (Uuid, serde_json::Value)>(
                "select distinct on (plan_id) plan_id, terms from tariffs order by plan_id, number desc",
            )
            .fetch_all(&mut *conn)
            .await?
            .into_iter()
            .map(|(id, terms)| (PlanId::from(id), terms))
            .collect(),
            policies: sqlx::query_as::<_, PoliciesColumns>(sql(format!("{} {locking}", policies::POLICIES)))
                .fetch_optional(&mut *conn)
                .await?
                .map(PoliciesRow::from),
            portal: sqlx::query_as::<_, PortalColumns>(sql(format!("{} {locking}", portal::PORTAL)))
                .fetch_optional(&mut *conn)
                .await?
                .map(PortalRow::from),
            pages: sqlx::query_as(sql(format!("{} order by id {locking}", portal::PAGES)))
                .fetch_all(&mut *conn)
                .await?,
        })
    }
}

impl Store {
    /// Everything but documents.
    ///
    /// # Errors
    /// The database failed.
    pub async fn publication_rows(&self) -> Result<Publication> {
        Publication::read(&mut *self.pool().acquire().await?, "").await
    }

    /// Everything in one consistent view, with the JSON text of each API's document in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn publication(&self) -> Result<(Publication, Vec<(ApiId, String)>)> {
        let mut view = self.pool().begin().await?;
        sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *view).await?;
        sqlx::query("set local statement_timeout = '60s'").execute(&mut *view).await?;
        let publication = Publication::read(&mut view, "").await?;
        let documents: Vec<(Uuid, String)> = sqlx::query_as(
            "select d.api_id, d.document::text from api_documents d
             join apis a on a.id = d.api_id and a.document_number = d.number",
        )
        .fetch_all(&mut *view)
        .await?;
        Ok((publication, documents.into_iter().map(|(id, text)| (ApiId::from(id), text)).collect()))
    }
}

impl Tx {
    /// Locks everything that is published against other changes and returns it; only one transaction at a time
    /// gets past here. New subscriptions go on meanwhile.
    ///
    /// # Errors
    /// The database failed, or others held the rows for too long.
    pub async fn lock_publication(&mut self) -> Result<Publication> {
        sqlx::query("set local statement_timeout = '60s'").execute(self.conn()).await?;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(self.conn()).await?;
        let mut connection = self.conn().connection().await?;
        let transaction = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        Publication::read(transaction, "for no key update").await
    }

    /// SHA-256, in hex, of the JSON text of each API's document in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_document_digests(&mut self) -> Result<Vec<(ApiId, String)>> {
        let digests: Vec<(Uuid, String)> = sqlx::query_as(
            "select d.api_id, encode(sha256(convert_to(d.document::text, 'UTF8')), 'hex') from api_documents d
             join apis a on a.id = d.api_id and a.document_number = d.number",
        )
        .fetch_all(self.conn())
        .await?;
        Ok(digests.into_iter().map(|(id, digest)| (ApiId::from(id), digest)).collect())
    }

    /// Method and path of an API's operations.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_operations(&mut self, api: ApiId) -> Result<Vec<(String, String)>> {
        Ok(sqlx::query_as("select method, path from routes where api_id = $1 order by id")
            .bind(api.uuid())
            .fetch_all(self.conn())
            .await?)
    }

    /// Which of these plans have subscriptions, ended ones too, and how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_subscriptions(&mut self, plans: &[PlanId]) -> Result<Vec<(PlanId, i64)>> {
        let ids: Vec<Uuid> = plans.iter().map(|id| id.uuid()).collect();
        let counts: Vec<(Uuid, i64)> = sqlx::query_as(
            "select plan_id, count(*) from subscriptions where plan_id = any($1) group by plan_id order by plan_id",
        )
        .bind(ids)
        .fetch_all(self.conn())
        .await?;
        Ok(counts.into_iter().map(|(id, count)| (PlanId::from(id), count)).collect())
    }
}
