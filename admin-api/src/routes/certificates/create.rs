//! `POST /v1/certificates`

use serde::Deserialize;
use tollgate_control::{CertificateInput, SecretText};
use tollgate_domain::Slug;
use utoipa::ToSchema;

use super::Certificate;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::Answer;
use crate::schema;

/// A certificate with its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "slug": "api-example-com",
    "chain": "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIGH…\n-----END PRIVATE KEY-----\n"
}))]
pub struct NewCertificate {
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// PEM: the server's own certificate first, then those that signed it.
    #[schema(value_type = String, max_length = 262_144)]
    chain: Text,
    /// PEM, without a passphrase: RSA from 2048 bits, P-256, P-384 or Ed25519. Stored encrypted, never told again.
    #[schema(value_type = String, max_length = 32_768, format = Password, write_only)]
    private_key: Text,
    /// Whether it is presented to callers who name no host, or one that no certificate is for. Takes the place of the
    /// default before.
    #[serde(default)]
    #[schema(default = false)]
    is_default: bool,
}

/// Create a certificate
///
/// Gateways present it within a second to callers who ask for one of its names. Refused where it has expired, is weak,
/// names no host, or the key is another's.
#[utoipa::path(
    post, path = "/v1/certificates", tag = "Certificates", operation_id = "createCertificate",
    request_body = NewCertificate,
    responses((status = 201, description = "The new certificate, without its key.", body = Certificate))
)]
pub async fn create_certificate(writer: Writer, Json(body): Json<NewCertificate>) -> Answer {
    let input = CertificateInput {
        slug: body.slug,
        chain: body.chain.0,
        private_key: SecretText::new(body.private_key.0),
        is_default: body.is_default,
    };
    let row = writer.control.create_certificate(&writer.actor, input).await?;
    Ok(answer::tagged(row.version, answer::created("certificates", row.id, Certificate::from(row))))
}
