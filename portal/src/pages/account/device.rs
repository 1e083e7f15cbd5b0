//! Letting a command line in: a page to type its code into, and one that says what it would get.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_domain::ApplicationId;
use tollgate_store::Page;

use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::{say, t};
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

/// A command line that waits for a decision.
pub struct Asking {
    /// The code, as it was typed.
    pub code: String,
    /// The network that it asked from.
    pub from: String,
    /// When it asked.
    pub at: Moment,
    /// Which applications can have the key: id and name.
    pub applications: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "account/device.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    /// None before a code was found.
    pub asking: Option<Asking>,
}

/// What the page's address carries: the code, where the command line could open a browser.
#[derive(Debug, Deserialize)]
pub struct Address {
    #[serde(default)]
    user_code: String,
}

/// What the forms send.
#[derive(Debug, Deserialize)]
pub struct Typed {
    user_code: String,
    #[serde(default)]
    application: String,
    #[serde(default)]
    decision: String,
}

/// `GET /device`
pub async fn get(visit: Visit, Query(address): Query<Address>) -> Answer {
    visit.member()?;
    // Only shown: a link that somebody was sent must not decide anything, and a guess must cost a form.
    let form = Form::with([("user_code", address.user_code.chars().take(16).collect::<String>())]);
    Ok(unkept(visit.page(&view(&visit, form, None).await?)?))
}

/// `POST /device`: looks for the code.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let member = visit.member()?;
    let (user, _) = visit.person()?;
    let row = match state.control.find_device(user, visit.address, &typed.user_code).await {
        Ok(row) => row,
        Err(error) => {
            let form = Form::with([("user_code", typed.user_code)]).refused(error)?;
            return Ok(unkept(visit.refused(&view(&visit, form, None).await?)?));
        }
    };
    let applications = state.store.list_applications(member.scope, Page::FIRST_500).await?;
    let asking = Asking {
        code: typed.user_code,
        from: row.asked_from,
        at: Moment::of(row.created_at, visit.now),
        applications: applications.into_iter().map(|one| (one.id.to_string(), one.name)).collect(),
    };
    Ok(unkept(visit.page(&view(&visit, Form::default(), Some(asking)).await?)?))
}

/// `POST /device/decide`
pub async fn decide(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let member = visit.member()?;
    let application = match typed.decision.as_str() {
        "allow" => Some(typed.application.parse::<ApplicationId>().map_err(|_| Fault::not_found())?),
        _ => None,
    };
    let (actor, code) = (&member.actor, &typed.user_code);
    match state.control.decide_device(actor, visit.address, code, application).await {
        Ok(()) if application.is_some() => visit.go("/device", Some(Flash::done(t("device-allowed")))).await,
        Ok(()) => visit.go("/device", Some(Flash::done(t("device-denied")))).await,
        Err(error) => {
            let form = Form::with([("user_code", typed.user_code)]).refused(error)?;
            Ok(unkept(visit.refused(&view(&visit, form, None).await?)?))
        }
    }
}

async fn view(visit: &Visit, form: Form, asking: Option<Asking>) -> Result<View, Fault> {
    Ok(View { shell: visit.shell(Area::Developer, t("device-title")).await?, form, asking })
}

impl Asking {
    /// Where it asked from and when, in a sentence.
    pub fn sentence(&self) -> String {
        let from = if self.from.is_empty() { t("account-unknown") } else { self.from.as_str() };
        say("device-from").with("address", from).with("when", self.at.text.as_str()).into()
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let shell = || Shell::sample(Area::Developer, t("device-title"), "/device");
        let moment = || {
            let at = chrono::DateTime::from_timestamp(1_795_000_000, 0).expect("an instant");
            Moment::of(at, at)
        };
        let asking = Asking {
            code: "WDJB-MJHT".into(),
            from: "203.0.113.7".into(),
            at: moment(),
            applications: vec![("app_01ks2v8d3tf5cs9y0v3jq1q7zb".into(), "Routes & maps".into())],
        };
        let none =
            Asking { code: "WDJB-MJHT".into(), from: String::new(), at: moment(), applications: Vec::new() };
        vec![
            Self { shell: shell(), form: Form::default(), asking: None },
            Self { shell: shell(), form: Form::default(), asking: Some(asking) },
            Self { shell: shell(), form: Form::default(), asking: Some(none) },
        ]
    }
}
