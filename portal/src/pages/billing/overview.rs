//! This month so far, and the invoices of those before.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use tollgate_control::{Action, Charge, Statement};
use tollgate_domain::{Amount, CalendarMonth, InvoiceState};
use tollgate_rating::LineKind;
use tollgate_store::{InvoiceRow, Page};

use super::{included, month_named, sum_of, units, use_prices};
use crate::error::Answer;
use crate::pages::usage::overview::Stat;
use crate::say::{language, say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

pub struct Line {
    pub what: String,
    pub how: String,
    pub amount: String,
}

pub struct Card {
    pub name: String,
    pub plan: String,
    pub prices: Vec<String>,
    pub lines: Vec<Line>,
    pub total: String,
}

pub struct Bill {
    pub href: String,
    pub number: String,
    pub month: String,
    pub state: Label,
    pub due: Moment,
    pub total: String,
}

/// How bills are paid, where a provider collects them.
pub struct Paying {
    pub method: Option<String>,
    pub tax_id: Option<String>,
    pub kinds: Vec<(&'static str, &'static str)>,
    /// Whether the viewer may change it.
    pub may: bool,
}

/// Kinds of numbers for tax offices that are offered; Stripe's names.
const TAX_KINDS: [&str; 9] =
    ["eu_vat", "gb_vat", "ch_vat", "no_vat", "us_ein", "ca_bn", "au_abn", "in_gst", "jp_trn"];

/// What each is called.
fn tax_kinds() -> Vec<(&'static str, &'static str)> {
    let name = |kind: &str| match kind {
        "eu_vat" => t("tax-eu"),
        "gb_vat" => t("tax-gb"),
        "ch_vat" => t("tax-ch"),
        "no_vat" => t("tax-no"),
        "jp_trn" => t("tax-jp"),
        "us_ein" => "US EIN",
        "ca_bn" => "Canada BN",
        "au_abn" => "Australia ABN",
        _ => "India GSTIN",
    };
    TAX_KINDS.map(|kind| (kind, name(kind))).into()
}

#[derive(Template)]
#[template(path = "billing/overview.html")]
pub struct View {
    pub shell: Shell,
    /// Which month, and by which calls.
    pub intro: String,
    pub stats: Vec<Stat>,
    pub cards: Vec<Card>,
    pub bills: Vec<Bill>,
    pub paying: Option<Paying>,
    /// Why calls are refused or throttled, or soon will be.
    pub warning: Option<String>,
    /// What was paid in advance.
    pub credits: Option<String>,
}

/// `GET /billing`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let month = CalendarMonth::of(visit.now);
    let statement = state.control.statement(&member.actor, member.organization_id, month, visit.now).await?;
    let invoices = state.store.list_invoices(member.scope, None, Page { after: None, limit: 60 }).await?;
    let paying = match state.control.collects() {
        false => None,
        true => {
            let account = state.store.find_payment_account(member.organization_id).await?;
            let write = Action::WriteOrganization(member.organization_id);
            let may = member.actor.authorize(write).is_ok();
            let (method, tax_id) =
                account.map_or((None, None), |account| (account.method_label, account.tax_id));
            Some(Paying { method, tax_id, kinds: tax_kinds(), may })
        }
    };
    let accounts = state.store.list_credit_accounts(member.organization_id).await?;
    let credits: Vec<String> =
        accounts.iter().filter(|one| one.balance().minor > 0).map(|one| show::money(one.balance())).collect();
    visit.page(&View {
        credits: (!credits.is_empty()).then(|| credits.join(" + ")),
        paying,
        warning: invoices.iter().find_map(warning),
        shell: visit.shell(Area::Developer, t("billing-title")).await?,
        intro: intro(month, state.store.counted_up_to().await?),
        stats: stats(&statement, month),
        cards: statement.charges.iter().filter(|charge| !charge.tariff.is_free()).map(card).collect(),
        bills: invoices.into_iter().map(bill).collect(),
    })
}

fn intro(month: CalendarMonth, counted_to: Option<DateTime<Utc>>) -> String {
    let month = month_named(month);
    match counted_to {
        Some(at) => {
            let at = tollgate_language::clock(language(), at);
            say("billing-intro-counted").with("month", month).with("at", at).into()
        }
        None => say("billing-intro").with("month", month).into(),
    }
}

/// What the month comes to so far, and what its invoice will say and when.
fn stats(statement: &Statement, month: CalendarMonth) -> Vec<Stat> {
    let stat = |name: &'static str, note: String| {
        move |amount: &Amount| Stat { name, value: show::money(amount), note: note.clone() }
    };
    let due = |amount: &&Amount| amount.minor > 0;
    let note = t("billing-so-far-note").to_owned();
    let so_far = statement.so_far.iter().filter(due).map(stat(t("billing-so-far"), note));
    let next = say("billing-projected-note").with("day", show::day(month.end())).into();
    let projected = statement.projected.iter().filter(due).map(stat(t("billing-projected"), next));
    so_far.chain(projected).collect()
}

