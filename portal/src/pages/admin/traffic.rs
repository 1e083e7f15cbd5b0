//! The traffic explorer: calls narrowed by API, application, status and path, summed by one of them, over time.

use axum::extract::State;
use tollgate_domain::ApplicationId;
use tollgate_store::browse::{ApiFilter, Cut, SumBy, TrafficFilter, TrafficSum};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::chart::{Chart, Step};
use crate::error::{Answer, Fault};
use crate::pages::usage::range::Range;
use crate::parts::asked::EXPORT_ROWS;
use crate::parts::sheet::{Tab, Tile};
use crate::parts::{Asked, Cell, List, Section};
use crate::session::Visit;
use crate::show::{self, Label, Moment};

/// What can be summed by: as the address says it, and as people read it.
const SUMS: [(SumBy, &str, &str); 4] = [
    (SumBy::Operation, "operation", "By operation"),
    (SumBy::Api, "api", "By API"),
    (SumBy::Application, "application", "By application"),
    (SumBy::Status, "status", "By status"),
];
/// APIs to choose from; others are reached from their own pages.
const APIS_OFFERED: i64 = 200;
const CLASSES: [(&str, &str); 4] = [("2", "2xx"), ("3", "3xx"), ("4", "4xx"), ("5", "5xx")];

/// `GET /admin/traffic`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let range = Range::named(Some(asked.get("range")));
    let by =
        SUMS.iter().find(|(_, name, _)| *name == asked.get("by")).map_or(SumBy::Operation, |(by, ..)| *by);
    let since = range.since(visit.now);
    let application: Option<ApplicationId> = asked.read("application");
    let api = match asked.get("api") {
        "" => None,
        slug => Some(state.store.find_api_by_slug(slug).await?.ok_or_else(Fault::not_found)?.id),
    };
    let path = Some(asked.get("path")).filter(|path| !path.is_empty());
    let filter = TrafficFilter { since, api, application, status_class: asked.read("status"), path };
    let sums = state.store.sum_traffic(desk.scope, filter, by, EXPORT_ROWS).await?;
    let step = range.step_seconds();
    let series = state.store.traffic_series(desk.scope, filter, step).await?;
    let steps = filled(&series, since, visit.now, step);
    let tiles = tiles(&steps, &sums);
    let cut = Cut { sort: "name", ..Cut::first(APIS_OFFERED) };
    let apis = state.store.browse_apis(ApiFilter::default(), &cut).await?.rows;
    let named = match application {
        Some(id) => Some(state.store.get_application(desk.scope, id).await?.name),
        None => None,
    };
    let list = head(by)
        .filtered(&asked, "api", "API", "Any API", apis.into_iter().map(|api| (api.slug, api.name)))
        .filtered(&asked, "status", "Status", "Any status", CLASSES)
        .keeping(&asked, "range")
        .keeping(&asked, "by")
        .keeping(&asked, "application")
        .keeping(&asked, "path")
        .narrowed(&asked, "application")
        .narrowed(&asked, "path")
        .or_empty(
            "activity",
            "No calls in this range",
            "Calls show here a second or two after the gateway answered them.",
        );
    let mut list = list.rows(sums.iter().map(|sum| row(by, sum, &asked))).whole(&asked, "what is listed");
    let notes = [named.map(|name| format!("of {name}")), path.map(|path| format!("to {path}"))];
    list.note = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let ranges = Range::ALL.map(|one| Tab {
        href: asked.with(&[("range", one.name())]),
        text: one.text().to_owned(),
        current: one == range,
    });
    let sums = SUMS.map(|(one, name, text)| Tab {
        href: asked.with(&[("by", name)]),
        text: text.to_owned(),
        current: one == by,
    });
    let counted = state.store.counted_up_to().await?.map(|at| Moment::clock(at).text);
    let upto = counted.map(|at| format!(" up to {at}")).unwrap_or_default();
    let chart = Chart::of(&steps, step);
    sheet(&visit, "Traffic")
        .await?
        .intro(format!("Calls of known consumers, as the gateways counted them{upto}."))
        .part(Section::Choices("Range", ranges.into()))
        .part(Section::Tiles(tiles))
        .part(Section::Chart(Box::new(chart), format!("Calls by {}", range.step()), None))
        .part(Section::Choices("Summed by", sums.into()))
        .part(list)
        .answer(&visit, &asked)
}

