//! Certificates that gateways present, their keys sealed.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use tollgate_domain::{Certificate, CertificateId, CertificateSource, ChallengeKind, Slug};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// What may be shown; the key is read by [`Tx::lock_certificate`] and by gateways only.
pub(crate) const COLUMNS: &str = "select c.id, c.slug, c.source, c.names, c.chain, c.fingerprint, c.issuer, c.valid_from,
    c.valid_until, c.is_default, c.version, c.created_at, o.challenge, o.due_at, o.attempts, o.error, o.error_at
    from certificates c left join certificate_orders o on o.certificate_id = c.id";

/// A certificate as it can be shown.
#[derive(Debug, Clone, FromRow)]
pub struct CertificateRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: CertificateId,
    /// Its name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Where it comes from.
    #[sqlx(try_from = "String")]
    pub source: CertificateSource,
    /// What it is for: hosts, wildcards, addresses.
    pub names: Vec<String>,
    /// What there is to know of it; none before its authority has issued it.
    #[sqlx(flatten)]
    pub issued: MaybeIssued,
    /// Whether it is presented where no other fits.
    pub is_default: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// What is asked of an authority; none where somebody brought it.
    #[sqlx(flatten)]
    pub order: MaybeOrder,
}

/// A certificate as far as it is there.
#[derive(Debug, Clone, Default)]
pub struct MaybeIssued(pub Option<IssuedRow>);

/// What a certificate says.
#[derive(Debug, Clone, FromRow)]
pub struct IssuedRow {
    /// PEM, the server's own first.
    pub chain: String,
    /// SHA-256 of the first certificate.
    pub fingerprint: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds.
    pub valid_from: DateTime<Utc>,
    /// Until when it holds.
    pub valid_until: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for MaybeIssued {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let chain: Option<String> = row.try_get("chain")?;
        chain.map(|_| IssuedRow::from_row(row)).transpose().map(Self)
    }
}

/// An order as far as there is one.
#[derive(Debug, Clone, Default)]
pub struct MaybeOrder(pub Option<OrderRow>);

/// What is asked of an authority, and how that goes.
#[derive(Debug, Clone, FromRow)]
pub struct OrderRow {
    /// How it is proven that the hosts are ours.
    #[sqlx(try_from = "String")]
    pub challenge: ChallengeKind,
    /// When it is ordered next.
    pub due_at: DateTime<Utc>,
    /// Failures in a row.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it failed.
    pub error_at: Option<DateTime<Utc>>,
}

impl FromRow<'_, PgRow> for MaybeOrder {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let challenge: Option<String> = row.try_get("challenge")?;
        challenge.map(|_| OrderRow::from_row(row)).transpose().map(Self)
    }
}

/// What a certificate is stored as.
#[derive(Clone)]
pub struct NewCertificate<'a> {
    /// Its id.
    pub id: CertificateId,
    /// Its name in URLs.
    pub slug: &'a Slug,
    /// Where it comes from.
    pub source: CertificateSource,
    /// What it is for.
    pub names: &'a [String],
    /// What there is of it; none before its authority has issued it.
    pub issued: Option<NewIssued<'a>>,
    /// Whether it is presented where no other fits.
    pub is_default: bool,
}

/// What a certificate says, and its key.
#[derive(Clone)]
pub struct NewIssued<'a> {
    /// PEM, the server's own first.
    pub chain: &'a str,
    /// Its key, sealed.
    pub key_sealed: &'a [u8],
    /// SHA-256 of the first certificate.
    pub fingerprint: &'a str,
    /// Who signed it.
    pub issuer: &'a str,
    /// From when it holds.
    pub valid_from: DateTime<Utc>,
    /// Until when it holds.
    pub valid_until: DateTime<Utc>,
}

impl Store {
    /// A certificate by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_certificate(&self, id: CertificateId) -> Result<CertificateRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where c.id = $1")))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("certificate"))
    }

    /// A certificate by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_certificate_by_slug(&self, slug: &str) -> Result<Option<CertificateRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where c.slug = $1")))
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?)
    }
}

impl Tx {
    /// Locks a certificate and returns it with its sealed key, as far as it has one.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_certificate(&mut self, id: CertificateId) -> Result<(CertificateRow, Option<Vec<u8>>)> {
        let row = sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where c.id = $1 for update of c")))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("certificate"))?;
        let key = sqlx::query_scalar("select key_sealed from certificates where id = $1")
            .bind(id.uuid())
            .fetch_one(self.conn())
            .await?;
        Ok((row, key))
    }

    /// Adds a certificate.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken, or the database failed.
    pub async fn insert_certificate(&mut self, new: &NewCertificate<'_>) -> Result<()> {
        self.one_default(new).await?;
        self.write_certificate(
            "insert into certificates (id, slug, source, names, chain, key_sealed, fingerprint, issuer, valid_from,
             valid_until, is_default) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            new,
        )
        .await
    }

    /// Replaces a certificate's fields.
    ///
    /// # Errors
    /// `Conflict`, or the database failed.
    pub async fn update_certificate(&mut self, new: &NewCertificate<'_>) -> Result<()> {
        self.one_default(new).await?;
        self.write_certificate(
            "update certificates set slug = $2, source = $3, names = $4, chain = $5, key_sealed = $6,
             fingerprint = $7, issuer = $8, valid_from = $9, valid_until = $10, is_default = $11,
             version = version + 1 where id = $1",
            new,
        )
        .await
    }

    /// A new default takes the place of the one before.
    async fn one_default(&mut self, new: &NewCertificate<'_>) -> Result<()> {
        if new.is_default {
            sqlx::query(
                "update certificates set is_default = false, version = version + 1 where is_default and id <> $1",
            )
            .bind(new.id.uuid())
            .execute(self.conn())
            .await?;
        }
        Ok(())
    }

    async fn write_certificate(&mut self, sql: &'static str, new: &NewCertificate<'_>) -> Result<()> {
        let issued = new.issued.as_ref();
        sqlx::query(sql)
            .bind(new.id.uuid())
            .bind(new.slug.as_str())
            .bind(new.source.as_str())
            .bind(new.names)
            .bind(issued.map(|it| it.chain))
            .bind(issued.map(|it| it.key_sealed))
            .bind(issued.map(|it| it.fingerprint))
            .bind(issued.map(|it| it.issuer))
            .bind(issued.map(|it| it.valid_from))
            .bind(issued.map(|it| it.valid_until))
            .bind(new.is_default)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Removes a certificate.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_certificate(&mut self, id: CertificateId) -> Result<()> {
        let done = sqlx::query("delete from certificates where id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("certificate")) } else { Ok(()) }
    }
}

#[derive(FromRow)]
struct FeedCertificate {
    id: Uuid,
    slug: String,
    #[sqlx(try_from = "String")]
    source: CertificateSource,
    version: i64,
    chain: String,
    key_sealed: Vec<u8>,
    is_default: bool,
}

/// What gateways are told of them.
pub(crate) async fn feed(conn: &mut PgConnection) -> Result<Vec<Certificate>> {
    let rows: Vec<FeedCertificate> = sqlx::query_as(
        "select id, slug, source, version, chain, key_sealed, is_default from certificates
         where chain is not null order by id",
    )
    .fetch_all(conn)
    .await?;
    let certificates = rows.into_iter().map(|row| {
        let FeedCertificate { id, slug, source, version, chain, key_sealed, is_default } = row;
        Certificate { id: id.into(), slug, source, version, chain, key_sealed, is_default }
    });
    Ok(certificates.collect())
}
