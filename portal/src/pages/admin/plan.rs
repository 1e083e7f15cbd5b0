//! A plan made or changed: who may choose it, how fast and how much, at what price, and whom a change affects.

use std::borrow::Cow;

use axum::extract::{Path, State};
use tollgate_control::PlanInput;
use tollgate_domain::{CalendarMonth, LimitKind, PlanState, SubscriptionState};
use tollgate_rating::Tariff;
use tollgate_store::browse::{Cut, SubscriptionFilter, SubscriptionLine};
use tollgate_store::{Page, PlanRow, ProductRow};

use super::desk::{Desk, Question, SAVED, not_taken, sheet};
use super::prices::Typed;
use super::product::{LIST, find as find_product};
use super::rename::Rename;
use super::{offers, prices, terms};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::{Changed, fact};
use crate::parts::{
    Action, Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Section, Sent, Sheet,
};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

/// Subscriptions of which the quota is looked at before a change.
const LOOKED_AT: i64 = 200;

fn part(form: &Form, button: &str, back: &str) -> FormPart {
    let states = [
        (PlanState::Open, "Open: can be subscribed to"),
        (PlanState::Announced, "Announced: shown with its price, not yet to be chosen"),
        (PlanState::Closed, "Closed: only its present subscribers keep it"),
    ];
    let names = Fieldset::new(
        "",
        vec![
            Input::line(form, "name", "Name").required(),
            Input::line(form, "slug", "Slug")
                .hint("Its name in files and headers. Left empty, it is made from the name."),
            Input::long(form, "summary", "Summary", 2).hint("One sentence, up to 500 characters."),
        ],
    );
    let offer = Fieldset::new(
        "Offer",
        vec![
            Input::one(form, "state", "State", states.map(|(state, text)| (state.as_str(), text))),
            Input::tick(form, "approval", "An operator approves each subscription")
                .hint("Requests wait under Approvals; without it a subscription opens at once."),
        ],
    );
    let [limits, price] = terms::fieldsets(form);
    let use_ = prices::fieldset(form);
    let [trial, currencies, late] =
        [offers::trial_fieldset, offers::currencies_fieldset, offers::paying_fieldset].map(|of| of(form));
    let fieldsets = vec![names, limits, price, use_, trial, currencies, late, offer];
    FormPart::new("plan-form", form, fieldsets, button).or_back(back)
}

fn typed(sent: &Sent, product: &ProductRow) -> Result<Typed, Form> {
    let mut reader = Reader::new(sent);
    let slug = reader.slug();
    let state = reader.value("state", "choose a state");
    let limits = terms::limits(&mut reader, sent);
    let price = terms::price(&mut reader, sent);
    let pricing = price.map(|price| prices::typed(&mut reader, sent, price.currency));
    let late = offers::late(&mut reader, sent);
    match (slug, state, price.zip(pricing), reader.refused()) {
        (Some(slug), Some(state), Some((price, pricing)), None) => Ok(Typed {
            input: PlanInput {
                product_id: product.id,
                slug,
                name: sent.get("name"),
                summary: sent.get("summary"),
                state,
                approval: sent.has("approval"),
                price,
                limits,
            },
            pricing,
            late,
            prepaid: sent.has("prepaid"),
        }),
        (.., refused) => Err(refused.unwrap_or_default()),
    }
}

fn filled(row: &PlanRow, tariff: &Tariff) -> Form {
    let price = row.price();
    let mut values: Vec<(Cow<'static, str>, String)> = vec![
        ("name".into(), row.name.clone()),
        ("slug".into(), row.slug.to_string()),
        ("summary".into(), row.summary.clone()),
        ("state".into(), row.state.to_string()),
        ("price".into(), terms::typed_price(price)),
        ("currency".into(), price.currency.as_str().to_owned()),
    ];
    if row.approval {
        values.push(("approval".into(), "yes".into()));
    }
    if row.prepaid {
        values.push(("prepaid".into(), "yes".into()));
    }
    values.extend(terms::values(&row.limits));
    values.extend(prices::values(tariff));
    values.extend(offers::values(tariff, (row.unpaid_landing, row.grace_days)));
    Form::with(values)
}

