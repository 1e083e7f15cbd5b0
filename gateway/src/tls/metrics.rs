//! What the operator is told of TLS.

use std::fmt;
use std::sync::Arc;

use chrono::Utc;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::Certificates;
use crate::metrics::gauge;

/// Handshakes by how they ended.
#[derive(Debug, Default)]
pub(crate) struct TlsMetrics {
    handshakes: Family<[(&'static str, &'static str); 1], Counter>,
}

impl TlsMetrics {
    /// Counts one handshake.
    pub(crate) fn ended(&self, result: &'static str) {
        self.handshakes.get_or_create(&[("result", result)]).inc();
    }

    /// Hangs it into the operator's registry.
    pub(crate) fn register(&self, certificates: &Arc<Certificates>, registry: &mut Registry) {
        registry.register(
            "tollgate_tls_handshakes",
            "TLS handshakes by how they ended",
            self.handshakes.clone(),
        );
        registry.register_collector(Box::new(Expiry(Arc::clone(certificates))));
    }
}

/// What is read of the certificates when somebody asks.
#[derive(Debug)]
struct Expiry(Arc<Certificates>);

impl Collector for Expiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = Utc::now().timestamp();
        let known = self.0.known();
        gauge(
            &mut encoder,
            "tollgate_certificates_refused",
            "Certificates that are stored or lie in a file and cannot be presented",
            (known.refused_stored + known.refused_files) as f64,
        )?;
        if let Some(next) = known.clients.as_ref().and_then(|clients| clients.next_update()) {
            gauge(
                &mut encoder,
                "tollgate_tls_revocation_list_expiry_seconds",
                "Time until the first list of revoked client certificates should be followed by its next; below zero it is late",
                (next - now) as f64,
            )?;
        }
        let mut ends = encoder.encode_descriptor(
            "tollgate_certificate_expiry",
            "Time until a certificate ends; below zero it has ended",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for loaded in known.all() {
            let labels = [("name", loaded.name.as_str()), ("source", loaded.source)];
            ends.encode_family(&labels)?.encode_gauge(&(loaded.not_after - now))?;
        }
        Ok(())
    }
}
