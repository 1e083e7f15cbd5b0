//! `GET` and `PUT /v1/acme-account`

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::AcmeAccountInput;
use tollgate_store::AcmeAccountRow;
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::precondition::OptionalIfMatch;
use crate::problem::Answer;

/// Which certificate authority issues certificates, and who we are to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "directory": "https://acme-v02.api.letsencrypt.org/directory", "contacts": ["ops@example.com"],
    "terms_agreed_at": "2026-11-21T09:30:00Z", "is_registered": true, "version": 1, "updated_at": "2026-11-21T09:30:00Z"
}))]
pub struct AcmeAccount {
    /// Where the authority says what it can do (RFC 8555).
    directory: String,
    /// Mail addresses that it may write to.
    contacts: Vec<String>,
    /// When its terms of service were agreed to.
    terms_agreed_at: DateTime<Utc>,
    /// Whether the account is made; it is with the first order.
    is_registered: bool,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was changed last.
    updated_at: DateTime<Utc>,
}

impl From<AcmeAccountRow> for AcmeAccount {
    fn from(row: AcmeAccountRow) -> Self {
        Self {
            directory: row.directory,
            contacts: row.contacts,
            terms_agreed_at: row.terms_agreed_at,
            is_registered: row.credentials_sealed.is_some(),
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// A certificate authority, and the consent to its terms.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "directory": "https://acme-v02.api.letsencrypt.org/directory", "contacts": ["ops@example.com"], "terms_agreed": true
}))]
pub struct AcmeAccountBody {
    /// Where the authority says what it can do; https.
    #[schema(max_length = 500, pattern = "^https://")]
    directory: String,
    /// Mail addresses that it may write to.
    #[serde(default)]
    #[schema(max_items = 5)]
    contacts: Vec<String>,
    /// Whether you agree to the authority's terms of service; without that it issues nothing.
    terms_agreed: bool,
}

/// Get the certificate authority
#[utoipa::path(
    get, path = "/v1/acme-account", tag = "Certificates", operation_id = "getAcmeAccount",
    responses((status = 200, description = "The authority; 404 where none is chosen.", body = AcmeAccount))
)]
pub async fn get_acme_account(reader: Reader) -> Answer {
    let row = reader.control.store().find_acme_account().await?.ok_or_else(Problem::not_found)?;
    Ok(answer::tagged(row.version, answer::ok(AcmeAccount::from(row))))
}

/// Choose the certificate authority
///
/// What is ordered or renewed from now on is ordered there. The account is made with the first order, under a key that is
/// stored encrypted.
#[utoipa::path(
    put, path = "/v1/acme-account", tag = "Certificates", operation_id = "putAcmeAccount",
    request_body = AcmeAccountBody,
    responses((status = 200, description = "The authority.", body = AcmeAccount))
)]
pub async fn put_acme_account(
    writer: Writer,
    condition: OptionalIfMatch,
    Json(body): Json<AcmeAccountBody>,
) -> Answer {
    let AcmeAccountBody { directory, contacts, terms_agreed } = body;
    let input = AcmeAccountInput { directory, contacts, terms_agreed };
    let row = writer.control.put_acme_account(&writer.actor, condition.version, input).await?;
    Ok(answer::tagged(row.version, answer::ok(AcmeAccount::from(row))))
}
