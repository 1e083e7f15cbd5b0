//! The nightly proofs: what was allowed is what was metered is what was invoiced.

use axum::extract::State;
use chrono::TimeDelta;
use tollgate_domain::CalendarMonth;
use tollgate_store::ProofRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Asked, Cell, List, Notice};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// `GET /admin/proofs`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let proofs = state.control.list_proofs(&desk.actor).await?;
    let count = |proof: &ProofRow| proof.differences.as_array().map_or(0, Vec::len);
    let newest = proofs.first().map(|proof| proof.made_at);
    let of_newest = |proof: &&ProofRow| newest.is_some_and(|at| at - proof.made_at < TimeDelta::hours(1));
    let latest = proofs.iter().filter(of_newest).map(count).sum::<usize>();
    let notice = (latest > 0).then(|| {
        let text = "Two ledgers say different things of the same calls. Look at the subscriptions below before the month is closed.";
        Notice::new("bad", format!("{latest} differences in the latest proofs"), text)
    });
    let row = |proof: &ProofRow| {
        let label = match count(proof) {
            0 => Label::new("ok", "All agree"),
            1 => Label::new("bad", "1 difference"),
            _ => Label::new("bad", "Differences"),
        };
        vec![
            Cell::Text(CalendarMonth::from(proof.month).to_string()),
            Cell::When(Moment::of(proof.made_at, visit.now)),
            Cell::Label(label),
            Cell::number(proof.allowed),
            Cell::number(proof.metered),
            Cell::number(proof.billable),
            differences(proof),
        ]
    };
    let list = List::new("proofs", "Proofs")
        .column("Month")
        .column("Made")
        .column("Result")
        .numbers("Units allowed")
        .numbers("Units metered")
        .numbers("Of live keys")
        .column("What differs")
        .or_empty(
            "check",
            "No proof yet",
            "The ledgers of this month and of the two before are compared once a day.",
        )
        .rows(proofs.iter().map(row))
        .whole(&asked, "month or subscription");
    sheet(&visit, "Proofs")
        .await?
        .intro("Every day the ledgers of this month and of the two before are compared: what gateways allowed, what was counted, and what was invoiced.")
        .maybe(notice)
        .part(list)
        .answer(&visit, &asked)
}

/// The first few differences, each with the subscription that it is of.
fn differences(proof: &ProofRow) -> Cell {
    let all = proof.differences.as_array().map_or(&[][..], Vec::as_slice);
    let told: Vec<String> = all
        .iter()
        .take(3)
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().replace('_', " ");
            let subscription = one["subscription_id"].as_str().unwrap_or_default();
            format!("{}: {} instead of {} ({subscription})", text("kind"), one["found"], one["expected"])
        })
        .collect();
    if told.is_empty() { Cell::Nothing("nothing") } else { Cell::Text(told.join("; ")) }
}
