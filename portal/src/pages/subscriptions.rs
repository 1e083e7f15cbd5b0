//! A subscription as its owner keeps it: its plan, another one, a pause, the end. Operators move subscriptions by the
//! same pages.

pub mod cap;

use axum::extract::{Path, State};
use tollgate_control::{Action as May, Actor, Move, MovePreview, When};
use tollgate_domain::{Amount, Period, PlanState, Price, SubscriptionId, SubscriptionState};
use tollgate_store::{Page, PlanRow, PlannedChangeRow, SubscriptionRow};

use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::terms;
use crate::pages::billing;
use crate::parts::sheet::{Changed, fact};
use crate::parts::{Asked, Cell, FormPart, List, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::{Area, Flash};
use crate::show::{self, Moment};

/// One subscription in front of somebody.
struct Place {
    actor: Actor,
    may_write: bool,
    is_operator: bool,
    row: SubscriptionRow,
    plan: PlanRow,
    product: String,
    application: String,
    planned: Option<PlannedChangeRow>,
    /// Where this subscription's page is, and where its plans are.
    base: String,
    plans: String,
}

impl Place {
    async fn of(state: &PortalState, visit: &Visit, asked: &Asked, id: &str) -> Result<Self, Fault> {
        let id: SubscriptionId = id.parse().map_err(|_| Fault::not_found())?;
        let is_operator = asked.path().starts_with("/admin/");
        let (actor, scope, may_write) = if is_operator {
            let (actor, scope) = visit.operator()?;
            let may = actor.authorize(May::ManageSubscriptions).is_ok();
            (actor, scope, may)
        } else {
            let member = visit.member()?;
            let may = member.actor.authorize(May::WriteOrganization(member.organization_id)).is_ok();
            (member.actor, member.scope, may)
        };
        let store = &state.store;
        let row = store.get_subscription(scope, id).await?;
        let plan = store.get_plan(row.plan_id).await?;
        let product = store.get_product(row.product_id).await?.name;
        let application = store.get_application(scope, row.application_id).await.ok();
        let planned = store.find_planned_change(scope, id).await?;
        let base =
            if is_operator { format!("/admin/subscriptions/{id}") } else { format!("/subscriptions/{id}") };
        let plans = if is_operator { format!("{base}/change") } else { base.clone() };
        let application = application.map_or_else(|| "a deleted application".to_owned(), |one| one.name);
        Ok(Self { actor, may_write, is_operator, row, plan, product, application, planned, base, plans })
    }

    async fn sheet(&self, visit: &Visit, title: impl Into<String>) -> Result<Sheet, Fault> {
        let area = if self.is_operator { Area::Admin } else { Area::Developer };
        let sheet = Sheet::new(visit.shell(area, title).await?);
        Ok(if self.is_operator {
            sheet.below("/admin/subscriptions", "Subscriptions").below(&self.base, &self.application)
        } else {
            sheet
                .below("/applications", "Applications")
                .below(format!("/applications/{}", self.row.application_id), &self.application)
        })
    }

    /// Plans to move to, as far as the viewer may choose them.
    async fn others(&self, state: &PortalState) -> Result<Vec<PlanRow>, Fault> {
        let plans = state.store.list_plans(Some(self.row.product_id), Page::FIRST_500).await?;
        let open = |plan: &PlanRow| self.is_operator || (plan.state == PlanState::Open && !plan.approval);
        Ok(plans.into_iter().filter(|plan| plan.id != self.row.plan_id && open(plan)).collect())
    }

    fn may_move(&self) -> bool {
        self.may_write && matches!(self.row.state, SubscriptionState::Active | SubscriptionState::Suspended)
    }
}

fn planned_notice(place: &Place) -> Option<Notice> {
    let planned = place.planned.as_ref()?;
    let at = Moment::day(planned.due_at).text;
    let what = match &planned.plan {
        Some(plan) => format!("It moves to {plan} {at}"),
        None => format!("It ends {at}"),
    };
    Some(Notice::new("info", what, "Until then everything stays as it is, and it can be taken back."))
}

fn state_notice(place: &Place) -> Option<Notice> {
    (place.row.state == SubscriptionState::Suspended).then(|| match place.row.paused {
        true => Notice::new(
            "warn",
            "It is paused",
            "Calls are refused with 403 and nothing is due until it is resumed.",
        ),
        false => Notice::new(
            "bad",
            "An operator suspended it",
            "Calls are refused with 403. Ask them why; they can resume it.",
        ),
    })
}

fn press(
    id: &'static str,
    action: String,
    title: &str,
    text: &str,
    tone: &'static str,
    version: i64,
) -> FormPart {
    FormPart::new(id, &Form::default(), Vec::new(), title)
        .to(action)
        .titled(title, text)
        .with("version", version.to_string())
        .toned(tone)
}

async fn overview(state: &PortalState, visit: &Visit, place: &Place) -> Result<Sheet, Fault> {
    let row = &place.row;
    let (tariff, trial_ends) = state.control.subscription_tariff(row.id, place.plan.id).await?;
    let used = state.store.quota_used(row.id, tollgate_domain::CalendarMonth::of(visit.now)).await?;
    let prices = crate::pages::billing::use_prices(&tariff).join("; ");
    let price = Price { minor: tariff.base_minor, currency: tariff.currency, per: Period::Month };
    let told = terms::sentence(&place.plan.limits, price, terms::Beside::from(&tariff));
    let mut facts = vec![
        fact("Product", Cell::Text(place.product.clone())),
        fact("Plan", Cell::Text(format!("{}: {told}", place.plan.name))),
        fact("Beside it", Cell::text_or(prices, "costs nothing")),
        fact("Calls this month", Cell::number(i64::try_from(used).unwrap_or(i64::MAX))),
        fact("Spend cap", cap_cell(state, visit, place).await?),
        fact("Since", Cell::When(Moment::of(row.created_at, visit.now))),
    ];
    if let Some(ends) = trial_ends.filter(|ends| *ends > visit.now) {
        facts.push(fact("Trial until", Cell::When(Moment::of(ends, visit.now))));
    }
    let sheet = place
        .sheet(visit, format!("{} {}", place.product, place.plan.name))
        .await?
        .labelled(row.state)
        .identified(row.id)
        .maybe(state_notice(place))
        .maybe(planned_notice(place))
        .part(Section::Facts(String::new(), facts));
    if !place.may_move() {
        return Ok(sheet);
    }
    let mut others = Vec::new();
    for plan in place.others(state).await? {
        let told = terms::of_plan(state, &plan).await?;
        others.push((plan, told));
    }
    let list = List::new("plans", "Other plans")
        .column("Plan")
        .column("Terms")
        .acts()
        .or_empty(
            "package",
            "No other plan is open",
            "This is the only plan of the product that can be chosen now.",
        )
        .rows(others.into_iter().map(|(plan, told)| {
            vec![
                Cell::Strong { text: plan.name.clone(), second: plan.summary.clone() },
                Cell::Text(told),
                Cell::Open {
                    href: format!("{}/change?plan={}", place.base, plan.slug),
                    text: "See what changes",
                    of: plan.name,
                },
            ]
        }));
    let mut sheet = sheet.part(list);
    if place.planned.is_some() {
        sheet = sheet.part(press(
            "keep-form",
            format!("{}/keep", place.base),
            "Take the change back",
            "The subscription goes on as it is.",
            "primary",
            row.version,
        ));
    }
    if row.state == SubscriptionState::Active {
        sheet = sheet.part(press(
            "pause-form",
            format!("{}/pause", place.base),
            "Pause the subscription",
            "Calls are refused with 403 and nothing is due until it is resumed. What was used stays counted.",
            "",
            row.version,
        ));
    } else if row.paused || place.is_operator {
        sheet = sheet.part(press(
            "resume-form",
            format!("{}/resume", place.base),
            "Resume the subscription",
            "Its keys open the product again within seconds.",
            "primary",
            row.version,
        ));
    }
    Ok(sheet.part(
        FormPart::new("cancel-form", &Form::default(), Vec::new(), "See what that means")
            .to(format!("{}/cancel", place.base))
            .titled("Cancel the subscription", "At the end of the month, or at once.")
            .toned(""),
    ))
}

/// How the month stands against the cap, as the way to its page.
async fn cap_cell(state: &PortalState, visit: &Visit, place: &Place) -> Result<Cell, Fault> {
    let standing = state.control.spend_cap(&place.actor, place.row.id, visit.now).await?;
    let text = match standing {
        Some(now) => format!("{} of {} spent this month", now.spent, now.cap),
        None => "none; set one".to_owned(),
    };
    Ok(Cell::Way { href: format!("{}/cap", place.base), text })
}

/// `GET /subscriptions/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    overview(&state, &visit, &place).await?.answer(&visit, &asked)
}

