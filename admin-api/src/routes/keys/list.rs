//! `GET /v1/keys`

use tollgate_domain::{ApplicationId, CredentialState, Environment};
use tollgate_store::{Column, SortBy};

use super::Key;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List keys
///
/// Oldest first unless `sort` says otherwise; those that are over too. `q` finds a key by its first characters.
#[utoipa::path(
    get, path = "/v1/keys", tag = "Keys", operation_id = "listKeys",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("application_id" = Option<schema::ApplicationId>, Query, description = "Only this application's."),
        ("environment" = Option<String>, Query, description = "Only of this kind: one of `live`, `test`, or several by commas.", pattern = "^(live|test)(,(live|test))*$"),
        ("state" = Option<String>, Query, description = "Only in this state: one of `active`, `revoked`, or several by commas.", pattern = "^(active|revoked)(,(active|revoked))*$"),
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`; with `-` before it from the end.", pattern = "^-?(created_at|name)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of keys.", body = Listing<Key>))
)]
pub async fn list_keys(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let list = ListQuery::take(&mut params, &[SortBy::Name], true)?
        .by_id::<ApplicationId>(&mut params, "application_id", Column::Application)?
        .by_word::<Environment>(&mut params, "environment", Column::Environment)?
        .by_word::<CredentialState>(&mut params, "state", Column::State)?;
    params.finish()?;
    let rows = reader.control.store().find_credentials(scope, list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: "" },
        Key::from,
    )))
}
