//! `GET /v1/audit/head`

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::problem::Answer;

/// Where the audit log ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditHead {
    /// Place and seal of the last entry, for `tollgate audit verify --head`; `null` while there is none.
    #[schema(required, pattern = "^[0-9]+:[0-9a-f]{64}$")]
    head: Option<String>,
}

/// Get the end of the audit log
///
/// Kept elsewhere, it shows later whether the end of the log was cut off. For tokens of the roles admin and auditor.
#[utoipa::path(
    get, path = "/v1/audit/head", tag = "Audit", operation_id = "getAuditHead",
    responses((status = 200, description = "The end.", body = AuditHead))
)]
pub async fn get_audit_head(reader: Reader) -> Answer {
    let head = reader.control.audit_head(&reader.actor).await?;
    Ok(answer::ok(AuditHead { head: head.map(|head| head.to_string()) }))
}
