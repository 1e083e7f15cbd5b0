//! Choosing the language: kept in a cookie, and with the account of whoever is signed in, whose mails follow it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use crate::PortalState;
use crate::error::Answer;
use crate::form::local_path;
use crate::say::{LOCALE_COOKIE, Language};
use crate::session::Visit;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Choice {
    locale: String,
    #[serde(default)]
    next: String,
}

/// `POST /locale`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    jar: CookieJar,
    axum::Form(choice): axum::Form<Choice>,
) -> Answer {
    let language = Language::named(&choice.locale).unwrap_or_default();
    if let Ok((user, actor)) = visit.person() {
        state.control.choose_language(&actor, user, language).await?;
    }
    let cookie = Cookie::build((LOCALE_COOKIE, language.tag()))
        .path("/")
        .http_only(true)
        .secure(state.settings.secure_cookies)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(365));
    let next = match local_path(&choice.next) {
        "" => "/",
        path => path,
    };
    Ok((jar.add(cookie), Redirect::to(next)).into_response())
}
