//! `GET /v1/certificates`

use tollgate_domain::CertificateSource;
use tollgate_store::{Column, SortBy};

use super::Certificate;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List certificates
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/certificates", tag = "Certificates", operation_id = "listCertificates",
    params(
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of slug or hosts; or with this id.", min_length = 1, max_length = 100),
        ("source" = Option<String>, Query, description = "Only from here: one of `upload`, `acme`, or both by a comma.", pattern = "^(upload|acme)(,(upload|acme))*$"),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of certificates.", body = Listing<Certificate>))
)]
pub async fn list_certificates(reader: Reader, mut params: Params) -> Answer {
    let list = ListQuery::take(&mut params, &[SortBy::Slug], true)?.by_word::<CertificateSource>(
        &mut params,
        "source",
        Column::Source,
    )?;
    params.finish()?;
    let rows = reader.control.store().find_certificates(list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: "", slug: row.slug.as_str() },
        Certificate::from,
    )))
}
