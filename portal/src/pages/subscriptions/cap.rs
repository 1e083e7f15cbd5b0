//! The spend cap of a subscription: how this month stands, what another one would mean, and setting it.

use axum::extract::{Path, State};
use tollgate_control::{SpendCapInput, SpendStanding};
use tollgate_domain::{Amount, CapLanding, Currency, Price, SubscriptionState};

use super::Place;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::terms;
use crate::pages::billing;
use crate::parts::sheet::{Tile, fact};
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, Notice, Reader, Section, Sent, Sheet};
use crate::say::{Language, language, say, t};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

/// What becomes of calls, as it is chosen.
fn landings() -> [(&'static str, &'static str); 3] {
    [("block", t("cap-block")), ("throttle", t("cap-throttle")), ("notify", t("cap-notify"))]
}

fn calls(standing: &SpendStanding) -> String {
    match standing.calls_left {
        Some(left) if left >= tollgate_domain::Limit::AMOUNT_MAX => t("cap-no-end").to_owned(),
        Some(left) => show::number(i64::try_from(left).unwrap_or(i64::MAX)),
        None => t("cap-depends").to_owned(),
    }
}

fn tiles(standing: &SpendStanding) -> Section {
    let tile = |name: &str, value: String, note: String| Tile { name: name.into(), value, note, href: None };
    Section::Tiles(vec![
        tile(
            t("cap-spent"),
            show::money(standing.spent),
            say("cap-percent").with("percent", standing.percent()).into(),
        ),
        tile(t("cap-cap"), show::money(standing.cap), t("cap-cap-note").to_owned()),
        tile(t("cap-left"), calls(standing), say("own-until").with("at", show::day(standing.ends)).into()),
    ])
}

/// What it means, in sentences.
fn meaning(standing: &SpendStanding) -> Vec<Notice> {
    let ends = show::day(standing.ends);
    let cap = standing.cap;
    let is_reached = standing.is_reached();
    let (tone, title) = match (standing.landing, is_reached) {
        (CapLanding::Notify, _) => ("info", say("cap-told").sum("cap", cap).into()),
        (_, true) => ("warn", say("cap-spent-already").sum("cap", cap).into()),
        (_, false) => ("info", String::from(say("cap-at-most").sum("cap", cap))),
    };
    let text = match (standing.landing, &standing.free_plan) {
        (CapLanding::Notify, _) => t("cap-goes-on").to_owned(),
        (CapLanding::Throttle, Some(free)) => {
            say("cap-then-throttled").with("plan", free).with("at", Moment::day(standing.ends).text).into()
        }
        (CapLanding::Throttle, None) => say("cap-no-free-plan").with("at", &ends).into(),
        (CapLanding::Block, _) if is_reached => say("cap-is-blocked").with("at", &ends).into(),
        (CapLanding::Block, _) => String::from(say("cap-then-blocked").with("at", &ends)),
    };
    let mut said = vec![Notice::new(tone, title, text)];
    if standing.is_estimated {
        said.push(Notice::new("plain", t("cap-estimated"), t("cap-estimated-text")));
    }
    said
}

fn typed(amount: Amount) -> String {
    let text = terms::typed_price(Price {
        minor: amount.minor,
        currency: amount.currency,
        per: tollgate_domain::Period::Month,
    });
    match text.as_str() {
        "" => "0".to_owned(),
        _ if language() == Language::German => text.replace('.', ","),
        _ => text,
    }
}

fn form_part(form: &Form, currency: Currency, has_one: bool) -> FormPart {
    let inputs = vec![
        Input::line(form, "amount", &String::from(say("cap-amount").with("currency", currency.as_str())))
            .hint(t("cap-amount-hint"))
            .required(),
        Input::one(form, "landing", t("cap-landing"), landings()),
    ];
    FormPart::new("cap-form", form, vec![Fieldset::new("", inputs)], t("cap-see"))
        .titled(if has_one { t("cap-another") } else { t("cap-set") }, t("cap-form-text"))
}

/// What the subscription is billed in: a plan may have prices in several currencies.
async fn billed_in(state: &PortalState, place: &Place) -> Result<Currency, Fault> {
    Ok(state.control.subscription_tariff(place.row.id, place.plan.id).await?.0.currency)
}

