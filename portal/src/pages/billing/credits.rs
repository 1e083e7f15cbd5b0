//! Credits: what is there and every movement of it; for finance, adding some and taking some back.

use axum::extract::{Path, State};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use tollgate_control::{Action as May, CheckoutInput, CreditInput, CreditStanding, Error};
use tollgate_domain::{Amount, Currency, OrganizationId};
use tollgate_store::CreditEntryRow;

use super::pay;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, sheet};
use crate::pages::admin::{credit_refunds, terms};
use crate::parts::sheet::Tile;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Section, Sent, Sheet};
use crate::say::{say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Flash};
use crate::show::{self, Label, Moment};

fn tiles(standing: &CreditStanding) -> Option<Section> {
    let tile = |name: &str, value: Amount, note: &str| Tile {
        name: name.to_owned(),
        value: show::money(value),
        note: note.to_owned(),
        href: None,
    };
    let mut tiles = Vec::new();
    for account in &standing.accounts {
        tiles.push(tile(t("billing-credits"), account.balance(), t("credits-note")));
        if account.held().minor > 0 {
            tiles.push(tile(t("credits-held"), account.held(), t("credits-held-note")));
        }
    }
    (!tiles.is_empty()).then_some(Section::Tiles(tiles))
}

fn signed(row: &CreditEntryRow) -> String {
    let amount = show::money(Amount { minor: row.amount_minor.unsigned_abs(), currency: row.currency });
    if row.amount_minor < 0 { format!("−{amount}") } else { format!("+{amount}") }
}

fn kind(row: &CreditEntryRow) -> Label {
    match row.kind.as_str() {
        "grant" if row.returning_minor > 0 => Label::new("info", t("credits-returning")),
        "grant" if row.checkout_id.is_some() => Label::new("ok", t("credits-bought")),
        "grant" => Label::new("ok", t("credits-added")),
        "use" => Label::new("", t("credits-used")),
        "expiry" => Label::new("warn", t("credits-expired")),
        _ => Label::new("", t("credits-back")),
    }
}

fn ledger(standing: &CreditStanding, base: &str, visit: &Visit, asked: &Asked) -> List {
    let row = |one: &CreditEntryRow| {
        let what = match (&one.invoice_id, &one.invoice) {
            (Some(id), Some(number)) => {
                let id = tollgate_domain::InvoiceId::from(*id);
                Cell::link(format!("{base}/invoices/{id}"), number.clone())
            }
            _ => Cell::text_or(one.note.clone(), "–"),
        };
        let balance = Amount { minor: one.balance_minor.unsigned_abs(), currency: one.currency };
        vec![
            Cell::When(Moment::of(one.at, visit.now)),
            Cell::Label(kind(one)),
            what,
            one.expires_at.map_or(Cell::Nothing("–"), |at| Cell::When(Moment::day(at))),
            Cell::Number(signed(one)),
            Cell::Number(show::money(balance)),
        ]
    };
    let mut list = List::new("credits", t("credits-movements"))
        .column(t("credits-when"))
        .column(t("credits-what"))
        .column(t("credits-for"))
        .column(t("credits-expires"))
        .numbers(t("billing-amount"))
        .numbers(t("credits-balance"))
        .or_empty("scroll-text", t("credits-none"), t("credits-none-text"))
        .rows(standing.entries.iter().map(row));
    list.export = (!list.rows.is_empty()).then(|| asked.with(&[("format", "csv")]));
    list
}

/// The form that leads to the provider's page; `fixed` is the currency that the organization pays in.
fn buying(form: &Form, fixed: Option<Currency>) -> FormPart {
    let label = match fixed {
        Some(fixed) => say("credits-amount-in").with("currency", fixed.as_str()).into(),
        None => t("billing-amount").to_owned(),
    };
    let mut inputs = vec![Input::line(form, "amount", &label).hint(t("cap-amount-hint")).required()];
    if fixed.is_none() {
        inputs.push(
            Input::line(form, "currency", t("credits-currency")).hint(t("credits-currency-hint")).required(),
        );
    }
    FormPart::new("buy-form", form, vec![Fieldset::new("", inputs)], t("credits-pay"))
        .to("/billing/credits")
        .titled(t("credits-buy"), t("credits-buy-text"))
}

