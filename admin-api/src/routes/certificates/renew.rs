//! `POST /v1/certificates/{certificate}/renew`

use tollgate_domain::CertificateId;

use super::{Certificate, find, shown};
use crate::auth::Writer;
use crate::path::Named;
use crate::problem::Answer;

/// Order a certificate again
///
/// Asks its authority now, whether it is due or not; for instance after the reason of a failure is mended. The answer
/// does not wait for the authority: `order` tells how it goes. 409 where somebody brought the certificate.
#[utoipa::path(
    post, path = "/v1/certificates/{certificate}/renew", tag = "Certificates", operation_id = "renewCertificate",
    params(("certificate" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The certificate, due now.", body = Certificate))
)]
pub async fn renew_certificate(writer: Writer, name: Named<CertificateId>) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    Ok(shown(writer.control.renew_certificate(&writer.actor, id).await?))
}