async fn page(state: &PortalState, visit: &Visit, place: &Place, form: Option<Form>) -> Result<Sheet, Fault> {
    let standing = state.control.spend_cap(&place.actor, place.row.id, visit.now).await?;
    let form = form.unwrap_or_else(|| match &standing {
        Some(now) => Form::with([("amount", typed(now.cap)), ("landing", now.landing.as_str().to_owned())]),
        None => Form::with([("landing", "block".to_owned())]),
    });
    let mut sheet = place
        .sheet(visit, t("own-cap"))
        .await?
        .narrow()
        .intro(say("cap-intro").with("product", &place.product).with("plan", &place.plan.name));
    match &standing {
        Some(now) => {
            sheet = sheet.part(tiles(now));
            for notice in meaning(now) {
                sheet = sheet.part(notice);
            }
        }
        None => {
            sheet = sheet.part(Notice::new("plain", t("cap-none"), t("cap-none-text")));
        }
    }
    if place.may_write && place.row.state != SubscriptionState::Ended {
        sheet = sheet.part(form_part(&form, billed_in(state, place).await?, standing.is_some()));
        if standing.is_some() {
            let lift = FormPart::new("lift-form", &Form::default(), Vec::new(), t("cap-lift"))
                .to(format!("{}/cap/lift", place.base))
                .titled(t("cap-without"), t("cap-lift-text"))
                .toned("");
            sheet = sheet.part(lift);
        }
    }
    Ok(sheet)
}

/// `GET /subscriptions/{id}/cap`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    page(&state, &visit, &place, None).await?.answer(&visit, &asked)
}

/// `POST /subscriptions/{id}/cap`: what it would mean; with `sure`, it is set.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let mut reader = Reader::new(&sent);
    let currency = billed_in(&state, &place).await?;
    let amount = terms::minor(&sent.get("amount"), currency).filter(|_| sent.has("amount"));
    if amount.is_none() {
        reader.wrong("amount", t("cap-wrong-amount"));
    }
    let landing: Option<CapLanding> = reader.value("landing", t("cap-wrong-landing"));
    if let Some(form) = reader.refused() {
        return visit.refused(&page(&state, &visit, &place, Some(form)).await?);
    }
    let (Some(amount_minor), Some(landing)) = (amount, landing) else { return Err(Fault::not_found()) };
    let input = SpendCapInput { amount_minor, landing };
    if !sent.has("sure") {
        return match state.control.preview_spend_cap(&place.actor, place.row.id, input, visit.now).await {
            Ok(standing) => preview(&visit, &place, &sent, &standing).await,
            Err(error) => {
                let form = sent.form().refused(billing::credits::named(error, ""))?;
                visit.refused(&page(&state, &visit, &place, Some(form)).await?)
            }
        };
    }
    match state.control.set_spend_cap(&place.actor, place.row.id, input, visit.now).await {
        Ok(standing) => {
            let text = match standing.landing {
                CapLanding::Notify => say("cap-was-set-to-tell"),
                CapLanding::Block | CapLanding::Throttle => say("cap-was-set"),
            };
            let text = text.sum("cap", standing.cap);
            visit.go(&format!("{}/cap", place.base), Some(Flash::done(text))).await
        }
        Err(error) => {
            let form = sent.form().refused(billing::credits::named(error, ""))?;
            visit.refused(&page(&state, &visit, &place, Some(form)).await?)
        }
    }
}

async fn preview(visit: &Visit, place: &Place, sent: &Sent, standing: &SpendStanding) -> Answer {
    let landing = landings().into_iter().find(|(value, _)| *value == standing.landing.as_str());
    let facts = vec![
        fact(t("cap-most"), Cell::Text(show::money(standing.cap))),
        fact(t("cap-landing"), Cell::Text(landing.map_or("", |(_, text)| text).to_owned())),
        fact(t("cap-spent"), Cell::Text(show::money(standing.spent))),
        fact(t("cap-left-month"), Cell::Text(calls(standing))),
    ];
    let confirm = FormPart::new("confirm-form", &Form::default(), Vec::new(), t("cap-confirm"))
        .to(format!("{}/cap", place.base))
        .with("amount", sent.get("amount"))
        .with("landing", standing.landing.as_str())
        .with("sure", "yes")
        .or_back(&format!("{}/cap", place.base));
    let mut sheet = place.sheet(visit, t("cap-confirm-title")).await?.narrow();
    for notice in meaning(standing) {
        sheet = sheet.part(notice);
    }
    visit.page(&sheet.part(Section::Facts(String::new(), facts)).part(confirm))
}

/// `POST /subscriptions/{id}/cap/lift`
pub async fn lift(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let flash = match state.control.lift_spend_cap(&place.actor, place.row.id).await {
        Ok(()) => Flash::done(t("cap-lifted")),
        Err(tollgate_control::Error::NotFound(_)) => {
            Flash { tone: "info".into(), text: t("cap-was-none").into() }
        }
        Err(error) => return Err(error.into()),
    };
    visit.go(&format!("{}/cap", place.base), Some(flash)).await
}
