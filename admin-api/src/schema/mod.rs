//! What the domain's words look like in OpenAPI; the domain itself knows nothing of it.

mod header_match;
mod ids;
mod limit;
mod metering;
mod policies;
mod price;
mod tariff;
mod words;

pub use header_match::HeaderMatch;
pub use ids::{
    ApiId, ApplicationId, BasePath, CertificateId, Document, EventId, Host, IncidentId, InvoiceId, KeyId,
    Meter, Name, OperatorInvitationId, OrganizationId, PageId, PlanId, ProductId, RouteId, ServiceId, Slug,
    SubscriptionId, TokenId, UserId, WebhookId,
};
pub use limit::LimitBody;
pub use metering::Metering;
pub use policies::{ApiPolicies, Policies, RatePolicy};
pub use price::PriceBody;
pub use tariff::{MeterPrice, Prices, Trial};
pub use words::{
    Anchor, ApiState, ApplicationState, CapLanding, CertificateSource, ChallengeKind, Enforcement,
    Environment, EventType, InvoiceState, KeyState, LimitKind, LimitPer, OperatorRole, Outcome, PaymentKind,
    PaymentState, Period, PlanState, PolicyScope, ProductState, RatePer, ServiceProtocol, StartingTheme,
    SubscriptionState, TokenScope, Trouble, UnpaidLanding, Visibility,
};
