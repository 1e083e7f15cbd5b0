//! The varying segment of a path: whatever cannot be the name of a thing is a thing that does not exist.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use tollgate_domain::Slug;
use tollgate_web::Problem;

use crate::App;
use crate::problem::Refusal;

/// An id.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: FromStr> FromRequestParts<App> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        segment(parts, app).await?.parse().map(Self).map_err(|_| Problem::not_found().into())
    }
}

/// An id or a slug. They cannot be mistaken: an id has an underscore.
#[derive(Debug, Clone)]
pub enum Named<T> {
    /// By id.
    Id(T),
    /// By slug.
    Slug(Slug),
}

impl<T: FromStr> FromRequestParts<App> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let text = segment(parts, app).await?;
        Self::read(&text).ok_or_else(|| Problem::not_found().into())
    }
}

impl<T: FromStr> Named<T> {
    /// Reads a name; none where it can be neither.
    pub fn read(text: &str) -> Option<Self> {
        match (text.parse(), text.parse()) {
            (Ok(id), _) => Some(Self::Id(id)),
            (_, Ok(slug)) => Some(Self::Slug(slug)),
            _ => None,
        }
    }
}

async fn segment(parts: &mut Parts, app: &App) -> Result<String, Refusal> {
    let Path(text) =
        Path::<String>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
    Ok(text)
}
