//! Certificates that gateways present to callers who speak TLS.

pub mod account;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod renew;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{CertificateId, CertificateSource, ChallengeKind, Slug};
use tollgate_store::{CertificateRow, OrderRow, Store};
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
    /// What it is for: hosts, wildcards, addresses. Read from the certificate; of one that is not issued yet, what is
    /// asked for.
    names: Vec<String>,
    /// PEM, the server's own certificate first. `null`, as the five after it, until an authority has issued it.
    #[schema(required)]
    chain: Option<String>,
    /// SHA-256 of the first certificate, hexadecimal.
    #[schema(required)]
    fingerprint: Option<String>,
    /// Who signed it.
    #[schema(required)]
    issuer: Option<String>,
    /// From when it holds.
    #[schema(required)]
    valid_from: Option<DateTime<Utc>>,
    /// Until when it holds.
    #[schema(required)]
    valid_until: Option<DateTime<Utc>>,
    /// How it stands with the authority that issues it; not there where somebody brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Order, required = false)]
    order: Option<Order>,
    /// Whether it is presented to callers who name no host, or one that no certificate is for.
    is_default: bool,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// What is asked of an authority, and how that goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Order {
    /// How it is proven that the hosts are ours.
    #[schema(value_type = schema::ChallengeKind)]
    challenge: ChallengeKind,
    /// When it is asked next: at once, a third of the lifetime before its end, or some time after a failure.
    due_at: DateTime<Utc>,
    /// Failures in a row.
    attempts: i32,
    /// Why it was not issued when asked last; `null` where it was, or was not asked yet.
    #[schema(required)]
    error: Option<String>,
    /// When that was.
    #[schema(required)]
    error_at: Option<DateTime<Utc>>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        let OrderRow { challenge, due_at, attempts, error, error_at } = row;
        Self { challenge, due_at, attempts, error, error_at }
    }
}

impl From<CertificateRow> for Certificate {
    fn from(row: CertificateRow) -> Self {
        let issued = row.issued.0;
        Self {
            id: row.id,
            slug: row.slug,
            source: row.source,
            names: row.names,
            fingerprint: issued.as_ref().map(|it| it.fingerprint.clone()),
            issuer: issued.as_ref().map(|it| it.issuer.clone()),
            valid_from: issued.as_ref().map(|it| it.valid_from),
            valid_until: issued.as_ref().map(|it| it.valid_until),
            chain: issued.map(|it| it.chain),
            order: row.order.0.map(Order::from),
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
