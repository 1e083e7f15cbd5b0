//! `GET /v1/audit`

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_control::Action;
use tollgate_store::AuditFilter;

use super::{AuditEntry, untyped};
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams, take_limit};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List audit entries
///
/// The latest first. Every write of this API, of the portal and of the commands leaves one. For tokens of the roles admin
/// and auditor.
#[utoipa::path(
    get, path = "/v1/audit", tag = "Audit", operation_id = "listAuditEntries",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only changes of this organization's things."),
        ("subject_id" = Option<String>, Query, description = "Only changes of the thing with this id."),
        ("actor_id" = Option<String>, Query, description = "Only changes by the user or token with this id."),
        ("action" = Option<String>, Query, description = "Only this action, like `plan.update`; with a dot at the end all that begin so, like `plan.`.", pattern = "^[a-z_.]{1,64}$"),
        ("request_id" = Option<String>, Query, description = "Only what this request did.", max_length = 128),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only from this instant on (RFC 3339)."),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only before this instant (RFC 3339)."),
        PageParams
    ),
    responses((status = 200, description = "A page of entries.", body = Listing<AuditEntry>))
)]
pub async fn list_audit(reader: Reader, mut params: Params) -> Answer {
    reader.actor.authorize(Action::ReadAudit)?;
    let scope = reader.narrowed(params.organization()?)?;
    let word = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
        ((1..=64).contains(&text.len()) && plain).then(|| text.to_owned())
    };
    let filter = AuditFilter {
        before: params.take("cursor", "a next_cursor of this list, unchanged", |text| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            i64::try_from(u128::from_be_bytes(bytes)).ok()
        })?,
        actor_id: params.take("actor_id", "an id of a user or token", untyped)?,
        action: params.take("action", "like plan.update, or plan. for all that begin so", word)?,
        subject_id: params.take("subject_id", "an id", untyped)?,
        request_id: params.take("request_id", "1 to 128 characters", |text| {
            ((1..=128).contains(&text.len()) && !text.contains('\0')).then(|| text.to_owned())
        })?,
        since: params.instant("since")?,
        until: params.instant("until")?,
    };
    let limit = take_limit(&mut params)?;
    params.finish()?;
    let mut rows = reader.control.store().find_audit(scope, &filter, limit as i64 + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more).map(|row| u128::from(row.sequence.unsigned_abs()));
    let next_cursor = last.map(|sequence| URL_SAFE_NO_PAD.encode(sequence.to_be_bytes()));
    Ok(answer::ok(Listing { data: rows.into_iter().map(AuditEntry::from).collect(), next_cursor }))
}
