//! Choosing light, dark, or what the system says.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use crate::PortalState;
use crate::error::Answer;
use crate::form::local_path;
use crate::session::THEME_COOKIE;
use crate::shell::Theme;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Choice {
    theme: String,
    #[serde(default)]
    next: String,
}

/// `POST /theme`
pub async fn post(
    State(state): State<PortalState>,
    jar: CookieJar,
    axum::Form(choice): axum::Form<Choice>,
) -> Answer {
    let cookie = Cookie::build((THEME_COOKIE, Theme::named(&choice.theme).name()))
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
