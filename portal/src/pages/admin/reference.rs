//! The reference of the admin API, read like that of any other API.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use tollgate_openapi::Document;

use super::desk::Desk;
use crate::error::{Answer, Fault};
use crate::markup::Html;
use crate::pages::reference::article::{Article, render};
use crate::pages::reference::nav::Current;
use crate::pages::reference::{Place, chosen_language};
use crate::parts::Asked;
use crate::reference::{Address, KEY_PLACEHOLDER};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{filters, say};

/// What the admin API serves at its own `/openapi.json`; a test of its holds both together.
const TEXT: &str = include_str!("../../../../admin-api/openapi.json");
const NAME: &str = "Admin API";
/// Where it is unless told otherwise.
const BASE_URL: &str = "http://127.0.0.1:8081";

static DOCUMENT: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| Document::parse(TEXT).ok().map(Arc::new));

#[derive(Template)]
#[template(path = "admin/reference.html")]
pub struct View {
    pub shell: Shell,
    pub article: Article,
    pub samples: Option<Html>,
}

fn current(asked: &Asked) -> Current {
    let named = |name: &str| Some(asked.get(name).to_owned()).filter(|value| !value.is_empty());
    match (named("operation"), named("schema"), named("schemas")) {
        (Some(id), ..) => Current::Operation(id),
        (_, Some(name), _) => Current::Schema(name),
        (.., Some(_)) => Current::Schemas,
        _ => Current::Overview,
    }
}

/// Sample calls with a token where others have a key.
fn with_token(samples: &Html) -> Html {
    let text = samples.as_str().replace("X-API-Key", "Authorization");
    Html::made_here(text.replace(KEY_PLACEHOLDER, "Bearer YOUR_TOKEN"))
}

/// The text, with what is true of a token where it tells of keys.
fn about_token(body: &Html) -> Html {
    let html = body.as_str();
    let sentence = html.find("<code>X-API-Key</code>").and_then(|at| {
        let begins = html[..at].rfind("<p")?;
        Some((begins, at + html[at..].find("</p>")?))
    });
    let Some((begins, ends)) = sentence else { return body.clone() };
    let told = "<p class=\"muted\">Send a service token as <code>Authorization: Bearer</code>.";
    Html::made_here(format!("{}{told}{}", &html[..begins], &html[ends..]))
}

/// `GET /admin/reference`, with `?operation=`, `?schema=` or `?schemas=all` for its parts
pub async fn get(visit: Visit, asked: Asked, headers: HeaderMap) -> Answer {
    Desk::of(&visit)?;
    let current = current(&asked);
    let language = say::language();
    let rendered = tokio::task::spawn_blocking(move || {
        let document = DOCUMENT.as_ref()?;
        let address = Address::plain(BASE_URL);
        say::speaking(language, || render(document, &Place::of_admin_api(), NAME, &address, &current)).ok()?
    });
    let mut article =
        rendered.await.map_err(|_| tollgate_web::Problem::internal())?.ok_or_else(Fault::not_found)?;
    let shell = visit.shell(Area::Reference, article.title.clone()).await?;
    article.body = about_token(&article.body);
    let is_call = !article.method.is_empty();
    let samples = is_call.then(|| with_token(&article.samples_for(chosen_language(&headers, None), None)));
    visit.page(&View { shell, article, samples })
}

/// `GET /admin/reference/openapi.json`
pub async fn document(visit: Visit) -> Answer {
    Desk::of(&visit)?;
    Ok(([(CONTENT_TYPE, "application/json")], TEXT).into_response())
}
