//! Invoices: what is owed, what was paid.

use axum::extract::{Path, State};
use tollgate_control::{Action, Error};
use tollgate_domain::{Currency, InvoiceId, InvoiceState, PaymentKind};
use tollgate_store::browse::InvoiceFilter;
use tollgate_store::{InvoiceRow, PaymentRow};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::billing::invoice::{Line, lines, what};
use crate::pages::billing::overview::warning;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

const LIST: &str = "/admin/invoices";

fn row(invoice: InvoiceRow, visit: &Visit) -> Vec<Cell> {
    vec![
        Cell::Link {
            href: format!("{LIST}/{}", invoice.id),
            text: invoice.number.clone(),
            second: invoice.organization.clone(),
        },
        Cell::Text(invoice.month().start().format("%B %Y").to_string()),
        Cell::Label(invoice.state.into()),
        Cell::When(Moment::of(invoice.issued_at, visit.now)),
        Cell::When(Moment::of(invoice.due_at, visit.now)),
        Cell::Number(invoice.total().to_string()),
    ]
}

/// `GET /admin/invoices`
pub async fn list(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let cut = asked.cut(&["-created", "number", "total"]);
    let filter = InvoiceFilter { words: asked.get("q"), state: asked.read("state") };
    let found = state.store.browse_invoices(desk.scope, filter, &cut).await?;
    let states =
        [(InvoiceState::Open, "To be paid"), (InvoiceState::Paid, "Paid"), (InvoiceState::Void, "Given up")];
    let list = List::new("invoices", "All invoices")
        .searched(&asked, "organization")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .sortable("Number", &asked, "number", &cut)
        .column("Month")
        .column("State")
        .sortable("Issued", &asked, "created", &cut)
        .numbers("Due")
        .numbers("Total")
        .sorted_by("Total", &asked, "total", &cut)
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

fn parse(id: &str) -> Result<InvoiceId, Fault> {
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
    let mut sheet = sheet(&visit, invoice.number.clone())
        .await?
        .below(LIST, "Invoices")
        .labelled(invoice.state)
        .identified(invoice.id)
        .part(Section::Facts(String::new(), facts))
        .part(line_table(&lines))
        .maybe(
            (!payments.is_empty()).then(|| payment_table("payments", "Payments", &payments, false, &visit)),
        )
        .maybe(day_table(&lines));
    if let Some(text) = warning(&invoice) {
        sheet = sheet.part(Notice::new("bad", "Not paid", text));
    }
    if may_settle && payments.iter().any(|one| one.kind == PaymentKind::Payment) {
        sheet = sheet.part(returns("refund", &id, invoice.total().currency));
    }
    if may_settle && invoice.state == InvoiceState::Open {
        sheet = sheet.part(returns("credit", &id, invoice.total().currency));
    }
    if may_settle && invoice.state == InvoiceState::Open {
        for (state, button, text, tone) in [
            (InvoiceState::Paid, "Mark as paid", "The money has come. This cannot be taken back.", "primary"),
            (
                InvoiceState::Void,
                "Give up",
                "What it bills is never billed again. This cannot be taken back.",
                "danger",
            ),
        ] {
            sheet = sheet.part(
                FormPart::new(state.as_str(), &Form::default(), Vec::new(), button)
                    .titled(button, text)
                    .with("state", state.as_str())
                    .toned(tone),
            );
        }
    }
    sheet.answer(&visit, &asked)
}

/// The form that gives money back, or lowers an open bill.
fn returns(kind: &'static str, id: &str, currency: Currency) -> FormPart {
    let form = Form::default();
    let inputs = vec![
        Input::line(&form, "amount", &format!("Amount in {}", currency.as_str())).required(),
        Input::line(&form, "note", "Why").hint("It stands on the invoice.").required(),
    ];
    let (button, text) = match kind {
        "refund" => ("Refund", "Money of the payment goes back the way it came. This cannot be taken back."),
        _ => ("Write a credit note", "The invoice is lowered by this amount; one over all of it settles it."),
    };
    FormPart::new(kind, &form, vec![Fieldset::new("", inputs)], button)
        .titled(button, text)
        .to(format!("{LIST}/{id}/{kind}"))
}

/// Movements of money; with `where_to`, each leads to its invoice.
pub fn payment_table(
    id: &'static str,
    title: &'static str,
    rows: &[PaymentRow],
    where_to: bool,
    visit: &Visit,
) -> List {
    let rows = rows.iter().map(|one| {
        let label = Cell::Label(what(one.kind, one.state));
        let first = Cell::Link {
            href: format!("{LIST}/{}", one.invoice_id),
            text: one.number.clone(),
            second: one.organization.clone(),
        };
        let rest = [
            Cell::When(Moment::of(one.at, visit.now)),
            Cell::Text(one.provider.clone()),
            Cell::text_or(one.note.clone().unwrap_or_default(), "–"),
            Cell::Number(one.amount().to_string()),
        ];
        if where_to {
            [first, label].into_iter().chain(rest).collect()
        } else {
            [label].into_iter().chain(rest).collect()
        }
    });
    let list = List::new(id, title);
    let list = if where_to { list.column("Invoice") } else { list };
    list.column("What").column("When").column("By").column("Note").numbers("Amount").rows(rows)
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

/// `POST /admin/invoices/{id}/refund`
pub async fn refund(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let invoice = state.store.get_invoice(desk.scope, parse(&id)?).await?;
    let minor = minor_of(&sent.get("amount"), invoice.total().currency);
    let done = state.control.refund_invoice(&desk.actor, invoice.id, minor, &sent.get("note")).await;
    told(&visit, &id, done, "The refund is on its way.").await
}

/// `POST /admin/invoices/{id}/credit`
pub async fn credit(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let invoice = state.store.get_invoice(desk.scope, parse(&id)?).await?;
    let minor = minor_of(&sent.get("amount"), invoice.total().currency);
    let done = state.control.credit_invoice(&desk.actor, invoice.id, minor, &sent.get("note")).await;
    told(&visit, &id, done, "The credit note is written.").await
}

async fn told(visit: &Visit, id: &str, done: Result<(), Error>, text: &str) -> Answer {
    let flash = match done {
        Ok(()) => Flash::done(text),
        Err(Error::Conflict(text)) => Flash { tone: "warn".into(), text },
        Err(Error::Invalid(faults)) => {
            let said = faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ");
            Flash { tone: "bad".into(), text: format!("Nothing was done: {said}.") }
        }
        Err(error) => return Err(error.into()),
    };
    visit.go(&format!("{LIST}/{id}"), Some(flash)).await
}

/// `12.50` in minor units; 0, which is refused, where it is no amount of that currency.
fn minor_of(text: &str, currency: Currency) -> u64 {
    let digits = currency.minor_digits() as usize;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > digits || whole.is_empty() || whole.len() > 12 || !plain(whole) || !plain(part) {
        return 0;
    }
    format!("{whole}{part:0<digits$}").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_minor_unit_or_not_at_all() {
        let euros = "EUR".parse().unwrap();
        for (text, minor) in [
            ("12.50", 1_250),
            ("12.5", 1_250),
            ("12", 1_200),
            ("0.01", 1),
            ("12.505", 0),
            ("-1", 0),
            ("1e3", 0),
            ("", 0),
        ] {
            assert_eq!(minor_of(text, euros), minor, "{text}");
        }
        assert_eq!(minor_of("1200", "JPY".parse().unwrap()), 1_200);
    }
}
