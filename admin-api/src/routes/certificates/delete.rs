//! `DELETE /v1/certificates/{certificate}`

use tollgate_domain::CertificateId;

use super::find;
use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;

/// Delete a certificate
///
/// Callers who ask for its names get the default certificate from then on, or none.
#[utoipa::path(
    delete, path = "/v1/certificates/{certificate}", tag = "Certificates", operation_id = "deleteCertificate",
    params(("certificate" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_certificate(
    writer: Writer,
    name: Named<CertificateId>,
    IfMatch(expected): IfMatch,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.delete_certificate(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