async fn own_page(
    state: &PortalState,
    visit: &Visit,
    member: &Member,
    asked: &Asked,
    form: Option<Form>,
) -> Result<Sheet, Fault> {
    let standing = state.control.credits(&member.actor, member.organization_id).await?;
    let mut page = Sheet::new(visit.shell(Area::Developer, t("billing-credits")).await?)
        .below("/billing", t("billing-title"))
        .intro(t("credits-intro"));
    let may_buy = state.control.collects()
        && member.actor.authorize(May::WriteOrganization(member.organization_id)).is_ok();
    if standing.entries.is_empty() && !may_buy {
        page = page.part(Notice::new("plain", t("credits-how"), t("credits-how-text")));
    }
    page = page.maybe(tiles(&standing)).part(ledger(&standing, "/billing", visit, asked));
    if may_buy {
        let fixed = state.control.currency(&member.actor, member.organization_id).await?;
        let blank = || Form::with([("currency", "EUR".to_owned())]);
        page = page.part(buying(&form.unwrap_or_else(blank), fixed));
    }
    Ok(page)
}

/// `GET /billing/credits`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let member = visit.member()?;
    own_page(&state, &visit, &member, &asked, None).await?.answer(&visit, &asked)
}

/// `POST /billing/credits`: on to the provider's page.
pub async fn buy(State(state): State<PortalState>, visit: Visit, asked: Asked, mut sent: Sent) -> Answer {
    let member = visit.member()?;
    if let Some(fixed) = state.control.currency(&member.actor, member.organization_id).await? {
        sent.0.retain(|(name, _)| name != "currency");
        sent.0.push(("currency".to_owned(), String::from(fixed)));
    }
    let mut reader = Reader::new(&sent);
    let amount = amount(&sent, &mut reader, "");
    let form = match (amount, reader.refused()) {
        (Some(amount), None) => match pay::to_page(&state, &member, CheckoutInput::Credits(amount)).await {
            Ok(page) => return Ok(page),
            Err(error) => sent.form().refused(named(error, ""))?,
        },
        (_, refused) => refused.unwrap_or_default(),
    };
    visit.refused(&own_page(&state, &visit, &member, &asked, Some(form)).await?)
}

/// What can be given back: whatever is free, or what is left of a purchase, to the card.
fn sources(standing: &CreditStanding) -> Vec<(String, String)> {
    let mut sources =
        vec![(String::new(), "Whatever is used last; its money went back another way".to_owned())];
    let bought = standing.entries.iter().filter(|one| one.checkout_id.is_some() && one.left_minor > 0);
    sources.extend(bought.map(|one| {
        let left = Amount { minor: one.left_minor.unsigned_abs(), currency: one.currency };
        let day = Moment::day(one.at).text;
        (one.id.to_string(), format!("{left} left of what was bought on {day}: back to the card"))
    }));
    sources
}

fn forms(add: &Form, back: &Form, base: &str, sources: Vec<(String, String)>) -> [FormPart; 2] {
    let amount = |form: &Form, name| Input::line(form, name, "Amount").hint("Like 50 or 49.50.").required();
    let currency =
        |form: &Form, name| Input::line(form, name, "Currency").hint("Three letters, like EUR.").required();
    let added = vec![
        amount(add, "amount"),
        currency(add, "currency"),
        Input::typed(add, "expires_at", "Expires at the end of (UTC)", "date").hint("Empty: never."),
        Input::line(add, "note", "What for").hint("The customer reads it; up to 500 characters."),
    ];
    let mut taken = Vec::new();
    if sources.len() > 1 {
        taken.push(Input::one(back, "back_grant", "From", sources));
    }
    taken.extend([
        amount(back, "back_amount"),
        currency(back, "back_currency"),
        Input::line(back, "back_note", "Why").hint("The customer reads it; up to 500 characters."),
    ]);
    [
        FormPart::new("grant-form", add, vec![Fieldset::new("", added)], "Add credits")
            .to(base.to_owned())
            .titled(
                "Add credits",
                "Once the money has come, or as a gift. Prepaid calls go on within seconds.",
            ),
        FormPart::new("refund-form", back, vec![Fieldset::new("", taken)], "Take back")
            .to(format!("{base}/refund"))
            .titled(
                "Take credits back",
                "What is not used or held: its money was given back, or it was a mistake.",
            )
            .toned(""),
    ]
}

async fn admin_page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    id: OrganizationId,
    asked: &Asked,
    (add, back): (&Form, &Form),
) -> Result<Sheet, Fault> {
    let row = state.store.get_organization(desk.scope, id).await?;
    let standing = state.control.credits(&desk.actor, id).await?;
    let base = format!("/admin/organizations/{id}");
    let mut page = sheet(visit, "Credits")
        .await?
        .below("/admin/organizations", "Organizations")
        .below(&base, &row.name)
        .intro("Money that was paid in advance. Entries are never changed.")
        .maybe(tiles(&standing))
        .part(ledger(&standing, "/admin", visit, asked));
    if !standing.refunds.is_empty() {
        page = page.part(credit_refunds::table(&standing.refunds, false, visit).whole(asked, "reason"));
    }
    if desk.actor.authorize(May::SettleBills).is_ok() {
        for part in forms(add, back, &format!("{base}/credits"), sources(&standing)) {
            page = page.part(part);
        }
    }
    Ok(page)
}