/// What is asked for by `plan` and `when`: the move, its time, and what the plan is called.
async fn wanted(
    state: &PortalState,
    place: &Place,
    plan: &str,
    when: &str,
) -> Result<(Move, When, String), Fault> {
    let (to, name) = if plan.is_empty() {
        (Move::End, String::new())
    } else {
        let plans = place.others(state).await?;
        let plan = plans.into_iter().find(|one| one.slug.as_str() == plan).ok_or_else(Fault::not_found)?;
        (Move::To(plan.id), plan.name)
    };
    let when = match when {
        "now" => When::Now,
        "period_end" => When::PeriodEnd,
        _ => state.control.usual_time(&place.row, to).await?,
    };
    Ok((to, when, name))
}

/// `GET /subscriptions/{id}/change`: what a move to `plan` comes to; without one, the plans there are.
pub async fn change(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    if asked.get("plan").is_empty() {
        return overview(&state, &visit, &place).await?.answer(&visit, &asked);
    }
    preview(&state, &visit, &place, asked.get("plan"), asked.get("when")).await
}

/// `POST /subscriptions/{id}/cancel`: what the end comes to.
pub async fn cancel(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    preview(&state, &visit, &place, "", &sent.get("when")).await
}

async fn preview(state: &PortalState, visit: &Visit, place: &Place, plan: &str, when: &str) -> Answer {
    if !place.may_move() {
        return Err(Fault::forbidden());
    }
    let (to, when, name) = wanted(state, place, plan, when).await?;
    let told = state.control.preview_move(&place.actor, place.row.id, to, when, visit.now).await?;
    let later = when == When::PeriodEnd;
    let title =
        if name.is_empty() { "Cancel the subscription?".to_owned() } else { format!("Move to {name}?") };
    let at = Moment::day(told.at).text;
    let (tone, notice, text) = match (to, later) {
        (Move::To(_), false) => ("info", "It moves at once".to_owned(), "The new limits hold within seconds. What was used this month counts on; the base fee is shared by the second.".to_owned()),
        (Move::To(_), true) => ("info", format!("It moves {at}"), "Until then everything stays as it is, and it can be taken back.".to_owned()),
        (Move::End, false) => ("bad", "It ends at once".to_owned(), "Calls are refused with 403 from then on. An ended subscription never comes back.".to_owned()),
        (Move::End, true) => ("warn", format!("It ends {at}"), "Until then its keys go on opening the product, and it can be taken back.".to_owned()),
    };
    let broken = told.over_cap.as_ref().map(|why| {
        let mut why = why.clone();
        why.get_mut(..1).map(str::make_ascii_uppercase);
        Notice::new("bad", "It would break the spend cap", format!("{why}."))
            .with(format!("{}/cap", place.base), "Spend cap")
    });
    let exhausted = told.exhausts().then(|| {
        Notice::new(
            "bad",
            "Calls will be refused at once",
            format!(
                "{} calls were made this month, and the new plan has {}. It opens again when the month is over.",
                show::number(i64::try_from(told.used).unwrap_or(i64::MAX)),
                show::number(i64::try_from(told.quota_after.unwrap_or_default()).unwrap_or(i64::MAX)),
            ),
        )
    });
    let button = match (to, later) {
        (Move::To(_), false) => "Move now",
        (Move::To(_), true) => "Move at the end of the month",
        (Move::End, false) => "End it now",
        (Move::End, true) => "End it at the end of the month",
    };
    let when_word = if later { "period_end" } else { "now" };
    let confirm = FormPart::new("confirm-form", &Form::default(), Vec::new(), button)
        .to(format!("{}/change", place.base))
        .with("plan", plan)
        .with("when", when_word)
        .with("version", place.row.version.to_string())
        .toned(if to == Move::End { "danger" } else { "primary" })
        .or_back(&place.plans);
    let sheet = place
        .sheet(visit, title)
        .await?
        .narrow()
        .part(Notice::new(tone, notice, text))
        .maybe(broken)
        .maybe(exhausted)
        .part(Section::Changes("What it comes to".into(), lines(&told)))
        .part(confirm)
        .maybe(other_time(place, plan, later));
    visit.page(&sheet)
}

