//! The single calls behind a day and an operation of an invoice's line, as far as they are kept.

use axum::extract::{Path, State};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use tollgate_domain::{InvoiceId, RouteId, Scope};
use tollgate_store::{RequestFilter, RequestRow};

use crate::PortalState;
use crate::error::{Answer, Fault, query_value};
use crate::pages::admin::desk::{Desk, sheet};
use crate::parts::{Asked, Cell, List, Sheet};
use crate::say::{language, say, t};
use crate::session::Visit;
use crate::shell::Area;
use crate::show::{self, Label, Moment};

/// Calls that are shown.
const ROWS: i64 = 100;

/// `GET /billing/invoices/{id}/calls`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let member = visit.member()?;
    let base = Sheet::new(visit.shell(Area::Developer, t("calls-title")).await?)
        .below("/billing", t("billing-title"));
    page(&state, member.scope, &visit, &asked, &id, base, ["/billing/invoices", "/requests"]).await
}

/// `GET /admin/invoices/{id}/calls`
pub async fn admin(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let base = sheet(&visit, "Calls").await?.below("/admin/invoices", "Invoices");
    page(&state, desk.scope, &visit, &asked, &id, base, ["/admin/invoices", "/admin/requests"]).await
}

async fn page(
    state: &PortalState,
    scope: Scope,
    visit: &Visit,
    asked: &Asked,
    id: &str,
    base: Sheet,
    [invoices, requests]: [&str; 2],
) -> Answer {
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    let invoice = state.store.get_invoice(scope, id).await?;
    let position: i32 = asked.read("line").ok_or_else(Fault::not_found)?;
    let lines = state.store.list_invoice_lines(scope, id).await?;
    let line = lines.into_iter().find(|line| line.position == position).ok_or_else(Fault::not_found)?;
    let day: NaiveDate = asked.read("day").ok_or_else(Fault::not_found)?;
    let route: RouteId = asked.read("route").ok_or_else(Fault::not_found)?;
    let from = day.and_time(NaiveTime::MIN).and_utc();
    let filter = RequestFilter {
        subscription: Some(line.subscription_id),
        route: Some(route),
        from: Some(from),
        until: Some(from + TimeDelta::days(1)),
        ..RequestFilter::default()
    };
    let calls = state.store.list_requests(scope, &filter, None, ROWS).await?;
    let row = |call: &RequestRow| {
        vec![
            Cell::link(format!("{requests}/{}", query_value(&call.request_id)), call.request_id.clone()),
            Cell::Route {
                method: call.method.clone().unwrap_or_else(|| "–".into()),
                path: call.path.clone().unwrap_or_else(|| t("calls-unreadable").into()),
                href: String::new(),
            },
            Cell::Label(Label::status(u16::try_from(call.status).unwrap_or_default())),
            Cell::text_or(call.code.clone().unwrap_or_default().replace('_', " "), "–"),
            Cell::Number(show::duration(call.duration_us)),
            Cell::When(Moment::of(call.at, visit.now)),
        ]
    };
    let list = List::new("calls", t("calls-latest"))
        .column(t("calls-request"))
        .column(t("calls-call"))
        .column(t("calls-status"))
        .column(t("calls-refused"))
        .numbers(t("calls-took"))
        .column(t("credits-when"))
        .or_empty("scroll-text", t("calls-none"), t("calls-none-text"))
        .rows(calls.iter().map(row));
    base.below(format!("{invoices}/{id}"), &invoice.number)
        .intro(
            say("calls-intro")
                .with("title", line.title)
                .with("day", tollgate_language::day(language(), &day))
                .with("rows", ROWS),
        )
        .part(list)
        .answer(visit, asked)
}
