//! The Atlas API's own server: countries, continents and time zones, read only, no key needed.

mod answer;
mod countries;
mod page;
mod parameters;
mod records;
mod timezones;

use axum::Router;
use axum::http::Uri;
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use answer::Problem;

/// Paths and what answers them; the OpenAPI document lists the same ones.
fn routes() -> Vec<(&'static str, MethodRouter)> {
    vec![
        ("/v1/countries", get(countries::list)),
        ("/v1/countries/{code}", get(countries::find)),
        ("/v1/continents", get(countries::continents)),
        ("/v1/timezones", get(timezones::list)),
        ("/v1/timezones/{area}/{location}", get(timezones::find)),
        ("/v1/timezones/{area}/{region}/{location}", get(timezones::find_in_region)),
    ]
}

/// The paths that are answered, as templates.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

/// The whole API, ready to serve.
pub fn router() -> Router {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, method)| router.route(path, method));
    router.fallback(unknown_path).method_not_allowed_fallback(wrong_method)
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(format!("There is nothing at {}.", uri.path()))
}

async fn wrong_method() -> Problem {
    Problem::method_not_allowed()
}

/// Serves until `shutdown`, then lets calls that are under way end.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, router()).with_graceful_shutdown(shutdown.cancelled_owned()).await
}
