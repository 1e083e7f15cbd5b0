//! The passkeys of an account: adding, naming and removing them.

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;
use tollgate_control::Error;
use uuid::Uuid;

use crate::error::{Answer, Fault};
use crate::form::{Form, sentence};
use crate::say::{say, t, translated};
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

const PAGE: &str = "/account/passkeys";
const ASKED: &str = "passkey_made";

/// One passkey.
pub struct Passkey {
    pub id: Uuid,
    pub name: String,
    pub since: Moment,
    pub used: Option<Moment>,
}

#[derive(Template)]
#[template(path = "account/passkeys.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub passkeys: Vec<Passkey>,
    /// Whether browsers make passkeys for this site.
    pub works_here: bool,
    pub has_password: bool,
    pub agent: String,
}

/// What is shown again before one is added.
#[derive(Deserialize)]
pub struct Shown {
    #[serde(default)]
    password: String,
}

/// What the form to add one sends.
#[derive(Deserialize)]
pub struct Typed {
    credential: String,
    name: String,
}

/// What the form to name one sends.
#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// `GET /account/passkeys`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    Ok(unkept(visit.page(&view(&state, &visit, Form::default()).await?)?))
}

/// `POST /account/passkeys/question`
pub async fn question(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(shown): axum::Form<Shown>,
) -> Answer {
    let (user, _) = visit.person()?;
    let site = state.passkeys.as_ref().ok_or_else(Fault::not_found)?;
    match state.control.begin_passkey(site, user, &shown.password).await {
        Ok(question) => {
            visit.session.insert(ASKED, question.kept).await?;
            Ok(unkept(Json(question.options).into_response()))
        }
        Err(error) => {
            let said = match error {
                Error::Invalid(faults) => {
                    faults.into_iter().next().map_or_else(String::new, |one| one.message)
                }
                Error::Conflict(text) => text,
                other => return Err(other.into()),
            };
            let refusal = Json(json!({ "detail": sentence(&translated(&said)) }));
            Ok(unkept((StatusCode::UNPROCESSABLE_ENTITY, refusal).into_response()))
        }
    }
}

/// `POST /account/passkeys`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    let site = state.passkeys.as_ref().ok_or_else(Fault::not_found)?;
    let kept = visit.session.get::<String>(ASKED).await?.unwrap_or_default();
    visit.session.remove_value(ASKED).await?;
    visit.session.save().await?;
    let credential = typed.credential.as_bytes();
    match state.control.create_passkey(&actor, site, user, &kept, credential, &typed.name).await {
        Ok(()) => {
            let text = say("passkey-signs-in").with("name", typed.name.trim());
            visit.go(PAGE, Some(Flash::done(text))).await
        }
        Err(error) => {
            let form = Form::with([("name", typed.name)]).refused(error)?;
            Ok(unkept(visit.refused(&view(&state, &visit, form).await?)?))
        }
    }
}

/// `POST /account/passkeys/{id}/rename`
pub async fn rename(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<Uuid>,
    axum::Form(named): axum::Form<Named>,
) -> Answer {
    let (user, actor) = visit.person()?;
    match state.control.rename_passkey(&actor, user, id, &named.name).await {
        Ok(()) => visit.go(PAGE, Some(Flash::done(t("passkey-renamed")))).await,
        Err(Error::Invalid(faults)) => {
            let said = faults.first().map_or("", |fault| fault.message.as_str());
            visit
                .go(PAGE, Some(Flash::failed(say("passkey-not-renamed").with("why", translated(said)))))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /account/passkeys/{id}/remove`
pub async fn remove(State(state): State<PortalState>, visit: Visit, Path(id): Path<Uuid>) -> Answer {
    let (user, actor) = visit.person()?;
    let flash = match state.control.delete_passkey(&actor, user, id).await {
        Ok(()) => Flash::done(t("passkey-removed")),
        Err(Error::Conflict(text)) => Flash::failed(sentence(&translated(&text))),
        Err(error) => return Err(error.into()),
    };
    visit.go(PAGE, Some(flash)).await
}

async fn view(state: &PortalState, visit: &Visit, form: Form) -> Result<View, Fault> {
    let (user_id, _) = visit.person()?;
    let user = state.store.find_user(user_id).await?;
    let passkeys = state.store.list_passkeys(user_id).await?.into_iter().map(|row| Passkey {
        id: row.id,
        name: row.name,
        since: Moment::of(row.created_at, visit.now),
        used: row.last_used_at.map(|at| Moment::of(at, visit.now)),
    });
    Ok(View {
        passkeys: passkeys.collect(),
        works_here: state.passkeys.is_some(),
        has_password: user.is_some_and(|user| !user.password_hash.is_empty()),
        agent: visit.agent().to_owned(),
        shell: visit.shell(Area::Developer, t("account-passkeys")).await?,
        form,
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let passkey = |id, name: &str, used: Option<i64>| Passkey {
            id: Uuid::from_u128(id),
            name: name.into(),
            since: crate::pages::sample_time(-900_000),
            used: used.map(crate::pages::sample_time),
        };
        let view = |passkeys, works_here, form| Self {
            shell: Shell::sample(Area::Developer, "Passkeys", PAGE),
            form,
            passkeys,
            works_here,
            has_password: true,
            agent: "Firefox on Linux".into(),
        };
        let faults = vec![tollgate_control::FieldFault::new(
            "/credential",
            "what the browser answered is no passkey of this site; try again",
        )];
        let refused = Form::default().refused(Error::Invalid(faults)).expect("it is shown");
        vec![
            view(
                vec![passkey(7, "Phone", Some(-4_000)), passkey(8, "Key on the ring", None)],
                true,
                Form::default(),
            ),
            view(Vec::new(), true, refused),
            view(Vec::new(), false, Form::default()),
        ]
    }
}
