//! Certificates that gateways present to callers who speak TLS.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{CertificateId, CertificateSource, Slug};
use tollgate_store::{CertificateRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::path::Named;
use crate::problem::Refusal;
use crate::schema;

/// A certificate that gateways present. Its private key is never told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "crt_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "api-example-com", "source": "upload",
    "names": ["api.example.com", "*.api.example.com"],
    "chain": "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
    "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "issuer": "Example CA",
    "valid_from": "2026-11-01T00:00:00Z", "valid_until": "2027-02-01T00:00:00Z", "is_default": false,
    "version": 1, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Certificate {
    /// Its id.
    #[schema(value_type = schema::CertificateId)]
    id: CertificateId,
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Where it comes from.
    #[schema(value_type = schema::CertificateSource)]
    source: CertificateSource,
    /// What it is for: hosts, wildcards, addresses. Read from the certificate.
    names: Vec<String>,
    /// PEM, the server's own certificate first.
    chain: String,
    /// SHA-256 of the first certificate, hexadecimal.
    fingerprint: String,
    /// Who signed it.
    issuer: String,
    /// From when it holds.
    valid_from: DateTime<Utc>,
    /// Until when it holds.
    valid_until: DateTime<Utc>,
    /// Whether it is presented to callers who name no host, or one that no certificate is for.
    is_default: bool,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<CertificateRow> for Certificate {
    fn from(row: CertificateRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            source: row.source,
            names: row.names,
            chain: row.chain,
            fingerprint: row.fingerprint,
            issuer: row.issuer,
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            is_default: row.is_default,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

async fn find(store: &Store, name: Named<CertificateId>) -> Result<CertificateRow, Refusal> {
    match name {
        Named::Id(id) => Ok(store.get_certificate(id).await?),
        Named::Slug(slug) => {
            Ok(store.find_certificate_by_slug(slug.as_str()).await?.ok_or_else(Problem::not_found)?)
        }
    }
}

fn shown(row: CertificateRow) -> Response {
    answer::tagged(row.version, answer::ok(Certificate::from(row)))
}
