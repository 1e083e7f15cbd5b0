//! The flags of the data plane.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tollgate_gateway::tls::ClientCertificates;
use tollgate_gateway::{AccessLogTarget, LoggedAddress, Origins, RequestLogMode};

use crate::pace::PaceFlags;

/// The data plane.
#[derive(Debug, Clone, Args)]
pub struct GatewayFlags {
    /// Address where consumers call.
    #[arg(long, env = "TOLLGATE_GATEWAY_LISTEN", default_value = "127.0.0.1:8080")]
    pub gateway_listen: SocketAddr,
    /// Sites whose pages may call, by commas, like https://app.example,https://*.example or *; browsers are told so, and
    /// WebSockets of other pages are refused.
    #[arg(
        long,
        env = "TOLLGATE_BROWSER_ORIGINS",
        default_value = "",
        hide_default_value = true,
        value_name = "ORIGINS"
    )]
    pub browser_origins: Origins,
    /// Address where consumers call over TLS, beside the plain one; without it TLS is not spoken.
    #[arg(long, env = "TOLLGATE_GATEWAY_TLS_LISTEN", value_name = "ADDRESS")]
    pub gateway_tls_listen: Option<SocketAddr>,
    /// Directory of certificates: name.crt with name.key, followed while the gateway runs.
    #[arg(long, env = "TOLLGATE_TLS_CERT_DIR", value_name = "DIR")]
    pub tls_cert_dir: Option<PathBuf>,
    /// PEM file of who may have signed upstreams' certificates, instead of those that the system trusts.
    #[arg(long, env = "TOLLGATE_UPSTREAM_CA_FILE", value_name = "FILE")]
    pub upstream_ca_file: Option<PathBuf>,
    /// Whether callers show certificates of their own.
    #[arg(
        long,
        env = "TOLLGATE_TLS_CLIENT_CERTIFICATES",
        default_value = "off",
        value_name = "off|optional|required"
    )]
    pub tls_client_certificates: ClientCertificates,
    /// PEM file of those who may have signed callers' certificates.
    #[arg(long, env = "TOLLGATE_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// PEM file of their lists of revoked certificates (CRLs), followed while the gateway runs.
    #[arg(long, env = "TOLLGATE_TLS_CLIENT_CRL", value_name = "FILE")]
    pub tls_client_crl: Option<PathBuf>,
    /// Speak HTTP/2 without TLS too, to callers who begin with it.
    #[arg(long, env = "TOLLGATE_GATEWAY_H2C")]
    pub gateway_h2c: bool,
    /// Address of health and metrics, for operators only.
    #[arg(long, env = "TOLLGATE_OPERATOR_LISTEN", default_value = "127.0.0.1:9090")]
    pub operator_listen: SocketAddr,
    /// How this gateway is called in the admin UI; by default the host's name.
    #[arg(long, env = "TOLLGATE_GATEWAY_NAME")]
    pub gateway_name: Option<String>,
    /// Where browsers reach the portal; refusals link to its explanations.
    #[arg(long, env = "TOLLGATE_PORTAL_URL")]
    pub portal_url: Option<String>,
    /// Worker threads of the gateway; by default one per core.
    #[arg(long, env = "TOLLGATE_GATEWAY_THREADS")]
    pub gateway_threads: Option<usize>,
    /// Connections that the gateway holds at once; at two descriptors each, so mind `ulimit -n`.
    #[arg(long, env = "TOLLGATE_CONNECTIONS_MAX", default_value_t = 10_000)]
    pub connections_max: u32,
    /// Connections of one IPv4 address or IPv6 /64 but for trusted proxies; 0 for any number.
    #[arg(long, env = "TOLLGATE_CONNECTIONS_PER_ADDRESS", default_value_t = 1_000)]
    pub connections_per_address: u32,
    /// Every how many seconds the names of upstreams are looked up again.
    #[arg(long, env = "TOLLGATE_UPSTREAM_LOOK_UP_SECONDS", default_value_t = 30)]
    pub upstream_look_up_seconds: u64,
    #[command(flatten)]
    pub pace: PaceFlags,
    /// Seconds to go on taking calls after readiness is off, so that balancers notice.
    #[arg(long, env = "TOLLGATE_DRAIN_SECONDS", default_value_t = 0)]
    pub drain_seconds: u64,
    /// Which calls are kept a month, one by one, to explain them by their request id.
    #[arg(long, env = "TOLLGATE_REQUEST_LOG", default_value = "all", value_name = "all|errors|off")]
    pub request_log: RequestLogMode,
    /// How many of them a second, each of: answered calls, refusals of consumers, refusals of strangers.
    #[arg(long, env = "TOLLGATE_REQUEST_LOG_PER_SECOND", default_value_t = 100)]
    pub request_log_per_second: u32,
    /// How much of callers' addresses both logs keep: the network (/24, /48), or all.
    #[arg(
        long,
        env = "TOLLGATE_REQUEST_LOG_ADDRESSES",
        default_value = "network",
        value_name = "network|whole"
    )]
    pub request_log_addresses: LoggedAddress,
    /// Where every call is written as a line of JSON: `stdout` or a file; by default nowhere.
    #[arg(long, env = "TOLLGATE_ACCESS_LOG", value_name = "stdout|PATH")]
    pub access_log: Option<AccessLogTarget>,
}

/// The data plane as a process of its own.
#[derive(Debug, Clone, Args)]
pub struct GatewayRole {
    #[command(flatten)]
    pub gateway: GatewayFlags,
    /// Take over, sockets and all, from the gateway that runs on the data directory; start plainly where none does.
    #[arg(long)]
    pub upgrade: bool,
}
