//! A new key, shown once.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_control::{CredentialInput, MintedKey};
use tollgate_domain::{ApplicationId, CredentialId, Environment, UserId};
use tollgate_store::FormClaim;
use tollgate_web::Problem;

use super::shown;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::start::first_step;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, reference};

/// How often, and how many times, the second of two clicks looks whether the first has made the key.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 100;

#[derive(Template)]
#[template(path = "applications/key_created.html")]
pub struct View {
    pub shell: Shell,
    pub application: String,
    pub application_href: String,
    pub key: Option<String>,
    pub shown: String,
    pub curl: Option<String>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
    once: uuid::Uuid,
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
    let name = typed.name.trim().to_owned();
    let input = CredentialInput { name, environment: Environment::Live, expires_at: None };
    let made = state.control.create_credential(&member.actor, id, input).await;
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
            let form = Form::with([("name", typed.name)]).refused(error)?;
            visit.refused(&super::show::view(&state, &visit, &member, id, form).await?)
        }
    }
}

/// Where the form led, if it was sent before, to whichever portal; else it is ours to do.
async fn made_before(state: &PortalState, user: UserId, once: uuid::Uuid) -> Result<Option<String>, Fault> {
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
async fn kept(visit: &Visit, id: ApplicationId, minted: &MintedKey) -> Result<String, Fault> {
    visit.keep_secret(minted.id, minted.secret.reveal()).await?;
    visit.session.save().await?;
    Ok(format!("/applications/{id}/keys/{}", minted.id))
}

/// `GET /applications/{id}/keys/{key}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let key: CredentialId = key.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_credential(member.scope, key).await?;
    if row.application_id != id {
        return Err(Fault::not_found());
    }
    let application = state.store.get_application(member.scope, id).await?;
    let secret = visit.take_secret(key).await?;
    let step = first_step(&state, member.scope, id).await?;
    let curl = step.and_then(|step| step.call).map(|call| {
        reference::curl(&state.settings.gateway_url, &call.api, &call.operation, secret.as_deref())
    });
    Ok(unkept(visit.page(&View {
        shell: visit.shell(Area::Developer, &row.name).await?,
        application: application.name,
        application_href: format!("/applications/{id}"),
        shown: shown(&row),
        key: secret,
        curl,
    })?))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let path = "/applications/app_01h455vb4pex5vsknk084sn02q/keys/key_01h455vb4pex5vsknk084sn02q";
        [Some("tg_live_8Kd2mZ4pQ7vT1cXwB9nL3sHyR6fJ0aGeU5kD8xVtN2qMz0000".to_owned()), None]
            .map(|key| Self {
                shell: Shell::sample(Area::Developer, "Nightly import", path),
                application: "My first app".into(),
                application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
                curl: key.as_deref().map(|key| {
                    format!(
                        "curl 'http://127.0.0.1:8080/countries/v1/countries' \\\n  -H \"X-API-Key: {key}\""
                    )
                }),
                key,
                shown: "tg_live_8Kd2…x9Qa".into(),
            })
            .into()
    }
}
