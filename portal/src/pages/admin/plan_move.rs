//! All subscriptions of a plan moved to another one: first what it comes to for each of them, then done.

use axum::extract::{Path, State};
use tollgate_control::{Move, MovePreview, When};
use tollgate_domain::{PlanState, SubscriptionState};
use tollgate_store::browse::SubscriptionLine;
use tollgate_store::{Page, PlanRow, ProductRow};

use super::desk::{Desk, sheet};
use super::plan::{base, find, subscribers};
use super::product::LIST;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

/// Subscriptions that are moved by one press: each is a change of its own.
const AT_ONCE: usize = 200;
/// Subscriptions among which those are looked for.
const LOOKED_AT: i64 = 5_000;
const NOW: &str = "now";
const PERIOD_END: &str = "period_end";

/// Where a plan's subscriptions shall go, and when.
struct Wanted {
    to: PlanRow,
    when: When,
}

/// Those of a plan that can be moved, as many as one press moves, and whether they are all. Whoever has ended or will go
/// there already is passed over: more presses reach the others.
async fn movable(
    state: &PortalState,
    desk: &Desk,
    plan: &PlanRow,
    to: Option<&PlanRow>,
) -> Result<(Vec<SubscriptionLine>, bool), Fault> {
    let (lines, total) = subscribers(state, desk, plan, LOOKED_AT).await?;
    let mut left = Vec::new();
    for line in lines {
        if left.len() == AT_ONCE {
            return Ok((left, false));
        }
        let is_in_force = matches!(line.state, SubscriptionState::Active | SubscriptionState::Suspended);
        let planned = match to {
            Some(_) if is_in_force => state.store.find_planned_change(desk.scope, line.id).await?,
            _ => None,
        };
        let is_planned = planned.is_some_and(|planned| planned.plan_id() == to.map(|to| to.id));
        if is_in_force && !is_planned {
            left.push(line);
        }
    }
    Ok((left, total <= LOOKED_AT))
}

/// The plans of the product that subscriptions can be moved to.
async fn others(state: &PortalState, plan: &PlanRow) -> Result<Vec<PlanRow>, Fault> {
    let mut plans = state.store.list_plans(Some(plan.product_id), Page::FIRST_500).await?;
    plans.retain(|other| other.id != plan.id && other.state == PlanState::Open);
    Ok(plans)
}

async fn frame(visit: &Visit, product: &ProductRow, plan: &PlanRow, title: String) -> Result<Sheet, Fault> {
    Ok(sheet(visit, title)
        .await?
        .below(LIST, "Products")
        .below(format!("{LIST}/{}", product.slug), &product.name)
        .below(base(product, plan), &plan.name))
}

fn part(form: &Form, plans: &[PlanRow], back: &str) -> FormPart {
    let names = plans.iter().map(|plan| (plan.slug.to_string(), format!("{} ({})", plan.name, plan.slug)));
    let times = [
        (PERIOD_END, "When the month is over: what was paid for is kept"),
        (NOW, "Now: this month is charged by both plans, in parts"),
    ];
    let inputs = vec![
        Input::one(form, "to", "To the plan", names),
        Input::one(form, "when", "When", times)
            .hint("What was called this month counts on either way; no quota begins anew."),
    ];
    FormPart::new("move-form", form, vec![Fieldset::new("", inputs)], "See what it comes to").or_back(back)
}

fn typed(sent: &Sent, plans: Vec<PlanRow>) -> Result<Wanted, Form> {
    let mut reader = Reader::new(sent);
    let slug = sent.get("to");
    let to = plans.into_iter().find(|plan| plan.slug.as_str() == slug);
    if to.is_none() {
        reader.wrong("to", "choose a plan");
    }
    let when = match sent.get("when").as_str() {
        NOW => Some(When::Now),
        PERIOD_END => Some(When::PeriodEnd),
        _ => {
            reader.wrong("when", "choose when");
            None
        }
    };
    match (to, when, reader.refused()) {
        (Some(to), Some(when), None) => Ok(Wanted { to, when }),
        (.., refused) => Err(refused.unwrap_or_default()),
    }
}

/// `GET /admin/products/{slug}/plans/{plan}/move`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path((slug, plan)): Path<(String, String)>,
) -> Answer {
    let desk = Desk::deciding(&visit)?;
    let (product, plan) = find(&state, &slug, &plan).await?;
    let plans = others(&state, &plan).await?;
    let back = base(&product, &plan);
    let frame = frame(&visit, &product, &plan, format!("Move the subscriptions of {}", plan.name)).await?;
    if plans.is_empty() {
        let none = Notice::new(
            "info",
            "There is no other plan to move to",
            "Only open plans of the same product can be chosen.",
        );
        return frame.part(none.with(back, "Back")).answer(&visit, &asked);
    }
    let (lines, are_all) = movable(&state, &desk, &plan, None).await?;
    let count = show::count(lines.len(), "subscription");
    let more = if are_all { "" } else { " and more, which follow press by press" };
    frame
        .intro(format!(
            "{count}{more}. Each move sends subscription.changed to webhooks, and is told on the subscription's page."
        ))
        .part(part(&Form::default(), &plans, &back))
        .answer(&visit, &asked)
}

