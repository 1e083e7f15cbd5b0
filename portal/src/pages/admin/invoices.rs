//! Invoices: what is owed, what was paid.

use axum::extract::{Path, State};
use tollgate_control::{Action, Error};
use tollgate_domain::{InvoiceId, InvoiceState, PaymentKind};
use tollgate_store::InvoiceRow;
use tollgate_store::browse::InvoiceFilter;

use super::desk::{Desk, sheet};
use super::invoice_money::{failed_notice, of_invoice, returns};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::billing::invoice::{Line, lines};
use crate::pages::billing::overview::warning;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, FormPart, List, Notice, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

pub(super) const LIST: &str = "/admin/invoices";

fn row(invoice: InvoiceRow, visit: &Visit) -> Vec<Cell> {
    vec![
        Cell::Link {
            href: format!("{LIST}/{}", invoice.id),
            text: invoice.number.clone(),
            second: invoice.organization.clone(),
        },
        Cell::Text(invoice.month().start().format("%B %Y").to_string()),
        Cell::Label(invoice.state.into()),
        Cell::When(Moment::of(invoice.due_at, visit.now)),
        Cell::Number(invoice.total().to_string()),
    ]
}

/// `GET /admin/invoices`
pub async fn list(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let cut = asked.cut(&["-created"]);
    let filter = InvoiceFilter { words: asked.get("q"), state: asked.read("state") };
    let found = state.store.browse_invoices(desk.scope, filter, &cut).await?;
    let states =
        [(InvoiceState::Open, "To be paid"), (InvoiceState::Paid, "Paid"), (InvoiceState::Void, "Given up")];
    let list = List::new("invoices", "All invoices")
        .searched(&asked, "organization")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .column("Number")
        .column("Month")
        .column("State")
        .column("Due")
        .numbers("Total")
        .or_empty(
            "scroll-text",
            "No invoice yet",
            "A month is billed two hours after its end, in UTC: one invoice for each organization on a plan that costs.",
        )
        .found(&asked, found, |invoice| row(invoice, &visit));
    sheet(&visit, "Invoices")
        .await?
        .intro("What each organization owes for a month. A closed month never changes; late calls are billed with the next.")
        .part(list)
        .answer(&visit, &asked)
}

pub(super) fn parse(id: &str) -> Result<InvoiceId, Fault> {
    id.parse().map_err(|_| Fault::not_found())
}

/// `GET /admin/invoices/{id}`
pub async fn show(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let invoice = state.store.get_invoice(desk.scope, parse(&id)?).await?;
    let lines = lines(&state.store, desk.scope, &invoice).await?;
    let payments = state.store.list_payments(desk.scope, invoice.id).await?;
    let may_settle = desk.actor.authorize(Action::SettleBills).is_ok();
    let mut facts = vec![
        fact(
            "Organization",
            Cell::Way {
                href: format!("/admin/organizations/{}", invoice.organization_id),
                text: invoice.organization.clone(),
            },
        ),
        fact("Month", Cell::Text(invoice.month().start().format("%B %Y").to_string())),
        fact("Total", Cell::Number(invoice.total().to_string())),
        fact("Issued", Cell::When(Moment::of(invoice.issued_at, visit.now))),
        fact("Due", Cell::When(Moment::of(invoice.due_at, visit.now))),
        fact(
            "Settled",
            invoice.settled_at.map_or(Cell::Nothing("no"), |at| Cell::When(Moment::of(at, visit.now))),
        ),
    ];
    for (name, sum) in
        [("Tax", invoice.tax()), ("Credited", invoice.credited()), ("Refunded", invoice.refunded())]
    {
        if sum.minor > 0 {
            facts.push(fact(name, Cell::Number(sum.to_string())));
        }
    }
    if let Some(url) = &invoice.hosted_url {
        facts
            .push(fact("At the provider", Cell::Way { href: url.clone(), text: "Open its page".to_owned() }));
    }
    let settle = |state: InvoiceState, button: &str, text: &str, tone: &'static str| {
        (may_settle && invoice.state == InvoiceState::Open).then(|| {
            FormPart::new(state.as_str(), &Form::default(), Vec::new(), button)
                .titled(button, text)
                .with("state", state.as_str())
                .toned(tone)
        })
    };
    let currency = invoice.total().currency;
    let is_paid = payments.iter().any(|one| one.kind == PaymentKind::Payment);
    let is_open = invoice.state == InvoiceState::Open;
    sheet(&visit, invoice.number.clone())
        .await?
        .below(LIST, "Invoices")
        .labelled(invoice.state)
        .identified(invoice.id)
        .maybe(warning(&invoice).map(|text| Notice::new("bad", "Not paid", text)))
        .maybe(failed_notice(&payments))
        .part(Section::Facts(String::new(), facts))
        .part(line_table(&lines))
        .maybe((!payments.is_empty()).then(|| of_invoice(&payments, may_settle, &visit)))
        .maybe(day_table(&lines))
        .maybe(settle(
            InvoiceState::Paid,
            "Mark as paid",
            "The money has come. This cannot be taken back.",
            "primary",
        ))
        .maybe((may_settle && is_paid).then(|| returns("refund", &id, currency)))
        .maybe((may_settle && is_open).then(|| returns("credit", &id, currency)))
        .maybe(settle(
            InvoiceState::Void,
            "Give up",
            "What it bills is never billed again. This cannot be taken back.",
            "danger",
        ))
        .answer(&visit, &asked)
}

fn line_table(lines: &[Line]) -> List {
    let rows = lines.iter().map(|line| {
        vec![
            Cell::Strong { text: line.title.clone(), second: line.how.clone() },
            Cell::text_or(line.units.clone(), "–"),
            Cell::Number(line.amount.clone()),
        ]
    });
    List::new("lines", "Lines").column("What").numbers("Use").numbers("Amount").rows(rows)
}

/// What the lines open to; none where nothing was called.
fn day_table(lines: &[Line]) -> Option<List> {
    let rows: Vec<Vec<Cell>> = lines
        .iter()
        .flat_map(|line| &line.days)
        .map(|day| {
            vec![
                Cell::Route { method: day.method.clone(), path: day.path.clone(), href: String::new() },
                Cell::Way { href: format!("/admin/{}", day.calls), text: day.day.clone() },
                Cell::Number(day.units.clone()),
                Cell::Number(day.amount.clone()),
            ]
        })
        .collect();
    let table = List::new("days", "By day and operation");
    (!rows.is_empty())
        .then(|| table.column("Operation").column("Day").numbers("Use").numbers("Share").rows(rows))
}

/// `POST /admin/invoices/{id}`: paid, or given up.
pub async fn settle(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let wanted = sent.read("state").ok_or_else(Fault::not_found)?;
    let flash = match state.control.settle_invoice(&desk.actor, parse(&id)?, wanted).await {
        Ok(InvoiceRow { state: InvoiceState::Paid, .. }) => Flash::done("Paid."),
        Ok(_) => Flash::done("Given up. It is not owed any more."),
        Err(Error::Conflict(text)) => Flash { tone: "warn".into(), text },
        Err(error) => return Err(error.into()),
    };
    visit.go(&format!("{LIST}/{id}"), Some(flash)).await
}
