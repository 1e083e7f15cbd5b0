//! The page on which an operation is tried out: a form, and the answer below it.

use askama::Template;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderValue, header};
use tollgate_control::Error;
use tollgate_domain::{CredentialId, Environment, RouteId};
use tollgate_openapi::OperationDetail;
use tollgate_store::Page;

use super::answer::AnswerView;
use super::form::{self, BodyForm, Filled, Group, Sent};
use crate::error::{Answer, Fault};
use crate::pages::reference::{Crumbs, Reading};
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// How many fields one form may send.
const FIELDS_MAX: usize = 300;

/// A key that the call can be made as.
pub struct KeyChoice {
    pub id: String,
    pub text: String,
    pub chosen: bool,
}

/// As whom the call is made.
pub enum Caller {
    /// One of the reader's own keys.
    Keys(Vec<KeyChoice>),
    /// A guest, without an account.
    Guest,
    /// Nobody yet: what to do first.
    Nobody { text: &'static str, href: String, link: &'static str },
}

#[derive(Template)]
#[template(path = "try_it/page.html")]
pub struct View {
    pub shell: Shell,
    pub crumbs: Crumbs,
    pub action: String,
    pub operation_href: String,
    pub method: String,
    pub path: String,
    pub caller: Caller,
    pub groups: Vec<Group>,
    pub body: Option<BodyForm>,
    pub answer: Option<AnswerView>,
}

/// `GET /products/{slug}/apis/{api}/operations/{operation_id}/try`: values may stand in the address, as the form sends
/// them.
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api, id)): Path<(String, String, String)>,
    Query(given): Query<Vec<(String, String)>>,
) -> Answer {
    let reading = Reading::of(&state, &visit, &product, &api).await?;
    let detail = reading.document.operation(&id).ok_or_else(Fault::not_found)?;
    let given: Vec<Sent> = given
        .into_iter()
        .map(|(name, value)| Sent { name, bytes: value.into_bytes(), ..Sent::default() })
        .collect();
    let filled = (!given.is_empty()).then_some(Filled(given));
    let caller = caller(&state, &visit, &reading, &detail, filled.as_ref()).await?;
    page(&visit, &reading, &detail, caller, filled.as_ref(), None).await
}

/// `POST /products/{slug}/apis/{api}/operations/{operation_id}/try`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api, id)): Path<(String, String, String)>,
    form: Multipart,
) -> Answer {
    let reading = Reading::of(&state, &visit, &product, &api).await?;
    let detail = reading.document.operation(&id).ok_or_else(Fault::not_found)?;
    let filled = filled(form).await?;
    let caller = caller(&state, &visit, &reading, &detail, Some(&filled)).await?;
    let answer = answer(&state, &visit, &reading, &detail, &caller, &filled).await?;
    page(&visit, &reading, &detail, caller, Some(&filled), Some(answer)).await
}

async fn filled(mut form: Multipart) -> Result<Filled, Fault> {
    let refused = || {
        let problem = tollgate_web::Problem::new(
            axum::http::StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "This form cannot be taken",
        );
        Fault::Problem(problem.detail("Calls are tried with up to 1 MB of body. Nothing was sent."))
    };
    let mut all = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| refused())? {
        let sent = Sent {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            media: field.content_type().map(str::to_owned),
            bytes: field.bytes().await.map_err(|_| refused())?.to_vec(),
        };
        all.push(sent);
        if all.len() > FIELDS_MAX {
            return Err(refused());
        }
    }
    Ok(Filled(all))
}

/// As whom the visitor can call: with their keys, the sandbox's first; else as a guest, who may only read.
async fn caller(
    state: &PortalState,
    visit: &Visit,
    reading: &Reading,
    detail: &OperationDetail,
    filled: Option<&Filled>,
) -> Result<Caller, Fault> {
    let Ok(member) = visit.member() else {
        let open = state.store.find_guest(reading.product.id).await?.is_some();
        if open && reads(detail) {
            return Ok(Caller::Guest);
        }
        let text = if open { t("tried-guests-read") } else { t("tried-own-key") };
        let href = format!("/signup?product={}", reading.place.product);
        return Ok(Caller::Nobody { text, href, link: t("get-a-key") });
    };
    let applications = state.store.list_applications(member.scope, Page::FIRST_500).await?;
    let mut keys = state.store.list_credentials(member.scope, None, Page::FIRST_500).await?;
    keys.retain(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > visit.now));
    keys.sort_by_key(|key| key.environment != Environment::Test);
    let wanted = filled.and_then(|filled| filled.text("key"));
    let choice = |key: &tollgate_store::CredentialRow| {
        let application = applications.iter().find(|one| one.id == key.application_id)?;
        let kind = if key.environment == Environment::Test {
            t("applications-sandbox")
        } else {
            t("applications-live")
        };
        let id = key.id.to_string();
        Some(KeyChoice {
            text: format!("{} · {} ({kind} …{})", application.name, key.name, key.display_last4),
            chosen: wanted.as_deref() == Some(id.as_str()),
            id,
        })
    };
    let keys: Vec<KeyChoice> = keys.iter().filter_map(choice).collect();
    Ok(if keys.is_empty() {
        let text = t("tried-no-key");
        Caller::Nobody { text, href: "/applications".into(), link: t("applications-yours") }
    } else {
        Caller::Keys(keys)
    })
}

/// Whether an operation changes nothing (RFC 9110 section 9.2.1).
pub fn reads(detail: &OperationDetail) -> bool {
    matches!(detail.operation.method.as_str(), "GET" | "HEAD")
}

