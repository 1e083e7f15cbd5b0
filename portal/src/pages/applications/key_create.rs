//! Making a key, once per form.

use std::time::Duration;

use axum::extract::{Path, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tollgate_control::{CredentialInput, Error, FieldFault, MintedKey};
use tollgate_domain::{ApplicationId, Environment, Restrictions, UserId};
use tollgate_store::FormClaim;
use tollgate_web::Problem;

use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::session::Visit;

/// How often, and how many times, the second of two clicks looks whether the first has made the key.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 100;

/// How long a key may live, as the form sends it, and the key of how it reads.
pub const EXPIRIES: &[(&str, &str)] = &[
    ("", "application-expires-never"),
    ("30", "application-expires-30"),
    ("90", "application-expires-90"),
    ("365", "application-expires-365"),
];

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    expires: String,
    once: uuid::Uuid,
}

impl Typed {
    /// What is asked for; a choice that the form does not offer is refused by name.
    fn input(&self, now: DateTime<Utc>) -> Result<CredentialInput, Error> {
        let refuse = |pointer, message| Err(Error::Invalid(vec![FieldFault::new(pointer, message)]));
        let environment = match self.environment.as_str() {
            "live" => Environment::Live,
            "test" | "" => Environment::Test,
            _ => return refuse("/environment", "live or test"),
        };
        let expires_at = match self.expires.as_str() {
            "" => None,
            "30" | "90" | "365" => self.expires.parse().ok().map(|days| now + TimeDelta::days(days)),
            _ => return refuse("/expires", "one of the spans offered"),
        };
        let restrictions = Restrictions::default();
        Ok(CredentialInput { name: self.name.trim().to_owned(), environment, expires_at, restrictions })
    }
}

/// `POST /applications/{id}/keys`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let member = visit.member()?;
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let user = visit.account()?.user_id;
    // The same form sent again, by a double click or the back button, leads to the key it made.
    if let Some(made) = made_before(&state, user, typed.once).await? {
        return visit.go(&made, None).await;
    }
    let made = match typed.input(visit.now) {
        Ok(input) => state.control.create_credential(&member.actor, id, input).await,
        Err(error) => Err(error),
    };
    let there = match &made {
        Ok(minted) => kept(&visit, id, minted).await.map(Some),
        Err(_) => Ok(None),
    };
    match &there {
        Ok(Some(there)) => state.store.finish_form(user, typed.once, there).await?,
        Ok(None) | Err(_) => state.store.release_form(user, typed.once).await?,
    }
    match (there?, made) {
        (Some(there), _) => visit.go(&there, None).await,
        (None, Ok(_)) => Err(Fault::Problem(Problem::internal())),
        (None, Err(error)) => {
            let typed =
                [("name", typed.name), ("environment", typed.environment), ("expires", typed.expires)];
            let form = Form::with(typed).refused(error)?;
            visit.refused(&super::show::view(&state, &visit, &member, id, form).await?)
        }
    }
}

/// Where the form led, if it was sent before, to whichever portal; else it is ours to do.
pub async fn made_before(
    state: &PortalState,
    user: UserId,
    once: uuid::Uuid,
) -> Result<Option<String>, Fault> {
    for _ in 0..LOOKS {
        match state.store.claim_form(user, once).await? {
            FormClaim::Mine => return Ok(None),
            FormClaim::Done(there) => return Ok(Some(there)),
            FormClaim::UnderWay => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    Err(Fault::Problem(Problem::unavailable("This form was sent before and is still being worked on.")))
}

/// Keeps the secret for the page that shows it, before a second click is told where that is; returns its path.
pub async fn kept(visit: &Visit, id: ApplicationId, minted: &MintedKey) -> Result<String, Fault> {
    visit.keep_secret(minted.id, minted.secret.reveal()).await?;
    visit.session.save().await?;
    Ok(format!("/applications/{id}/keys/{}", minted.id))
}
