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
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

/// What becomes of calls, as it is chosen.
const LANDINGS: [(&str, &str); 3] = [
    ("block", "Refuse calls until the month is over"),
    ("throttle", "Go on within the limits of the free plan, for nothing"),
    ("notify", "Let calls go on and cost what they cost; tell me"),
];

fn calls(standing: &SpendStanding) -> String {
    match standing.calls_left {
        Some(left) if left >= tollgate_domain::Limit::AMOUNT_MAX => "no end".to_owned(),
        Some(left) => show::number(i64::try_from(left).unwrap_or(i64::MAX)),
        None => "depends".to_owned(),
    }
}

fn tiles(standing: &SpendStanding) -> Section {
    let tile = |name: &str, value: String, note: String| Tile { name: name.into(), value, note, href: None };
    Section::Tiles(vec![
        tile("Spent this month", standing.spent.to_string(), format!("{} % of the cap", standing.percent())),
        tile("Cap", standing.cap.to_string(), "for use; base fees are not counted".to_owned()),
        tile("Calls left", calls(standing), format!("until {}", Moment::day(standing.ends).text)),
    ])
}

/// What it means, in sentences.
fn meaning(standing: &SpendStanding) -> Vec<Notice> {
    let ends = Moment::day(standing.ends).text;
    let cap = standing.cap;
    let is_reached = standing.is_reached();
    let (tone, title) = match (standing.landing, is_reached) {
        (CapLanding::Notify, _) => ("info", format!("You are told when use comes to {cap}")),
        (_, true) => ("warn", format!("{cap} is spent already")),
        (_, false) => ("info", format!("Use costs {cap} this month at most")),
    };
    let text = match (standing.landing, &standing.free_plan) {
        (CapLanding::Notify, _) => "Calls go on and cost what they cost.".to_owned(),
        (CapLanding::Throttle, Some(free)) => format!(
            "Then calls cost nothing more and are held to the limits of {free}. With the new month, {ends}, everything is as before."
        ),
        (CapLanding::Throttle, None) => {
            format!(
                "This product has no free plan, so calls are then refused with 402 until {ends}, or until you raise it."
            )
        }
        (CapLanding::Block, _) if is_reached => {
            format!("Calls are refused with 402 until {ends}, or until you raise it.")
        }
        (CapLanding::Block, _) => {
            format!("Then calls are refused with 402 until {ends}, or until you raise it.")
        }
    };
    let mut said = vec![Notice::new(tone, title, text)];
    if standing.is_estimated {
        said.push(Notice::new(
            "plain",
            "It may be passed by a little",
            "What a call of this plan costs is known only when it is over. The cap may be passed by what calls cost in a few \
             seconds beyond what calls cost on average.",
        ));
    }
    said
}

fn typed(amount: Amount) -> String {
    let text = terms::typed_price(Price {
        minor: amount.minor,
        currency: amount.currency,
        per: tollgate_domain::Period::Month,
    });
    if text.is_empty() { "0".to_owned() } else { text }
}

fn form_part(form: &Form, currency: Currency, has_one: bool) -> FormPart {
    let inputs = vec![
        Input::line(
            form,
            "amount",
            &format!("The most that use may cost in a month, in {}", currency.as_str()),
        )
        .hint("Like 50 or 49.50.")
        .required(),
        Input::one(form, "landing", "When it is reached", LANDINGS),
    ];
    FormPart::new("cap-form", form, vec![Fieldset::new("", inputs)], "See what it means").titled(
        if has_one { "Another cap" } else { "Set a cap" },
        "Mails and webhooks tell you at 50, 80 and 100 %. Nothing changes before you confirm.",
    )
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
        .sheet(visit, "Spend cap")
        .await?
        .narrow()
        .intro(format!("{} {}. A cap is about a calendar month, in UTC.", place.product, place.plan.name));
    match &standing {
        Some(now) => {
            sheet = sheet.part(tiles(now));
            for notice in meaning(now) {
                sheet = sheet.part(notice);
            }
        }
        None => {
            sheet = sheet.part(Notice::new("plain", "No cap is set", "Use costs what it costs."));
        }
    }
    if place.may_write && place.row.state != SubscriptionState::Ended {
        sheet = sheet.part(form_part(&form, billed_in(state, place).await?, standing.is_some()));
        if standing.is_some() {
            let lift = FormPart::new("lift-form", &Form::default(), Vec::new(), "Lift the cap")
                .to(format!("{}/cap/lift", place.base))
                .titled("Without a cap", "Use costs what it costs, from the next call on.")
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
        reader.wrong("amount", "an amount, like 50 or 49.50");
    }
    let landing: Option<CapLanding> = reader.value("landing", "one of the three");
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
            let text = format!("Use costs {} a month at most. It holds within seconds.", standing.cap);
            let text = match standing.landing {
                CapLanding::Notify => format!("You are told when use comes to {}.", standing.cap),
                CapLanding::Block | CapLanding::Throttle => text,
            };
            visit.go(&format!("{}/cap", place.base), Some(Flash::done(text))).await
        }
        Err(error) => {
            let form = sent.form().refused(billing::credits::named(error, ""))?;
            visit.refused(&page(&state, &visit, &place, Some(form)).await?)
        }
    }
}

async fn preview(visit: &Visit, place: &Place, sent: &Sent, standing: &SpendStanding) -> Answer {
    let landing = LANDINGS.iter().find(|(value, _)| *value == standing.landing.as_str());
    let facts = vec![
        fact("The most that use may cost in a month", Cell::Text(standing.cap.to_string())),
        fact("When it is reached", Cell::Text(landing.map_or("", |(_, text)| text).to_owned())),
        fact("Spent this month", Cell::Text(standing.spent.to_string())),
        fact("Calls left this month", Cell::Text(calls(standing))),
    ];
    let confirm = FormPart::new("confirm-form", &Form::default(), Vec::new(), "Set this cap")
        .to(format!("{}/cap", place.base))
        .with("amount", sent.get("amount"))
        .with("landing", standing.landing.as_str())
        .with("sure", "yes")
        .or_back(&format!("{}/cap", place.base));
    let mut sheet = place.sheet(visit, "Set this cap?").await?.narrow();
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
        Ok(()) => Flash::done("Lifted. Use costs what it costs."),
        Err(tollgate_control::Error::NotFound(_)) => {
            Flash { tone: "info".into(), text: "There was no cap.".into() }
        }
        Err(error) => return Err(error.into()),
    };
    visit.go(&format!("{}/cap", place.base), Some(flash)).await
}
