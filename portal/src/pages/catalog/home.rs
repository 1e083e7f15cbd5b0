//! The first page: what this is, one call that works, and what is on offer.

use askama::Template;
use axum::extract::State;
use tollgate_domain::PlanState;
use tollgate_openapi::OperationDetail;
use tollgate_rating::Tariff;
use tollgate_store::{ApiRow, ProductRow};

use super::{served_apis, shown_plans};
use crate::error::{Answer, Fault};
use crate::markup::{self, Html};
use crate::pages::billing;
use crate::pages::reference::Place;
use crate::pages::try_it::ready_fields;
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, reference};

/// Lines of an example answer that the page has room for.
const ANSWER_LINES: usize = 16;

pub struct Card {
    pub href: String,
    pub name: String,
    pub summary: String,
    pub operations: String,
    pub price: String,
}

pub struct Example {
    pub key_href: String,
    pub product_href: String,
    pub curl: String,
    pub answer: Option<Html>,
    /// Where and with what the example is run, where guests may or the reader has an account.
    pub run: Option<Run>,
}

/// The form behind Run.
pub struct Run {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "catalog/home.html")]
pub struct View {
    pub shell: Shell,
    pub products: Vec<Card>,
    pub example: Option<Example>,
}

/// `GET /`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let mut products = Vec::new();
    let mut example = None;
    for product in state.store.list_offered_products(visit.viewer()).await? {
        let href = format!("/products/{}", product.slug);
        let mut operations = 0;
        for api in served_apis(&state.store, &product).await? {
            let Some(document) = state.documents.of(&state.store, &api).await? else { continue };
            operations += document.operations().len();
            if example.is_none()
                && let Some(call) = reference::first_call(&document)
            {
                example = Some(Example {
                    key_href: if visit.account.is_some() {
                        "/get-started".into()
                    } else {
                        format!("/signup?product={}", product.slug)
                    },
                    product_href: href.clone(),
                    curl: reference::curl(&state.settings.gateway_url, &api, &call, None),
                    answer: reference::good_answer(&call).map(|text| markup::json(&first_lines(&text))),
                    run: run(&state, &visit, &product, &api, &call).await?,
                });
            }
        }
        let price = cheapest(&state, &product).await?;
        products.push(Card {
            href,
            name: product.name,
            summary: product.summary,
            operations: say("show-operations").count(operations).into(),
            price,
        });
    }
    visit.page(&View { shell: visit.shell(Area::Public, t("home-page")).await?, products, example })
}

/// Run is offered to guests where the product is open to them, and to people who are signed in.
async fn run(
    state: &PortalState,
    visit: &Visit,
    product: &ProductRow,
    api: &ApiRow,
    call: &OperationDetail,
) -> Result<Option<Run>, Fault> {
    if visit.account.is_none() && state.store.find_guest(product.id).await?.is_none() {
        return Ok(None);
    }
    let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
    let action = format!("{}/try", place.operation(&call.operation.operation_id));
    Ok(Some(Run { action, fields: ready_fields(call) }))
}

async fn cheapest(state: &PortalState, product: &ProductRow) -> Result<String, Fault> {
    let mut least: Option<Tariff> = None;
    for plan in shown_plans(&state.store, product).await? {
        let tariff = state.control.plan_tariff(plan.id).await?.tariff;
        let costs = |tariff: &Tariff| (!tariff.is_free(), tariff.base_minor);
        if plan.state == PlanState::Open && least.as_ref().is_none_or(|least| costs(&tariff) < costs(least)) {
            least = Some(tariff);
        }
    }
    Ok(match least {
        Some(tariff) if tariff.is_free() => t("home-free-plan").into(),
        Some(tariff) if tariff.base_minor == 0 => t("home-pay-by-use").into(),
        Some(tariff) => say("home-from").with("price", billing::in_short(&tariff)).into(),
        None => t("home-no-open-plan").into(),
    })
}

fn first_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().take(ANSWER_LINES).collect();
    if text.lines().count() > ANSWER_LINES {
        lines.push("  …");
    }
    lines.join("\n")
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let card = |name: &str, summary: &str, operations: &str| Card {
            href: "/products/countries".into(),
            name: name.into(),
            summary: summary.into(),
            operations: operations.into(),
            price: "free plan".into(),
        };
        let answer = "{\n  \"items\": [\n    {\n      \"code\": \"SE\",\n      \"name\": \"Sweden\",\n      \
                      \"population\": 10551707,\n      \"landlocked\": false\n    }\n  ],\n  \"next\": \"c2U\"\n}";
        let shell = || Shell::sample(Area::Public, "APIs you can call in a minute", "/");
        vec![
            Self {
                shell: shell(),
                products: vec![
                    card("Countries", "Names, codes, currencies and populations of 249 countries.", "4 operations"),
                    card("Exchange rates", "Daily reference rates of 30 currencies since 1999.", "3 operations"),
                    card("Public holidays", "Bank and public holidays by country and region.", "1 operation"),
                ],
                example: Some(Example {
                    key_href: "/signup?product=countries".into(),
                    product_href: "/products/countries".into(),
                    curl: "curl 'http://127.0.0.1:8080/countries/v1/countries?limit=1' \\\n  -H \"X-API-Key: YOUR_KEY\""
                        .into(),
                    answer: Some(markup::json(answer)),
                    run: Some(Run {
                        action: "/products/countries/apis/countries/operations/op1/try".into(),
                        fields: vec![("in.query.limit".into(), "1".into())],
                    }),
                }),
            },
            Self { shell: shell(), products: vec![], example: None },
        ]
    }
}
