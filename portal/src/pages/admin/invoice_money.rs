//! Money about an invoice: what came and went back, what the provider refused, and the forms for it.

use axum::extract::{Path, State};
use tollgate_control::Error;
use tollgate_domain::{Currency, PaymentState};
use tollgate_store::PaymentRow;
use uuid::Uuid;

use super::desk::Desk;
use super::invoices::{LIST, parse};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::billing::invoice::what;
use crate::parts::list::Press;
use crate::parts::{Cell, Fieldset, FormPart, Input, List, Notice, Sent};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

/// The form that gives money back, or lowers an open bill.
pub fn returns(kind: &'static str, id: &str, currency: Currency) -> FormPart {
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
        .toned("")
}

/// Why it happened, and why it did not.
fn said(one: &PaymentRow) -> String {
    match (&one.note, &one.failure) {
        (Some(note), Some(failure)) => format!("{note} · the provider says: {failure}"),
        (note, failure) => note.as_ref().or(failure.as_ref()).cloned().unwrap_or_default(),
    }
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
            Cell::text_or(said(one), "–"),
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

/// Movements of money of one invoice, with buttons for what failed.
pub fn of_invoice(rows: &[PaymentRow], may_settle: bool, visit: &Visit) -> List {
    let mut list = payment_table("payments", "Payments", rows, false, visit);
    let failed = |one: &PaymentRow| one.state == PaymentState::Failed;
    if !may_settle || !rows.iter().any(failed) {
        return list;
    }
    for (cells, one) in list.rows.iter_mut().zip(rows) {
        let press = |verb: &str, text| Press {
            action: format!("{LIST}/{}/payments/{}/{verb}", one.invoice_id, one.id),
            fields: Vec::new(),
            text,
            of: format!("{} of {}", what(one.kind, one.state).text, one.amount()),
            key: "",
        };
        cells.push(if failed(one) {
            Cell::Press(vec![press("retry", "Try again"), press("withdraw", "Withdraw")])
        } else {
            Cell::Nothing("")
        });
    }
    list.acts()
}

/// That something could not be given back; none where everything was.
pub fn failed_notice(rows: &[PaymentRow]) -> Option<Notice> {
    let failed = rows.iter().filter(|one| one.state == PaymentState::Failed).count();
    (failed > 0).then(|| {
        Notice::new(
            "bad",
            if failed == 1 { "Money did not go back" } else { "Money did not go back, more than once" },
            "The payment provider refused. It counts as not given back until it is tried again with success.",
        )
        .with("#payments", "Decide")
    })
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

/// `POST /admin/invoices/{id}/payments/{payment}/retry`
pub async fn retry(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, payment)): Path<(String, String)>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let done = state.control.retry_return(&desk.actor, parse(&id)?, named(&payment)?).await;
    told(&visit, &id, done, "It is tried again.").await
}

/// `POST /admin/invoices/{id}/payments/{payment}/withdraw`
pub async fn withdraw(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, payment)): Path<(String, String)>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let done = state.control.withdraw_return(&desk.actor, parse(&id)?, named(&payment)?).await;
    told(&visit, &id, done, "It is withdrawn: nothing goes back.").await
}

fn named(payment: &str) -> Result<Uuid, Fault> {
    payment.parse().map_err(|_| Fault::not_found())
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
