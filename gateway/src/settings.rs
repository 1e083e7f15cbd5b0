//! What a gateway must be told before it starts.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tollgate_boot::TrustedProxies;
use tollgate_engine::Peppers;

use crate::origins::Origins;
use crate::request_log::{AccessLogTarget, LoggedAddress, RequestLogMode};
use crate::tls::TlsSettings;

/// Settings of one gateway process. `Settings::new` fills in everything that has a sensible default.
#[derive(Clone)]
pub struct Settings {
    /// How this gateway calls itself in heartbeats.
    pub name: String,
    /// Where callers connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where callers connect who speak TLS; nowhere without it.
    pub tls: Option<TlsSettings>,
    /// PEM file of who may have signed upstreams' certificates, instead of those that the system trusts.
    pub upstream_roots: Option<PathBuf>,
    /// Whether HTTP/2 is spoken without TLS to callers who begin with its preface.
    pub h2c: bool,
    /// Where health, readiness and metrics are served; port 0 takes a free one.
    pub operator_listen: SocketAddr,
    /// A folder of its own: the usage journal and the last good configuration. Locked while in use.
    pub data_dir: PathBuf,
    /// What problem types hang below, without a final slash, like `https://portal.example/problems`.
    pub problem_base_url: String,
    /// The secrets that key digests were made with.
    pub peppers: Peppers,
    /// Proxies whose `X-Forwarded-*` fields say who calls.
    pub trusted_proxies: TrustedProxies,
    /// Worker threads of the proxy.
    pub threads: usize,
    /// Connections open at once. When one more comes, those that have awaited a request longest are closed; while all
    /// of them serve calls it waits in the kernel's queue.
    pub connections_max: usize,
    /// Connections of one IPv4 address or IPv6 /64, but for trusted proxies; further ones are closed at once. 0: any
    /// number.
    pub connections_per_address: usize,
    /// How long a request head may take from its first byte to its last, and a new connection to send one.
    pub head_timeout: Duration,
    /// How long a connection may stay idle between two requests.
    pub idle_timeout: Duration,
    /// Requests that one connection may carry; it closes behind the last one.
    pub requests_per_connection: u32,
    /// How long a caller may take nothing of its answer.
    pub write_timeout: Duration,
    /// How long a stream of events (`text/event-stream`) may be silent, where its service allows less for answers.
    pub stream_idle_timeout: Duration,
    /// How long nothing may pass through a WebSocket.
    pub tunnel_idle_timeout: Duration,
    /// How often the names of upstreams are looked up again.
    pub look_up_every: Duration,
    /// Calls that may wait for an answer of one target at once; further ones are refused.
    pub upstream_waiting_max: u32,
    /// The least bytes a second that a request body must come with, over what `body_patience` allows for.
    pub body_rate_min: u64,
    /// How long in all a request body may be waited for beyond what `body_rate_min` grants; what comes faster wins some
    /// of it back.
    pub body_patience: Duration,
    /// How long a call goes on for a caller that has closed its sending side; it may still be reading.
    pub half_close_timeout: Duration,
    /// The largest request body in bytes; not of gRPC, whose messages are measured one by one.
    pub body_bytes_max: u64,
    /// The largest message of gRPC in bytes, as callers send them.
    pub grpc_message_bytes_max: u64,
    /// Sites whose pages may call.
    pub origins: Origins,
    /// At shutdown: how long new connections are still accepted while readiness already says no.
    pub drain_delay: Duration,
    /// At shutdown: how long calls in flight may take to finish.
    pub drain: Duration,
    /// After another process took over: how long idle connections may send one more request before they are closed.
    pub handover_idle: Duration,
    /// How often usage is carried to Postgres.
    pub flush_every: Duration,
    /// How often the revision number is asked for, as a net under the notifications; ±20 % at random.
    pub poll_every: Duration,
    /// How often the usage of other gateways is asked for.
    pub quota_every: Duration,
    /// How often this gateway reports itself.
    pub heartbeat_every: Duration,
    /// How long any question to Postgres may take.
    pub query_timeout: Duration,
    /// How long changes are gathered before they are loaded.
    pub debounce: Duration,
    /// How much disk the usage journal may take; beyond it calls are served but not counted.
    pub journal_bytes_max: u64,
    /// Take over from the process that runs on the data directory, where one does.
    pub take_over: bool,
    /// Open files that a process that takes over gets with the sockets, by name: locks that must never be free.
    pub hand_on: Vec<(String, Arc<OwnedFd>)>,
    /// Which calls are kept one by one.
    pub request_log: RequestLogMode,
    /// How many a second of each kind: answered calls, refusals of consumers, refusals of strangers.
    pub request_log_per_second: u32,
    /// How much of callers' addresses is kept in both logs.
    pub request_log_addresses: LoggedAddress,
    /// Where each call is written as a line of JSON.
    pub access_log: Option<AccessLogTarget>,
    /// Gives what the calling thread has freed back to the operating system; each worker does every few seconds.
    pub give_back: fn(),
}