fn parse(id: &str) -> Result<OrganizationId, Fault> {
    id.parse().map_err(|_| Fault::not_found())
}

/// `GET /admin/organizations/{id}/credits`
pub async fn admin(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id = parse(&id)?;
    let blank = Form::with([("currency", "EUR".to_owned()), ("back_currency", "EUR".to_owned())]);
    admin_page(&state, &visit, &desk, id, &asked, (&blank, &blank)).await?.answer(&visit, &asked)
}

/// The amount that was typed; the names of the inputs begin alike.
fn amount(sent: &Sent, reader: &mut Reader<'_>, prefix: &str) -> Option<Amount> {
    let (amount, currency) = (format!("{prefix}amount"), format!("{prefix}currency"));
    let currency: Currency = reader.value(&currency, t("credits-wrong-currency"))?;
    let minor = terms::minor(&sent.get(&amount), currency).filter(|minor| *minor > 0);
    if minor.is_none() {
        reader.wrong(&amount, t("credits-wrong-amount"));
    }
    Some(Amount { minor: minor?, currency })
}

/// `POST /admin/organizations/{id}/credits`
pub async fn grant(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id = parse(&id)?;
    let mut reader = Reader::new(&sent);
    let amount = amount(&sent, &mut reader, "");
    let typed = sent.get("expires_at");
    let expires_at = end_of(&typed);
    if !typed.is_empty() && expires_at.is_none() {
        reader.wrong("expires_at", "a day, like 2026-12-31");
    }
    let refused = reader.refused();
    let (Some(amount), None) = (amount, &refused) else {
        let form = refused.unwrap_or_default();
        return visit
            .refused(&admin_page(&state, &visit, &desk, id, &asked, (&form, &Form::default())).await?);
    };
    let input = CreditInput { amount, expires_at, note: sent.get("note") };
    let granted = state.control.grant_credits(&desk.actor, id, input, visit.now).await;
    match granted {
        Ok(_) => go_back(&visit, id, format!("{amount} added.")).await,
        Err(error) => {
            let form = sent.form().refused(named(error, ""))?;
            visit.refused(&admin_page(&state, &visit, &desk, id, &asked, (&form, &Form::default())).await?)
        }
    }
}

/// `POST /admin/organizations/{id}/credits/refund`
pub async fn refund(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id = parse(&id)?;
    let mut reader = Reader::new(&sent);
    let amount = amount(&sent, &mut reader, "back_");
    let refused = reader.refused();
    let (Some(amount), None) = (amount, &refused) else {
        let form = refused.unwrap_or_default();
        return visit
            .refused(&admin_page(&state, &visit, &desk, id, &asked, (&Form::default(), &form)).await?);
    };
    let (control, note, grant) = (&state.control, sent.get("back_note"), sent.get("back_grant"));
    let (taken, text) = if grant.is_empty() {
        let taken = control.take_credits_back(&desk.actor, id, amount, &note, visit.now).await;
        (taken, format!("{amount} taken back."))
    } else {
        let grant = grant.parse().map_err(|_| Fault::not_found())?;
        let back = control.refund_credits(&desk.actor, id, grant, amount, &note, visit.now).await;
        (back, format!("{amount} taken back; the provider is asked to pay it back."))
    };
    match taken {
        Ok(_) => go_back(&visit, id, text).await,
        Err(error) => {
            let form = sent.form().refused(named(error, "back_"))?;
            visit.refused(&admin_page(&state, &visit, &desk, id, &asked, (&Form::default(), &form)).await?)
        }
    }
}

async fn go_back(visit: &Visit, id: OrganizationId, text: String) -> Answer {
    visit.go(&format!("/admin/organizations/{id}/credits"), Some(Flash::done(text))).await
}

/// What is said about a field is said about its input.
pub fn named(error: Error, prefix: &str) -> Error {
    match error {
        Error::Invalid(mut faults) => {
            for fault in &mut faults {
                let name = fault.pointer.trim_start_matches('/').trim_end_matches("_minor");
                fault.pointer = format!("/{prefix}{name}");
            }
            Error::Invalid(faults)
        }
        other => other,
    }
}

/// The first instant after a day in UTC.
fn end_of(day: &str) -> Option<DateTime<Utc>> {
    let day: NaiveDate = day.parse().ok()?;
    Some(day.succ_opt()?.and_time(NaiveTime::MIN).and_utc())
}