/// Without the lines that were left empty.
fn without_empty(sent: &Sent) -> Sent {
    sent.without_empty("limits", "amount")
        .without_empty("meters", "price")
        .without_empty("currencies", "currency")
}

fn with_one_more(sent: &Sent) -> Form {
    let filled = without_empty(sent);
    let (of, field) = match sent.get("more").as_str() {
        "meter" => ("meters", "price"),
        "currency" => ("currencies", "currency"),
        _ => ("limits", "amount"),
    };
    let lines = filled.lines(of).len();
    let mut pairs = filled.0;
    pairs.push((format!("{of}/{lines}/{field}"), String::new()));
    Form::with(pairs)
}

async fn new_sheet(visit: &Visit, product: &ProductRow, form: &Form) -> Result<Sheet, Fault> {
    let back = format!("{LIST}/{}", product.slug);
    let part = part(form, "Create plan", &back).with("product", product.slug.to_string());
    let sheet = sheet(visit, "Create a plan").await?.below(LIST, "Products").below(&back, &product.name);
    Ok(sheet.intro("How fast and how much may be called, and what it costs.").part(part))
}

/// `GET /admin/new/plan`
pub async fn create(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    Desk::publishing(&visit)?;
    let product = find_product(&state, asked.get("product")).await?;
    let mut values: Vec<(Cow<'static, str>, String)> =
        vec![("state".into(), "open".into()), ("currency".into(), "EUR".into())];
    for (field, value) in [
        ("0/kind", "rate"),
        ("0/amount", "10"),
        ("0/period", "second"),
        ("0/per", "subscription"),
        ("1/kind", "quota"),
        ("1/amount", "10000"),
        ("1/period", "month"),
        ("1/per", "subscription"),
    ] {
        values.push((format!("limits/{field}").into(), value.into()));
    }
    visit.page(&new_sheet(&visit, &product, &Form::with(values)).await?)
}

/// `POST /admin/new/plan`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let product = find_product(&state, &sent.get("product")).await?;
    if sent.has("more") {
        return visit.page(&new_sheet(&visit, &product, &with_one_more(&sent)).await?);
    }
    let sent = without_empty(&sent);
    let typed = match typed(&sent, &product) {
        Ok(typed) => typed,
        Err(form) => return visit.refused(&new_sheet(&visit, &product, &form).await?),
    };
    match prices::save(&state.control, &desk.actor, None, typed).await {
        Ok(row) => {
            let told = terms::of_plan(&state, &row).await?;
            let flash = Flash::done(format!("{} is there: {told}", row.name));
            visit.go(&format!("{LIST}/{}", product.slug), Some(flash)).await
        }
        Err(error) => visit.refused(&new_sheet(&visit, &product, &sent.form().refused(error)?).await?),
    }
}

pub(super) async fn find(
    state: &PortalState,
    product: &str,
    plan: &str,
) -> Result<(ProductRow, PlanRow), Fault> {
    let product = find_product(state, product).await?;
    let plans = state.store.list_plans(Some(product.id), Page::FIRST_500).await?;
    let plan = plans.into_iter().find(|row| row.slug.as_str() == plan).ok_or_else(Fault::not_found)?;
    Ok((product, plan))
}

pub(super) fn base(product: &ProductRow, plan: &PlanRow) -> String {
    format!("{LIST}/{}/plans/{}", product.slug, plan.slug)
}

pub(super) async fn subscribers(
    state: &PortalState,
    desk: &Desk,
    plan: &PlanRow,
    limit: i64,
) -> Result<(Vec<SubscriptionLine>, i64), Fault> {
    let filter = SubscriptionFilter { plan: Some(plan.id), ..SubscriptionFilter::default() };
    let found = state.store.browse_subscriptions(desk.scope, filter, &Cut::latest(limit)).await?;
    let total = found.total.unwrap_or_default();
    Ok((found.rows, total))
}

