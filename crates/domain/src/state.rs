//! The states things go through, and the roles people have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word: {0}")]
pub struct UnknownState(pub String);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it stands in the database and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownState;

            fn try_from(text: String) -> Result<Self, UnknownState> {
                text.parse()
            }
        }

        impl FromStr for $name {
            type Err = UnknownState;

            fn from_str(text: &str) -> Result<Self, UnknownState> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(UnknownState(other.to_owned())),
                }
            }
        }
    )+};
}

impl MailTopic {
    /// What a mail about so much of a quota or a spend cap is about: the threshold below it.
    #[must_use]
    pub const fn of_percent(percent: i32) -> Self {
        match percent {
            100.. => Self::Quota100,
            80.. => Self::Quota80,
            _ => Self::Quota50,
        }
    }
}

impl Trouble {
    /// What the share of calls that an API failed says: from 5 % on, some fail; from a half on, it is down.
    #[must_use]
    pub const fn of(calls: i64, failed: i64) -> Option<Self> {
        if calls <= 0 {
            return None;
        }
        match failed.saturating_mul(100) / calls {
            ..5 => None,
            5..50 => Some(Self::Degraded),
            _ => Some(Self::Down),
        }
    }
}

words! {
    /// How an API does that does not do well.
    Trouble {
        /// Some calls fail.
        Degraded = "degraded",
        /// Most calls fail.
        Down = "down",
    }

    /// What those see who have chosen no theme.
    StartingTheme {
        /// What their system says.
        Auto = "auto",
        /// Light.
        Light = "light",
        /// Dark.
        Dark = "dark",
    }

    /// What a mail is about that a member of an organization can do without. Mails about the safety of an account are about
    /// none of these.
    MailTopic {
        /// Half of a quota is used, or of a spend cap spent.
        Quota50 = "quota_50",
        /// Four fifths are.
        Quota80 = "quota_80",
        /// All is, and what happens then.
        Quota100 = "quota_100",
        /// Credits run low.
        Credits = "credits",
        /// A key ends soon.
        KeyExpiry = "key_expiry",
        /// A month was closed, and its invoice written.
        Invoice = "invoice",
        /// An invoice could not be collected, and what follows.
        Payment = "payment",
        /// A trial ends soon.
        Trial = "trial",
        /// A request was decided on.
        Decision = "decision",
        /// An API will go.
        Api = "api",
        /// Who is in the organization, and as what.
        Team = "team",
        /// A webhook was switched off.
        Webhook = "webhook",
    }

    /// How a service is spoken to.
    ServiceProtocol {
        /// HTTP/1.1.
        H1 = "h1",
        /// HTTP/2 over TLS.
        H2 = "h2",
        /// HTTP/2 without TLS, with prior knowledge.
        H2c = "h2c",
    }

    /// Where a certificate comes from.
    CertificateSource {
        /// Somebody brought it.
        Upload = "upload",
        /// A certificate authority issues it when asked (RFC 8555).
        Acme = "acme",
    }

    /// How somebody proves to a certificate authority that a host is theirs.
    ChallengeKind {
        /// By an answer on port 80 (RFC 8555 §8.3).
        Http01 = "http-01",
        /// By a handshake on port 443 (RFC 8737).
        TlsAlpn01 = "tls-alpn-01",
    }

    /// Where an API stands in its life.
    ApiState {
        /// Not served.
        Draft = "draft",
        /// Served.
        Published = "published",
        /// Served until its sunset, and every answer says so.
        Deprecated = "deprecated",
        /// Gone.
        Retired = "retired",
    }
    /// Whether a product is on offer.
    ProductState {
        /// Seen by operators only.
        Draft = "draft",
        /// On offer.
        Published = "published",
        /// No new subscriptions.
        Retired = "retired",
    }
    /// Whether a plan can be chosen.
    PlanState {
        /// Can be subscribed to.
        Open = "open",
        /// Price shown, cannot be chosen yet.
        Announced = "announced",
        /// Only its present subscribers keep it.
        Closed = "closed",
    }
    /// Who sees a product in the portal.
    Visibility {
        /// Everybody.
        Public = "public",
        /// People who signed in.
        SignedIn = "signed_in",
        /// Members of the organizations that it is shown to.
        Chosen = "chosen",
    }
    /// Whether an application may call.
    ApplicationState {
        /// Yes.
        Active = "active",
        /// An operator stopped it.
        Suspended = "suspended",
    }
    /// An application's standing on a plan.
    SubscriptionState {
        /// Waits for approval.
        Requested = "requested",
        /// In force.
        Active = "active",
        /// Stopped for now.
        Suspended = "suspended",
        /// Over.
        Ended = "ended",
    }
    /// Where a bill stands.
    InvoiceState {
        /// To be paid.
        Open = "open",
        /// Paid.
        Paid = "paid",
        /// Given up.
        Void = "void",
    }
    /// What happened to money about a bill.
    PaymentKind {
        /// It came.
        Payment = "payment",
        /// It was asked for, and did not come.
        Failure = "failure",
        /// It went back.
        Refund = "refund",
        /// The bill was lowered by a credit note.
        Credit = "credit",
    }
    /// Whether a movement of money is certain.
    PaymentState {
        /// Asked for, not confirmed.
        Pending = "pending",
        /// It happened.
        Done = "done",
        /// It did not, and somebody has to decide: try again, or leave it.
        Failed = "failed",
        /// It did not, and it was left or tried anew.
        Withdrawn = "withdrawn",
    }
    /// Where a visit to a payment provider's page stands.
    CheckoutState {
        /// Not finished, as far as the provider said.
        Open = "open",
        /// Finished.
        Completed = "completed",
        /// Given up.
        Expired = "expired",
    }
    /// What becomes of calls when a bill stays unpaid past its grace.
    UnpaidLanding {
        /// They are refused with 402.
        Block = "block",
        /// They are held to the limits of the product's free plan.
        Throttle = "throttle",
        /// Nothing.
        GoOn = "go_on",
    }
    /// What becomes of calls when a spend cap is reached.
    CapLanding {
        /// They are refused with 402 until the month is over or the cap is raised.
        Block = "block",
        /// They cost nothing more, and are held to the limits of the product's free plan; refused where it has none.
        Throttle = "throttle",
        /// They go on and cost what they cost; somebody is told.
        Notify = "notify",
    }
    /// Whether a credential opens anything.
    CredentialState {
        /// It does.
        Active = "active",
        /// Never again.
        Revoked = "revoked",
    }
    /// What a user may do inside an organization.
    MemberRole {
        /// Everything, ownership included.
        Owner = "owner",
        /// Applications, keys and subscriptions.
        Developer = "developer",
        /// Reads.
        Viewer = "viewer",
    }
    /// What a user may do to the platform.
    OperatorRole {
        /// Everything.
        Admin = "admin",
        /// Publishes: services, APIs, products, plans, certificates; answers requests for subscriptions. Reads.
        Publisher = "publisher",
        /// Helps developers: reads what they see.
        Support = "support",
        /// Reads; settles, refunds and credits bills.
        Finance = "finance",
        /// Reads, the audit log too.
        Auditor = "auditor",
    }
    /// What a service token was narrowed to, within its role.
    TokenScope {
        /// Reads.
        Read = "read",
        /// Changes what is published.
        Publish = "publish",
        /// Changes organizations with their applications, subscriptions and keys.
        Tenants = "tenants",
        /// Changes who runs the platform: users, operators, tokens.
        People = "people",
    }
}

impl ApiState {
    /// Whether it will go, or is gone: then it may have a sunset and a successor.
    #[must_use]
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Deprecated | Self::Retired)
    }
}

impl SubscriptionState {
    /// Whether this state may follow `self`: requested → active ⇄ suspended → ended, and nothing follows ended.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Requested, Self::Active | Self::Ended)
                | (Self::Active, Self::Suspended | Self::Ended)
                | (Self::Suspended, Self::Active | Self::Ended)
        )
    }
}

#[expect(clippy::derivable_impls, reason = "the macro knows no default")]
impl Default for StartingTheme {
    fn default() -> Self {
        Self::Auto
    }
}

#[expect(clippy::derivable_impls, reason = "the macro knows no default")]
impl Default for ServiceProtocol {
    fn default() -> Self {
        Self::H1
    }
}

impl ServiceProtocol {
    /// What targets of a service spoken to so must begin with; none where it does not matter.
    #[must_use]
    pub const fn scheme(self) -> Option<&'static str> {
        match self {
            Self::H1 => None,
            Self::H2 => Some("https://"),
            Self::H2c => Some("http://"),
        }
    }
}
