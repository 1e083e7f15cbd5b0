//! Who calls: a service token in `Authorization: Bearer`, and nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::request::Parts;
use tollgate_control::{Action, Actor, Control, Error, Face, Origin};
use tollgate_domain::{OrganizationId, Scope};
use tollgate_web::{RequestId, client_address};

use crate::App;
use crate::problem::{Refusal, invalid_token, token_missing, too_many_tries};

/// A caller who may read. First among a handler's arguments, so that nothing is read or said before.
#[derive(Debug)]
pub struct Reader {
    /// For its store.
    pub control: Control,
    /// The rows that the caller may see.
    pub scope: Scope,
    /// Who asks.
    pub actor: Actor,
}

/// A caller who may write. Refused before the body is read; the brain checks again.
#[derive(Debug)]
pub struct Writer {
    /// The brain.
    pub control: Control,
    /// Who acts.
    pub actor: Actor,
}

/// A caller who was let in before the handler's turn, with the brain that it is to use: inside a unit of work where the
/// request is tried only, or must happen once.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who acts.
    pub actor: Actor,
    /// The brain.
    pub control: Control,
}

impl Reader {
    /// The rows of one organization, where a filter names one; else all that the caller may see.
    pub fn narrowed(&self, organization: Option<OrganizationId>) -> Result<Scope, Refusal> {
        match organization {
            Some(id) => Ok(self.actor.authorize(Action::ReadOrganization(id))?),
            None => Ok(self.scope),
        }
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let actor = authenticate(parts, app).await?;
        let scope = actor.tenants(false)?;
        Ok(Self { control: app.control.clone(), scope, actor })
    }
}

impl FromRequestParts<App> for Writer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(Admitted { actor, control }) = parts.extensions.get::<Admitted>().cloned() {
            return Ok(Self { control, actor });
        }
        let actor = authenticate(parts, app).await?;
        actor.may_write()?;
        Ok(Self { control: app.control.clone(), actor })
    }
}

/// Who calls, or why they cannot.
pub async fn authenticate(parts: &Parts, app: &App) -> Result<Actor, Refusal> {
    let token = bearer(&parts.headers)?;
    let address = client_address(&app.trusted_proxies, parts).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let now = Instant::now();
    app.throttle.check(address, token, now).map_err(too_many_tries)?;
    match app.control.authenticate_token(token).await {
        Ok(who) => {
            app.throttle.right(token);
            let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
            let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
            let origin = Origin::new(Face::AdminApi, client_address(&app.trusted_proxies, parts), agent);
            Ok(Actor::new(who, request_id).from(origin))
        }
        Err(Error::Unauthenticated) => {
            app.throttle.wrong(address, now);
            Err(invalid_token().into())
        }
        Err(other) => Err(other.into()),
    }
}

/// The one token of the request (RFC 6750 §2.1). Two `Authorization` fields are refused: proxies disagree on
/// which of them counts.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else { return Err(token_missing().into()) };
    if sent.next().is_some() {
        return Err(invalid_token().into());
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid_token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid_token().into());
    }
    Ok(token.trim_matches(' '))
}