async fn frame(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    product: &ProductRow,
    plan: &PlanRow,
) -> Result<Sheet, Fault> {
    let base = base(product, plan);
    let of = format!("{}/{}", product.slug, plan.slug);
    Ok(sheet(visit, &plan.name)
        .await?
        .below(LIST, "Products")
        .below(format!("{LIST}/{}", product.slug), &product.name)
        .labelled(plan.state)
        .identified(plan.id)
        .intro(terms::of_plan(state, plan).await?)
        .action(true, Action::link(format!("/admin/subscriptions?plan={of}"), "users", "Subscriptions"))
        .action(desk.may_write, Action::link(format!("{base}/move"), "arrow-right", "Move subscriptions"))
        .action(desk.may_write, Action::link(format!("{base}/delete"), "x", "Delete")))
}

fn edit_part(form: &Form, product: &ProductRow, plan: &PlanRow) -> FormPart {
    part(form, "Save plan", &format!("{LIST}/{}", product.slug)).with("version", plan.version.to_string())
}

/// `GET /admin/products/{slug}/plans/{plan}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path((slug, plan)): Path<(String, String)>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let (product, plan) = find(&state, &slug, &plan).await?;
    let (_, total) = subscribers(&state, &desk, &plan, 1).await?;
    let notice = (total > 0).then(|| {
        Notice::new(
            "info",
            format!("{} on these terms", show::count(usize::try_from(total).unwrap_or(0), "subscription")),
            "New limits hold for all of them within seconds, a new price for those who subscribe from then on. Before anything is changed you see whom it affects.",
        )
    });
    let lost = (!plan.limits_are_whole).then(|| {
        Notice::new(
            "bad",
            "A limit of this plan cannot be read",
            "It was written by hand or by a newer release. Gateways refuse calls on this plan as config_invalid; saving the form below leaves the limit out.",
        )
    });
    let sheet = frame(&state, &visit, &desk, &product, &plan).await?.maybe(lost);
    let tariff = state.control.plan_tariff(plan.id).await?.tariff;
    if !desk.may_write {
        let facts = vec![
            fact("Limits", Cell::Text(show::limits(&plan.limits))),
            fact("Price", Cell::Text(plan.price().to_string())),
            fact(
                "Use",
                Cell::text_or(crate::pages::billing::use_prices(&tariff).join("; "), "costs nothing"),
            ),
            fact("Approval", Cell::Text(if plan.approval { "by an operator" } else { "at once" }.into())),
        ];
        let sheet = sheet.part(Section::Facts("Terms".into(), facts));
        return sheet.part(prices::versions(&state, &visit, plan.id).await?).answer(&visit, &asked);
    }
    sheet
        .maybe(notice)
        .part(edit_part(&filled(&plan, &tariff), &product, &plan))
        .part(prices::versions(&state, &visit, plan.id).await?)
        .answer(&visit, &asked)
}

