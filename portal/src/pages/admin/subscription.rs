//! One subscription: its plan, its state, its use this month.

use axum::extract::{Path, State};
use tollgate_control::SubscriptionPatch;
use tollgate_domain::{CalendarMonth, LimitKind, PlanId, SubscriptionId, SubscriptionState};
use tollgate_store::browse::{AuditFilter, Cut};
use tollgate_store::{Page, SubscriptionRow};

use super::desk::{Desk, sheet};
use super::{terms, timeline};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

const LIST: &str = "/admin/subscriptions";

async fn find(state: &PortalState, desk: &Desk, id: &str) -> Result<SubscriptionRow, Fault> {
    let id: SubscriptionId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_subscription(desk.scope, id).await?)
}

fn plan_part(form: &Form, row: &SubscriptionRow, choices: Vec<(String, String)>) -> FormPart {
    let input = Input::one(form, "plan_id", "Plan", choices)
        .hint("The new limits hold within seconds. What was used this month still counts.");
    FormPart::new("plan-form", form, vec![Fieldset::new("", vec![input])], "Change plan")
        .titled("Change the plan", "")
        .with("version", row.version.to_string())
}

/// What can become of it: the next state, the button, what that means, and its tone.
const fn steps(
    state: SubscriptionState,
) -> &'static [(SubscriptionState, &'static str, &'static str, &'static str)] {
    const APPROVE: (SubscriptionState, &str, &str, &str) =
        (SubscriptionState::Active, "Approve", "Its keys open the product within seconds.", "primary");
    const REJECT: (SubscriptionState, &str, &str, &str) =
        (SubscriptionState::Ended, "Reject", "The request is over. The developer can ask again.", "danger");
    const SUSPEND: (SubscriptionState, &str, &str, &str) = (
        SubscriptionState::Suspended,
        "Suspend",
        "Calls to this product fail with 403 until it is resumed.",
        "",
    );
    const RESUME: (SubscriptionState, &str, &str, &str) =
        (SubscriptionState::Active, "Resume", "Its keys open the product again within seconds.", "");
    const END: (SubscriptionState, &str, &str, &str) = (
        SubscriptionState::Ended,
        "End",
        "Calls to this product fail with 403 from now on. An ended subscription never comes back; the developer can subscribe anew.",
        "danger",
    );
    match state {
        SubscriptionState::Requested => &[APPROVE, REJECT],
        SubscriptionState::Active => &[SUSPEND, END],
        SubscriptionState::Suspended => &[RESUME, END],
        SubscriptionState::Ended => &[],
    }
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    row: &SubscriptionRow,
    form: &Form,
) -> Result<Sheet, Fault> {
    let store = &state.store;
    let product = store.get_product(row.product_id).await?;
    let mut choices = Vec::new();
    for plan in store.list_plans(Some(row.product_id), Page::FIRST_500).await? {
        choices
            .push((plan.id.to_string(), format!("{}: {}", plan.name, terms::of_plan(state, &plan).await?)));
    }
    let plan = store.get_plan(row.plan_id).await?;
    let application = store.get_application(desk.scope, row.application_id).await.ok();
    let organization = store.get_organization(desk.scope, row.organization_id).await.ok();
    let month = CalendarMonth::of(visit.now);
    let used = store.quota_used(row.id, month).await?;
    let quota = plan.limits.iter().find(|limit| limit.kind == LimitKind::Quota);
    let calls = |calls: u64| show::number(i64::try_from(calls).unwrap_or(i64::MAX));
    let used_text = match quota {
        Some(quota) => format!("{} of {} calls", calls(used), calls(quota.amount)),
        None => format!("{} calls, without a quota", calls(used)),
    };
    let filter = AuditFilter { subject: Some(row.id.uuid()), ..AuditFilter::default() };
    let log = store.browse_audit(desk.scope, filter, &Cut::latest(20)).await?;
    let way = |found: Option<(String, String)>| {
        found.map_or(Cell::Nothing("deleted"), |(href, text)| Cell::Way { href, text })
    };
    let facts = vec![
        fact(
            "Application",
            way(application
                .as_ref()
                .map(|one| (format!("/admin/applications/{}", one.id), one.name.clone()))),
        ),
        fact(
            "Organization",
            way(organization.map(|one| (format!("/admin/organizations/{}", one.id), one.name))),
        ),
        fact(
            "Product",
            Cell::Way { href: format!("/admin/products/{}", product.slug), text: product.name.clone() },
        ),
        fact(
            "Plan",
            Cell::Way {
                href: format!("/admin/products/{}/plans/{}", product.slug, plan.slug),
                text: plan.name.clone(),
            },
        ),
        fact("Terms", Cell::Text(terms::of_plan(state, &plan).await?)),
        fact("Used this month", Cell::Text(used_text)),
        fact("Since", Cell::When(Moment::of(row.created_at, visit.now))),
        fact("Said with the decision", Cell::text_or(row.decision.clone().unwrap_or_default(), "nothing")),
        fact("Ended", row.ended_at.map_or(Cell::Nothing("no"), |at| Cell::When(Moment::of(at, visit.now)))),
    ];
    let over = quota.filter(|quota| used >= quota.amount && row.state == SubscriptionState::Active).map(|_| {
        Notice::new("warn", "Its quota is used up", format!("Calls are refused with 429 until it opens again {}. A larger plan lifts that within seconds.", Moment::day(month.end()).text))
    });
    let name = application.map_or_else(|| "A deleted application".to_owned(), |one| one.name);
    let mut sheet = sheet(visit, format!("{name} on {}", plan.name))
        .await?
        .below(LIST, "Subscriptions")
        .labelled(row.state)
        .identified(row.id)
        .action(
            desk.may_write && row.state != SubscriptionState::Ended,
            Action::link(format!("{LIST}/{}/change", row.id), "arrow-right", "Preview a change"),
        )
        .action(true, Action::link(format!("{LIST}/{}/limits", row.id), "gauge", "Limits"))
        .maybe(over)
        .part(Section::Facts(String::new(), facts));
    if desk.may_write && row.state != SubscriptionState::Ended {
        sheet = sheet.part(plan_part(form, row, choices));
        for (next, button, text, tone) in steps(row.state) {
            let id = if *next == SubscriptionState::Ended { "end-form" } else { "state-form" };
            // Of a form that was refused, its own words stay.
            let own = if form.value("state") == next.to_string() { form.clone() } else { Form::default() };
            let said = if row.state == SubscriptionState::Requested {
                let input = Input::long(&own, "reason", "Words for the developer", 3)
                    .hint("Mailed to them with the decision; may stay empty.");
                vec![Fieldset::new("", vec![input])]
            } else {
                Vec::new()
            };
            sheet = sheet.part(
                FormPart::new(id, &own, said, button)
                    .titled(&format!("{button} the subscription"), text)
                    .with("state", next.to_string())
                    .with("version", row.version.to_string())
                    .toned(tone),
            );
        }
    }
    Ok(sheet.part(timeline::list(&log.rows, visit)))
}

