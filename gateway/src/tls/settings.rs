//! What a TLS listener must be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Settings of the TLS listener.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Where callers connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A directory of pairs `name.crt` and `name.key`, followed while the gateway runs.
    pub certificates: Option<PathBuf>,
    /// Whether callers show certificates of their own.
    pub client_certificates: ClientCertificates,
    /// Who may have signed callers' certificates, in PEM; needed unless they are off.
    pub client_authorities: Option<PathBuf>,
    /// Their lists of revoked certificates, in PEM, followed while the gateway runs.
    pub client_revocations: Option<PathBuf>,
}

impl TlsSettings {
    /// A listener whose certificates come from the control plane only.
    #[must_use]
    pub const fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            certificates: None,
            client_certificates: ClientCertificates::Off,
            client_authorities: None,
            client_revocations: None,
        }
    }
}

/// Whether callers show certificates of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked for any.
    #[default]
    Off,
    /// They are asked; one that is shown must be good.
    Optional,
    /// Without a good one there is no connection.
    Required,
}

impl FromStr for ClientCertificates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            other => Err(format!("{other:?} is none of off, optional, required")),
        }
    }
}
