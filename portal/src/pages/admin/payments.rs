//! Payments: what failed, what went back, and whether our books and the provider's agree.

use axum::extract::State;
use tollgate_domain::PaymentKind;

use super::credit_refunds;
use super::desk::{Desk, sheet};
use super::invoice_money::payment_table;
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Asked, Cell, List, Notice};
use crate::session::Visit;
use crate::show::{self, Label, Moment};

/// Rows of each table, the latest ones; older ones stand with their invoices.
const ROWS: i64 = 2_000;

/// `GET /admin/payments`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let store = &state.store;
    let failed = store.list_payments_of_kind(PaymentKind::Failure, ROWS).await?;
    let mut back = store.list_payments_of_kind(PaymentKind::Refund, ROWS).await?;
    back.extend(store.list_payments_of_kind(PaymentKind::Credit, ROWS).await?);
    back.sort_by_key(|row| std::cmp::Reverse(row.at));
    let figures = store.provider_figures().await?;
    let mut sheet = sheet(&visit, "Payments")
        .await?
        .intro("What could not be collected, what went back, and whether the payment provider's books agree with these.");
    if !state.control.collects() {
        sheet = sheet.part(
            Notice::new("info", "No payment provider", "Invoices are paid by hand and marked as paid.")
                .with("/guides/connect-stripe", "Connect Stripe"),
        );
    }
    if figures.events_foreign > 0 {
        sheet = sheet.part(Notice::new(
            "bad",
            "Events of another account",
            "The provider sends events that are not of our key's mode or account; they had no effect. Check its settings.",
        ));
    }
    if figures.events_odd > 0 {
        sheet = sheet.part(
            Notice::new(
                "warn",
                "Events in another version",
                "The provider writes events in another version of its interface than Tollgate speaks. They were handled: what \
                 they are about is read again. Set the endpoint to our version all the same.",
            )
            .with("/guides/connect-stripe", "How"),
        );
    }
    if figures.failed_returns > 0 {
        sheet = sheet.part(
            Notice::new(
                "bad",
                "Money did not go back",
                format!("Refunds and credit notes that the provider refused: {}. Each waits on its invoice for a decision.", figures.failed_returns),
            )
            .with("#returns", "See which"),
        );
    }
    if figures.oldest_call_seconds > 3_600 {
        let text =
            format!("{} calls to the provider wait; calls of consumers do not.", figures.calls_waiting);
        sheet = sheet.part(Notice::new("warn", "The provider has not answered for an hour", text));
    }
    let failures = payment_table("failures", "Failed payments", &failed, true, &visit)
        .or_empty(
            "circle-check",
            "Nothing failed",
            "An invoice that cannot be collected stands here, with the reason.",
        )
        .whole(&asked, "invoice or organization");
    let returns = payment_table("returns", "Refunds and credit notes", &back, true, &visit).or_empty(
        "circle-check",
        "Nothing went back",
        "Refunds and credit notes are made on the page of an invoice.",
    );
    let returns = returns.whole(&asked, "invoice or organization");
    let credits = credit_refunds::table(&store.list_credit_refunds(desk.scope, ROWS).await?, true, &visit)
        .or_empty(
            "circle-check",
            "No credits were given back",
            "What is not used of bought credits is given back on the page of an organization's credits.",
        )
        .whole(&asked, "organization or reason");
    let compared = compared(&state, &desk, &visit, &asked).await?;
    sheet.part(failures).part(returns).part(credits).part(compared).answer(&visit, &asked)
}

/// The last comparisons with the provider.
async fn compared(
    state: &PortalState,
    desk: &Desk,
    visit: &Visit,
    asked: &Asked,
) -> Result<List, crate::error::Fault> {
    let reports = state.control.reconciliations(&desk.actor).await?;
    let rows = reports.iter().flat_map(|(report, differences)| {
        let when = || Cell::When(Moment::of(report.ran_at, visit.now));
        let agreed = differences.is_empty().then(|| {
            vec![
                when(),
                Cell::Label(Label::new("ok", "Agrees")),
                Cell::Text(show::count(usize::try_from(report.checked).unwrap_or(0), "invoice")),
                Cell::Nothing("–"),
                Cell::Nothing("–"),
            ]
        });
        let differing = differences.iter().map(move |one| {
            let invoice = match one.invoice_id {
                Some(id) => Cell::Way { href: format!("/admin/invoices/{id}"), text: one.number.clone() },
                None => Cell::Code(one.number.clone()),
            };
            vec![
                when(),
                Cell::Label(Label::new("bad", format!("Differs: {}", one.what))),
                invoice,
                Cell::Text(one.ours.clone()),
                Cell::Text(one.theirs.clone()),
            ]
        });
        agreed.into_iter().chain(differing).collect::<Vec<_>>()
    });
    Ok(List::new("compared", "Compared with the provider")
        .column("When")
        .column("Result")
        .column("Invoice")
        .column("Here")
        .column("There")
        .or_empty(
            "refresh-cw",
            "Not compared yet",
            "Once a day every invoice of the last seventy days is compared.",
        )
        .rows(rows)
        .whole(asked, "invoice or result"))
}
