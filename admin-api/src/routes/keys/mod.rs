//! Keys: what applications prove themselves with.

pub mod create;
pub mod get;
pub mod import;
pub mod list;
pub mod revoke;
pub mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{
    ApplicationId, CredentialId, CredentialState, Environment, OrganizationId, Restrictions,
};
use tollgate_store::CredentialRow;
use utoipa::ToSchema;

use crate::schema;

/// A key, without the secret: that is shown once, when the key is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "key_01ks2v8d3tf5cs9y0v3jq1q7zb", "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "name": "Production", "environment": "live", "state": "active",
    "prefix": "tg_live_4fGh", "last4": "x9Zq", "version": 1, "created_at": "2026-11-21T09:30:00Z", "expires_at": null,
    "revoked_at": null, "last_used_at": "2026-11-21T09:41:00Z", "imported": false,
    "scopes": ["countries/getCountry"], "networks": ["192.0.2.0/24"], "origins": []
}))]
pub struct Key {
    /// Its id.
    #[schema(value_type = schema::KeyId)]
    id: CredentialId,
    /// Whose it is.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Which application proves itself with it.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// Its name.
    name: String,
    /// Live or test.
    #[schema(value_type = schema::Environment)]
    environment: Environment,
    /// Whether it opens anything.
    #[schema(value_type = schema::KeyState)]
    state: CredentialState,
    /// The first characters of the secret, to find it again.
    prefix: String,
    /// The last four of them.
    last4: String,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops by itself; `null` is never.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; `null` where it was not.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
    /// The minute of its last counted call within 90 days; `null` where there was none.
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
    /// Whether it was made elsewhere.
    imported: bool,
    /// What it may call: an API's slug, alone or with `/operationId` or `/tag:name` behind it; empty is all that its
    /// subscriptions open.
    scopes: Vec<String>,
    /// Addresses and networks that it may be used from; empty is everywhere.
    networks: Vec<String>,
    /// Sites on whose pages it may be used; empty is anywhere.
    origins: Vec<String>,
}

impl From<CredentialRow> for Key {
    fn from(row: CredentialRow) -> Self {
        let Restrictions { scopes, networks, origins } = row.restrictions();
        Self {
            imported: row.imported,
            scopes,
            networks,
            origins,
            state: row.state(),
            id: row.id,
            organization_id: row.organization_id,
            application_id: row.application_id,
            name: row.name,
            environment: row.environment,
            prefix: row.display_prefix,
            last4: row.display_last4,
            version: row.version,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}
