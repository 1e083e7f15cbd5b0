//! What the domain's words look like in OpenAPI; the domain itself knows nothing of it.

mod ids;
mod limit;
mod price;
mod tariff;
mod words;

pub use ids::{
    ApiId, ApplicationId, BasePath, CertificateId, Document, EventId, Host, InvoiceId, KeyId, Name,
    OrganizationId, PlanId, ProductId, RouteId, ServiceId, Slug, SubscriptionId, TokenId, UserId, WebhookId,
};
pub use limit::LimitBody;
pub use price::PriceBody;
pub use tariff::MeterPrice;
pub use words::{
    ApiState, ApplicationState, CertificateSource, ChallengeKind, Environment, EventType, InvoiceState,
    KeyState, LimitKind, LimitPer, Meter, OperatorRole, Outcome, Period, PlanState, ProductState,
    ServiceProtocol, SubscriptionState, TokenScope, Visibility,
};
