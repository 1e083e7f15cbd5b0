//! Bills collected by Stripe, as its double plays it: what is lost, repeated or mixed up between the two changes nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod collecting;
mod contract;
mod credits;
mod dunning;
mod failed_returns;
mod fixture;
mod localstripe;
mod messages;
