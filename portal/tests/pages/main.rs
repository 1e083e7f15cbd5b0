//! The portal through its router, over a real database.

mod account;
mod admin;
mod journey;
mod safety;
mod site;
