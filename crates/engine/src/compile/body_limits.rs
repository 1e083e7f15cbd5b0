//! How large the bodies of an API's requests may be, checked against its operations.

use super::{CompileError, Kind, fault};

/// Whether the API has the operations that it limits.
pub(super) fn check(api: &tollgate_domain::Api) -> Result<(), CompileError> {
    let wrong =
        |pointer: &str, reason: &str| fault(Kind::Api, api.id, format!("body_limits{pointer}"), reason);
    api.body_limits.check().map_err(|fault| wrong(&fault.pointer, fault.message))?;
    let is_there = |one: &tollgate_domain::OperationBody| {
        api.routes.iter().any(|route| route.method == one.method && route.path == one.path)
    };
    match api.body_limits.operations.iter().position(|one| !is_there(one)) {
        Some(at) => Err(wrong(&format!("/operations/{at}"), "the API has no such operation")),
        None => Ok(()),
    }
}
