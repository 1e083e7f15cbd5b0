//! How the platform is doing: what needs attention, the last 24 hours, the gateways, what was changed last.

use axum::extract::State;
use tollgate_domain::SubscriptionState;
use tollgate_store::browse::{AuditFilter, Cut, SubscriptionFilter, SumBy, TrafficFilter};

use super::desk::{Desk, sheet};
use super::gateways::Fleet;
use super::{setup, timeline};
use crate::PortalState;
use crate::chart::{Chart, Step};
use crate::error::Answer;
use crate::pages::usage::range::Range;
use crate::parts::sheet::Tile;
use crate::parts::{Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::show;

/// A share of failed calls that somebody should look at, in percent.
const FAILED_PERCENT: i64 = 5;

/// `GET /admin`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let store = &state.store;
    let range = Range::Day;
    let since = range.since(visit.now);
    let totals = store.usage_totals(desk.scope, None, since).await?;
    let series = store.usage_series(desk.scope, None, since, range.step_seconds()).await?;
    let steps: Vec<Step> =
        series.iter().map(|one| Step { at: one.at, calls: one.calls, errors: one.errors }).collect();
    let filter = TrafficFilter { since, api: None, application: None, status_class: None, path: None };
    let apis = store.sum_traffic(desk.scope, filter, SumBy::Api, 8).await?;
    let fleet = Fleet::look(&state, visit.now).await?;
    let waiting =
        SubscriptionFilter { state: Some(SubscriptionState::Requested), ..SubscriptionFilter::default() };
    let waiting =
        store.browse_subscriptions(desk.scope, waiting, &Cut::first(1)).await?.total.unwrap_or_default();
    let log = store.browse_audit(desk.scope, AuditFilter::default(), &Cut::latest(6)).await?;
    let todo = setup::steps(&state, &desk, &visit).await?;
    let left = todo.iter().filter(|step| !step.done).count();

    let failing =
        (totals.calls >= 100 && totals.server_errors * 100 > totals.calls * FAILED_PERCENT).then(|| {
            let title =
                format!("{} of calls failed in 24 hours", show::share(totals.server_errors, totals.calls));
            Notice::new("bad", title, "Services answered 5xx, or not at all.")
                .with("/admin/traffic?range=day&status=5", "Look")
        });
    let asking = (waiting > 0).then(|| {
        let count = show::count(usize::try_from(waiting).unwrap_or_default(), "subscription");
        let verb = if waiting == 1 { "waits" } else { "wait" };
        Notice::new(
            "info",
            format!("{count} {verb} for your approval"),
            "Until then its keys do not open the product.",
        )
        .with("/admin/approvals", "Decide")
    });
    let unfinished = (left > 0 && totals.calls == 0).then(|| {
        let text = todo
            .iter()
            .find(|step| !step.done)
            .map(|step| format!("Next: {}.", lower(&step.title)))
            .unwrap_or_default();
        Notice::new(
            "info",
            format!("{} of {} steps to a first call are done", todo.len() - left, todo.len()),
            text,
        )
        .with("/admin/setup", "Go on")
    });

    let refused = totals.refused + totals.client_errors;
    let mean = totals.duration_us / totals.calls.max(1);
    let tile = |name: &str, value: String, note: String, href: &str| Tile {
        name: name.into(),
        value,
        note,
        href: Some(href.to_owned()),
    };
    let tiles = vec![
        tile(
            "Calls, 24 h",
            show::number(totals.calls),
            format!("{} charged", show::number(totals.charged)),
            "/admin/traffic?range=day",
        ),
        tile(
            "Refused or 4xx",
            show::number(refused),
            format!("{} over a limit", show::number(totals.refused)),
            "/admin/traffic?range=day&status=4",
        ),
        tile(
            "5xx",
            show::number(totals.server_errors),
            format!("{} of calls", show::share(totals.server_errors, totals.calls)),
            "/admin/traffic?range=day&status=5",
        ),
        tile(
            "Average time",
            if totals.calls == 0 { "–".into() } else { show::duration(mean) },
            "of a whole call".into(),
            "/admin/traffic?range=day",
        ),
        tile(
            "Gateways up to date",
            format!("{} of {}", fleet.current, fleet.serving),
            format!("at revision {}", fleet.revision),
            "/admin/gateways",
        ),
    ];
    let busiest = List::new("busiest", "Busiest APIs, 24 h")
        .column("API")
        .numbers("Calls")
        .numbers("Refused or 4xx")
        .numbers("5xx")
        .numbers("Average")
        .or_empty(
            "activity",
            "No calls in 24 hours",
            "Calls show here a second or two after the gateway answered them.",
        )
        .rows(apis.into_iter().filter_map(|sum| {
            let (slug, name) = (sum.key?, sum.name?);
            Some(vec![
                Cell::link(format!("/admin/apis/{slug}"), name),
                Cell::number(sum.calls),
                Cell::number(sum.client),
                Cell::number(sum.server),
                Cell::Took(sum.mean_us),
            ])
        }));
    let chart = Section::Chart(
        Box::new(Chart::of(&steps, range.step_seconds())),
        "Calls by hour".into(),
        Some(("/admin/traffic?range=day".into(), "All traffic".into())),
    );
    let mut latest = timeline::list(&log.rows, &visit);
    latest.title = "Latest changes".into();
    sheet(&visit, "Overview")
        .await?
        .intro("The last 24 hours, on every gateway.")
        .maybe(fleet.notice.clone())
        .maybe(failing)
        .maybe(asking)
        .maybe(unfinished)
        .part(Section::Tiles(tiles))
        .part(chart)
        .part(busiest)
        .part(fleet.list(&asked, visit.now))
        .part(latest)
        .answer(&visit, &asked)
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}
