//! The words of Tollgate: ids, states, limits, money, scopes and the blueprint.
//!
//! Nothing here does I/O; every other room speaks in these types.

mod accent;
mod blueprint;
mod budget;
mod colour;
pub mod declared;
mod funds;
mod header_match;
mod hexadecimal;
mod id;
mod key;
mod limit;
mod meter;
mod metering;
mod money;
mod network;
mod period;
mod policies;
mod portal;
mod restrictions;
mod scope;
mod site;
mod slug;
mod state;
mod usage;
mod window;

pub use accent::{Accent, FaintAccent, Tone};
pub use blueprint::{
    Api, Blueprint, Certificate, Challenge, ConsumerApplication, ConsumerCredential, ConsumerSubscription,
    Deprecation, Plan, Product, RetiredApi, Route, Service, Target, Unreadable, UnreadableRow,
};
pub use budget::{Budget, Enforcement};
pub use colour::{Colour, InvalidColour};
pub use funds::Funds;
pub use header_match::{HeaderMatch, InvalidHeaderMatch};
pub use hexadecimal::bytes_of_hex;
pub use id::{
    ApiId, ApplicationId, AuditId, CertificateId, CredentialId, EventId, ID_TEXT_LEN, IncidentId, InvalidId,
    InvoiceId, OperatorInvitationId, OrganizationId, PageId, PlanId, ProductId, RouteId, ServiceId,
    SubscriptionId, TargetId, TokenId, UserId, WebhookId,
};
pub use key::Environment;
pub use limit::{InvalidLimit, Limit, LimitKind, LimitPer};
pub use meter::{InvalidReadingName, Meter, ReadingName};
pub use metering::{InvalidMetering, InvalidStatuses, Metering, OperationCost, Reading, Statuses};
pub use money::{Amount, Currency, InvalidCurrency, Price};
pub use network::{InvalidNetwork, Network};
pub use period::{CalendarMonth, InvalidMonth, Period};
pub use policies::{
    ApiPolicies, InvalidPolicy, OperationPolicies, Policies, PoliciesOf, PolicyScope, RatePer, RatePolicy,
};
pub use portal::{Page, Portal, SiteLink};
pub use restrictions::{
    InvalidRestriction, KeyScope, Restrictions, ScopePart, Unreadable as UnreadableEntry,
};
pub use scope::Scope;
pub use site::Site;
pub use slug::{InvalidSlug, Slug};
pub use state::{
    ApiState, ApplicationState, CapLanding, CertificateSource, ChallengeKind, CheckoutState, CredentialState,
    InvoiceState, MailTopic, MemberRole, OperatorRole, PaymentKind, PaymentState, PlanState, ProductState,
    ServiceProtocol, StartingTheme, SubscriptionState, TokenScope, Trouble, UnknownState, UnpaidLanding,
    Visibility,
};
pub use usage::{Outcome, UsageCount, UsageKey};
pub use window::{Anchor, InvalidZone, Window, Zone};
