//! Revenue: what is due every month, what is used and not billed yet, what was billed and not paid.

use axum::extract::State;
use tollgate_domain::{Amount, InvoiceState};
use tollgate_store::InvoiceSumRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::sheet::Tile;
use crate::parts::{Action, Asked, Cell, List, Section};
use crate::session::Visit;
use crate::show;

fn tiles(name: &str, note: &str, href: Option<&str>, amounts: &[Amount]) -> Vec<Tile> {
    let tile = |value: String| Tile {
        name: name.to_owned(),
        value,
        note: note.to_owned(),
        href: href.map(str::to_owned),
    };
    match amounts {
        [] => vec![tile("0".to_owned())],
        amounts => amounts.iter().map(|amount| tile(amount.to_string())).collect(),
    }
}

fn sum(rows: &[InvoiceSumRow], of: impl Fn(&&InvoiceSumRow) -> bool) -> Vec<Amount> {
    let mut sums: Vec<Amount> = Vec::new();
    for row in rows.iter().filter(of) {
        let minor = row.total_minor.unsigned_abs();
        match sums.iter_mut().find(|sum| sum.currency == row.currency) {
            Some(sum) => sum.minor = sum.minor.saturating_add(minor),
            None => sums.push(Amount { minor, currency: row.currency }),
        }
    }
    sums
}

/// `GET /admin/revenue`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let revenue = state.control.revenue(&desk.actor, visit.now).await?;
    let open = sum(&revenue.invoices, |row| row.state == InvoiceState::Open && !row.overdue);
    let overdue = sum(&revenue.invoices, |row| row.overdue);
    let list = List::new("plans", "By product and plan")
        .column("Plan")
        .column("Currency")
        .numbers("Subscriptions")
        .numbers("Every month")
        .numbers("Used, not billed")
        .numbers("Failed payments")
        .or_empty(
            "scroll-text",
            "Nothing is due",
            "As soon as somebody is on a plan that costs, what it brings stands here.",
        )
        .rows(revenue.plans.iter().map(|line| {
            let amount = |amount: Amount| {
                let text = amount.to_string();
                Cell::Number(text.split(' ').next().unwrap_or_default().to_owned())
            };
            vec![
                Cell::Strong { text: line.plan.clone(), second: line.product.clone() },
                Cell::Text(line.recurring.currency.as_str().to_owned()),
                Cell::Number(show::number(line.subscriptions.cast_signed())),
                amount(line.recurring),
                amount(line.unbilled),
                amount(line.failed),
            ]
        }));
    let mut list = list;
    list.export = (!list.rows.is_empty()).then(|| asked.with(&[("format", "csv")]));
    let all = [
        tiles("Every month", "base fees of all subscriptions in force", None, &revenue.recurring),
        tiles("Used, not billed", "this month so far, billed when it is over", None, &revenue.unbilled),
        tiles("To be paid", "invoices within their term", Some("/admin/invoices?state=open"), &open),
        tiles("Failed payments", "of open invoices, without taxes", Some("/admin/payments"), &revenue.failed),
        tiles("Overdue", "invoices past their term", Some("/admin/invoices?state=open"), &overdue),
    ];
    sheet(&visit, "Revenue")
        .await?
        .intro("What comes in. Amounts of different currencies are never added up.")
        .action(true, Action::link("/admin/invoices", "scroll-text", "Invoices"))
        .action(true, Action::link("/admin/journal.csv", "download", "Journal"))
        .part(Section::Tiles(all.concat()))
        .part(list)
        .answer(&visit, &asked)
}

/// `GET /admin/journal.csv`: every line of every invoice, for the books.
pub async fn journal(State(state): State<PortalState>, visit: Visit) -> Answer {
    let desk = Desk::of(&visit)?;
    let rows = state.store.list_journal(desk.scope, None).await?;
    let list = List::new("journal", "Journal")
        .column("Invoice")
        .column("Issued")
        .column("Month")
        .column("Organization")
        .column("State")
        .column("Kind")
        .column("What")
        .numbers("Units")
        .numbers("Amount in minor units")
        .column("Currency")
        .rows(rows.into_iter().map(|row| {
            vec![
                Cell::Text(row.number),
                Cell::Text(row.issued_at.format("%Y-%m-%d").to_string()),
                Cell::Text(row.month.format("%Y-%m").to_string()),
                Cell::Text(row.organization),
                Cell::Text(row.state),
                Cell::Text(row.kind),
                Cell::Text(row.title),
                Cell::Number(row.units.to_string()),
                Cell::Number(row.amount_minor.to_string()),
                Cell::Text(row.currency),
            ]
        }));
    Ok(crate::parts::csv::answer(&list, "journal"))
}
