//! `GET /v1/certificates/{certificate}`

use tollgate_domain::CertificateId;

use super::{Certificate, find, shown};
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get a certificate
#[utoipa::path(
    get, path = "/v1/certificates/{certificate}", tag = "Certificates", operation_id = "getCertificate",
    params(("certificate" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The certificate.", body = Certificate))
)]
pub async fn get_certificate(reader: Reader, name: Named<CertificateId>) -> Answer {
    Ok(shown(find(reader.control.store(), name).await?))
}