fn head(by: SumBy) -> List {
    let list = List::new("traffic", "Calls");
    let list = match by {
        SumBy::Operation => list.column("Operation").column("API"),
        SumBy::Api => list.column("API").column("Base path"),
        SumBy::Application => list.column("Application").column("Organization"),
        SumBy::Status => list.column("Status").column("Outcome"),
    };
    list.numbers("Calls").numbers("4xx").numbers("5xx").numbers("Average")
}

fn row(by: SumBy, sum: &TrafficSum, asked: &Asked) -> Vec<Cell> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (key, name, second) = (text(&sum.key), text(&sum.name), text(&sum.second));
    let api_href = |slug: &str| format!("/admin/apis/{slug}");
    let [first, other] = match by {
        SumBy::Operation if sum.name.is_none() => {
            [Cell::Nothing("an operation that is gone"), Cell::Nothing("–")]
        }
        SumBy::Operation => [
            Cell::Route { method: key, path: name, href: String::new() },
            Cell::Way { href: api_href(&second), text: second },
        ],
        SumBy::Api if sum.key.is_none() => [Cell::Nothing("an API that is gone"), Cell::Nothing("–")],
        SumBy::Api => [
            Cell::Link { href: asked.with(&[("api", &key), ("by", "operation")]), text: name, second: key },
            Cell::Code(if second.is_empty() { "/".into() } else { second }),
        ],
        SumBy::Application => match sum.id() {
            Some(id) => {
                let id = ApplicationId::from(id).to_string();
                let href = asked.with(&[("application", &id), ("by", "operation")]);
                [Cell::Link { href, text: name, second: String::new() }, Cell::Text(second)]
            }
            None => [Cell::Nothing("unknown"), Cell::Nothing("–")],
        },
        SumBy::Status => {
            let status = key.parse().unwrap_or_default();
            let outcome = name.parse().map_or("Unknown", |code| show::outcome(code, status));
            [Cell::Label(Label::status(key.parse().unwrap_or_default())), Cell::Text(outcome.to_owned())]
        }
    };
    vec![
        first,
        other,
        Cell::number(sum.calls),
        Cell::number(sum.client),
        Cell::number(sum.server),
        Cell::Took(sum.mean_us),
    ]
}

/// Every step of the range, those without calls too.
fn filled(
    series: &[tollgate_store::UsageBucketRow],
    since: chrono::DateTime<chrono::Utc>,
    now: chrono::DateTime<chrono::Utc>,
    step_seconds: i32,
) -> Vec<Step> {
    let step = i64::from(step_seconds);
    let first = since.timestamp() - since.timestamp().rem_euclid(step);
    let count = (now.timestamp() - first) / step + 1;
    (0..count)
        .filter_map(|n| chrono::DateTime::from_timestamp(first + n * step, 0))
        .map(|at| match series.iter().find(|one| one.at == at) {
            Some(one) => Step { at, calls: one.calls, errors: one.errors },
            None => Step { at, calls: 0, errors: 0 },
        })
        .collect()
}

fn tiles(steps: &[Step], sums: &[TrafficSum]) -> Vec<Tile> {
    let calls: i64 = steps.iter().map(|step| step.calls).sum();
    let errors: i64 = steps.iter().map(|step| step.errors).sum();
    let micros: i64 = sums.iter().map(|sum| sum.calls * sum.mean_us).sum();
    let summed: i64 = sums.iter().map(|sum| sum.calls).sum();
    let tile = |name: &str, value: String, note: String| Tile { name: name.into(), value, note, href: None };
    vec![
        tile("Calls", show::number(calls), "in this range".into()),
        tile("Refused or failed", show::number(errors), format!("{} of calls", show::share(errors, calls))),
        tile(
            "Average time",
            if summed == 0 { "–".into() } else { show::duration(micros / summed) },
            "of a whole call".into(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_range_is_there_with_and_without_calls() {
        let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
        let (since, now) = (at("2026-11-21T13:00:00Z"), at("2026-11-21T13:03:20Z"));
        let series = [tollgate_store::UsageBucketRow { at: at("2026-11-21T13:02:00Z"), calls: 7, errors: 1 }];
        let calls: Vec<i64> = filled(&series, since, now, 60).iter().map(|step| step.calls).collect();
        assert_eq!(calls, [0, 0, 7, 0]);
    }
}