async fn answer(
    state: &PortalState,
    visit: &Visit,
    reading: &Reading,
    detail: &OperationDetail,
    caller: &Caller,
    filled: &Filled,
) -> Result<AnswerView, Fault> {
    let outgoing = match form::outgoing(detail, &reading.api, filled) {
        Ok(outgoing) => outgoing,
        Err((name, why)) => {
            let (title, text) = (format!("{name} {why}"), t("tried-nothing-sent"));
            return Ok(AnswerView::advised(String::new(), "warn", &title, text, None));
        }
    };
    let call = format!("{} {}", outgoing.method, outgoing.target);
    let routes = state.store.list_routes(reading.api.id).await?;
    let Some(route) = routes.iter().find(|route| route.operation_id == detail.operation.operation_id) else {
        let text = t("tried-unpublished");
        return Ok(AnswerView::advised(call, "warn", t("tried-not-served"), text, None));
    };
    let grant = match grant(state, visit, reading, caller, filled, route.id).await {
        Ok(grant) => grant,
        Err(Fault::Problem(problem)) if problem.status == axum::http::StatusCode::TOO_MANY_REQUESTS => {
            let link =
                Some((format!("/signup?product={}", reading.place.product), t("get-a-key").to_owned()));
            let text = t("tried-guests-text");
            return Ok(AnswerView::advised(call, "warn", t("tried-guests-used"), text, link));
        }
        Err(other) => return Err(other),
    };
    Ok(match state.relay.call(outgoing, &grant).await {
        Ok(incoming) => AnswerView::of(call, &incoming, &format!("/products/{}", reading.place.product)),
        Err(why) => AnswerView::without(call, &why),
    })
}

async fn grant(
    state: &PortalState,
    visit: &Visit,
    reading: &Reading,
    caller: &Caller,
    filled: &Filled,
    route: RouteId,
) -> Result<String, Fault> {
    let granted = match caller {
        Caller::Keys(keys) => {
            let member = visit.member()?;
            let chosen = filled.text("key").or_else(|| keys.first().map(|key| key.id.clone()));
            let key: Option<CredentialId> = chosen.and_then(|text| text.parse().ok());
            state.control.grant_call(&member.actor, key.ok_or_else(Fault::not_found)?, route).await
        }
        Caller::Guest => state.control.grant_guest_call(reading.product.id, route, visit.address).await,
        Caller::Nobody { .. } => Err(Error::Unauthenticated),
    };
    match granted {
        Ok(secret) => Ok(secret.reveal().to_owned()),
        Err(Error::Unauthenticated) => Err(Fault::SignIn(reading.place.overview())),
        Err(other) => Err(other.into()),
    }
}

async fn page(
    visit: &Visit,
    reading: &Reading,
    detail: &OperationDetail,
    caller: Caller,
    filled: Option<&Filled>,
    answer: Option<AnswerView>,
) -> Answer {
    let operation_href = reading.place.operation(&detail.operation.operation_id);
    let mut response = visit.page(&View {
        shell: visit
            .shell(Area::Public, say("tried-page").with("operation", &detail.operation.summary))
            .await?,
        crumbs: Crumbs::of(reading),
        action: format!("{operation_href}/try"),
        operation_href,
        method: detail.operation.method.clone(),
        path: detail.operation.path.clone(),
        caller,
        groups: form::groups(detail, filled),
        body: form::body(detail, filled),
        answer,
    })?;
    // What an API answered is the caller's: nothing keeps it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use crate::pages::reference::{sample_crumbs, sample_document, sample_place};
        use crate::relay::{Incoming, NoAnswer};
        let document = sample_document();
        let view = |id: &str, caller: Caller, answer: Option<AnswerView>| {
            let detail = document.operation(id).expect("the sample has it");
            let operation_href = sample_place().operation(id);
            Self {
                shell: Shell::sample(
                    Area::Public,
                    &format!("Try: {}", detail.operation.summary),
                    &operation_href,
                ),
                crumbs: sample_crumbs(),
                action: format!("{operation_href}/try"),
                operation_href,
                method: detail.operation.method.clone(),
                path: detail.operation.path.clone(),
                caller,
                groups: form::groups(&detail, None),
                body: form::body(&detail, None),
                answer,
            }
        };
        let key = |text: &str| KeyChoice { id: "key_1".into(), text: text.into(), chosen: false };
        let incoming = |status, media: &str, body: &str| Incoming {
            status,
            took: std::time::Duration::from_millis(41),
            headers: vec![
                ("content-type".into(), media.into()),
                ("ratelimit".into(), "\"burst\";r=9;t=1, \"month\";r=1995;t=788000".into()),
                ("x-request-id".into(), "01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f".into()),
            ],
            body: body.as_bytes().to_vec(),
            cut: false,
        };
        let call = || "GET /countries/v1/countries?limit=2".to_owned();
        let good = incoming(
            200,
            "application/json",
            "{\"items\":[{\"code\":\"SE\",\"name\":\"Sweden\"}],\"next\":\"c2U\"}",
        );
        let refused = incoming(403, "application/problem+json", "{\"code\":\"not_entitled\",\"status\":403}");
        vec![
            view("op1", Caller::Guest, None),
            view("op1", Caller::Guest, Some(AnswerView::of(call(), &good, "/products/countries"))),
            view(
                "op3",
                Caller::Keys(vec![
                    key("My first app · Sandbox (sandbox …9f2a)"),
                    key("My first app · First key (live …77Qx)"),
                ]),
                Some(AnswerView::of(call(), &refused, "/products/countries")),
            ),
            view(
                "op3",
                Caller::Nobody {
                    text: "Guests only read. With a key of your own you can send this call too.",
                    href: "/signup?product=countries".into(),
                    link: "Get a key",
                },
                Some(AnswerView::without(call(), &NoAnswer::TimedOut)),
            ),
        ]
    }
}