/// `POST /admin/products/{slug}/plans/{plan}`: where subscribers would notice, first a look at whom it affects.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((slug, plan)): Path<(String, String)>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let (product, row) = find(&state, &slug, &plan).await?;
    let sheet = frame(&state, &visit, &desk, &product, &row).await?;
    if sent.has("more") {
        return visit.page(&sheet.part(edit_part(&with_one_more(&sent), &product, &row)));
    }
    let sent = without_empty(&sent);
    let typed = match typed(&sent, &product) {
        Ok(typed) => typed,
        Err(form) => return visit.refused(&sheet.part(edit_part(&form, &product, &row))),
    };
    let held = state.control.plan_tariff(row.id).await?.tariff;
    let tariff = typed.pricing.clone().beside(typed.input.price.currency, typed.input.price.minor);
    let consequence = "Subscriptions stay on it, and no call notices.".to_owned();
    let (version, path) = (row.version, base(&product, &row));
    let rename = Rename { what: "plan", old: &row.slug, new: &typed.input.slug, version, consequence };
    if rename.is_open(&sent) {
        return visit.page(&rename.ask(sheet, &sent, &path));
    }
    let terms_change = typed.input.limits != row.limits || tariff != held;
    let is_current = sent.read("version") == Some(row.version);
    if terms_change && is_current && !sent.has("seen") {
        let (lines, total) = subscribers(&state, &desk, &row, LOOKED_AT).await?;
        if total > 0 {
            return visit.page(
                &review(&state, &visit, &product, &row, (&typed.input, &tariff), (lines, total), &sent)
                    .await?,
            );
        }
    }
    let known = Some((row.id, sent.read("version")));
    match prices::save(&state.control, &desk.actor, known, typed).await {
        Ok(row) => visit.go(&base(&product, &row), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let tariff = state.control.plan_tariff(row.id).await?.tariff;
            let stored = async { Ok((filled(&row, &tariff), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| edit_part(form, &product, &row)).await
        }
    }
}

/// The terms before and after, and the subscriptions that would be over their quota at once.
async fn review(
    state: &PortalState,
    visit: &Visit,
    product: &ProductRow,
    row: &PlanRow,
    (input, tariff): (&PlanInput, &Tariff),
    (lines, total): (Vec<SubscriptionLine>, i64),
    sent: &Sent,
) -> Result<Sheet, Fault> {
    let quota = |limits: &[tollgate_domain::Limit]| {
        limits.iter().find(|one| one.kind == LimitKind::Quota).map(|one| one.amount)
    };
    let month = CalendarMonth::of(visit.now);
    let mut over = Vec::new();
    if let Some(amount) = quota(&input.limits).filter(|new| quota(&row.limits).is_none_or(|old| *new < old)) {
        for line in lines.iter().filter(|line| line.state == SubscriptionState::Active) {
            let used = state.store.quota_used(line.id, month).await?;
            if used > amount {
                over.push((line.clone(), used));
            }
        }
    }
    let list = List::new("over", "Over the new quota already")
        .column("Application")
        .column("Organization")
        .numbers("Used this month")
        .rows(over.into_iter().map(|(line, used)| {
            vec![
                Cell::link(format!("/admin/applications/{}", line.application_id), line.application),
                Cell::Way {
                    href: format!("/admin/organizations/{}", line.organization_id),
                    text: line.organization,
                },
                Cell::number(i64::try_from(used).unwrap_or(i64::MAX)),
            ]
        }));
    let changes = vec![Changed {
        name: "terms".into(),
        before: terms::of_plan(state, row).await?,
        after: terms::sentence(&input.limits, input.price, terms::Beside::from(tariff)),
    }];
    let back = base(product, row);
    let mut part =
        FormPart::new("seen-form", &Form::default(), Vec::new(), "Change the terms").or_back(&back).to(&back);
    part.hidden = vec![("seen", "yes".to_owned())];
    part.carried = sent.0.clone();
    let notice = if list.rows.is_empty() {
        Notice::new(
            "warn",
            format!(
                "This changes the terms of {}",
                show::count(usize::try_from(total).unwrap_or(0), "subscription")
            ),
            "Nobody is over the new quota this month.",
        )
    } else {
        Notice::new(
            "bad",
            format!("{} will be refused at once", show::count(list.rows.len(), "subscription")),
            format!(
                "They have used more than the new quota this month. It opens again {}.",
                Moment::day(month.end()).text
            ),
        )
    };
    let sheet = sheet(visit, format!("Change the terms of {}?", row.name))
        .await?
        .below(LIST, "Products")
        .below(&back, &row.name);
    let shadow = prices::shadow(state, visit, row.id, tariff).await?;
    let sheet = sheet.part(notice).part(Section::Changes("Terms".into(), changes)).maybe(shadow);
    let sheet = if list.rows.is_empty() { sheet } else { sheet.part(list) };
    Ok(sheet.part(part))
}

fn question<'q>(row: &'q PlanRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete plan",
        consequence: "It can only be deleted if nobody ever subscribed to it; closing it keeps its subscribers and takes no new ones.",
        name: row.slug.as_str(),
        version: row.version,
        back,
    }
}

/// `GET /admin/products/{slug}/plans/{plan}/delete`
pub async fn ask_delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path((slug, plan)): Path<(String, String)>,
) -> Answer {
    Desk::publishing(&visit)?;
    let (product, row) = find(&state, &slug, &plan).await?;
    let back = base(&product, &row);
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/products/{slug}/plans/{plan}/delete`
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path((slug, plan)): Path<(String, String)>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let (product, row) = find(&state, &slug, &plan).await?;
    let back = base(&product, &row);
    let question = question(&row, &back);
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_plan(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => {
            let flash = Flash::done(format!("{} is deleted.", row.name));
            visit.go(&format!("{LIST}/{}", product.slug), Some(flash)).await
        }
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}
