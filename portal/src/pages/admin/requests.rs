//! The request log: single calls, refused ones above all.

use std::collections::HashMap;

use axum::extract::State;
use chrono::{DateTime, TimeDelta};
use tollgate_domain::ApplicationId;
use tollgate_store::{RequestCursor, RequestFilter, RequestRow};
use uuid::Uuid;

use super::desk::{Desk, sheet};
use super::explain;
use crate::PortalState;
use crate::error::{Answer, Fault, query_value};
use crate::pages::problems::DOCS;
use crate::parts::asked::{EXPORT_ROWS, PAGE_ROWS};
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// Where one of them is explained.
#[must_use]
pub fn href(request_id: &str) -> String {
    format!("/admin/requests/{}", query_value(request_id).replace('/', "%2F"))
}

/// The columns of calls.
#[must_use]
pub fn table(title: &str) -> List {
    List::new("requests", title)
        .column("Call")
        .column("Status")
        .column("What happened")
        .column("Application")
        .numbers("Took")
        .numbers("When")
        .or_empty(
            "activity",
            "No call is logged yet",
            "Every refusal is kept for 30 days, and other calls up to a rate.",
        )
}

/// One of them.
#[must_use]
pub fn row(call: &RequestRow, names: &HashMap<Uuid, String>, visit: &Visit) -> Vec<Cell> {
    let application = call.application_id.and_then(|id| {
        let name = names.get(&id)?.clone();
        Some(Cell::Way { href: format!("/admin/applications/{}", ApplicationId::from(id)), text: name })
    });
    let path = call.path.clone().unwrap_or_else(|| "a head that could not be read".into());
    vec![
        Cell::Route {
            method: call.method.clone().unwrap_or_else(|| "?".into()),
            path,
            href: href(&call.request_id),
        },
        Cell::Label(Label::status(u16::try_from(call.status).unwrap_or_default())),
        Cell::Text(explain::title(call).to_owned()),
        application.unwrap_or(Cell::Nothing("unknown")),
        Cell::Took(call.duration_us),
        Cell::When(Moment::of(call.at, visit.now)),
    ]
}

/// Names of the applications in these calls.
///
/// # Errors
/// The database is away.
pub async fn names(
    state: &PortalState,
    desk: &Desk,
    calls: &[RequestRow],
) -> Result<HashMap<Uuid, String>, Fault> {
    let mut ids: Vec<Uuid> = calls.iter().filter_map(|call| call.application_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(state.store.application_names(desk.scope, &ids).await?.into_iter().collect())
}

/// `GET /admin/requests`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    if !asked.get("q").is_empty() {
        return visit.go(&href(asked.get("q")), None).await;
    }
    let some = |name: &str| Some(asked.get(name).to_owned()).filter(|value| !value.is_empty());
    let span = match asked.get("since") {
        "hour" => Some(TimeDelta::hours(1)),
        "day" => Some(TimeDelta::days(1)),
        "week" => Some(TimeDelta::days(7)),
        _ => None,
    };
    let filter = RequestFilter {
        application: asked.read("application"),
        credential: asked.read("key"),
        status_class: asked.read("status"),
        code: some("code"),
        path_prefix: some("path"),
        from: span.map(|span| visit.now - span),
        ..RequestFilter::default()
    };
    let limit = if asked.wants_csv() { EXPORT_ROWS } else { PAGE_ROWS };
    let after = cursor(asked.get("after"));
    let mut calls = state.store.list_requests(desk.scope, &filter, after, limit + 1).await?;
    let more = calls.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    calls.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let names = names(&state, &desk, &calls).await?;
    let codes = DOCS
        .iter()
        .filter(|doc| doc.said_by.contains("gateway"))
        .map(|doc| (doc.code.clone(), doc.title.clone()));
    let mut list = table("Calls")
        .searched(&asked, "request id")
        .filtered(
            &asked,
            "status",
            "Status",
            "Any status",
            [("2", "2xx"), ("3", "3xx"), ("4", "4xx"), ("5", "5xx")],
        )
        .filtered(&asked, "code", "Refusal", "Any outcome", codes)
        .filtered(
            &asked,
            "since",
            "Since",
            "30 days",
            [("hour", "Last hour"), ("day", "24 hours"), ("week", "7 days")],
        )
        .rows(calls.iter().map(|call| row(call, &names, &visit)));
    for name in ["application", "key", "path"] {
        list = list.keeping(&asked, name).narrowed(&asked, name);
    }
    list.count = String::new();
    list.export = (!calls.is_empty()).then(|| asked.with(&[("format", "csv")]));
    list.next = calls.last().filter(|_| more).map(|last| {
        let at = last.cursor();
        asked.with(&[("after", &format!("{}-{}", at.at.timestamp_micros(), at.id))])
    });
    list.previous = after.map(|_| asked.with(&[]));
    sheet(&visit, "Requests")
        .await?
        .intro("Single calls, every refusal among them. With the request id that a developer was answered, the page says why.")
        .part(list)
        .answer(&visit, &asked)
}

fn cursor(text: &str) -> Option<RequestCursor> {
    let (at, id) = text.split_once('-')?;
    Some(RequestCursor { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, id: id.parse().ok()? })
}
