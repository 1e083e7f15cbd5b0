//! `POST /v1/keys/import`

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollgate_control::{CredentialInput, FieldFault, ImportedKey};
use tollgate_domain::{ApplicationId, Environment, Restrictions, bytes_of_hex};
use utoipa::ToSchema;

use super::Key;
use super::create::{live, texts};
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::{Answer, invalid, named_by};
use crate::schema;

/// A key that was made elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "name": "From the old gateway",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "last4": "x9Zq"
}))]
pub struct ForeignKey {
    /// Which application proves itself with it.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// The SHA-256 of the whole key as its callers send it: 64 hexadecimal digits, or base 64 with or without padding, also
    /// in its URL-safe form.
    #[schema(value_type = String, pattern = "^([0-9A-Fa-f]{64}|[A-Za-z0-9+/_-]{43}=?)$")]
    sha256: Text,
    /// Live or test.
    #[serde(default = "live")]
    #[schema(value_type = schema::Environment, default = "live")]
    environment: Environment,
    /// The first characters of the key, to find it again; where they are not known, none.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^[0-9A-Za-z._-]{0,16}$")]
    prefix: Text,
    /// The last four of them.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^[0-9A-Za-z._-]{0,4}$")]
    last4: Text,
    /// When it stops by itself; absent or `null` is never.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
    /// What it may call, as of a key that is made here.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    scopes: Vec<Text>,
    /// Addresses and networks that it may be used from.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    networks: Vec<Text>,
    /// Sites on whose pages it may be used.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    origins: Vec<Text>,
}

/// Import a key
///
/// A key that was made elsewhere goes on working here: only the SHA-256 of its text is given, so nobody but its owner ever
/// has it. Gateways recognise it within a second. Keys that were short or guessable stay so: replace them when you can.
#[utoipa::path(
    post, path = "/v1/keys/import", tag = "Keys", operation_id = "importKey", request_body = ForeignKey,
    responses((status = 201, description = "The key.", body = Key))
)]
pub async fn import_key(writer: Writer, Json(body): Json<ForeignKey>) -> Answer {
    let Some(sha256) = digest(&body.sha256.0) else {
        let rule = "a SHA-256: 64 hexadecimal digits, or 43 or 44 characters of base 64";
        return Err(invalid(vec![FieldFault::new("/sha256", rule)]).into());
    };
    let input = CredentialInput {
        name: body.name.0,
        environment: body.environment,
        expires_at: body.expires_at,
        restrictions: Restrictions {
            scopes: texts(body.scopes),
            networks: texts(body.networks),
            origins: texts(body.origins),
        },
    };
    let imported = ImportedKey { sha256, prefix: body.prefix.0, last4: body.last4.0 };
    let row = writer
        .control
        .import_credential(&writer.actor, body.application_id, input, imported)
        .await
        .map_err(named_by(&[("application", "/application_id")]))?;
    Ok(answer::tagged(row.version, answer::created("keys", row.id, Key::from(row))))
}

fn digest(text: &str) -> Option<[u8; 32]> {
    // 32 bytes have 43 or 44 characters in base64.
    if text.len() == 64 {
        return bytes_of_hex(text);
    }
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = engines.into_iter().find_map(|engine| engine.decode(text).ok())?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_hexadecimal_and_in_base_64() {
        let expected = digest(&"fb".repeat(32));
        assert_eq!(expected, Some([0xfb; 32]));
        for text in [
            "FB".repeat(32),
            STANDARD.encode([0xfb; 32]),
            STANDARD_NO_PAD.encode([0xfb; 32]),
            URL_SAFE.encode([0xfb; 32]),
            URL_SAFE_NO_PAD.encode([0xfb; 32]),
        ] {
            assert_eq!(digest(&text), expected, "{text}");
        }
        for bad in ["", "fb", &"g".repeat(64), &"é".repeat(32), &STANDARD.encode([0; 31])] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
