//! A subscription as its owner keeps it: its plan, another one, a pause, the end. Operators move subscriptions by the
//! same pages.

pub mod cap;
pub mod preview;

use axum::extract::{Path, State};
use preview::wanted;
use tollgate_control::{Action as May, Actor, Move, When};
use tollgate_domain::{Period, PlanState, Price, SubscriptionId, SubscriptionState};
use tollgate_rating::Tariff;
use tollgate_store::{Page, PlanRow, PlannedChangeRow, SubscriptionRow};

use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::{Form, sentence};
use crate::pages::admin::terms;
use crate::pages::billing;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, FormPart, List, Notice, Section, Sent, Sheet};
use crate::say::{say, t, translated};
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
        let application = application.map_or_else(|| t("own-deleted").to_owned(), |one| one.name);
        Ok(Self { actor, may_write, is_operator, row, plan, product, application, planned, base, plans })
    }

    async fn sheet(&self, visit: &Visit, title: impl Into<String>) -> Result<Sheet, Fault> {
        let area = if self.is_operator { Area::Admin } else { Area::Developer };
        let sheet = Sheet::new(visit.shell(area, title).await?);
        Ok(if self.is_operator {
            sheet.below("/admin/subscriptions", "Subscriptions").below(&self.base, &self.application)
        } else {
            sheet
                .below("/applications", t("around-applications"))
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
        Some(plan) => say("own-moves-to").with("plan", plan).with("at", at).into(),
        None => String::from(say("own-ends").with("at", at)),
    };
    Some(Notice::new("info", what, t("own-until-then")))
}

fn state_notice(place: &Place) -> Option<Notice> {
    (place.row.state == SubscriptionState::Suspended).then(|| match place.row.paused {
        true => Notice::new("warn", t("own-paused"), t("own-paused-text")),
        false => Notice::new("bad", t("own-suspended"), t("own-suspended-text")),
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

/// A plan's limits and what it costs, in the reader's language.
fn offered(plan: &PlanRow, tariff: &Tariff) -> String {
    let limits = match plan.limits.iter().any(|limit| limit.visible) {
        true => show::limits(&plan.limits),
        false => t("product-no-limits").to_owned(),
    };
    let prices = billing::use_prices(tariff);
    format!(
        "{limits}; {}",
        std::iter::once(billing::in_short(tariff)).chain(prices).collect::<Vec<_>>().join("; ")
    )
}

async fn overview(state: &PortalState, visit: &Visit, place: &Place) -> Result<Sheet, Fault> {
    let row = &place.row;
    let (tariff, trial_ends) = state.control.subscription_tariff(row.id, place.plan.id).await?;
    let used = state.store.quota_used(row.id, tollgate_domain::CalendarMonth::of(visit.now)).await?;
    let prices = crate::pages::billing::use_prices(&tariff).join("; ");
    let price = Price { minor: tariff.base_minor, currency: tariff.currency, per: Period::Month };
    let told = if place.is_operator {
        terms::sentence(&place.plan.limits, price, terms::Beside::from(&tariff))
    } else {
        offered(&place.plan, &tariff)
    };
    let mut facts = vec![
        fact(t("own-product"), Cell::Text(place.product.clone())),
        fact(t("own-plan"), Cell::Text(format!("{}: {told}", place.plan.name))),
        fact(t("own-calls"), Cell::number(i64::try_from(used).unwrap_or(i64::MAX))),
        fact(t("own-cap"), cap_cell(state, visit, place).await?),
        fact(t("own-since"), Cell::When(Moment::of(row.created_at, visit.now))),
    ];
    if place.is_operator {
        facts.insert(2, fact(t("own-beside"), Cell::text_or(prices, t("own-costs-nothing"))));
    }
    if let Some(ends) = trial_ends.filter(|ends| *ends > visit.now) {
        facts.push(fact(t("own-trial"), Cell::When(Moment::of(ends, visit.now))));
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
        let told = if place.is_operator {
            terms::of_plan(state, &plan).await?
        } else {
            offered(&plan, &state.control.plan_tariff(plan.id).await?.tariff)
        };
        others.push((plan, told));
    }
    let list = List::new("plans", t("own-plans"))
        .column(t("own-plan"))
        .column(t("own-terms"))
        .acts()
        .or_empty("package", t("own-no-plan"), t("own-no-plan-text"))
        .rows(others.into_iter().map(|(plan, told)| {
            vec![
                Cell::Strong { text: plan.name.clone(), second: plan.summary.clone() },
                Cell::Text(told),
                Cell::Open {
                    href: format!("{}/change?plan={}", place.base, plan.slug),
                    text: t("own-see"),
                    of: plan.name,
                },
            ]
        }));
    let mut sheet = sheet.part(list);
    if place.planned.is_some() {
        sheet = sheet.part(press(
            "keep-form",
            format!("{}/keep", place.base),
            t("own-keep"),
            t("own-keep-text"),
            "primary",
            row.version,
        ));
    }
    if row.state == SubscriptionState::Active {
        sheet = sheet.part(press(
            "pause-form",
            format!("{}/pause", place.base),
            t("own-pause"),
            t("own-pause-text"),
            "",
            row.version,
        ));
    } else if row.paused || place.is_operator {
        sheet = sheet.part(press(
            "resume-form",
            format!("{}/resume", place.base),
            t("own-resume"),
            t("own-resume-text"),
            "primary",
            row.version,
        ));
    }
    Ok(sheet.part(
        FormPart::new("cancel-form", &Form::default(), Vec::new(), t("own-cancel-see"))
            .to(format!("{}/cancel", place.base))
            .titled(t("own-cancel"), t("own-cancel-text"))
            .toned(""),
    ))
}

/// How the month stands against the cap, as the way to its page.
async fn cap_cell(state: &PortalState, visit: &Visit, place: &Place) -> Result<Cell, Fault> {
    let standing = state.control.spend_cap(&place.actor, place.row.id, visit.now).await?;
    let text = match standing {
        Some(now) => say("limits-cap-spent").sum("spent", now.spent).sum("cap", now.cap).into(),
        None => t("own-set-cap").to_owned(),
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
        (Move::To(_), When::Now) => say("own-moved").with("plan", &name).into(),
        (Move::To(_), When::PeriodEnd) => say("own-will-move").with("plan", &name).into(),
        (Move::End, When::Now) => t("own-ended").to_owned(),
        (Move::End, When::PeriodEnd) => t("own-ending").to_owned(),
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
        Err(tollgate_control::Error::Conflict(text)) => {
            Flash { tone: "warn".into(), text: sentence(&translated(&text)) }
        }
        Err(tollgate_control::Error::VersionMismatch(_)) => {
            Flash { tone: "warn".into(), text: t("own-changed").into() }
        }
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
    settled(&visit, &place, kept, t("own-kept").into()).await
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
    settled(&visit, &place, paused, t("own-did-pause").into()).await
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
    settled(&visit, &place, resumed, t("own-did-resume").into()).await
}
