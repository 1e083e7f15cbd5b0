//! The limits of one subscription: how they stand, and amounts of its own.

use axum::extract::{Path, State};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use tollgate_control::{LimitStanding, OverrideInput};
use tollgate_domain::{LimitKind, SubscriptionId, SubscriptionState};
use tollgate_store::SubscriptionRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Reader, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

const SAVED: &str = "Saved. It holds within seconds.";

async fn find(state: &PortalState, desk: &Desk, id: &str) -> Result<SubscriptionRow, Fault> {
    let id: SubscriptionId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_subscription(desk.scope, id).await?)
}

fn number(units: u64) -> String {
    show::number(i64::try_from(units).unwrap_or(i64::MAX))
}

fn list(standing: &[LimitStanding], visit: &Visit) -> List {
    let row = |one: &LimitStanding| {
        let kind =
            if one.limit.kind == LimitKind::Quota { one.limit.budget.enforcement.as_str() } else { "rate" };
        let own = match &one.own {
            Some(own) => {
                let until = own.expires_at.map(|at| format!(", until {}", at.format("%Y-%m-%d %H:%M UTC")));
                format!("its own, the plan has {}{}", number(one.of_plan), until.unwrap_or_default())
            }
            None => "the plan".to_owned(),
        };
        let reason = one.own.as_ref().map(|own| own.reason.clone()).unwrap_or_default();
        let used = one.period.map_or(Cell::Nothing("–"), |period| Cell::Number(number(period.used)));
        vec![
            Cell::Strong {
                text: one.limit.name.clone(),
                second: format!("{kind}, per {}", one.limit.period.as_str()),
            },
            Cell::Number(number(one.amount())),
            Cell::Strong { text: own, second: reason },
            used,
            one.remaining().map_or(Cell::Nothing("–"), |left| Cell::Number(number(left))),
            one.period
                .map_or(Cell::Nothing("–"), |period| Cell::When(Moment::of(period.window.ends, visit.now))),
        ]
    };
    List::new("limits", "Limits")
        .column("Limit")
        .numbers("Amount")
        .column("From")
        .numbers("Used")
        .numbers("Left")
        .numbers("Opens again")
        .or_empty("gauge", "No limits", "Its plan has none, or it is not active.")
        .rows(standing.iter().map(row))
}

fn part(form: &Form, standing: &[LimitStanding]) -> FormPart {
    let names = standing.iter().map(|one| (one.limit.name.clone(), one.limit.name.clone()));
    let inputs = vec![
        Input::one(form, "limit", "Limit", names),
        Input::number(form, "amount", "Amount", 1, 1_000_000_000_000)
            .hint("Empty: the plan's amount holds again."),
        Input::typed(form, "expires_at", "Until the end of (UTC)", "date").hint("Empty: it stays."),
        Input::line(form, "reason", "Why").hint("For whoever looks after it; up to 500 characters."),
    ];
    FormPart::new("own-amount-form", form, vec![Fieldset::new("", inputs)], "Save amount")
        .titled("Give it an amount of its own", "In place of the plan's, for one limit, within seconds.")
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    row: &SubscriptionRow,
    form: &Form,
) -> Result<Sheet, Fault> {
    let standing = state.control.limits_of(&desk.actor, row.id).await?;
    let mut sheet = sheet(visit, "Limits")
        .await?
        .below(format!("/admin/subscriptions/{}", row.id), "Subscription")
        .part(list(&standing, visit));
    if desk.may_write && row.state == SubscriptionState::Active && !standing.is_empty() {
        sheet = sheet.part(part(form, &standing));
    }
    Ok(sheet)
}

/// `GET /admin/subscriptions/{id}/limits`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of_subscriptions(&visit)?;
    let row = find(&state, &desk, &id).await?;
    page(&state, &visit, &desk, &row, &Form::default()).await?.answer(&visit, &asked)
}

/// `POST /admin/subscriptions/{id}/limits`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::deciding(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let name = sent.get("limit");
    let done = if sent.has("amount") {
        let mut reader = Reader::new(&sent);
        let amount: Option<u64> = reader.number("amount");
        let typed = sent.get("expires_at");
        let expires_at = end_of(&typed);
        if !typed.is_empty() && expires_at.is_none() {
            reader.wrong("expires_at", "a day, like 2026-12-01");
        }
        match (reader.refused(), amount) {
            (None, Some(amount)) => {
                let input = OverrideInput { amount, reason: sent.get("reason"), expires_at };
                state.control.put_limit_override(&desk.actor, row.id, &name, input).await.map(drop)
            }
            (form, _) => {
                let form = form.unwrap_or_default();
                return visit.refused(&page(&state, &visit, &desk, &row, &form).await?);
            }
        }
    } else {
        state.control.delete_limit_override(&desk.actor, row.id, &name).await
    };
    match done {
        Ok(()) => visit.go(&format!("/admin/subscriptions/{id}/limits"), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&page(&state, &visit, &desk, &row, &form).await?)
        }
    }
}

/// The first instant after a day in UTC.
fn end_of(day: &str) -> Option<DateTime<Utc>> {
    let day: NaiveDate = day.parse().ok()?;
    Some(day.succ_opt()?.and_time(NaiveTime::MIN).and_utc())
}
