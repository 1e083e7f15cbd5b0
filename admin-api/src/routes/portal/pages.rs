//! `/v1/pages`

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::Action;
use tollgate_domain::{PageId, Slug};
use tollgate_store::{PageRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::{Json, Text};
use crate::page::Listing;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam, OptionalIfMatch, PutConditions};
use crate::problem::{Answer, Refusal, found};
use crate::put::{Put, answered};
use crate::query::Params;
use crate::schema;

/// A page of the publisher's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "pag_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "imprint", "title": "Imprint", "text": "Who we are.",
    "in_navigation": false, "position": 0, "version": 1, "created_at": "2026-11-21T09:30:00Z",
    "updated_at": "2026-11-21T09:30:00Z"
}))]
pub struct Page {
    /// Its id.
    #[schema(value_type = schema::PageId)]
    id: PageId,
    /// Its name in addresses: `/pages/<slug>`.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its heading.
    title: String,
    /// Markdown below the heading.
    text: String,
    /// Whether the header leads to it.
    in_navigation: bool,
    /// Its place among the pages: smaller ones first, then by title.
    position: u16,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was changed last.
    updated_at: DateTime<Utc>,
}

impl From<PageRow> for Page {
    fn from(row: PageRow) -> Self {
        let (id, version, created_at, updated_at) = (row.id, row.version, row.created_at, row.updated_at);
        let page = tollgate_domain::Page::from(row);
        Self {
            id,
            slug: page.slug,
            title: page.title,
            text: page.text,
            in_navigation: page.in_navigation,
            position: page.position,
            version,
            created_at,
            updated_at,
        }
    }
}

/// What a page is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "slug": "imprint", "title": "Imprint", "text": "Who we are." }))]
pub struct PageBody {
    /// Its name in addresses; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its heading.
    #[schema(value_type = schema::Name)]
    title: Text,
    /// Markdown below the heading. HTML in it is shown as text.
    #[serde(default)]
    #[schema(value_type = String, max_length = 50_000)]
    text: Text,
    /// Whether the header leads to it.
    #[serde(default)]
    in_navigation: bool,
    /// Its place among the pages: smaller ones first, then by title.
    #[serde(default)]
    #[schema(maximum = 1000)]
    position: u16,
}

impl From<PageBody> for tollgate_domain::Page {
    fn from(body: PageBody) -> Self {
        Self {
            slug: body.slug,
            title: body.title.0,
            text: body.text.0,
            in_navigation: body.in_navigation,
            position: body.position,
        }
    }
}

async fn find(store: &Store, name: Named<PageId>) -> Result<PageRow, Refusal> {
    let row = match name {
        Named::Id(id) => store.find_page_by_id(id).await?,
        Named::Slug(slug) => store.find_page(slug.as_str()).await?,
    };
    Ok(row.ok_or_else(Problem::not_found)?)
}

/// List pages
///
/// All of them, in the order in which they are read.
#[utoipa::path(
    get, path = "/v1/pages", tag = "Portal", operation_id = "listPages",
    responses((status = 200, description = "The pages.", body = Listing<Page>))
)]
pub async fn list_pages(reader: Reader, params: Params) -> Answer {
    params.finish()?;
    let data = reader.control.store().list_pages().await?.into_iter().map(Page::from).collect::<Vec<_>>();
    Ok(answer::ok(Listing { data, next_cursor: None }))
}

/// Get a page
#[utoipa::path(
    get, path = "/v1/pages/{page}", tag = "Portal", operation_id = "getPage",
    params(("page" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The page.", body = Page))
)]
pub async fn get_page(reader: Reader, name: Named<PageId>) -> Answer {
    let row = find(reader.control.store(), name).await?;
    Ok(answer::tagged(row.version, answer::ok(Page::from(row))))
}

/// Create or replace a page
///
/// The whole page as it shall be: made where there is none of this slug, replaced where there is.
#[utoipa::path(
    put, path = "/v1/pages/{page}", tag = "Portal", operation_id = "putPage",
    params(("page" = String, Path, description = "Its slug, or its id where it exists."), PutConditions),
    request_body = PageBody,
    responses(
        (status = 200, description = "The page after the change.", body = Page),
        (status = 201, description = "The new page.", body = Page)
    )
)]
pub async fn put_page(
    writer: Writer,
    name: Named<PageId>,
    condition: OptionalIfMatch,
    Json(body): Json<PageBody>,
) -> Answer {
    let page = tollgate_domain::Page::from(body);
    let put = Put::begin(&writer, "page", &page.slug, condition).await?;
    let (created, row) = match found(find(put.control().store(), name.clone()).await)? {
        Some(row) => {
            let expected = put.replaces()?;
            (false, put.control().update_page(&writer.actor, row.id, expected, page).await?)
        }
        None => {
            put.creates(&name, &page.slug)?;
            (true, put.control().create_page(&writer.actor, page).await?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "pages", row.id, row.version, Page::from(row)))
}

/// Delete a page
#[utoipa::path(
    delete, path = "/v1/pages/{page}", tag = "Portal", operation_id = "deletePage",
    params(("page" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_page(writer: Writer, name: Named<PageId>, IfMatch(expected): IfMatch) -> Answer {
    writer.actor.authorize(Action::Publish)?;
    let id = find(writer.control.store(), name).await?.id;
    writer.control.delete_page(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
