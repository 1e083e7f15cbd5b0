//! What bills of a month say: line by line, and each line by day and operation.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::json;
use tollgate_domain::{CalendarMonth, Currency, OrganizationId, PlanId, SubscriptionId};
use tollgate_language::{Language, Said, decimal, text};
use tollgate_rating::{Line, LineKind, Meter, Usage, apportion};
use tollgate_store::{BillableDayRow, NewInvoiceLine, Tx};
use uuid::Uuid;

use super::statement::{Charge, usage};
use crate::Result;

/// Who gets a bill, and in which currency.
pub(super) type Payer = (OrganizationId, Currency);
/// What organizations owe, line by line, each in its currency.
type Owed = HashMap<OrganizationId, Vec<(Currency, NewInvoiceLine)>>;
/// In which language each organization's bill is written; English where it is not said.
pub(super) type Languages = HashMap<OrganizationId, Language>;
/// A subscription at a tariff.
type Terms = (SubscriptionId, PlanId, i32);

/// The lines of some payers' bills for a month, in the payers' order. `last` is the month before, where bills were written
/// for it: counts that came while it was closed are looked for in any case.
pub(super) async fn lines_of(
    tx: &mut Tx,
    payers: &[Payer],
    languages: &Languages,
    month: CalendarMonth,
    last: Option<CalendarMonth>,
) -> Result<Vec<Vec<NewInvoiceLine>>> {
    let organizations = organizations_of(payers.iter().map(|(id, _)| *id));
    let mut owed = in_month(tx, &organizations, languages, month).await?;
    let mut late: Vec<(CalendarMonth, Vec<OrganizationId>)> = Vec::new();
    for (organization, month) in tx.list_late_months(&organizations, month).await? {
        match late.iter_mut().find(|(of, _)| *of == month) {
            Some((_, those)) => those.push(organization),
            None => late.push((month, vec![organization])),
        }
    }
    if let Some(last) = last {
        late.retain(|(month, _)| *month != last);
        late.push((last, organizations));
    }
    for (month, organizations) in late {
        for (organization, more) in late_lines(tx, &organizations, languages, month).await? {
            owed.entry(organization).or_default().extend(more);
        }
    }
    let of_payer = |(organization, currency): &Payer| {
        let all = owed.entry(*organization).or_default();
        all.extract_if(.., |(of, _)| of == currency).map(|(_, line)| line).collect()
    };
    Ok(payers.iter().map(of_payer).collect())
}

/// What the bills of some payers are written in.
pub(super) async fn languages_of(tx: &mut Tx, payers: &[Payer]) -> Result<Languages> {
    let organizations = organizations_of(payers.iter().map(|(id, _)| *id));
    let chosen = tx.list_bill_languages(&organizations).await?.into_iter();
    Ok(chosen.filter_map(|(id, tag)| Some((id, Language::named(&tag)?))).collect())
}

fn organizations_of(ids: impl Iterator<Item = OrganizationId>) -> Vec<OrganizationId> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

async fn charges(tx: &mut Tx, organizations: &[OrganizationId], month: CalendarMonth) -> Result<Vec<Charge>> {
    let rows = tx.list_billable_of(organizations, month).await?;
    rows.into_iter().map(|row| Charge::of(row, month)).collect()
}

const fn terms_of(charge: &Charge) -> Terms {
    (charge.row.subscription_id, charge.row.plan_id, charge.row.tariff)
}

async fn in_month(
    tx: &mut Tx,
    organizations: &[OrganizationId],
    languages: &Languages,
    month: CalendarMonth,
) -> Result<Owed> {
    let charges = charges(tx, organizations, month).await?;
    let mut days: HashMap<Terms, Vec<BillableDayRow>> = HashMap::new();
    if charges.iter().any(|charge| charge.row.used.calls > 0) {
        for day in tx.list_billable_days(organizations, month).await? {
            days.entry((day.subscription_id, day.plan_id, day.tariff)).or_default().push(day);
        }
    }
    let mut owed = Owed::new();
    for charge in charges {
        let days = days.get(&terms_of(&charge)).map_or(&[][..], Vec::as_slice);
        let said = charge.bill.lines.iter().filter(|line| line.minor > 0 || line.units > 0);
        let titles = Titles::of(&charge, languages, month);
        let said = said.map(|line| (charge.tariff.currency, line_of(&charge, line, &titles, days)));
        owed.entry(charge.row.organization_id).or_default().extend(said);
    }
    Ok(owed)
}

/// What a month before came to beyond what was billed for it.
async fn late_lines(
    tx: &mut Tx,
    organizations: &[OrganizationId],
    languages: &Languages,
    month: CalendarMonth,
) -> Result<Owed> {
    let billed: HashMap<Terms, u64> = tx
        .list_billed(organizations, month)
        .await?
        .into_iter()
        .map(|row| ((row.subscription_id, row.plan_id, row.tariff), row.amount_minor.unsigned_abs()))
        .collect();
    let mut owed = Owed::new();
    for charge in charges(tx, organizations, month).await? {
        let before = billed.get(&terms_of(&charge)).copied().unwrap_or(0);
        let Some(missing) = charge.bill.total_minor.checked_sub(before).filter(|missing| *missing > 0) else {
            continue;
        };
        let line = NewInvoiceLine {
            kind: "late",
            title: Titles::of(&charge, languages, month).late(),
            amount_minor: missing,
            ..blank(&charge, month)
        };
        owed.entry(charge.row.organization_id).or_default().push((charge.tariff.currency, line));
    }
    Ok(owed)
}