/// Descriptors for what is neither a call nor its upstream: files, Postgres, the other faces of one process.
const DESCRIPTORS_BESIDE: u64 = 200;

impl Settings {
    /// What problem codes are appended to.
    pub(crate) fn type_base(&self) -> String {
        format!("{}/", self.problem_base_url.trim_end_matches('/'))
    }

    /// Lowers `connections_max` to what so many open descriptors allow, at two for each call; whether it had to.
    pub fn fit_into(&mut self, descriptors: u64) -> bool {
        let fits = usize::try_from(descriptors.saturating_sub(DESCRIPTORS_BESIDE) / 2).unwrap_or(usize::MAX);
        let too_many = self.connections_max > fits;
        self.connections_max = self.connections_max.min(fits).max(1);
        too_many
    }

    /// Settings for a gateway on loopback with free ports.
    #[must_use]
    pub fn new(data_dir: PathBuf, problem_base_url: String, peppers: Peppers) -> Self {
        Self {
            name: "gateway".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            upstream_roots: None,
            h2c: false,
            operator_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir,
            problem_base_url,
            peppers,
            trusted_proxies: TrustedProxies::default(),
            threads: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            connections_max: 10_000,
            connections_per_address: 1_000,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            requests_per_connection: 1_000,
            write_timeout: Duration::from_secs(60),
            stream_idle_timeout: Duration::from_secs(300),
            tunnel_idle_timeout: Duration::from_secs(300),
            look_up_every: Duration::from_secs(30),
            upstream_waiting_max: 1_000,
            body_rate_min: 1_000,
            body_patience: Duration::from_secs(10),
            half_close_timeout: Duration::from_secs(5),
            body_bytes_max: 10 << 20,
            grpc_message_bytes_max: 4 << 20,
            origins: Origins::default(),
            drain_delay: Duration::from_millis(500),
            drain: Duration::from_secs(30),
            handover_idle: Duration::from_secs(10),
            flush_every: Duration::from_secs(1),
            poll_every: Duration::from_secs(2),
            quota_every: Duration::from_secs(2),
            heartbeat_every: Duration::from_secs(5),
            query_timeout: Duration::from_secs(5),
            debounce: Duration::from_millis(20),
            journal_bytes_max: 256 << 20,
            take_over: false,
            hand_on: Vec::new(),
            request_log: RequestLogMode::default(),
            request_log_per_second: 100,
            request_log_addresses: LoggedAddress::default(),
            access_log: None,
            give_back: || {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_are_promised_than_there_are_descriptors_for() {
        let peppers = Peppers::new(vec![(1, *b"a pepper of exactly 32 bytes.!?.")]).unwrap();
        let settings = Settings::new(PathBuf::new(), String::new(), peppers);
        for (descriptors, fits, lowered) in [
            (1_048_576, 10_000, false),
            (20_200, 10_000, false),
            (20_199, 9_999, true),
            (1_024, 412, true),
            (100, 1, true),
        ] {
            let mut settings = settings.clone();
            assert_eq!((settings.fit_into(descriptors), settings.connections_max), (lowered, fits));
        }
    }
}