/// The same at another time, where that can be chosen.
fn other_time(place: &Place, plan: &str, later: bool) -> Option<FormPart> {
    let part = |action: String, button: &str, when: &'static str| {
        FormPart::new("other-time-form", &Form::default(), Vec::new(), button)
            .to(action)
            .with("when", when)
            .toned("")
    };
    let cancel = format!("{}/cancel", place.base);
    match (plan.is_empty(), later) {
        (true, true) => Some(part(cancel, "See what ending it now comes to", "now")),
        (true, false) => Some(part(cancel, "See what ending it later comes to", "period_end")),
        _ => None,
    }
}

fn lines(told: &MovePreview) -> Vec<Changed> {
    let sum = |amounts: &[Amount]| {
        let said: Vec<String> = amounts.iter().map(Amount::to_string).collect();
        if said.is_empty() { "nothing".to_owned() } else { said.join(" and ") }
    };
    let changed = |name: &str, before: String, after: String| Changed { name: name.into(), before, after };
    let mut lines = vec![
        changed("this month, by the calls so far", sum(&told.this_month_before), sum(&told.this_month_after)),
        changed(
            "every month after",
            told.base_before.to_string(),
            told.base_after.map_or_else(|| "nothing".to_owned(), |amount| amount.to_string()),
        ),
    ];
    if let Some(setup) = told.setup {
        let when = if told.trial_ends.is_some() { "when the trial is over" } else { "once" };
        lines.push(changed("one-time fee", "nothing".to_owned(), format!("{setup}, {when}")));
    }
    if let Some(ends) = told.trial_ends {
        lines.push(changed("trial", "none".to_owned(), format!("until {}", Moment::day(ends).text)));
    }
    lines
}

