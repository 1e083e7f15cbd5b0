//! One product: what it is, its plans, its operations.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_control::SubscriptionInput;
use tollgate_domain::{Amount, ApplicationId, Currency, LimitKind, PlanState, SubscriptionState};
use tollgate_openapi::Document;
use tollgate_rating::{Share, Tariff, Usage, rate};
use tollgate_store::{ApiRow, ApplicationRow, Page, PlanRow, ProductRow, SubscriptionRow};

use super::{served_apis, shown_plans, visible_product};
use crate::error::{Answer, Fault};
use crate::markup::{self, Html};
use crate::pages::billing::{by_use, pay, use_prices};
use crate::pages::reference::ending::Ending;
use crate::pages::reference::{Place, TagSection, tag_sections};
use crate::parts::Asked;
use crate::reference::Address;
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::show::Label;
use crate::{PortalState, filters, show};

/// Of how many operations an API lists them all here.
const LISTED_MAX: usize = 30;
/// Calls that the calculator works out at most.
const CALLS_MAX: u64 = 1_000_000_000_000;

pub enum PlanAction {
    SignUp(String),
    Subscribe,
    Subscribed(String),
    OtherPlan,
    NotYet,
}

pub struct PlanCard {
    pub slug: String,
    pub name: String,
    pub label: Option<Label>,
    pub price: String,
    pub per: String,
    pub limits: Vec<String>,
    /// Whether its calls are paid from credits as they are made.
    pub prepaid: bool,
    /// What use costs.
    pub prices: Vec<String>,
    /// What so many calls would come to.
    pub estimate: Option<String>,
    pub action: PlanAction,
}

/// One of some currencies.
pub struct Chosen {
    pub code: String,
    pub chosen: bool,
}

pub struct Choice {
    pub id: String,
    pub name: String,
}

pub struct ApiSection {
    pub slug: String,
    pub title: String,
    pub version: String,
    pub address: Address,
    /// The reference, where the API has one.
    pub reference_href: Option<String>,
    pub document_href: String,
    pub operations: usize,
    /// Its operations; none of an API with so many that they have a page of their own.
    pub sections: Vec<TagSection>,
    /// That it will go.
    pub ending: Option<Ending>,
}

#[derive(Template)]
#[template(path = "catalog/product.html")]
pub struct View {
    pub shell: Shell,
    pub name: String,
    pub summary: String,
    pub description: Option<Html>,
    pub key_href: Option<String>,
    pub subscribe_action: String,
    pub applications: Vec<Choice>,
    pub plans: Vec<PlanCard>,
    /// Whether any plan's price depends on use, and the calls that are worked out.
    pub calculator: Option<String>,
    /// The currencies to choose from; none where there is nothing to choose.
    pub currencies: Vec<Chosen>,
    /// What is sent along with a subscription: the currency that was looked at.
    pub currency: Option<String>,
    pub apis: Vec<ApiSection>,
}

