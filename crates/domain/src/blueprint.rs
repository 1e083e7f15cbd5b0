//! Plain rows that a gateway compiles: what Postgres holds, read in one consistent view.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    ApiId, ApiPolicies, ApplicationId, CertificateId, CertificateSource, ChallengeKind, CredentialId,
    Environment, HeaderMatch, Limit, Metering, OrganizationId, PlanId, Policies, ProductId, Restrictions,
    RouteId, ServiceId, ServiceProtocol, SubscriptionId,
};

/// Everything but the consumers: routes, services, products and plans of one revision.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Blueprint {
    /// Changes when a database is restored from a backup; then revisions cannot be compared.
    pub epoch: Uuid,
    /// The revision that these rows belong to.
    pub revision: i64,
    /// Systems we forward to.
    pub services: Vec<Service>,
    /// What is published; drafts and retired APIs are not in it.
    pub apis: Vec<Api>,
    /// What was published once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<RetiredApi>,
    /// APIs offered together.
    pub products: Vec<Product>,
    /// Terms of the products.
    pub plans: Vec<Plan>,
    /// What all calls are held to.
    #[serde(default)]
    pub policies: Policies,
    /// What gateways present to callers who speak TLS.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// What certificate authorities look for just now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<Challenge>,
    /// Rows that are not among the others because they cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// A row that this build cannot read: a newer one wrote it, or somebody by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Which one.
    pub row: UnreadableRow,
    /// Its field.
    pub field: String,
    /// One sentence.
    pub reason: String,
}

/// Which row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnreadableRow {
    /// A service.
    Service(ServiceId),
    /// A plan.
    Plan(PlanId),
    /// An API.
    Api(ApiId),
    /// The policies of the platform.
    Policies,
}

/// What a certificate authority looks for before it believes that a host is ours (RFC 8555 §8). Public by its nature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The host that is asked, lower case.
    pub host: String,
    /// How it is asked.
    pub kind: ChallengeKind,
    /// What the authority calls it.
    pub token: String,
    /// What it wants to be told: the token and the thumbprint of the account's key.
    pub key_authorization: String,
}

/// A certificate with its key, which only a process that has the pepper can open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its id.
    pub id: CertificateId,
    /// Its name in URLs and messages.
    pub slug: String,
    /// Where it comes from.
    #[serde(default = "uploaded")]
    pub source: CertificateSource,
    /// Grows with every change.
    pub version: i64,
    /// PEM, the server's own first.
    pub chain: String,
    /// Its private key in PEM, sealed for [`Certificate::key_place`].
    pub key_sealed: Vec<u8>,
    /// Whether it is presented to callers who name no host, or one that no certificate is for.
    pub is_default: bool,
}

/// Where certificates came from before they said so.
const fn uploaded() -> CertificateSource {
    CertificateSource::Upload
}

impl Certificate {
    /// What a key is sealed for, so that no row's key can be put into another.
    #[must_use]
    pub fn key_place(id: CertificateId) -> String {
        format!("certificates/{}/private_key", id.uuid())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// A system we forward to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name in URLs and messages.
    pub slug: String,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: u32,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: u32,
    /// How it is spoken to.
    #[serde(default)]
    pub protocol: ServiceProtocol,
    /// Its addresses.
    pub targets: Vec<Target>,
}

/// One address of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `http://host[:port][/path]` or `https://…`.
    pub url: String,
    /// Its share of the calls, relative to its siblings; 0 takes none.
    pub weight: u16,
}

/// One published API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// Its name in URLs and messages.
    pub slug: String,
    /// Where calls go.
    pub service_id: ServiceId,
    /// Hosts it answers on, lower case, without port; empty means any.
    pub hosts: Vec<String>,
    /// What stands before every route's path: empty or `/segment…` without a final slash.
    pub base_path: String,
    /// What its calls must say to be its own, beside host and path; in the order of the names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_headers: Vec<HeaderMatch>,
    /// Products that it is part of; a consumer needs one of them.
    pub product_ids: Vec<ProductId>,
    /// How its calls are metered.
    #[serde(default)]
    pub metering: Metering,
    /// That it will go; mostly not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
    /// What its calls are held to, besides what all are.
    #[serde(default)]
    pub policies: ApiPolicies,
    /// Its operations.
    pub routes: Vec<Route>,
}

/// That an API will go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    /// Unix seconds since when nobody should begin to use it.
    pub since_s: i64,
    /// Unix seconds from which on it is not served; none where that is not decided.
    pub sunset_s: Option<i64>,
    /// The slug of the API that takes its place.
    pub successor: Option<String>,
}

/// An API that is no longer served: whoever calls it is told so, where nothing else has its paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredApi {
    /// Hosts it answered on, lower case, without port; empty means any.
    pub hosts: Vec<String>,
    /// What stood before every path.
    pub base_path: String,
    /// Its path templates.
    pub paths: Vec<String>,
    /// The slug of the API that takes its place.
    pub successor: Option<String>,
}

/// One operation: a method and a path template below the API's base path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Upper-case method.
    pub method: String,
    /// OpenAPI path template, like `/countries/{code}`.
    pub path: String,
    /// The document's name for it.
    #[serde(default)]
    pub operation_id: String,
    /// The groups it is in.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// APIs offered together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs and messages.
    pub slug: String,
}

/// The terms under which a product is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// The product it is for.
    pub product_id: ProductId,
    /// Its name in headers and messages.
    pub slug: String,
    /// Its limits, in the order they are checked and shown.
    pub limits: Vec<Limit>,
    /// The plan whose limits hold instead once a spend cap is reached; none where calls are refused then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<PlanId>,
    /// Whether its calls are never charged, because a spend cap is reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncharged: bool,
}

/// An application with all that it may prove and open. Consumers live outside the blueprint and are
/// replaced one application at a time, so that a million keys never ride on a route change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsumerApplication {
    /// Its id.
    pub id: ApplicationId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// Its active keys.
    pub credentials: Vec<ConsumerCredential>,
    /// Its active and suspended subscriptions; at most one per product.
    pub subscriptions: Vec<ConsumerSubscription>,
}

/// An active key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsumerCredential {
    /// Its id.
    pub id: CredentialId,
    /// Live or test.
    pub environment: Environment,
    /// The first half of the HMAC-SHA-256 of the key under the pepper of `pepper_version`: 128 bits, as RFC 2104 §5
    /// allows, tell keys of 256 random bits apart.
    pub tag: [u8; 16],
    /// Which pepper the tag was made with.
    pub pepper_version: i16,
    /// Unix seconds after which it opens nothing.
    pub expires_at: Option<i64>,
    /// It was made elsewhere, and `tag` is of the SHA-256 of its text.
    pub imported: bool,
    /// What it is held to beside its plan; mostly nothing.
    pub restrictions: Option<Box<Restrictions>>,
}

/// An application's standing on a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsumerSubscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The product that it opens.
    pub product_id: ProductId,
    /// On which terms.
    pub plan_id: PlanId,
    /// Suspended subscriptions, and all of a suspended application, are carried so that their calls can be refused by
    /// name.
    pub suspended: bool,
    /// A bill was not paid and its grace is over: calls are refused until it is.
    pub unpaid: bool,
}
