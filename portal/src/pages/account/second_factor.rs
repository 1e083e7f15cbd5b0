//! Setting the second factor up and taking it away, and the recovery codes, shown once.

use askama::Template;
use axum::extract::State;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Deserialize;
use tollgate_control::SecretText;

use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::t;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::show::Moment;
use crate::{PortalState, filters, look};

/// Where a secret waits for its first code, and where codes wait to be shown.
const DRAWN: &str = "second_factor";
const CODES: &str = "recovery_codes";

/// A secret as an authenticator takes it.
pub struct Offer {
    pub secret: String,
    pub qr_size: i32,
    pub qr_path: String,
}

/// The second factor that is there.
pub struct Present {
    pub since: Moment,
    pub codes_left: i64,
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub present: Option<Present>,
    pub offer: Option<Offer>,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
pub struct CodesView {
    pub shell: Shell,
    pub codes: Option<Vec<String>>,
}

/// What the forms send.
#[derive(Deserialize)]
pub struct Typed {
    password: String,
    #[serde(default)]
    code: String,
}

/// `GET /account/second-factor`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    Ok(unkept(visit.page(&view(&state, &visit, Form::default()).await?)?))
}

/// `POST /account/second-factor`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    let Some(secret) = visit.session.get::<String>(DRAWN).await? else {
        return visit.go("/account/second-factor", None).await;
    };
    let confirmed = state
        .control
        .confirm_second_factor(&actor, user, &secret, &typed.code, &typed.password, visit.now)
        .await;
    match confirmed {
        Ok(codes) => {
            visit.session.remove_value(DRAWN).await?;
            show_once(&visit, codes).await
        }
        Err(error) => {
            let form = Form::default().refused(error)?;
            Ok(unkept(visit.refused(&view(&state, &visit, form).await?)?))
        }
    }
}

/// `POST /account/second-factor/off`
pub async fn off(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    match state.control.remove_second_factor(&actor, user, &typed.password).await {
        Ok(()) => {
            let flash = Flash::done(t("factor-off-done"));
            visit.go("/account", Some(flash)).await
        }
        Err(error) => {
            let form = Form::default().refused(error)?;
            Ok(unkept(visit.refused(&view(&state, &visit, form).await?)?))
        }
    }
}

/// `POST /account/second-factor/codes`
pub async fn renew(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    match state.control.renew_recovery_codes(&actor, user, &typed.password).await {
        Ok(codes) => show_once(&visit, codes).await,
        Err(error) => {
            let form = Form::default().refused(error)?;
            Ok(unkept(visit.refused(&view(&state, &visit, form).await?)?))
        }
    }
}

async fn show_once(visit: &Visit, codes: Vec<SecretText>) -> Answer {
    let codes: Vec<&str> = codes.iter().map(SecretText::reveal).collect();
    visit.session.insert(CODES, codes).await?;
    visit.go("/account/recovery-codes", None).await
}

/// `GET /account/recovery-codes`
pub async fn codes(visit: Visit) -> Answer {
    visit.account()?;
    let codes = visit.session.get::<Vec<String>>(CODES).await?;
    if codes.is_some() {
        // Gone from the database before they are shown.
        visit.session.remove_value(CODES).await?;
        visit.session.save().await?;
    }
    let shell = visit.shell(Area::Developer, t("recovery-title")).await?;
    Ok(unkept(visit.page(&CodesView { shell, codes })?))
}

async fn view(state: &PortalState, visit: &Visit, form: Form) -> Result<View, Fault> {
    let account = visit.account()?;
    let present = state
        .store
        .find_second_factor(account.user_id)
        .await?
        .map(|row| Present { since: Moment::of(row.created_at, visit.now), codes_left: row.codes_left });
    let offer = match present {
        Some(_) => None,
        None => Some(offer(visit, &account.email).await?),
    };
    Ok(View { shell: visit.shell(Area::Developer, t("account-second-factor")).await?, form, present, offer })
}

/// The same secret for as long as the session lasts, so that a wrong code does not undo what the phone has taken in.
async fn offer(visit: &Visit, email: &str) -> Result<Offer, Fault> {
    let drawn = visit.session.get::<String>(DRAWN).await?;
    let factor = match drawn {
        Some(secret) => tollgate_control::Control::known_second_factor(&secret, email, &issuer()),
        None => {
            let factor = tollgate_control::Control::draw_second_factor(email, &issuer())?;
            visit.session.insert(DRAWN, factor.secret.reveal()).await?;
            factor
        }
    };
    Ok(Offer::of(factor.secret.reveal(), factor.url.reveal()))
}

/// The portal's name, as authenticators take one: a colon ends it (key URI format).
fn issuer() -> String {
    look::worn().name.replace(':', " ")
}

impl Offer {
    fn of(secret: &str, url: &str) -> Self {
        let (qr_size, qr_path) =
            QrCode::encode_text(url, QrCodeEcc::Medium).map_or((0, String::new()), |code| {
                let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
                let path =
                    dark.filter(|(x, y)| code.get_module(*x, *y)).map(|(x, y)| format!("M{x},{y}h1v1h-1z"));
                (code.size(), path.collect())
            });
        let groups: Vec<String> =
            secret.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
        Self { secret: groups.join(" "), qr_size, qr_path }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let shell = || Shell::sample(Area::Developer, "Second factor", "/account/second-factor");
        let factor = tollgate_control::Control::known_second_factor(
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "maria@example.com",
            "Tollgate",
        );
        let present = Present { since: crate::pages::sample_time(-900_000), codes_left: 8 };
        let offer = Offer::of(factor.secret.reveal(), factor.url.reveal());
        vec![
            Self { shell: shell(), form: Form::default(), present: None, offer: Some(offer) },
            Self { shell: shell(), form: Form::default(), present: Some(present), offer: None },
        ]
    }
}

#[cfg(test)]
impl CodesView {
    pub fn samples() -> Vec<Self> {
        let codes = (0..10).map(|n| format!("k7mq{n}-x4tb2")).collect();
        [Some(codes), None]
            .map(|codes| Self {
                shell: Shell::sample(Area::Developer, "Recovery codes", "/account/recovery-codes"),
                codes,
            })
            .into()
    }
}
