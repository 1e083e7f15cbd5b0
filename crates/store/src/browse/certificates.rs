//! Certificates, as lists show them.

use tollgate_domain::CertificateSource;

use super::{Conditions, Cut, Found, Shape, Type};
use crate::{CertificateRow, Result, Store};

/// How a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateHealth {
    /// Issued, and good for longer than two weeks.
    Valid,
    /// Ends within two weeks.
    EndsSoon,
    /// Has ended.
    Expired,
    /// Its authority did not issue it when asked last.
    Failing,
    /// Was never issued so far.
    Pending,
}

/// Which certificates.
#[derive(Debug, Clone, Copy, Default)]
pub struct CertificateFilter<'f> {
    /// Words of its slug and its hosts.
    pub words: &'f str,
    /// How it is.
    pub health: Option<CertificateHealth>,
    /// Where it comes from.
    pub source: Option<CertificateSource>,
}

const CERTIFICATES: Shape = Shape {
    columns: "t.id, t.slug, t.source, t.names, t.chain, t.fingerprint, t.issuer, t.valid_from, t.valid_until,
        t.is_default, t.version, t.created_at, o.challenge, o.due_at, o.attempts, o.error, o.error_at",
    from: "certificates t left join certificate_orders o on o.certificate_id = t.id",
    id: ("t.id", Type::Uuid),
    orders: &[
        ("slug", "t.slug"),
        // As a text that sorts like the instant; what was never issued comes first.
        ("ends", "coalesce(lpad((extract(epoch from t.valid_until)::bigint)::text, 12, '0'), '')"),
    ],
};

impl Store {
    /// Certificates. Orders: `slug`, `ends`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_certificates(
        &self,
        filter: CertificateFilter<'_>,
        cut: &Cut,
    ) -> Result<Found<CertificateRow>> {
        self.browse(&CERTIFICATES, cut, |and: &mut Conditions| {
            and.words("certificates w where true", "w.slug || ' ' || joined_names(w.names)", filter.words)
                .and("t.source = ", filter.source.map(CertificateSource::as_str));
            if let Some(health) = filter.health {
                and.push(match health {
                    CertificateHealth::Valid => {
                        " and t.valid_until > now() + interval '14 days' and o.error is null"
                    }
                    CertificateHealth::EndsSoon => {
                        " and t.valid_until > now() and t.valid_until <= now() + interval '14 days'"
                    }
                    CertificateHealth::Expired => " and t.valid_until <= now()",
                    CertificateHealth::Failing => " and o.error is not null",
                    CertificateHealth::Pending => " and t.chain is null and o.error is null",
                });
            }
        })
        .await
    }
}
