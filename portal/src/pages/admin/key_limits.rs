//! What would happen to a call with a key: the verdict, and every limit that holds with where it was written.

use axum::extract::{Path, State};
use tollgate_control::{AnyLimit, EffectiveLimit, Error, Explanation, Question};
use tollgate_domain::{CredentialId, LimitKind};
use tollgate_store::CredentialRow;

use super::api::headers;
use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::show;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn part(form: &Form) -> FormPart {
    let inputs = vec![
        Input::one(form, "method", "Method", METHODS.map(|method| (method, method))),
        Input::line(form, "path", "Path")
            .hint("As the gateway gets it, with the API's base path and without what follows ?, like /atlas/v1/countries/NZ.")
            .required(),
        Input::line(form, "host", "Host").hint("Only where APIs answer on hosts of their own."),
        headers::input(form).hint("Only where APIs are told apart by headers: one per line, like X-API-Version: 2."),
    ];
    FormPart::new("explain-form", form, vec![Fieldset::new("", inputs)], "Explain").titled("A call", "")
}

async fn find(state: &PortalState, desk: &Desk, id: &str) -> Result<CredentialRow, Fault> {
    let id: CredentialId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_credential(desk.scope, id).await?)
}

async fn frame(visit: &Visit, row: &CredentialRow) -> Result<Sheet, Fault> {
    let intro = "What would happen to a call with this key now, and which limits hold for it. Nothing is called, nothing is counted.";
    let key = format!("/admin/keys/{}", row.id);
    Ok(sheet(visit, "Explain a call").await?.below("/admin/keys", "Keys").below(key, &row.name).intro(intro))
}

/// `GET /admin/keys/{id}/explain`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let row = find(&state, &desk, &id).await?;
    frame(&visit, &row).await?.part(part(&Form::default())).answer(&visit, &asked)
}

/// `POST /admin/keys/{id}/explain`: nothing is changed.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let frame = frame(&visit, &row).await?;
    let mut reader = Reader::new(&sent);
    let headers = headers::typed(&sent, &mut reader);
    if let Some(form) = reader.refused() {
        return visit.refused(&frame.part(part(&form)));
    }
    let question = Question {
        key: row.id.to_string(),
        method: sent.get("method"),
        path: sent.get("path"),
        host: sent.get("host"),
        headers: headers.into_iter().map(|one| (one.name, one.value)).collect(),
    };
    match state.control.explain(&desk.actor, &question).await {
        Ok(found) => {
            let sheet = frame.part(part(&sent.form())).part(verdict(&found)).part(facts(&found));
            visit.page(&sheet.maybe(limits(&found)))
        }
        Err(error @ Error::Invalid(_)) => visit.refused(&frame.part(part(&sent.form().refused(error)?))),
        Err(error) => Err(error.into()),
    }
}

fn verdict(found: &Explanation) -> Notice {
    let mut because = found.because.clone();
    if let Some(first) = because.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match found.verdict {
        "admitted" => Notice::new("ok", "It would be let through", format!("{because}.")),
        code => Notice::new("bad", format!("It would be refused: {code}"), format!("{because}."))
            .with(format!("/problems/{code}"), "What that means"),
    }
}

fn facts(found: &Explanation) -> Section {
    let mut facts = Vec::new();
    if let Some((api, route)) = &found.route {
        facts.push(fact(
            "API",
            Cell::Way { href: format!("/admin/apis/{}", api.slug), text: api.name.clone() },
        ));
        facts
            .push(fact("Operation", Cell::Code(format!("{} {}{}", route.method, api.base_path, route.path))));
    }
    let application = &found.application;
    let href = format!("/admin/applications/{}", application.id);
    facts.push(fact("Application", Cell::Way { href, text: application.name.clone() }));
    if let Some(terms) = &found.terms {
        let href = format!("/admin/products/{}/plans/{}", terms.product.slug, terms.plan.slug);
        facts.push(fact(
            "Plan",
            Cell::Way { href, text: format!("{} of {}", terms.plan.name, terms.product.name) },
        ));
        let href = format!("/admin/subscriptions/{}/limits", terms.subscription.id);
        facts.push(fact(
            "Subscription",
            Cell::Way { href, text: "Its limits, and amounts of its own".to_owned() },
        ));
    }
    for (scope, networks) in &found.held.networks {
        let name = format!("From, says the {}", scope.as_str());
        facts.push(fact(&name, Cell::Code(networks.join(", "))));
    }
    if let Some((scope, bytes)) = found.held.body_bytes_max {
        let bytes = show::number(i64::try_from(bytes).unwrap_or(i64::MAX));
        facts.push(fact("Largest body", Cell::Text(format!("{bytes} bytes, says the {}", scope.as_str()))));
    }
    Section::Facts("What it reaches".to_owned(), facts)
}

fn limits(found: &Explanation) -> Option<List> {
    let terms = found.terms.as_ref()?;
    let number = |units: u64| show::number(i64::try_from(units).unwrap_or(i64::MAX));
    let row = |held: &EffectiveLimit| {
        let (name, kind, amount, period) = match &held.limit {
            AnyLimit::OfPlan(limit) => {
                let kind = if limit.kind == LimitKind::Quota { "quota" } else { "rate" };
                (&limit.name, kind, limit.amount, limit.period)
            }
            AnyLimit::OfPolicy(rate) => (&rate.name, "rate", rate.amount, rate.period),
        };
        vec![
            Cell::Strong { text: name.clone(), second: format!("{kind}, per {}", period.as_str()) },
            Cell::Number(number(amount)),
            Cell::Strong { text: held.scope.as_str().to_owned(), second: held.from.clone() },
            held.used.map_or(Cell::Nothing("–"), Cell::number),
            if held.is_first { Cell::Text("Yes".to_owned()) } else { Cell::Nothing("no") },
        ]
    };
    let list = List::new("limits", "Limits that hold")
        .column("Limit")
        .numbers("Amount")
        .column("From")
        .numbers("Used")
        .column("Hit first")
        .or_empty("gauge", "No limits", "Neither the plan nor a policy has one.");
    Some(list.rows(terms.limits.iter().map(row)))
}