fn card(charge: &Charge) -> Card {
    let currency = charge.tariff.currency;
    let amount = |minor| show::money(Amount { minor, currency });
    let lines = charge.bill.lines.iter().map(|line| {
        let (what, how) = match line.kind {
            LineKind::Base => (t("billing-base").to_owned(), String::new()),
            LineKind::Minimum => (t("billing-minimum").to_owned(), String::new()),
            LineKind::Setup => (t("billing-setup").to_owned(), String::new()),
            LineKind::Usage(meter) => {
                let said = units(Some(meter.as_str()), line.units.cast_signed());
                let sum = sum_of(&line.parts, currency);
                (said, included(Some(meter.as_str()), line.included.cast_signed(), sum))
            }
        };
        Line { what, how, amount: amount(line.minor) }
    });
    Card {
        name: charge.row.application.clone(),
        plan: format!("{}, {}", charge.row.product, charge.row.plan),
        prices: use_prices(&charge.tariff),
        lines: lines.collect(),
        total: amount(charge.bill.total_minor),
    }
}

/// What an unpaid bill leads to.
pub fn warning(row: &InvoiceRow) -> Option<String> {
    if row.state != InvoiceState::Open {
        return None;
    }
    let why = row.failure.as_deref().unwrap_or(t("billing-not-paid"));
    let why = why.trim_end_matches('.');
    if row.landed_at.is_some() {
        return Some(say("billing-landed").with("number", &row.number).with("why", why).into());
    }
    let until = tollgate_language::clock(language(), row.grace_until?);
    Some(say("billing-late").with("number", &row.number).with("why", why).with("until", until).into())
}

fn bill(row: InvoiceRow) -> Bill {
    Bill {
        href: format!("/billing/invoices/{}", row.id),
        month: month_named(row.month()),
        state: row.state.into(),
        due: Moment::day(row.due_at),
        total: show::money(row.total()),
        number: row.number,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_rating::Meter;

        let line = |what: &str, how: &str, amount: &str| Line {
            what: what.into(),
            how: how.into(),
            amount: amount.into(),
        };
        let cards = || {
            vec![Card {
                name: "My first app".into(),
                plan: "Countries, Pro".into(),
                prices: vec!["1,000 calls included, then 0.002 EUR per call".into()],
                lines: vec![
                    line("Base fee", "", "29.00 EUR"),
                    line(
                        &units(Some(Meter::Calls.as_str()), 2_000),
                        "1,000 calls included, 1,000 × 0.002 EUR",
                        "2.00 EUR",
                    ),
                ],
                total: "31.00 EUR".into(),
            }]
        };
        let bills = || {
            [
                ("INV-2026-000042", InvoiceState::Open, "30.07 EUR"),
                ("INV-2026-000019", InvoiceState::Paid, "29.00 EUR"),
            ]
            .map(|(number, state, total)| Bill {
                href: "/billing/invoices/inv_01ks2v8d3tf5cs9y0v3jq1q7zb".into(),
                number: number.into(),
                month: "October 2026".into(),
                state: state.into(),
                due: crate::pages::sample_time(1_209_600),
                total: total.into(),
            })
            .into()
        };
        let view = |cards: Vec<Card>, bills: Vec<Bill>| Self {
            shell: Shell::sample(Area::Developer, "Billing", "/billing"),
            intro: intro("2026-11".parse().expect("a month"), crate::pages::SAMPLE_NOW.parse().ok()),
            stats: if cards.is_empty() {
                vec![]
            } else {
                vec![
                    Stat {
                        name: "So far",
                        value: "31.00 EUR".into(),
                        note: "base fees to the end of the month, use until now".into(),
                    },
                    Stat {
                        name: "If use goes on like this",
                        value: "67.00 EUR".into(),
                        note: "on the next invoice, of 1 December".into(),
                    },
                ]
            },
            cards,
            bills,
            paying: None,
            warning: None,
            credits: None,
        };
        let paying = |method: Option<&str>| {
            let tax_id = method.map(|_| "eu_vat DE123456789".to_owned());
            Some(Paying { method: method.map(str::to_owned), tax_id, kinds: tax_kinds(), may: true })
        };
        let late = "Invoice INV-2026-000042 is not paid: Your card was declined. Calls are served as before until 24 November at 14:05 UTC.";
        let collected = View {
            credits: Some("42.00 EUR".into()),
            paying: paying(Some("Visa ending in 4242, 12/2030")),
            ..view(cards(), bills())
        };
        let failed = View { paying: paying(None), warning: Some(late.into()), ..view(cards(), bills()) };
        vec![view(cards(), bills()), view(vec![], vec![]), collected, failed]
    }
}
