//! Certificates that an authority issues: who we are to it, what is asked of it, what gateways answer it.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use tollgate_domain::{CertificateId, Challenge, ChallengeKind};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// Who we are to the authority.
#[derive(Debug, Clone, FromRow)]
pub struct AcmeAccountRow {
    /// Where the authority says what it can do.
    pub directory: String,
    /// Mail addresses that it may write to.
    pub contacts: Vec<String>,
    /// When an admin agreed to its terms of service.
    pub terms_agreed_at: DateTime<Utc>,
    /// Address and key of the account, sealed; none before the first order.
    pub credentials_sealed: Option<Vec<u8>>,
    /// Grows with every change.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// An order whose time has come.
#[derive(Debug, Clone, FromRow)]
pub struct DueOrderRow {
    /// For which certificate.
    #[sqlx(try_from = "Uuid")]
    pub certificate_id: CertificateId,
    /// The hosts.
    pub names: Vec<String>,
    /// How it is proven that they are ours.
    #[sqlx(try_from = "String")]
    pub challenge: ChallengeKind,
    /// Since when it is due.
    pub due_at: DateTime<Utc>,
    /// Failures in a row before this.
    pub attempts: i32,
}

const ORDERS: &str = "select certificate_id, names, challenge, due_at, attempts from certificate_orders";

impl Store {
    /// Who we are to the authority, where that is set up.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_acme_account(&self) -> Result<Option<AcmeAccountRow>> {
        Ok(sqlx::query_as(
            "select directory, contacts, terms_agreed_at, credentials_sealed, version, updated_at from acme_account",
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Orders whose time has come.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due_orders(&self, limit: i64) -> Result<Vec<DueOrderRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{ORDERS} where due_at <= now() order by due_at limit $1"
        )))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Orders that failed the last time.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_failing_orders(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from certificate_orders where error is not null")
            .fetch_one(&self.pool)
            .await?)
    }
}

impl Tx {
    /// Puts who we are to the authority in place; another authority forgets the account there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_acme_account(&mut self, directory: &str, contacts: &[String]) -> Result<()> {
        sqlx::query(
            "insert into acme_account (directory, contacts, terms_agreed_at) values ($1, $2, now())
             on conflict (singleton) do update set directory = $1, contacts = $2, terms_agreed_at = now(),
                version = acme_account.version + 1, updated_at = now(), credentials_sealed = case
                    when acme_account.directory = $1 and acme_account.contacts = $2
                    then acme_account.credentials_sealed end",
        )
        .bind(directory)
        .bind(contacts)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps the account's sealed key, where it is still with the same authority.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_acme_credentials(&mut self, directory: &str, sealed: &[u8]) -> Result<()> {
        sqlx::query("update acme_account set credentials_sealed = $2 where directory = $1")
            .bind(directory)
            .bind(sealed)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Orders of one certificate are worked on by one process at a time: false where another one does. Held until this
    /// transaction ends.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hold_order(&mut self, id: CertificateId) -> Result<bool> {
        Ok(sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(format!("certificate_orders/{}", id.uuid()))
            .fetch_one(self.conn())
            .await?)
    }

    /// Asks for a certificate.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_order(
        &mut self,
        id: CertificateId,
        names: &[String],
        challenge: ChallengeKind,
    ) -> Result<()> {
        sqlx::query("insert into certificate_orders (certificate_id, names, challenge) values ($1, $2, $3)")
            .bind(id.uuid())
            .bind(names)
            .bind(challenge.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The order of a certificate, if it is due.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_due_order(&mut self, id: CertificateId) -> Result<Option<DueOrderRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{ORDERS} where certificate_id = $1 and due_at <= now()"
        )))
        .bind(id.uuid())
        .fetch_optional(self.conn())
        .await?)
    }

    /// The order is due now. False where there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hasten_order(&mut self, id: CertificateId) -> Result<bool> {
        let done = sqlx::query("update certificate_orders set due_at = now() where certificate_id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// It was issued: the next one is ordered at `due_at`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn order_succeeded(&mut self, id: CertificateId, due_at: DateTime<Utc>) -> Result<()> {
        sqlx::query(
            "update certificate_orders set due_at = $2, attempts = 0, error = null, error_at = null
             where certificate_id = $1",
        )
        .bind(id.uuid())
        .bind(due_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// It was not: it is tried again in some seconds.
    ///
    /// # Errors
    /// The database failed.
    pub async fn order_failed(&mut self, id: CertificateId, error: &str, seconds: f64) -> Result<()> {
        sqlx::query(
            "update certificate_orders set attempts = attempts + 1, error = left($2, 2000), error_at = now(),
                due_at = now() + make_interval(secs => $3) where certificate_id = $1",
        )
        .bind(id.uuid())
        .bind(error)
        .bind(seconds)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// What gateways are to answer the authority from now on, for one certificate; nothing where the order is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_challenges(&mut self, id: CertificateId, challenges: &[Challenge]) -> Result<()> {
        sqlx::query("delete from acme_challenges where certificate_id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        for challenge in challenges {
            sqlx::query(
                "insert into acme_challenges (certificate_id, host, kind, token, key_authorization)
                 values ($1, $2, $3, $4, $5) on conflict (certificate_id, host) do nothing",
            )
            .bind(id.uuid())
            .bind(&challenge.host)
            .bind(challenge.kind.as_str())
            .bind(&challenge.token)
            .bind(&challenge.key_authorization)
            .execute(self.conn())
            .await?;
        }
        Ok(())
    }
}

/// What gateways are told of challenges.
pub(crate) async fn feed(conn: &mut PgConnection) -> Result<Vec<Challenge>> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "select host, kind, token, key_authorization from acme_challenges order by certificate_id, host",
    )
    .fetch_all(conn)
    .await?;
    let challenges = rows.into_iter().filter_map(|(host, kind, token, key_authorization)| {
        Some(Challenge { host, kind: kind.parse().ok()?, token, key_authorization })
    });
    Ok(challenges.collect())
}
