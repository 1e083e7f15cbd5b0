//! `POST /v1/certificates`

use serde::Deserialize;
use tollgate_control::{CertificateInput, FieldFault, OrderInput, SecretText};
use tollgate_domain::{ChallengeKind, Slug};
use tollgate_web::Problem;
use utoipa::ToSchema;

use super::Certificate;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::problem::{Answer, invalid};
use crate::schema;

/// A certificate with its key, or the hosts of one that an authority is to issue.
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
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 262_144)]
    chain: Option<Text>,
    /// PEM, without a passphrase: RSA from 2048 bits, P-256, P-384 or Ed25519. Stored encrypted, never told again.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 32_768, format = Password, write_only)]
    private_key: Option<Text>,
    /// Instead of `chain` and `private_key`: what an authority is to issue, and to renew.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NewOrder)]
    acme: Option<NewOrder>,
    /// Whether it is presented to callers who name no host, or one that no certificate is for. Takes the place of the
    /// default before.
    #[serde(default)]
    #[schema(default = false)]
    is_default: bool,
}

/// What an authority is to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "names": ["api.example.com"], "challenge": "http-01" }))]
pub struct NewOrder {
    /// Hosts, without wildcards. Each must lead to the gateways.
    #[schema(min_items = 1, max_items = 100)]
    names: Vec<String>,
    /// How it is proven that they are ours: by an answer on port 80, or by a handshake on port 443.
    #[serde(default = "by_http")]
    #[schema(value_type = schema::ChallengeKind, default = "http-01")]
    challenge: ChallengeKind,
}

const fn by_http() -> ChallengeKind {
    ChallengeKind::Http01
}

/// Create a certificate
///
/// Either `chain` with `private_key`, or `acme`. Gateways present what is brought within a second to callers who ask for
/// one of its names; it is refused where it has expired, is weak, names no host, or the key is another's. What is ordered
/// is presented as soon as its authority has issued it, which takes some seconds, and is renewed a third of its lifetime
/// before it ends; `order` tells how that goes. An authority must have been chosen first (`putAcmeAccount`).
#[utoipa::path(
    post, path = "/v1/certificates", tag = "Certificates", operation_id = "createCertificate",
    request_body = NewCertificate,
    responses((status = 201, description = "The new certificate, without its key.", body = Certificate))
)]
pub async fn create_certificate(writer: Writer, Json(body): Json<NewCertificate>) -> Answer {
    let NewCertificate { slug, chain, private_key, acme, is_default } = body;
    let row = match (chain, private_key, acme) {
        (Some(chain), Some(key), None) => {
            let private_key = SecretText::new(key.0);
            let input = CertificateInput { slug, chain: chain.0, private_key, is_default };
            writer.control.create_certificate(&writer.actor, input).await?
        }
        (None, None, Some(NewOrder { names, challenge })) => {
            let input = OrderInput { slug, names, challenge, is_default };
            writer.control.order_certificate(&writer.actor, input).await?
        }
        (chain, key, acme) => return Err(either(chain.is_some(), key.is_some(), acme.is_some()).into()),
    };
    Ok(answer::tagged(row.version, answer::created("certificates", row.id, Certificate::from(row))))
}

/// What is missing, or too much.
fn either(chain: bool, key: bool, acme: bool) -> Problem {
    let fault = |pointer: &str, why: &str| FieldFault::new(pointer, why);
    invalid(match (chain, key, acme) {
        (true, false, false) => vec![fault("/private_key", "is required with chain")],
        (false, true, false) => vec![fault("/chain", "is required with private_key")],
        (false, false, false) => {
            vec![fault("/chain", "is required, or acme"), fault("/private_key", "is required, or acme")]
        }
        _ => vec![fault("/acme", "cannot be given together with chain or private_key")],
    })
}