fn blank(charge: &Charge, month: CalendarMonth) -> NewInvoiceLine {
    NewInvoiceLine {
        subscription_id: charge.row.subscription_id,
        plan_id: charge.row.plan_id,
        tariff: charge.row.tariff,
        month,
        kind: "base",
        meter: None,
        title: String::new(),
        units: 0,
        included: 0,
        parts: json!([]),
        amount_minor: 0,
        days: Vec::new(),
    }
}

fn line_of(charge: &Charge, line: &Line, titles: &Titles, days: &[BillableDayRow]) -> NewInvoiceLine {
    let (kind, meter, title) = match line.kind {
        LineKind::Base => ("base", None, titles.of_month("bill-base")),
        LineKind::Setup => ("setup", None, titles.of_what(text(titles.language, "bill-setup"))),
        LineKind::Usage(meter) => ("usage", Some(meter), titles.of_meter(meter)),
        LineKind::Minimum => ("minimum", None, titles.of_month("bill-minimum")),
    };
    NewInvoiceLine {
        kind,
        meter: meter.map(String::from),
        title,
        units: line.units,
        included: line.included,
        parts: json!(line.parts),
        amount_minor: line.minor,
        days: meter.map_or_else(Vec::new, |meter| opened(line, meter, days)),
        ..blank(charge, titles.month)
    }
}

/// How lines of a subscription are called: `My first app, Countries Pro: base fee, 10.5 of 30 days`.
struct Titles {
    language: Language,
    month: CalendarMonth,
    name: String,
    /// Seconds of the month in which its fee is due.
    seconds: u64,
}

impl Titles {
    fn of(charge: &Charge, languages: &Languages, month: CalendarMonth) -> Self {
        let row = &charge.row;
        // Days of a trial in which it is not due are left out.
        let tried = match &charge.tariff.trial {
            Some(trial) if !trial.base_due => row.trial_seconds.unsigned_abs(),
            _ => 0,
        };
        Self {
            language: languages.get(&row.organization_id).copied().unwrap_or_default(),
            month,
            name: format!("{}, {} {}", row.application, row.product, row.plan),
            seconds: row.seconds.unsigned_abs().saturating_sub(tried),
        }
    }

    fn said(&self, key: &'static str) -> Said {
        Said::new(self.language, key)
    }

    fn of_what(&self, what: &str) -> String {
        self.said("bill-line").with("name", &self.name).with("what", what).into()
    }

    /// What is due for a month, with the part of it where it was not a whole one.
    fn of_month(&self, key: &'static str) -> String {
        let what = text(self.language, key);
        if self.seconds >= self.month.seconds() {
            return self.of_what(what);
        }
        let tenths = (self.seconds * 10 / 86_400).cast_signed();
        let days = decimal(self.language, tenths / 10, tenths % 10);
        let part = self.said("bill-part").with("what", what).with("days", days);
        self.of_what(&String::from(part.with("month", self.month.seconds() / 86_400)))
    }

    fn of_meter(&self, meter: Meter) -> String {
        match meter {
            Meter::Calls => self.of_what(text(self.language, "bill-calls")),
            Meter::Units => self.of_what(text(self.language, "bill-units")),
            Meter::MegabytesIn => self.of_what(text(self.language, "bill-mb-in")),
            Meter::MegabytesOut => self.of_what(text(self.language, "bill-mb-out")),
            Meter::Reading(name) => self.of_what(&name.as_str().replace('_', " ")),
        }
    }

    fn late(&self) -> String {
        self.said("bill-late").with("name", &self.name).with("month", self.month).into()
    }
}

/// A line's units and amount by day and operation; they add up to the line's.
fn opened(line: &Line, meter: Meter, days: &[BillableDayRow]) -> Vec<(NaiveDate, Uuid, u64, u64)> {
    // Finer than the line where its units are: bytes, not begun megabytes.
    let weight = |usage: Usage| match meter {
        Meter::MegabytesIn => usage.bytes_in,
        Meter::MegabytesOut => usage.bytes_out,
        other => usage.units(other),
    };
    let weights: Vec<u64> = days.iter().map(|day| weight(usage(&day.used))).collect();
    let units = apportion(line.units, &weights);
    let amounts = apportion(line.minor, &weights);
    days.iter()
        .zip(units.into_iter().zip(amounts))
        .map(|(day, (units, amount))| (day.day, day.route_id, units, amount))
        // Days and operations that have no part in this meter.
        .filter(|(.., units, amount)| *units > 0 || *amount > 0)
        .collect()
}
