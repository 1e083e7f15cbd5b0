//! A new key, shown once.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_control::CredentialInput;
use tollgate_domain::{ApplicationId, CredentialId, Environment};

use super::shown;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::start::first_step;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, reference};

/// How many sent forms are remembered.
const SENT_FORMS_KEPT: usize = 4096;

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
    // The same form sent again, by a double click or the back button, leads to the key it made.
    let mut sent = state.sent_forms.lock().await;
    let this_form = (visit.account()?.user_id, typed.once);
    if let Some(made) = sent.get(&this_form) {
        return visit.go(made, None).await;
    }
    let name = typed.name.trim().to_owned();
    let input = CredentialInput { name, environment: Environment::Live, expires_at: None };
    match state.control.create_credential(&member.actor, id, input).await {
        Ok(minted) => {
            let there = format!("/applications/{id}/keys/{}", minted.id);
            visit.keep_secret(minted.id, minted.secret.reveal()).await?;
            // Kept before the lock is given up, so that the second click finds the secret as well.
            visit.session.save().await?;
            if sent.len() >= SENT_FORMS_KEPT {
                sent.clear();
            }
            sent.insert(this_form, there.clone());
            visit.go(&there, None).await
        }
        Err(error) => {
            let form = Form::with([("name", typed.name)]).refused(error)?;
            visit.refused(&super::show::view(&state, &visit, &member, id, form).await?)
        }
    }
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