/// `POST /admin/products/{slug}/plans/{plan}/move`: without `seen`, what it would come to.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((slug, plan)): Path<(String, String)>,
    sent: Sent,
) -> Answer {
    let desk = Desk::deciding(&visit)?;
    let (product, plan) = find(&state, &slug, &plan).await?;
    let plans = others(&state, &plan).await?;
    let back = base(&product, &plan);
    let wanted = match typed(&sent, plans.clone()) {
        Ok(wanted) => wanted,
        Err(form) => {
            let title = format!("Move the subscriptions of {}", plan.name);
            return visit
                .refused(&frame(&visit, &product, &plan, title).await?.part(part(&form, &plans, &back)));
        }
    };
    let (lines, are_all) = movable(&state, &desk, &plan, Some(&wanted.to)).await?;
    if sent.has("seen") {
        return carry_out(&state, &visit, &desk, (&product, &plan), &wanted, (lines, are_all)).await;
    }
    let title = format!("Move {} to {}?", show::count(lines.len(), "subscription"), wanted.to.name);
    let (list, refused) = review(&state, &visit, &desk, &wanted, &lines).await?;
    let notice = match refused {
        0 => Notice::new("warn", "Nothing has happened yet", "Nobody would be refused calls by it at once."),
        refused => Notice::new(
            "bad",
            format!("{} will be refused at once", show::count(refused, "subscription")),
            "More was called this month than the new plan includes.",
        ),
    };
    let mut press = FormPart::new("seen-form", &Form::default(), Vec::new(), "Move them").or_back(&back);
    press.hidden = vec![("seen", "yes".to_owned())];
    press.carried = sent.0.clone();
    let sheet = frame(&visit, &product, &plan, title).await?.part(notice).part(list);
    visit.page(&if lines.is_empty() { sheet } else { sheet.part(press) })
}

/// What the move comes to for each of them, and how many are refused calls by it at once.
async fn review(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    wanted: &Wanted,
    lines: &[SubscriptionLine],
) -> Result<(List, usize), Fault> {
    let mut rows = Vec::new();
    let mut refused = 0;
    for line in lines {
        let to = Move::To(wanted.to.id);
        let preview = state.control.preview_move(&desk.actor, line.id, to, wanted.when, visit.now).await;
        let (before, after, at, notes) = match preview {
            Ok(preview) => {
                refused += usize::from(preview.exhausts());
                let after = preview.base_after.map(|amount| amount.to_string()).unwrap_or_default();
                (
                    preview.base_before.to_string(),
                    after,
                    Cell::When(Moment::of(preview.at, visit.now)),
                    notes(&preview),
                )
            }
            Err(error) => {
                (String::new(), String::new(), Cell::Nothing("–"), format!("Cannot be moved: {error}"))
            }
        };
        rows.push(vec![
            Cell::Link {
                href: format!("/admin/subscriptions/{}", line.id),
                text: line.application.clone(),
                second: line.organization.clone(),
            },
            Cell::Number(before),
            Cell::Number(after),
            at,
            Cell::text_or(notes, "–"),
        ]);
    }
    let list = List::new("moved", "What it comes to")
        .column("Application")
        .numbers("A month now")
        .numbers("A month then")
        .column("From")
        .column("Besides")
        .or_empty(
            "check",
            "Nobody is left to move",
            "Whoever is on this plan will go there already, or has ended.",
        )
        .rows(rows);
    Ok((list, refused))
}

fn notes(preview: &MovePreview) -> String {
    let mut notes = Vec::new();
    if preview.exhausts() {
        notes.push("calls are refused until the quota opens again".to_owned());
    }
    if let Some(setup) = &preview.setup {
        notes.push(format!("{setup} once"));
    }
    if let Some(over) = &preview.over_cap {
        notes.push(over.clone());
    }
    notes.join("; ")
}

async fn carry_out(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    (product, plan): (&ProductRow, &PlanRow),
    wanted: &Wanted,
    (lines, are_all): (Vec<SubscriptionLine>, bool),
) -> Answer {
    let back = base(product, plan);
    let mut failed = Vec::new();
    let mut moved = 0;
    for line in lines {
        let to = Move::To(wanted.to.id);
        // Whoever was changed since is left for the next look.
        let done = state.control.move_subscription(&desk.actor, line.id, Some(line.version), to, wanted.when);
        match done.await {
            Ok(_) => moved += 1,
            Err(error) => failed.push(vec![
                Cell::Link {
                    href: format!("/admin/subscriptions/{}", line.id),
                    text: line.application,
                    second: line.organization,
                },
                Cell::Text(error.to_string()),
            ]),
        }
    }
    let count = show::count(moved, "subscription");
    let told = match wanted.when {
        When::Now => format!("{count} moved to {}.", wanted.to.name),
        When::PeriodEnd => format!("{count} will go on on {} when the month is over.", wanted.to.name),
    };
    if failed.is_empty() {
        let more = if are_all { "" } else { " There are more: press again." };
        return visit.go(&back, Some(Flash::done(format!("{told}{more}")))).await;
    }
    let list = List::new("left", "Not moved").column("Application").column("Why").rows(failed);
    let notice = Notice::new("warn", told, "The others stay as they were.").with(back, "Back to the plan");
    visit.page(&frame(visit, product, plan, "Not all were moved".to_owned()).await?.part(notice).part(list))
}
