//! Get started: the key, shown once, beside a call that works as pasted.

use askama::Template;
use axum::extract::State;
use tollgate_control::SecretText;
use tollgate_domain::CredentialState;
use tollgate_store::Page;

use super::first_call::{Came, Live, came, live};
use super::{first_step, sample_key};
use crate::error::Answer;
use crate::pages::applications::shown;
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, reference};

#[derive(Template)]
#[template(path = "start/get_started.html")]
pub struct View {
    pub shell: Shell,
    pub application: String,
    pub application_href: String,
    pub product: Option<Subscribed>,
    pub new_key: Option<String>,
    pub key_shown: Option<String>,
    pub curl: Option<String>,
    /// Whether the line works as pasted.
    pub carries_key: bool,
    pub first_call: Option<Came>,
    pub live: Live,
}

pub struct Subscribed {
    pub name: String,
    pub plan: String,
    pub href: String,
}

/// `GET /get-started`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let applications = state.store.list_applications(member.scope, Page { after: None, limit: 1 }).await?;
    let Some(application) = applications.into_iter().next() else {
        return visit.go("/applications", None).await;
    };
    let keys = state.store.list_credentials(member.scope, Some(application.id), Page::FIRST_500).await?;
    let active = keys.iter().rev().find(|key| key.state() == CredentialState::Active);
    let new_key = match active {
        Some(key) => visit.take_secret(key.id).await?,
        None => None,
    };
    let step = first_step(&state, member.scope, application.id).await?;
    let sample_key = match &step {
        Some(step) if new_key.is_none() => sample_key(&state, &visit, step.product.id).await?,
        _ => None,
    };
    let key = new_key.as_deref().or(sample_key.as_ref().map(SecretText::reveal));
    let call = step.as_ref().and_then(|step| step.call.as_ref());
    let curl = call.map(|call| reference::curl(&state.settings.gateway_url, &call.api, &call.operation, key));
    Ok(unkept(visit.page(&View {
        shell: visit.shell(Area::Developer, t("around-get-started")).await?,
        application: application.name,
        application_href: format!("/applications/{}", application.id),
        product: step.map(|step| Subscribed {
            href: format!("/products/{}", step.product.slug),
            name: step.product.name,
            plan: step.plan.name,
        }),
        carries_key: key.is_some(),
        key_shown: active.map(shown),
        curl,
        first_call: came(&state, &visit, &member).await?,
        live: live(&state, &visit, &member).await?,
        new_key,
    })?))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let key = "tg_live_8Kd2mZ4pQ7vT1cXwB9nL3sHyR6fJ0aGeU5kD8xVtN2qMz0000";
        let view = |new_key: Option<&str>, key_shown: bool, first_call, subscribed: bool, live| Self {
            shell: Shell::sample(Area::Developer, "Get started", "/get-started"),
            application: "My first app".into(),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            product: subscribed.then(|| Subscribed {
                name: "Countries".into(),
                plan: "Free".into(),
                href: "/products/countries".into(),
            }),
            curl: subscribed.then(|| {
                let key = new_key.unwrap_or("YOUR_KEY");
                format!("curl 'http://127.0.0.1:8080/countries/v1/countries' \\\n  -H \"X-API-Key: {key}\"")
            }),
            carries_key: new_key.is_some(),
            new_key: new_key.map(str::to_owned),
            key_shown: key_shown.then(|| "tg_live_8Kd2…0000".into()),
            first_call,
            live,
        };
        vec![
            view(Some(key), true, None, true, Live::Confirm),
            view(
                None,
                true,
                Some(Came::sample()),
                true,
                Live::Offer("/applications/a/keys".into(), uuid::Uuid::nil()),
            ),
            view(None, false, None, false, Live::Closed),
        ]
    }
}
