//! TLS for callers: certificates from the control plane and from files, chosen by name, changed while connections live.

pub(crate) mod challenges;
mod client;
mod clients;
mod files;
mod metrics;
mod server;
mod settings;
mod table;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
pub(crate) use challenges::Challenges;
use chrono::Utc;
pub(crate) use client::ClientCertificate;
use clients::Clients;
pub use files::FileFault;
use files::Files;
pub(crate) use metrics::TlsMetrics;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
pub use server::TlsError;
pub(crate) use server::{Server, check_roots};
pub use settings::{ClientCertificates, TlsSettings};
use table::{Loaded, Table};
use tokio_util::sync::CancellationToken;
use tollgate_domain::{Certificate, CertificateId};
use tollgate_engine::Peppers;

/// How often the directory of certificates is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often certificates are told of that end soon.
const WARN_EVERY: Duration = Duration::from_secs(12 * 3_600);
/// What counts as soon; short-lived certificates are renewed well before.
const SOON_S: i64 = 14 * 24 * 3_600;

/// Every certificate that this gateway can present.
pub(crate) struct Certificates {
    peppers: Peppers,
    table: ArcSwap<Table>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By id and version: only what changed is opened again.
    stored: HashMap<CertificateId, (i64, Loaded)>,
    files: Option<Files>,
    clients: Option<Arc<Clients>>,
    /// Stored ones that do not open or cannot be served, and files that could not be read again.
    refused_stored: usize,
    refused_files: usize,
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &Loaded> {
        let files = self.files.iter().flat_map(Files::loaded);
        self.stored.values().map(|(_, loaded)| loaded).chain(files)
    }
}

impl Certificates {
    /// None yet.
    pub(crate) fn new(peppers: Peppers) -> Self {
        Self { peppers, table: ArcSwap::default(), known: Mutex::default() }
    }

    /// Reads a directory of pairs.
    ///
    /// # Errors
    /// The file that cannot be served.
    pub(crate) fn open_files(&self, dir: PathBuf) -> Result<(), FileFault> {
        let files = Files::open(dir, Utc::now().timestamp())?;
        let mut known = self.known();
        known.files = Some(files);
        self.put_in_force(&known);
        Ok(())
    }

    /// Follows what callers' certificates are asked for, too.
    fn follow(&self, clients: Arc<Clients>) {
        self.known().clients = Some(clients);
    }

    /// Takes what the control plane has. One that does not open stands back alone; its last good version stays.
    pub(crate) fn apply(&self, certificates: &[Certificate]) {
        let mut known = self.known();
        let mut before = std::mem::take(&mut known.stored);
        known.refused_stored = 0;
        for certificate in certificates {
            let kept = before.remove(&certificate.id);
            let loaded = match kept {
                Some((version, loaded)) if version == certificate.version => Ok(loaded),
                kept => self.load(certificate).map_err(|reason| (reason, kept)),
            };
            let loaded = match loaded {
                Ok(loaded) => Some(loaded),
                Err((reason, kept)) => {
                    tracing::error!(
                        certificate = certificate.slug,
                        reason,
                        "a certificate cannot be presented"
                    );
                    known.refused_stored += 1;
                    kept.map(|(_, loaded)| loaded)
                }
            };
            if let Some(loaded) = loaded {
                known.stored.insert(certificate.id, (certificate.version, loaded));
            }
        }
        self.put_in_force(&known);
    }

    fn load(&self, certificate: &Certificate) -> Result<Loaded, String> {
        let key = self.peppers.open(&Certificate::key_place(certificate.id), &certificate.key_sealed);
        let key = key.map_err(|error| error.to_string())?;
        let key = std::str::from_utf8(&key).map_err(|_| "its key is no text")?;
        let pair = tollgate_certificates::read_stored(&certificate.chain, key)
            .map_err(|faults| faults.first().map_or_else(String::new, ToString::to_string))?;
        Loaded::new(certificate.slug.clone(), certificate.source.as_str(), certificate.is_default, pair)
            .ok_or_else(|| "its key is of a kind that cannot be served".to_owned())
    }

    /// Connections that are open keep what they have; new ones get these.
    fn put_in_force(&self, known: &Known) {
        self.table.store(Arc::new(Table::new(known.all())));
    }

    /// Follows the directory, and tells of certificates that end soon, until `stop`.
    pub(crate) async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut warn_at = tokio::time::Instant::now();
        loop {
            if warn_at <= tokio::time::Instant::now() {
                warn_at += WARN_EVERY;
                self.warn();
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
            let here = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || here.look()).await {
                tracing::error!(%error, "the directory of certificates was not read");
            }
        }
    }

    /// Looks at the directory once.
    fn look(&self) {
        let mut known = self.known();
        if let Some(clients) = &known.clients {
            clients.look();
        }
        let Some(files) = &mut known.files else { return };
        let (changed, faults) = files.refresh(Utc::now().timestamp());
        for fault in &faults {
            tracing::error!(file = %fault.path.display(), reason = fault.reason, "a certificate cannot be read again; what was read before is served on");
        }
        if changed || !faults.is_empty() {
            known.refused_files = faults.len();
        }
        if changed {
            tracing::info!("certificates were read again");
            self.put_in_force(&known);
        }
    }

    fn warn(&self) {
        let now = Utc::now().timestamp();
        for loaded in self.known().all().filter(|loaded| loaded.not_after - now < SOON_S) {
            let days = (loaded.not_after - now).div_euclid(24 * 3_600);
            tracing::warn!(
                certificate = loaded.name,
                source = loaded.source,
                days,
                "a certificate ends soon"
            );
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.table.load().find(hello.server_name(), hello.signature_schemes())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
