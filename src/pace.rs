//! How fast callers and upstreams must be, and how much of one is enough: flags of the gateway.

use std::time::Duration;

use clap::Args;
use tollgate_gateway::Settings;

/// Paces and caps of the data plane.
#[derive(Debug, Clone, Args)]
pub struct PaceFlags {
    /// Requests that one connection may carry; it closes behind the last one.
    #[arg(long, env = "TOLLGATE_REQUESTS_PER_CONNECTION", default_value_t = 1_000)]
    pub requests_per_connection: u32,
    /// Bytes that a request's body may have at most; further ones are refused with 413.
    #[arg(long, env = "TOLLGATE_BODY_BYTES_MAX", default_value_t = 10 << 20)]
    pub body_bytes_max: u64,
    /// Bytes that a message of gRPC may have at most, as callers send it.
    #[arg(long, env = "TOLLGATE_GRPC_MESSAGE_BYTES_MAX", default_value_t = 4 << 20)]
    pub grpc_message_bytes_max: u64,
    /// Bytes a second that bodies must come with at least.
    #[arg(long, env = "TOLLGATE_BODY_RATE_MIN", default_value_t = 1_000)]
    pub body_rate_min: u64,
    /// Seconds that a request's body may be behind that rate.
    #[arg(long, env = "TOLLGATE_BODY_PATIENCE_SECONDS", default_value_t = 10)]
    pub body_patience_seconds: u64,
    /// Seconds that a call goes on for a caller that has closed its sending side.
    #[arg(long, env = "TOLLGATE_HALF_CLOSE_SECONDS", default_value_t = 5)]
    pub half_close_seconds: u64,
    /// Seconds that a caller may take nothing of its answer.
    #[arg(long, env = "TOLLGATE_WRITE_SECONDS", default_value_t = 60)]
    pub write_seconds: u64,
    /// Seconds that a stream of events may be silent, where its service allows less for answers.
    #[arg(long, env = "TOLLGATE_STREAM_IDLE_SECONDS", default_value_t = 300)]
    pub stream_idle_seconds: u64,
    /// Seconds that nothing may pass through a WebSocket.
    #[arg(long, env = "TOLLGATE_TUNNEL_IDLE_SECONDS", default_value_t = 300)]
    pub tunnel_idle_seconds: u64,
    /// Calls that may wait for an answer of one target at once; further ones are refused with 503.
    #[arg(long, env = "TOLLGATE_UPSTREAM_WAITING_MAX", default_value_t = 1_000)]
    pub upstream_waiting_max: u32,
}

impl PaceFlags {
    /// Puts them into a gateway's settings.
    pub fn apply(&self, settings: &mut Settings) {
        settings.requests_per_connection = self.requests_per_connection.max(1);
        settings.body_bytes_max = self.body_bytes_max;
        settings.grpc_message_bytes_max = self.grpc_message_bytes_max;
        settings.body_rate_min = self.body_rate_min;
        settings.body_patience = Duration::from_secs(self.body_patience_seconds);
        settings.half_close_timeout = Duration::from_secs(self.half_close_seconds);
        settings.write_timeout = Duration::from_secs(self.write_seconds);
        settings.stream_idle_timeout = Duration::from_secs(self.stream_idle_seconds);
        settings.tunnel_idle_timeout = Duration::from_secs(self.tunnel_idle_seconds);
        settings.upstream_waiting_max = self.upstream_waiting_max.max(1);
    }
}