/// `POST /subscriptions/{id}/change`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let (to, when, name) = wanted(&state, &place, &sent.get("plan"), &sent.get("when")).await?;
    // Where a provider collects, a plan that costs something begins when a way to pay was left.
    if let (Move::To(plan), When::Now, false) = (to, when, place.is_operator)
        && let Some(page) = billing::pay::before_move(&state, &visit.member()?, place.row.id, plan).await?
    {
        return Ok(page);
    }
    let moved =
        state.control.move_subscription(&place.actor, place.row.id, sent.read("version"), to, when).await;
    let text = match (to, when) {
        (Move::To(_), When::Now) => format!("It is on {name} now. The new limits hold within seconds."),
        (Move::To(_), When::PeriodEnd) => format!("It moves to {name} when the month is over."),
        (Move::End, When::Now) => "It has ended. Calls fail from now on.".to_owned(),
        (Move::End, When::PeriodEnd) => "It ends when the month is over.".to_owned(),
    };
    settled(&visit, &place, moved, text).await
}

async fn settled(
    visit: &Visit,
    place: &Place,
    done: tollgate_control::Result<SubscriptionRow>,
    text: String,
) -> Answer {
    let flash = match done {
        Ok(_) => Flash::done(text),
        Err(tollgate_control::Error::Conflict(text)) => Flash { tone: "warn".into(), text },
        Err(tollgate_control::Error::VersionMismatch(_)) => Flash {
            tone: "warn".into(),
            text: "It was changed meanwhile; nothing was done. This is how it stands now.".into(),
        },
        Err(error) => return Err(error.into()),
    };
    visit.go(&place.base, Some(flash)).await
}

/// `POST /subscriptions/{id}/keep`
pub async fn keep(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let kept = state.control.keep_subscription(&place.actor, place.row.id).await;
    settled(&visit, &place, kept, "Taken back. The subscription goes on as it is.".into()).await
}

/// `POST /subscriptions/{id}/pause`
pub async fn pause(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let paused =
        state.control.pause_subscription(&place.actor, place.row.id, sent.read("version"), true).await;
    settled(&visit, &place, paused, "Paused. Calls are refused until it is resumed.".into()).await
}

/// `POST /subscriptions/{id}/resume`
pub async fn resume(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    let resumed =
        state.control.pause_subscription(&place.actor, place.row.id, sent.read("version"), false).await;
    settled(&visit, &place, resumed, "Resumed. Its keys open the product within seconds.".into()).await
}
