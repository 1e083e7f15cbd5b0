//! The portal through its router, over a real database.

mod account;
mod admin;
mod admin_certificates;
mod admin_forms;
mod admin_people;
mod device;
mod finance;
mod gateways;
mod handbook;
mod journey;
mod language;
mod look;
mod mails;
mod money;
mod operators;
mod owning;
mod passkeys;
mod providers;
mod safety;
mod search;
mod site;
mod status;
mod tags;
mod trying;
mod webhooks;
mod yaml;
