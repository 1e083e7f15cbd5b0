//! The real proxy on free ports, with real upstreams and a control plane that can be taken away.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake_source;
mod http;
mod stage;

mod bodies;
mod configuration;
mod forwarding;
mod headers;
mod keys;
mod leases;
mod lifecycle;
mod limits;
mod metering;
mod outage;
mod policies;
mod postgres;
mod refusals;
mod request_log;
mod stopping;
mod streams;
mod upstreams;
mod usage;
mod websocket;