/// `GET /products/{slug}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let product = visible_product(&state.store, &visit, &slug).await?;
    let (applications, subscriptions) = own_things(&state, &visit).await?;
    let calls = asked.read::<u64>("calls").map(|calls| calls.min(CALLS_MAX));
    let theirs = fixed_currency(&state, &visit).await?;
    let looked_at = theirs.or_else(|| asked.read::<Currency>("currency"));
    let mut plans = Vec::new();
    let mut by_use = false;
    let mut currencies: Vec<Currency> = Vec::new();
    for plan in shown_plans(&state.store, &product).await? {
        let whole = state.control.plan_tariff(plan.id).await?.tariff;
        for currency in whole.in_currencies() {
            if !whole.is_free() && !currencies.contains(&currency) {
                currencies.push(currency);
            }
        }
        let tariff = looked_at.and_then(|currency| whole.in_currency(currency)).unwrap_or(whole);
        by_use |= !tariff.meters.is_empty();
        let (price, per) = monthly(&tariff);
        let card = plan_card(&plan, &product, visit.account.is_some(), &applications, &subscriptions);
        let prepaid = state.store.is_prepaid(plan.id).await?;
        plans.push(PlanCard {
            price,
            per,
            label: card.label.or_else(|| prepaid.then(|| Label::new("info", t("product-prepaid")))),
            prepaid,
            prices: use_prices(&tariff),
            estimate: calls.map(|calls| estimate(&plan, &tariff, calls)),
            ..card
        });
    }
    let mut apis = Vec::new();
    for api in served_apis(&state.store, &product).await? {
        let document = state.documents.of(&state.store, &api).await?;
        let ending = Ending::of(&state, &visit, &api).await?;
        apis.push(ApiSection { ending, ..api_section(&state, &product, &api, document.as_deref()) });
    }
    let can_sign_up = plans.iter().any(|plan| matches!(plan.action, PlanAction::SignUp(_)));
    let subscribed = |application: &&ApplicationRow| {
        !subscriptions.iter().any(|one| one.application_id == application.id && one.product_id == product.id)
    };
    visit.page(&View {
        shell: visit.shell(Area::Public, &product.name).await?,
        description: (!product.description.is_empty()).then(|| markup::markdown(&product.description)),
        key_href: can_sign_up.then(|| format!("/signup?product={slug}")),
        subscribe_action: format!("/products/{slug}/subscribe"),
        applications: applications.iter().filter(subscribed).map(choice).collect(),
        name: product.name,
        summary: product.summary,
        calculator: by_use.then(|| calls.map(|calls| calls.to_string()).unwrap_or_default()),
        currency: looked_at.map(|currency| currency.as_str().to_owned()),
        currencies: choices(&currencies, looked_at, theirs),
        plans,
        apis,
    })
}

/// The currencies to choose from: none where there is one, or the viewer's organization pays in one already.
fn choices(all: &[Currency], looked_at: Option<Currency>, theirs: Option<Currency>) -> Vec<Chosen> {
    if all.len() < 2 || theirs.is_some() {
        return Vec::new();
    }
    let shown = looked_at.or(all.first().copied());
    all.iter()
        .map(|currency| Chosen { code: currency.as_str().to_owned(), chosen: Some(*currency) == shown })
        .collect()
}

/// What the viewer's organization pays in and cannot choose any more.
async fn fixed_currency(state: &PortalState, visit: &Visit) -> Result<Option<Currency>, Fault> {
    let Ok(member) = visit.member() else { return Ok(None) };
    let theirs = state.store.get_currency(member.scope, member.organization_id).await?;
    Ok(if theirs.is_some() && state.store.pays(member.organization_id).await? { theirs } else { None })
}

/// What stands large: the price per month, or of one unit where there is none; and what it is per.
fn monthly(tariff: &Tariff) -> (String, String) {
    match (tariff.base_minor, by_use(tariff)) {
        (0, _) if tariff.is_free() => (t("product-free").into(), String::new()),
        (0, Some(by_use)) => by_use,
        (minor, _) => {
            (show::money(Amount { minor, currency: tariff.currency }), t("product-per-month").into())
        }
    }
}

/// What a month with so many calls comes to, or why there can be none.
fn estimate(plan: &PlanRow, tariff: &Tariff, calls: u64) -> String {
    let quota = plan.limits.iter().find(|limit| limit.kind == LimitKind::Quota);
    if let Some(quota) = quota.filter(|quota| calls > quota.amount) {
        return say("product-ends-at").with("calls", show::number(quota.amount.cast_signed())).into();
    }
    let usage = Usage { calls, ..Usage::default() };
    let total = Amount { minor: rate(tariff, Share::WHOLE, &usage).total_minor, currency: tariff.currency };
    say("product-a-month").sum("total", total).into()
}

fn choice(application: &ApplicationRow) -> Choice {
    Choice { id: application.id.to_string(), name: application.name.clone() }
}

