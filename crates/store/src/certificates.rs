//! Certificates that gateways present, their keys sealed.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use tollgate_domain::{Certificate, CertificateId, CertificateSource, Slug};
use uuid::Uuid;

use crate::{Error, Page, Result, Store, Tx};

/// What may be shown; the key is read by [`Tx::lock_certificate`] and by gateways only.
const COLUMNS: &str =
    "select id, slug, source, names, chain, fingerprint, issuer, valid_from, valid_until, is_default,
    version, created_at from certificates";

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
    /// Whether it is presented where no other fits.
    pub is_default: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
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
    /// Whether it is presented where no other fits.
    pub is_default: bool,
}

impl Store {
    /// A certificate by id.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_certificate(&self, id: CertificateId) -> Result<CertificateRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
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
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where slug = $1")))
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Certificates, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_certificates(&self, page: Page) -> Result<Vec<CertificateRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where ($1::uuid is null or id > $1) order by id limit $2"
        )))
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Locks a certificate and returns it with its sealed key.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_certificate(&mut self, id: CertificateId) -> Result<(CertificateRow, Vec<u8>)> {
        let row = sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1 for update")))
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
        sqlx::query(sql)
            .bind(new.id.uuid())
            .bind(new.slug.as_str())
            .bind(new.source.as_str())
            .bind(new.names)
            .bind(new.chain)
            .bind(new.key_sealed)
            .bind(new.fingerprint)
            .bind(new.issuer)
            .bind(new.valid_from)
            .bind(new.valid_until)
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

/// What gateways are told of them.
pub(crate) async fn feed(conn: &mut PgConnection) -> Result<Vec<Certificate>> {
    let rows: Vec<(Uuid, String, i64, String, Vec<u8>, bool)> = sqlx::query_as(
        "select id, slug, version, chain, key_sealed, is_default from certificates order by id",
    )
    .fetch_all(conn)
    .await?;
    let certificates = rows.into_iter().map(|(id, slug, version, chain, key_sealed, is_default)| {
        Certificate { id: id.into(), slug, version, chain, key_sealed, is_default }
    });
    Ok(certificates.collect())
}
