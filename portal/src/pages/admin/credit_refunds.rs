//! Refunds of bought credits: what was asked for, and what the payment provider made of it.

use tollgate_domain::PaymentState;
use tollgate_store::CreditRefundRow;

use crate::parts::{Cell, List};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// What was asked to go back to cards, and what became of it; `of_whom` where they are several organizations'.
pub fn table(rows: &[CreditRefundRow], of_whom: bool, visit: &Visit) -> List {
    let row = |one: &CreditRefundRow| {
        let state = match one.state {
            PaymentState::Failed => Label::new("bad", "Failed: the credits are there again"),
            PaymentState::Pending => Label::new("info", "On its way"),
            _ => Label::new("ok", "Given back"),
        };
        let said = match &one.failure {
            Some(failure) => format!("{} · the provider says: {failure}", one.note),
            None => one.note.clone(),
        };
        let whose = of_whom.then(|| {
            let href = format!("/admin/organizations/{}/credits", one.organization_id);
            Cell::link(href, one.organization.clone())
        });
        let cells = [
            Cell::Label(state),
            Cell::When(Moment::of(one.created_at, visit.now)),
            Cell::text_or(said.trim_start_matches(" · ").to_owned(), "–"),
            Cell::Number(one.amount().to_string()),
        ];
        whose.into_iter().chain(cells).collect()
    };
    let list = List::new("credit-refunds", "Refunds of bought credits");
    let list = if of_whom { list.column("Organization") } else { list };
    list.column("What").column("When").column("Note").numbers("Amount").rows(rows.iter().map(row))
}
