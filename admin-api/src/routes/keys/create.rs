//! `POST /v1/keys`

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::CredentialInput;
use tollgate_domain::{ApplicationId, Environment, Restrictions};
use utoipa::ToSchema;

use super::Key;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::{Answer, named_by};
use crate::schema;

/// What a key is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "name": "Production" }))]
pub struct NewKey {
    /// Which application proves itself with it.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// Live or test.
    #[serde(default = "live")]
    #[schema(value_type = schema::Environment, default = "live")]
    environment: Environment,
    /// When it stops by itself; absent or `null` is never.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
    /// What it may call, each an API's slug, alone or with `/operationId` or `/tag:name` behind it; empty is all that its
    /// subscriptions open.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    scopes: Vec<Text>,
    /// Addresses and networks that it may be used from, like `192.0.2.7` or `2001:db8::/32`; empty is everywhere.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    networks: Vec<Text>,
    /// Sites on whose pages it may be used, like `https://app.example` or `https://*.example`; empty is anywhere.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    origins: Vec<Text>,
}

/// Entries as they were sent.
pub fn texts(list: Vec<Text>) -> Vec<String> {
    list.into_iter().map(|text| text.0).collect()
}

pub const fn live() -> Environment {
    Environment::Live
}

/// A key that was just made, with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyWithSecret {
    #[serde(flatten)]
    key: Key,
    /// The key itself, to be sent to the gateway as `Authorization: Bearer` or `X-API-Key`. This is the only time
    /// that it is shown.
    secret: String,
}

/// Create a key
///
/// The answer carries the secret, once: only a hash of it is kept. The key works at the gateways within a second.
#[utoipa::path(
    post, path = "/v1/keys", tag = "Keys", operation_id = "createKey", request_body = NewKey,
    responses((status = 201, description = "The new key and its secret.", body = KeyWithSecret))
)]
pub async fn create_key(writer: Writer, Json(body): Json<NewKey>) -> Answer {
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
    let minted = writer
        .control
        .create_credential(&writer.actor, body.application_id, input)
        .await
        .map_err(named_by(&[("application", "/application_id")]))?;
    let scope = writer.actor.tenants(true)?;
    let row = writer.control.store().get_credential(scope, minted.id).await?;
    let version = row.version;
    let answer = KeyWithSecret { key: row.into(), secret: minted.secret.reveal().to_owned() };
    // Cache-Control: no-store stands on every answer of this face.
    Ok(answer::tagged(version, answer::created("keys", minted.id, answer)))
}