/// The viewer's applications and subscriptions that have not ended.
async fn own_things(
    state: &PortalState,
    visit: &Visit,
) -> Result<(Vec<ApplicationRow>, Vec<SubscriptionRow>), Fault> {
    let Ok(member) = visit.member() else { return Ok((Vec::new(), Vec::new())) };
    let applications = state.store.list_applications(member.scope, Page::FIRST_500).await?;
    let mut subscriptions = state.store.list_subscriptions(member.scope, None, Page::FIRST_500).await?;
    subscriptions.retain(|one| one.state != SubscriptionState::Ended);
    Ok((applications, subscriptions))
}

fn plan_card(
    plan: &PlanRow,
    product: &ProductRow,
    signed_in: bool,
    applications: &[ApplicationRow],
    subscriptions: &[SubscriptionRow],
) -> PlanCard {
    let on_plan = |application: &&ApplicationRow| {
        subscriptions.iter().any(|one| one.application_id == application.id && one.plan_id == plan.id)
    };
    let without_product = |application: &ApplicationRow| {
        !subscriptions.iter().any(|one| one.application_id == application.id && one.product_id == product.id)
    };
    let action = if plan.state != PlanState::Open {
        PlanAction::NotYet
    } else if !signed_in {
        PlanAction::SignUp(format!("/signup?product={}", product.slug))
    } else if applications.iter().any(without_product) {
        PlanAction::Subscribe
    } else if let Some(application) = applications.iter().find(on_plan) {
        PlanAction::Subscribed(application.name.clone())
    } else if applications.is_empty() {
        PlanAction::SignUp("/applications".into())
    } else {
        PlanAction::OtherPlan
    };
    PlanCard {
        slug: plan.slug.to_string(),
        name: plan.name.clone(),
        label: match plan.state {
            PlanState::Announced => Some(Label::new("info", t("product-soon"))),
            _ if plan.approval => Some(Label::new("warn", t("product-approval"))),
            _ => None,
        },
        price: String::new(),
        per: String::new(),
        limits: plan.limits.iter().filter(|limit| limit.visible).map(show::limit).collect(),
        prepaid: false,
        prices: Vec::new(),
        estimate: None,
        action,
    }
}

fn api_section(
    state: &PortalState,
    product: &ProductRow,
    api: &ApiRow,
    document: Option<&Document>,
) -> ApiSection {
    let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
    let operations = document.map_or(0, |document| document.operations().len());
    ApiSection {
        slug: api.slug.to_string(),
        title: api.name.clone(),
        version: document.map(|document| document.version().to_owned()).unwrap_or_default(),
        address: Address::of(&state.settings.gateway_url, api),
        reference_href: document.map(|_| place.overview()),
        document_href: place.document(),
        sections: document
            .filter(|_| operations <= LISTED_MAX)
            .map(|document| tag_sections(&place, document, ""))
            .unwrap_or_default(),
        operations,
        ending: None,
    }
}

/// What the subscribe form sends.
#[derive(Debug, Deserialize)]
pub struct Subscribe {
    plan: String,
    application: String,
    /// The currency that its price was looked at in.
    #[serde(default)]
    currency: String,
}

