//! How an API's calls are metered, checked against its operations.

use super::{CompileError, Kind, fault};
use crate::reading::Place;

/// Whether calls of an API can be metered as it says.
pub(super) fn check(api: &tollgate_domain::Api) -> Result<(), CompileError> {
    let wrong = |pointer: &str, reason: &str| fault(Kind::Api, api.id, format!("metering{pointer}"), reason);
    api.metering.check().map_err(|fault| wrong(&fault.pointer, fault.message))?;
    for (at, cost) in api.metering.costs.iter().enumerate() {
        let is_route =
            |route: &tollgate_domain::Route| route.method == cost.method && route.path == cost.path;
        if !api.routes.iter().any(is_route) {
            return Err(wrong(&format!("/costs/{at}"), "the API has no such operation"));
        }
    }
    Ok(())
}

/// Where a number stands.
pub(super) fn place(reading: &tollgate_domain::Reading) -> Place {
    match (&reading.json, &reading.header) {
        (Some(pointer), _) => Place::of_pointer(pointer),
        (None, header) => Place::Header(header.as_deref().unwrap_or_default().as_bytes().into()),
    }
}
