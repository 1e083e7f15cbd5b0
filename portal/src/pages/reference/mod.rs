//! Reading an API: an overview, a page per operation, webhook and schema, and the same as Markdown.

pub mod api;
pub mod api_catalog;
pub mod article;
mod articles;
mod body;
pub mod document;
pub mod ending;
pub mod llms;
mod markdown;
pub mod nav;
pub mod operation;
mod samples;
pub mod schema;
pub mod schemas;
mod shape;
mod terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use articles::Articles;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use ending::Ending;
pub use nav::{TagSection, tag_sections};
use tollgate_openapi::{Document, Language};
use tollgate_store::{ApiRow, ProductRow};

use super::catalog::visible_api;
use crate::PortalState;
use crate::error::{Fault, query_value};
use crate::reference::Address;
use crate::session::Visit;

/// The cookie that names the language of sample calls.
pub const LANGUAGE_COOKIE: &str = "language";

/// Where the reference of one API is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Slug of the product it is read in; empty for the admin API, which is in none.
    pub product: String,
    /// Slug of the API.
    pub api: String,
}

impl Place {
    /// The admin API's own, one address for all of it.
    #[must_use]
    pub const fn of_admin_api() -> Self {
        Self { product: String::new(), api: String::new() }
    }

    fn part(&self, path: &str, query: &str, name: &str) -> String {
        match self.product.as_str() {
            "" => format!("{}?{query}={}", self.overview(), query_value(name)),
            _ => format!("{}/{path}/{}", self.overview(), segment(name)),
        }
    }

    /// The overview.
    #[must_use]
    pub fn overview(&self) -> String {
        match self.product.as_str() {
            "" => "/admin/reference".to_owned(),
            product => format!("/products/{product}/apis/{}", self.api),
        }
    }

    /// An operation's page. Operation ids may hold anything, so they are encoded.
    #[must_use]
    pub fn operation(&self, id: &str) -> String {
        self.part("operations", "operation", id)
    }

    /// A webhook's page.
    #[must_use]
    pub fn webhook(&self, id: &str) -> String {
        self.part("webhooks", "webhook", id)
    }

    /// A schema's page.
    #[must_use]
    pub fn schema(&self, name: &str) -> String {
        self.part("schemas", "schema", name)
    }

    /// The list of schemas.
    #[must_use]
    pub fn schemas(&self) -> String {
        let end = if self.product.is_empty() { "?schemas=all" } else { "/schemas" };
        format!("{}{end}", self.overview())
    }

    /// The document as a file.
    #[must_use]
    pub fn document(&self) -> String {
        format!("{}/openapi.json", self.overview())
    }
}

/// One segment of a path.
fn segment(text: &str) -> String {
    query_value(text).replace('/', "%2F")
}

/// An API that is read, with all that its pages need.
pub struct Reading {
    pub place: Place,
    pub product: ProductRow,
    pub api: ApiRow,
    pub document: Arc<Document>,
    pub address: Address,
    /// That it will go.
    pub ending: Option<Ending>,
}

impl Reading {
    /// One API of a visible product, by slugs.
    ///
    /// # Errors
    /// Not found, not for this visitor, without a document, or the database is away.
    pub async fn of(state: &PortalState, visit: &Visit, product: &str, api: &str) -> Result<Self, Fault> {
        let (product, api) = visible_api(&state.store, visit, product, api).await?;
        let document = state.documents.of(&state.store, &api).await?.ok_or_else(Fault::not_found)?;
        Ok(Self {
            place: Place { product: product.slug.to_string(), api: api.slug.to_string() },
            address: Address::of(&state.settings.gateway_url, &api),
            ending: Ending::of(state, visit, &api).await?,
            product,
            api,
            document,
        })
    }
}

impl Reading {
    /// A page of it in Markdown, with what readers must know first.
    #[must_use]
    pub fn markdown(&self, state: &PortalState, text: &str) -> Response {
        let ending = self.ending.as_ref().map(|ending| ending.markdown(&state.settings.portal_url));
        as_markdown(format!("{}{text}", ending.unwrap_or_default()))
    }
}

/// What stands above every page of a reference.
pub struct Crumbs {
    pub product: String,
    pub product_href: String,
    pub api: String,
    pub api_href: String,
}

impl Crumbs {
    /// Of the API that is read.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        Self {
            product: reading.product.name.clone(),
            product_href: format!("/products/{}", reading.place.product),
            api: reading.api.name.clone(),
            api_href: reading.place.overview(),
        }
    }
}

/// A name in an address, and whether its Markdown is asked for. A thing that is really called `x.md` is found first.
fn twin(name: &str, exists: impl Fn(&str) -> bool) -> (&str, bool) {
    match name.strip_suffix(".md") {
        Some(stem) if !exists(name) => (stem, true),
        _ => (name, false),
    }
}

/// Markdown as a file that browsers show.
pub fn as_markdown(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

/// The language to show: that of the address, else that of the cookie, else curl.
pub fn chosen_language(headers: &HeaderMap, asked: Option<&str>) -> Language {
    let jar = CookieJar::from_headers(headers);
    let kept = jar.get(LANGUAGE_COOKIE).and_then(|cookie| Language::named(cookie.value()));
    asked.and_then(Language::named).or(kept).unwrap_or(Language::Curl)
}

/// Remembers a language that was asked for by the address; scripts remember what was chosen on the page.
fn remember(asked: Option<&str>, response: Response) -> Response {
    let Some(language) = asked.and_then(Language::named) else { return response };
    let cookie = Cookie::build((LANGUAGE_COOKIE, language.id()))
        .path("/")
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(365));
    (CookieJar::new().add(cookie), response).into_response()
}

#[cfg(test)]
pub fn sample_document() -> Document {
    Document::parse(include_str!("sample.openapi.json")).expect("the sample document is valid")
}

#[cfg(test)]
pub fn sample_place() -> Place {
    Place { product: "countries".into(), api: "countries".into() }
}

#[cfg(test)]
pub fn sample_crumbs() -> Crumbs {
    Crumbs {
        product: "Countries".into(),
        product_href: "/products/countries".into(),
        api: "Countries API".into(),
        api_href: sample_place().overview(),
    }
}