/// `POST /products/{slug}/subscribe`
pub async fn subscribe(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    Form(form): Form<Subscribe>,
) -> Answer {
    let member = visit.member()?;
    let product = visible_product(&state.store, &visit, &slug).await?;
    let plans = shown_plans(&state.store, &product).await?;
    let plan = plans.iter().find(|plan| plan.slug.as_str() == form.plan).ok_or_else(Fault::not_found)?;
    let application_id: ApplicationId = form.application.parse().map_err(|_| Fault::not_found())?;
    let there = format!("/applications/{application_id}");
    if let Ok(currency) = form.currency.parse::<Currency>()
        && fixed_currency(&state, &visit).await?.is_none()
    {
        state.control.choose_currency(&member.actor, member.organization_id, currency).await?;
    }
    if let Some(page) = pay::before_plan(&state, &member, application_id, plan).await? {
        return Ok(page);
    }
    let input = SubscriptionInput { application_id, plan_id: plan.id };
    let flash = match state.control.subscribe(&member.actor, input).await {
        Ok(row) if row.state == SubscriptionState::Requested => {
            Flash { tone: "info".into(), text: say("product-asked").with("product", &product.name).into() }
        }
        Ok(_) => Flash::done(say("product-done").with("product", &product.name)),
        // A second click on the button finds the work of the first.
        Err(tollgate_control::Error::Conflict(_)) => {
            Flash { tone: "info".into(), text: say("product-already").with("product", &product.name).into() }
        }
        Err(other) => return Err(other.into()),
    };
    visit.go(&there, Some(flash)).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use crate::pages::reference as pages_reference;
        let plan = |name: &str, price: &str, per: &str, label: Option<Label>, action| PlanCard {
            slug: name.to_lowercase(),
            name: name.into(),
            label,
            price: price.into(),
            per: per.into(),
            limits: vec!["10 requests per second".into(), "1,000 calls per month".into()],
            prepaid: name == "By the call",
            prices: if name == "Pro" {
                vec![
                    "14 days to try, without the price per month".into(),
                    "10,000 calls included, then 0.002 EUR per call".into(),
                    "50.00 EUR once, after the trial".into(),
                ]
            } else {
                vec![]
            },
            estimate: (name == "Pro").then(|| "49.00 EUR a month".into()),
            action,
        };
        let api = || ApiSection {
            slug: "countries".into(),
            title: "Countries API".into(),
            version: "1.2.0".into(),
            address: Address::plain("http://127.0.0.1:8080/countries/v1"),
            reference_href: Some("/products/countries/apis/countries".into()),
            document_href: "/products/countries/apis/countries/openapi.json".into(),
            operations: 2,
            sections: tag_sections(&pages_reference::sample_place(), &pages_reference::sample_document(), ""),
            ending: None,
        };
        let view = |plans, apis, signed_in: bool, applications| Self {
            shell: Shell {
                viewer: signed_in.then(|| crate::shell::Viewer {
                    email: "maria@example.com".into(),
                    is_operator: false,
                    unverified: false,
                }),
                ..Shell::sample(Area::Public, "Countries", "/products/countries")
            },
            name: "Countries".into(),
            summary: "Names, codes, currencies and populations of 249 countries.".into(),
            description: Some(markup::markdown(
                "Fill address forms, **check codes**, show flags.\n\n- Filter by region, language or currency\n- Pages of up to 100",
            )),
            key_href: (!signed_in).then(|| "/signup?product=countries".into()),
            subscribe_action: "/products/countries/subscribe".into(),
            applications,
            calculator: Some("20000".into()),
            currencies: ["EUR", "USD"].map(|code| Chosen { code: code.into(), chosen: code == "EUR" }).into(),
            currency: None,
            plans,
            apis,
        };
        let soon = || Some(Label::new("info", "Not yet available"));
        let sign_up = || PlanAction::SignUp("/signup?product=countries".into());
        let choice = |name: &str| Choice { id: "app_01h455vb4pex5vsknk084sn02q".into(), name: name.into() };
        vec![
            view(
                vec![
                    plan("Free", "Free", "", None, sign_up()),
                    plan("Pro", "29.00 EUR", "per month", soon(), PlanAction::NotYet),
                ],
                vec![api()],
                false,
                vec![],
            ),
            view(
                vec![
                    plan("Free", "Free", "", None, PlanAction::Subscribe),
                    plan("Pro", "29.00 EUR", "per month", soon(), PlanAction::NotYet),
                ],
                vec![ApiSection { sections: vec![], reference_href: None, ..api() }],
                true,
                vec![choice("My first app"), choice("Nightly import")],
            ),
            view(
                vec![
                    plan("Free", "Free", "", None, PlanAction::Subscribed("My first app".into())),
                    plan("Basic", "9.00 EUR", "per month", None, PlanAction::OtherPlan),
                    plan(
                        "By the call",
                        "0.002 EUR",
                        "per call",
                        Some(Label::new("info", "Paid in advance")),
                        PlanAction::OtherPlan,
                    ),
                ],
                vec![api()],
                true,
                vec![],
            ),
            view(vec![], vec![], false, vec![]),
        ]
    }
}
