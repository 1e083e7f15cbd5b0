//! `PATCH /v1/certificates/{certificate}`

use serde::Deserialize;
use tollgate_control::{CertificatePatch, SecretText};
use tollgate_domain::{CertificateId, Slug};
use utoipa::ToSchema;

use super::{Certificate, find, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about a certificate; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "is_default": true }))]
pub struct CertificateChange {
    /// Its name in URLs; unique.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
    /// A new chain in PEM. Without a new key it must be for the present one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 262_144)]
    chain: Option<Text>,
    /// A new private key in PEM; it must be that of the chain.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 32_768, format = Password, write_only)]
    private_key: Option<Text>,
    /// Whether it is presented where no other certificate fits.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    is_default: Option<bool>,
}

/// Change or replace a certificate
///
/// New connections get the new certificate within a second; those that are open stay.
#[utoipa::path(
    patch, path = "/v1/certificates/{certificate}", tag = "Certificates", operation_id = "updateCertificate",
    params(("certificate" = String, Path, description = "Its id or slug."), IfMatchParam),
    request_body = CertificateChange,
    responses((status = 200, description = "The certificate after the change.", body = Certificate))
)]
pub async fn update_certificate(
    writer: Writer,
    name: Named<CertificateId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<CertificateChange>,
) -> Answer {
    let patch = CertificatePatch {
        slug: body.slug,
        chain: body.chain.map(|chain| chain.0),
        private_key: body.private_key.map(|key| SecretText::new(key.0)),
        is_default: body.is_default,
    };
    let id = find(writer.control.store(), name).await?.id;
    Ok(shown(writer.control.update_certificate(&writer.actor, id, expected, patch).await?))
}
