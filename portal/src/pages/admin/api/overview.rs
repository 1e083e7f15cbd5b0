//! An API at a glance: where it is, who offers it, how it goes.

use axum::extract::{Path, State};
use chrono::TimeDelta;
use tollgate_domain::ApiState;
use tollgate_store::{ApiRow, Page};

use super::{find, frame, shown_base};
use crate::error::Answer;
use crate::pages::admin::TRAFFIC_ROWS;
use crate::pages::admin::desk::Desk;
use crate::pages::usage::range::Range;
use crate::parts::sheet::{Tile, fact};
use crate::parts::{Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::{PortalState, reference, show};

/// `GET /admin/apis/{slug}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let store = &state.store;
    let service = store.get_service(row.service_id).await?;
    let products = store.list_products(Page::FIRST_500).await?;
    let products: Vec<_> = products.into_iter().filter(|product| product.apis().contains(&row.id)).collect();
    let document = state.documents.of(store, &row).await?;
    let base = format!("{}/{slug}", super::LIST);

    let notice = match row.state {
        ApiState::Draft => Some(
            Notice::new(
                "info",
                "This API is a draft",
                "The gateway answers its calls with 404 until it is published.",
            )
            .with(format!("{base}/life"), "Its life"),
        ),
        ApiState::Retired => Some(
            Notice::new("warn", "This API is retired", "The gateway answers its calls with 410.")
                .with(format!("{base}/life"), "Its life"),
        ),
        ApiState::Deprecated => Some(
            Notice::new("warn", ending_title(&row), "Every answer of it says so, and so do its pages.")
                .with(format!("{base}/life"), "Its life"),
        ),
        ApiState::Published if products.is_empty() => Some(
            Notice::new(
                "warn",
                "Nobody can call this API",
                "No product offers it, so no key opens it. Put it into a product.",
            )
            .with("/admin/products", "Products"),
        ),
        ApiState::Published => None,
    };
    let offered = List::new("products", "Products that offer it")
        .column("Product")
        .column("State")
        .or_empty(
            "package",
            "No product offers it",
            "Developers subscribe to products; a key opens the APIs in them.",
        )
        .or_do(desk.may_write, "/admin/new/product", "Create product")
        .rows(products.into_iter().map(|product| {
            vec![
                Cell::Link {
                    href: format!("/admin/products/{}", product.slug),
                    text: product.name,
                    second: product.slug.to_string(),
                },
                Cell::Label(product.state.into()),
            ]
        }))
        .whole(&asked, "product");
    let callers = store.list_operation_callers(row.id, visit.now - TimeDelta::days(30), 20).await?;
    let callers = List::new("callers", "Busiest callers, 30 days")
        .column("Application")
        .column("Operation")
        .numbers("Calls")
        .or_empty(
            "app-window",
            "Nobody called it in 30 days",
            "Calls show here a second or two after the gateway answered them.",
        )
        .rows(callers.into_iter().map(|caller| {
            vec![
                Cell::Link {
                    href: format!("/admin/applications/{}", caller.application_id),
                    text: caller.application,
                    second: caller.organization,
                },
                Cell::Route { method: caller.method, path: caller.path, href: String::new() },
                Cell::number(caller.calls),
            ]
        }))
        .whole(&asked, "application or operation");
    let document = match document {
        Some(document) => Cell::Way {
            href: format!("{base}/document"),
            text: format!("{} {}, number {}", document.title(), document.version(), row.document_number),
        },
        None => Cell::Nothing("none yet"),
    };
    let facts = vec![
        fact("Address", Cell::Code(reference::base_url(&state.settings.gateway_url, &row))),
        fact("Base path", Cell::Code(shown_base(&row))),
        fact("Hosts", Cell::text_or(row.hosts.join(", "), "any")),
        fact("Service", Cell::Way { href: format!("/admin/services/{}", service.slug), text: service.name }),
        fact("Document", document),
        fact("Slug", Cell::Code(slug.clone())),
    ];
    let tiles = tiles(&state, &desk, &visit, &slug).await?;
    let sheet = frame(&visit, &desk, &row).await?;
    let sheet = if row.summary.is_empty() { sheet } else { sheet.intro(row.summary.clone()) };
    sheet
        .maybe(notice)
        .part(Section::Tiles(tiles))
        .part(Section::Facts("Where it is".into(), facts))
        .part(offered)
        .part(callers)
        .answer(&visit, &asked)
}

fn ending_title(row: &ApiRow) -> String {
    match row.sunset_at {
        Some(at) => format!("This API is deprecated and ends on {}", at.format("%-d %B %Y, %H:%M UTC")),
        None => "This API is deprecated".to_owned(),
    }
}

/// The last 24 hours as numbers that lead to the traffic behind them.
async fn tiles(
    state: &PortalState,
    desk: &Desk,
    visit: &Visit,
    slug: &str,
) -> Result<Vec<Tile>, crate::error::Fault> {
    let traffic = state.store.traffic(desk.scope, None, Range::Day.since(visit.now), TRAFFIC_ROWS).await?;
    let own: Vec<_> = traffic.iter().filter(|one| one.api.as_deref() == Some(slug)).collect();
    let sum = |wanted: &dyn Fn(i16) -> bool| -> i64 {
        own.iter().filter(|one| wanted(one.status)).map(|one| one.calls).sum()
    };
    let calls = sum(&|_| true);
    let micros: i64 = own.iter().map(|one| one.calls * one.mean_us).sum();
    let (client, server) = (sum(&|status| (400..500).contains(&status)), sum(&|status| status >= 500));
    let href = |rest: &str| Some(format!("/admin/traffic?range=day&api={slug}{rest}"));
    let tile = |name: &str, value: String, note: String, href| Tile { name: name.into(), value, note, href };
    Ok(vec![
        tile("Calls, 24 h", show::number(calls), "of known consumers".into(), href("")),
        tile(
            "Refused or 4xx",
            show::number(client),
            format!("{} of calls", show::share(client, calls)),
            href("&status=4"),
        ),
        tile(
            "5xx",
            show::number(server),
            format!("{} of calls", show::share(server, calls)),
            href("&status=5"),
        ),
        tile(
            "Average time",
            if calls == 0 { "–".into() } else { show::duration(micros / calls) },
            "of a whole call".into(),
            None,
        ),
    ])
}
