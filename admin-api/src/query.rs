//! Query parameters: each is known, given once and well formed, or the request is refused naming it.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use chrono::{DateTime, Utc};
use http::Uri;
use http::request::Parts;
use tollgate_domain::OrganizationId;
use tollgate_web::Problem;

use crate::App;
use crate::page::PageQuery;
use crate::problem::{Refusal, invalid_parameter};

/// The parameters of a request. Handlers take out what they know, then call [`Params::finish`].
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl FromRequestParts<App> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        Self::of(&parts.uri)
    }
}

impl Params {
    /// Those of an address.
    pub fn of(uri: &Uri) -> Result<Self, Refusal> {
        let Query(pairs) = Query::try_from_uri(uri).map_err(Problem::from)?;
        Ok(Self(pairs))
    }

    /// Takes a parameter out, read by `read`; `expected` says in plain words what it takes.
    pub fn take<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(at) = self.0.iter().position(|(given, _)| given == name) else { return Ok(None) };
        let (_, text) = self.0.swap_remove(at);
        if self.0.iter().any(|(given, _)| given == name) {
            return Err(invalid_parameter(name, "is given twice").into());
        }
        read(&text).map(Some).ok_or_else(|| invalid_parameter(name, expected).into())
    }

    /// Takes an id out.
    pub fn id<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, Refusal> {
        self.take(name, "an id of this kind of thing", |text| text.parse().ok())
    }

    /// Takes an instant out (RFC 3339).
    pub fn instant(&mut self, name: &'static str) -> Result<Option<DateTime<Utc>>, Refusal> {
        self.take(name, "an instant, like 2026-11-21T00:00:00Z", |text| {
            DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
        })
    }

    /// Takes `organization_id` out.
    pub fn organization(&mut self) -> Result<Option<OrganizationId>, Refusal> {
        self.id("organization_id")
    }

    /// Takes `limit` and `cursor` out.
    pub fn page(&mut self) -> Result<PageQuery, Refusal> {
        PageQuery::take(self)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), Refusal> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid_parameter(name, "this operation has no such parameter").into()),
        }
    }
}
