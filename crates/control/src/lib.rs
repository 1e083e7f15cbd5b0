//! What people may do to the platform: one brain behind the admin API and the portal.
//!
//! Every write is a method of [`Control`]: it checks the [`Actor`], opens a change, writes, compiles what it
//! touched, and commits together with its audit entry.

mod accounts;
mod acme;
mod actor;
mod apis;
mod applications;
mod apply;
mod audience;
mod audit;
mod billing;
mod certificates;
mod change;
mod credentials;
mod device;
mod documents;
mod effects;
mod email_change;
mod error;
pub mod events;
mod explain;
mod find_key;
mod findable;
mod gateways;
mod housekeeping;
mod incidents;
pub mod jobs;
mod lifecycle;
mod links;
pub mod mail;
pub mod oidc;
mod once;
mod operators;
mod organizations;
mod pages;
mod passkeys;
mod password_change;
mod password_rules;
mod passwords;
mod persons;
mod plans;
mod policies;
mod portal;
mod preferences;
mod preview;
mod probe;
mod products;
mod quotas;
mod reseal;
mod second_factor;
mod secret;
mod services;
mod setup;
mod subscriptions;
mod suspension;
mod team;
mod throttle;
mod tokens;
mod trying;
mod unit;
mod verification;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;

pub use accounts::{SignIn, SignUp, SignedUp};
pub use acme::{AcmeAccountInput, LETS_ENCRYPT, OrderInput};
pub use actor::{Action, Actor, Face, Origin, Scopes, Who};
pub use apis::{ApiInput, ApiPatch};
pub use applications::ApplicationPatch;
pub use apply::{ApplyOptions, ChangeSet, FieldChange, OperationsChange, Step, Verb, check_declared};
pub use audit::{AuditVerdict, ExportedHead};
pub use billing::{
    BILLS_TOGETHER, Charge, CheckoutInput, CreditInput, CreditStanding, CreditsLeft, Difference,
    FundsStanding, Move, MovePreview, PlanRevenue, PlanTariff, PlanVersion, Pricing, Received, Replayed,
    Revenue, ShadowBill, SpendCapInput, SpendStanding, Statement, When, provider,
};
pub use certificates::{CertificateInput, CertificatePatch};
pub use change::{Note, Subject};
pub use credentials::{CredentialInput, CredentialPatch, ImportedKey, MintedKey, OldKeyEnds};
pub use device::{DEVICE_INTERVAL_SECONDS, DEVICE_SECONDS, DeviceAnswer, DeviceCodes};
pub use documents::Change as DocumentChange;
pub use effects::Effect;
pub use error::{Error, FieldFault, Result};
pub use explain::{AnyLimit, EffectiveLimit, Explanation, HeldTo, Question, Terms};
pub use incidents::{HEALTH_WINDOW, IncidentPatch};
pub use once::Once;
pub use organizations::OrganizationPatch;
pub use passkeys::{PasskeyQuestion, PasskeySite};
pub use password_rules::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
pub use plans::{PlanInput, PlanPatch};
pub use portal::{LOGO_BYTES_MAX, logo_of};
pub use preview::DocumentPreview;
pub use probe::TargetProbe;
pub use products::{ProductInput, ProductPatch};
pub use quotas::{LimitStanding, OverrideInput, Standing};
pub use reseal::Resealed;
pub use second_factor::NewFactor;
pub use secret::SecretText;
pub use services::{ServiceInput, ServicePatch};
pub use subscriptions::{SubscriptionInput, SubscriptionPatch};
pub use tokens::TokenInput;
use tollgate_engine::key::Peppers;
use tollgate_store::Store;
pub use unit::Unit;
pub use webhooks::{Reachable, WebhookInput, WebhookPatch};

/// What the control plane needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What minted keys begin with: 2 to 8 of `a-z0-9`.
    pub key_prefix: String,
    /// Password hashes computed at once.
    pub hashing_slots: usize,
    /// PEM file of who certifies the certificate authority's own address, where the system does not know it.
    pub acme_roots: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { key_prefix: "tg".to_owned(), hashing_slots: cores, acme_roots: None }
    }
}

/// The one brain. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    store: Store,
    peppers: Arc<Peppers>,
    passwords: Arc<passwords::Passwords>,
    settings: Arc<Settings>,
    figures: Arc<jobs::Figures>,
    provider: Option<Arc<dyn provider::PaymentProvider>>,
    sender: webhooks::Sender,
    providers: oidc::Providers,
    /// Set inside a unit of work.
    log: Option<Arc<unit::UnitLog>>,
}

impl Control {
    /// Over a store, with the peppers that keys are hashed under.
    #[must_use]
    pub fn new(store: Store, peppers: Arc<Peppers>, settings: Settings) -> Self {
        let passwords = Arc::new(passwords::Passwords::new(settings.hashing_slots));
        Self {
            store,
            peppers,
            passwords,
            settings: Arc::new(settings),
            figures: Arc::default(),
            provider: None,
            sender: webhooks::Sender::new(Arc::default()),
            providers: oidc::Providers::default(),
            log: None,
        }
    }

    /// The same, with webhooks also into these networks, which are not public.
    #[must_use]
    pub fn reaching(self, networks: Reachable) -> Self {
        Self { sender: webhooks::Sender::new(Arc::new(networks)), ..self }
    }

    /// The same, with these providers to sign in through.
    #[must_use]
    pub fn signing_in_by(self, providers: oidc::Providers) -> Self {
        Self { providers, ..self }
    }

    /// The same, with bills collected by a payment provider.
    #[must_use]
    pub fn collecting_by(self, provider: Arc<dyn provider::PaymentProvider>) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// The store that it writes to, for reads.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }
}