/// `GET /admin/subscriptions/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of_subscriptions(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let form = Form::with([("plan_id", row.plan_id.to_string())]);
    page(&state, &visit, &desk, &row, &form).await?.answer(&visit, &asked)
}

/// `POST /admin/subscriptions/{id}`: another plan or another state; `from` names the page to go back to.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::deciding(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let plan_id: Option<PlanId> = sent.read("plan_id");
    let next: Option<SubscriptionState> = sent.read("state");
    let back =
        if sent.get("from") == "approvals" { "/admin/approvals".to_owned() } else { format!("{LIST}/{id}") };
    let patch = SubscriptionPatch { plan_id, state: next };
    match state
        .control
        .decide_subscription(&desk.actor, row.id, sent.read("version"), patch, &sent.get("reason"))
        .await
    {
        Ok(now) => {
            let text = match (row.state, now.state) {
                (SubscriptionState::Requested, SubscriptionState::Active) => {
                    "Approved. Its keys open the product within seconds, and the developer is told."
                }
                (SubscriptionState::Requested, SubscriptionState::Ended) => {
                    "Rejected. The developer is told."
                }
                (_, SubscriptionState::Ended) => "Ended. Calls fail from now on.",
                (_, SubscriptionState::Suspended) => "Suspended. Calls fail until it is resumed.",
                _ => "Changed. It holds within seconds.",
            };
            visit.go(&back, Some(Flash::done(text))).await
        }
        Err(tollgate_control::Error::VersionMismatch(_)) => {
            let text =
                "Somebody else decided this meanwhile; nothing of yours was done. This is how it stands now.";
            visit.go(&format!("{LIST}/{id}"), Some(Flash { tone: "warn".into(), text: text.into() })).await
        }
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&page(&state, &visit, &desk, &row, &form).await?)
        }
    }
}
