//! Signing in through an OpenID Connect provider: off to it, and back from it.

use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tollgate_control::oidc::{Admitted, CameBack, Fault as Refusal, PendingSignIn};

use super::signin::destination;
use super::signup::first_page;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::local_path;
use crate::say::{Language, language, say, t};
use crate::session::Visit;
use crate::shell::Flash;

const PENDING: &str = "provider";

/// What the link carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    #[serde(default)]
    next: String,
    product: Option<String>,
}

/// What waits in the session until somebody comes back.
#[derive(Serialize, Deserialize)]
struct Waiting {
    pending: PendingSignIn,
    next: String,
    product: Option<String>,
}

/// `GET /signin/with/{provider}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path(provider): Path<String>,
    Query(address): Query<Address>,
) -> Answer {
    let back = back(&state, &provider);
    match state.control.begin_sign_in_with(&provider, &back, visit.now).await {
        Ok((url, pending)) => {
            let next = local_path(&address.next).to_owned();
            visit.session.insert(PENDING, Waiting { pending, next, product: address.product }).await?;
            visit.go(&url, None).await
        }
        Err(refusal) => refused(&state, &visit, &provider, refusal).await,
    }
}

/// `GET /signin/with/{provider}/back`
pub async fn came_back(
    State(state): State<PortalState>,
    visit: Visit,
    Path(provider): Path<String>,
    Query(came): Query<CameBack>,
) -> Answer {
    let waiting = visit.session.get::<Waiting>(PENDING).await.ok().flatten();
    let Some(waiting) = waiting.filter(|waiting| waiting.pending.provider == provider) else {
        return refused(&state, &visit, &provider, Refusal::Stale).await;
    };
    // Gone from the database before it is used: good once.
    visit.session.remove_value(PENDING).await?;
    visit.session.save().await?;
    let back = back(&state, &provider);
    let Waiting { pending, next, product } = waiting;
    let admitted = match state.control.finish_sign_in_with(pending, &came, &back, visit.now).await {
        Ok(identity) => state.control.admit(&visit.visitor(), &provider, &identity, product.as_deref()).await,
        Err(refusal) => Err(refusal),
    };
    match admitted {
        Ok(Admitted::Known(user)) => super::code::admit(&state, &visit, user, destination(&next)).await,
        Ok(Admitted::New(signed_up)) => {
            if language() != Language::English {
                state.control.choose_language(&visit.visitor(), signed_up.user_id, language()).await?;
            }
            visit.sign_in(signed_up.user_id).await?;
            if let Some(key) = signed_up.key {
                visit.keep_secret(key.id, key.secret.reveal()).await?;
            }
            visit.go(first_page(&next), None).await
        }
        Err(refusal) => refused(&state, &visit, &provider, refusal).await,
    }
}

/// Where the provider sends browsers back to: from the configured origin, never from the request.
fn back(state: &PortalState, provider: &str) -> String {
    format!("{}/signin/with/{provider}/back", state.settings.portal_url)
}

/// Says on the page to sign in why they were not, and what to do.
async fn refused(state: &PortalState, visit: &Visit, provider: &str, refusal: Refusal) -> Answer {
    let buttons = state.control.provider_buttons();
    let name = buttons.iter().find(|button| button.slug == provider).map(|button| button.name.as_str());
    let Some(name) = name else { return Err(Fault::not_found()) };
    let named = |key| String::from(say(key).with("name", name));
    let text = match refusal {
        Refusal::Other(error) => return Err(error.into()),
        Refusal::Unknown => return Err(Fault::not_found()),
        Refusal::Stale => t("provider-stale").to_owned(),
        Refusal::Declined => named("provider-declined"),
        Refusal::Unreachable(_) => named("provider-unreachable"),
        Refusal::Untrusted(_) => named("provider-untrusted"),
        Refusal::NoEmail => named("provider-no-email"),
        Refusal::Disabled => t("provider-disabled").to_owned(),
        Refusal::NoRole => named("provider-no-role"),
        Refusal::NotForOperators => named("provider-not-for-operators"),
    };
    visit.go("/signin", Some(Flash::failed(text))).await
}
