//! Why a call was refused: one typed reason with everything its answer needs.

use std::sync::Arc;

use tollgate_domain::{Outcome, Period, PolicyScope, SubscriptionId};

use crate::admission::BadRequest;
use crate::snapshot::PlanLimit;

/// A refusal's reason. The first block is decided here, the second is raised by the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Host or target is not in its one canonical form.
    BadRequest(BadRequest),
    /// The method is no token.
    BadMethod,
    /// A method that no route can have.
    MethodNotImplemented,
    /// An `Expect` other than `100-continue`.
    ExpectationFailed,
    /// A body in a transfer coding other than chunked.
    CodingNotImplemented,
    /// A WebSocket handshake without a valid key.
    WebSocketKey,
    /// A WebSocket handshake of another version than 13.
    WebSocketVersion,
    /// A page of a site that the API does not answer asks.
    OriginNotAllowed,
    /// A message of gRPC that says it is compressed, where nothing says how.
    GrpcMessage,
    /// A call of gRPC whose upstream is spoken to by HTTP/1.
    GrpcNeedsHttp2,
    /// Nothing is published there.
    RouteNotFound,
    /// The path is published, with other methods.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: Arc<str>,
    },
    /// The API that was published there is no longer served.
    ApiRetired {
        /// The slug of the API that takes its place.
        successor: Option<Arc<str>>,
    },
    /// No key.
    MissingCredential,
    /// A key in two places.
    AmbiguousCredential,
    /// No key of ours, or one that was revoked.
    InvalidCredential,
    /// A key past its expiry.
    ExpiredCredential,
    /// The key's scopes do not name this operation.
    ScopeMissing {
        /// The scope that would.
        scope: Arc<str>,
    },
    /// Calls may not come from this network: by the policies of a scope, or by the key's own rules.
    AddressNotAllowed(Option<PolicyScope>),
    /// The key is for pages of other sites.
    KeyOriginNotAllowed,
    /// The application has no subscription that opens this API.
    NotEntitled,
    /// It has one, and it is suspended.
    SubscriptionSuspended,
    /// It has one, and a bill for it was not paid in time.
    PaymentRequired,
    /// Too fast.
    RateLimited(LimitHit),
    /// The budget is used up.
    QuotaExceeded(LimitHit),
    /// What the subscription may cost in this month is spent.
    SpendCapReached(SubscriptionId),
    /// The plan is paid for in advance, and what was paid is used up.
    CreditsUsedUp,
    /// What is left of a budget that is kept exactly is not known, because its ledger does not answer.
    QuotaUnavailable,

    /// No connection to the upstream could be made.
    UpstreamUnreachable,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The upstream broke off or answered what is not HTTP.
    UpstreamFailed,
    /// As many calls as may wait for the upstream already do.
    UpstreamOverloaded,
    /// The gateway has no configuration yet, or not yet the part that this call needs.
    NotReady,
    /// What is published for this API, or the plan it is called on, does not compile.
    ConfigInvalid,
    /// The request body, or a message of gRPC in it, is over the limit.
    BodyTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The request body came too slowly.
    RequestTimeout,
    /// The gateway itself failed.
    Internal,
}

/// The limit that refused a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitHit {
    /// Its name.
    pub name: Arc<str>,
    /// Where it was written.
    pub scope: PolicyScope,
    /// Calls per period.
    pub amount: u64,
    /// The period that `amount` is for.
    pub period: Period,
    /// Whether the consumer may be told its name and numbers.
    pub visible: bool,
    /// Whole seconds until a call can be admitted again, rounded up; at least 1.
    pub retry_after_s: u64,
}

impl LimitHit {
    pub(crate) fn new(limit: &PlanLimit, retry_after_s: u64) -> Self {
        Self {
            name: Arc::clone(&limit.name),
            scope: PolicyScope::Plan,
            amount: limit.amount,
            period: limit.period,
            visible: limit.visible,
            retry_after_s: retry_after_s.max(1),
        }
    }
}

impl Denial {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(BadRequest::TargetTooLong) => 414,
            Self::BadRequest(_) | Self::BadMethod | Self::AmbiguousCredential => 400,
            Self::WebSocketKey | Self::GrpcMessage => 400,
            Self::MissingCredential | Self::InvalidCredential | Self::ExpiredCredential => 401,
            Self::PaymentRequired | Self::SpendCapReached(_) | Self::CreditsUsedUp => 402,
            Self::NotEntitled | Self::SubscriptionSuspended | Self::OriginNotAllowed => 403,
            Self::ScopeMissing { .. } | Self::AddressNotAllowed(_) | Self::KeyOriginNotAllowed => 403,
            Self::RouteNotFound => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::RequestTimeout => 408,
            Self::ApiRetired { .. } => 410,
            Self::BodyTooLarge { .. } => 413,
            Self::ExpectationFailed => 417,
            Self::WebSocketVersion => 426,
            Self::RateLimited(_) | Self::QuotaExceeded(_) => 429,
            Self::Internal => 500,
            Self::MethodNotImplemented | Self::CodingNotImplemented | Self::GrpcNeedsHttp2 => 501,
            Self::UpstreamUnreachable | Self::UpstreamFailed => 502,
            Self::NotReady | Self::ConfigInvalid | Self::QuotaUnavailable | Self::UpstreamOverloaded => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// The stable word for it; the last part of the problem's `type`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(BadRequest::TargetTooLong) => "target_too_long",
            Self::BadRequest(BadRequest::MissingHost | BadRequest::BadHost) => "bad_host",
            Self::BadRequest(_) => "bad_request_target",
            Self::BadMethod => "bad_method",
            Self::MethodNotImplemented => "method_not_implemented",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::GrpcMessage => "grpc_message",
            Self::GrpcNeedsHttp2 => "grpc_needs_http2",
            Self::RouteNotFound => "route_not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::ApiRetired { .. } => "api_retired",
            Self::MissingCredential => "missing_credential",
            Self::AmbiguousCredential => "ambiguous_credential",
            Self::InvalidCredential => "invalid_credential",
            Self::ExpiredCredential => "expired_credential",
            Self::ScopeMissing { .. } => "scope_missing",
            Self::AddressNotAllowed(_) => "address_not_allowed",
            Self::KeyOriginNotAllowed => "key_origin_not_allowed",
            Self::NotEntitled => "not_entitled",
            Self::SubscriptionSuspended => "subscription_suspended",
            Self::PaymentRequired => "payment_required",
            Self::RateLimited(_) => "rate_limited",
            Self::QuotaExceeded(_) => "quota_exceeded",
            Self::SpendCapReached(_) => "spend_cap_reached",
            Self::CreditsUsedUp => "credits_used_up",
            Self::QuotaUnavailable => "quota_unavailable",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamFailed => "upstream_failed",
            Self::NotReady => "not_ready",
            Self::ConfigInvalid => "config_invalid",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::RequestTimeout => "request_timeout",
            Self::ExpectationFailed => "expectation_failed",
            Self::CodingNotImplemented => "coding_not_implemented",
            Self::WebSocketKey => "websocket_key",
            Self::WebSocketVersion => "websocket_version",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::Internal => "internal_error",
        }
    }

    /// What happened to this call, where no number needs to be told.
    pub(crate) const fn occurrence(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "The request was refused before routing.",
            Self::BadMethod => "The request's method is not an HTTP token.",
            Self::MethodNotImplemented => "No route of any API can have this method.",
            Self::RouteNotFound => "No published API has a route for this host and path.",
            Self::MethodNotAllowed { .. } => "The path is published with other methods.",
            Self::ApiRetired { .. } => "The API that was published here is retired.",
            Self::MissingCredential => "This API is called with a key, and the request carries none.",
            Self::AmbiguousCredential => "The request carries more than one key, and they differ.",
            Self::InvalidCredential => "No active key has this text: it was mistyped, cut off or revoked.",
            Self::ExpiredCredential => "The key was valid until its expiry, which is past.",
            Self::ScopeMissing { .. } => {
                "The key is valid, but it is held to other operations than this one."
            }
            Self::AddressNotAllowed(None) => {
                "The key is valid, but it may not be used from the address that calls."
            }
            Self::AddressNotAllowed(Some(PolicyScope::Operation)) => {
                "This operation may not be called from the address that calls."
            }
            Self::AddressNotAllowed(Some(PolicyScope::Api)) => {
                "This API may not be called from the address that calls."
            }
            Self::AddressNotAllowed(Some(_)) => "Nothing here may be called from the address that calls.",
            Self::KeyOriginNotAllowed => "The key is valid, but it may only be used on pages of some sites.",
            Self::NotEntitled => {
                "The key is valid, but its application has no subscription to a product with this API."
            }
            Self::SubscriptionSuspended => "The application's subscription to this API is suspended.",
            Self::PaymentRequired => "A bill for this subscription was not paid in time.",
            Self::RateLimited(_) | Self::QuotaExceeded(_) => "A limit is reached.",
            Self::SpendCapReached(_) => "What this subscription may cost in a month is spent.",
            Self::CreditsUsedUp => "The credits that this subscription's calls are paid from are used up.",
            Self::QuotaUnavailable => "How much of the quota is left cannot be found out at the moment.",
            Self::UpstreamUnreachable => "No connection to the API's own server could be made.",
            Self::UpstreamTimeout => "The API's own server did not answer in time.",
            Self::UpstreamFailed => "The API's own server broke off, or its answer was not valid HTTP.",
            Self::NotReady => "The gateway has not loaded the configuration for this call yet.",
            Self::ConfigInvalid => {
                "The configuration of this API, or of the plan it is called on, has a fault."
            }
            Self::BodyTooLarge { .. } => "The request's body is larger than this operation takes.",
            Self::RequestTimeout => "The request's body stopped coming, or came too slowly.",
            Self::ExpectationFailed => "The Expect field asks for something other than 100-continue.",
            Self::CodingNotImplemented => "The body is in a transfer coding that is not taken apart here.",
            Self::WebSocketKey => "The WebSocket handshake carries no valid Sec-WebSocket-Key.",
            Self::WebSocketVersion => "The WebSocket handshake does not ask for version 13.",
            Self::UpstreamOverloaded => "As many calls as may wait for the API's own server already do.",
            Self::OriginNotAllowed => "The page that asks is from a site that may not.",
            Self::GrpcMessage => "A message says that it is compressed, and grpc-encoding does not say how.",
            Self::GrpcNeedsHttp2 => "The API's own server is spoken to by HTTP/1, which gRPC cannot use.",
            Self::Internal => "The gateway failed; the request id leads its operators to the cause.",
        }
    }

    /// A short sentence that is the same for every occurrence.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::BadRequest(BadRequest::TargetTooLong) => "The request target is too long",
            Self::BadRequest(BadRequest::MissingHost | BadRequest::BadHost) => {
                "The host is missing or not valid"
            }
            Self::BadRequest(_) => "The request target is not in its canonical form",
            Self::BadMethod => "The method is not valid",
            Self::MethodNotImplemented => "The method is not supported",
            Self::RouteNotFound => "Nothing is published at this path",
            Self::MethodNotAllowed { .. } => "This path does not take this method",
            Self::ApiRetired { .. } => "The API is no longer served",
            Self::MissingCredential => "A key is needed",
            Self::AmbiguousCredential => "The key is given more than once",
            Self::InvalidCredential => "The key is not valid",
            Self::ExpiredCredential => "The key has expired",
            Self::ScopeMissing { .. } => "The key is not for this operation",
            Self::AddressNotAllowed(_) => "Calls from this network are refused",
            Self::KeyOriginNotAllowed => "The key is not for this site",
            Self::NotEntitled => "The key does not open this API",
            Self::SubscriptionSuspended => "The subscription is suspended",
            Self::PaymentRequired => "A bill is to be paid first",
            Self::RateLimited(_) => "Too many calls in a short time",
            Self::QuotaExceeded(_) => "The quota is used up",
            Self::SpendCapReached(_) => "The spend cap is reached",
            Self::CreditsUsedUp => "The credits are used up",
            Self::QuotaUnavailable => "The quota cannot be checked",
            Self::UpstreamUnreachable => "The upstream cannot be reached",
            Self::UpstreamTimeout => "The upstream did not answer in time",
            Self::UpstreamFailed => "The upstream failed to answer",
            Self::NotReady => "The gateway is not ready",
            Self::ConfigInvalid => "The API is not configured correctly",
            Self::BodyTooLarge { .. } => "The request body is too large",
            Self::RequestTimeout => "The request body came too slowly",
            Self::ExpectationFailed => "The expectation cannot be met",
            Self::CodingNotImplemented => "The transfer coding is not supported",
            Self::WebSocketKey => "The WebSocket handshake is not valid",
            Self::WebSocketVersion => "The WebSocket version is not supported",
            Self::UpstreamOverloaded => "The upstream is overloaded",
            Self::OriginNotAllowed => "Pages of this site may not call",
            Self::GrpcMessage => "A message of gRPC is not valid",
            Self::GrpcNeedsHttp2 => "The upstream does not speak gRPC",
            Self::Internal => "Something went wrong on our side",
        }
    }

    /// How to fix it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::BadRequest(BadRequest::TargetTooLong) => "Send at most 8192 bytes of path and query.",
            Self::BadRequest(BadRequest::MissingHost | BadRequest::BadHost) => {
                "Send one Host with a name or address and, if needed, a port."
            }
            Self::BadRequest(_) => {
                "Write the path as RFC 3986 section 6 normalises it: no dot segments, no empty segments, escapes \
                 only where needed."
            }
            Self::BadMethod | Self::MethodNotImplemented => {
                "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, in capital letters."
            }
            Self::RouteNotFound => {
                "Compare host, path and the headers that every call carries with the API's reference in the portal."
            }
            Self::MethodNotAllowed { .. } => "Use one of the methods that the Allow field lists.",
            Self::ApiRetired { successor: Some(_) } => {
                "Call its successor instead: the page that successor leads to says how."
            }
            Self::ApiRetired { successor: None } => "Ask the API's publisher what to use instead.",
            Self::MissingCredential => {
                "Send the key as 'Authorization: Bearer <key>' or as 'X-API-Key: <key>'."
            }
            Self::AmbiguousCredential => "Send the key in one field, once.",
            Self::InvalidCredential => "Check that the key was copied whole and has not been revoked.",
            Self::ExpiredCredential => "Create or rotate the key in the portal.",
            Self::ScopeMissing { .. } => "Use another key, or add the scope to this one in the portal.",
            Self::AddressNotAllowed(None) => {
                "Call from a network that the key is for, or add this one in the portal."
            }
            Self::AddressNotAllowed(Some(_)) => {
                "Call from a network that the publisher allows, or ask the publisher to allow this one."
            }
            Self::KeyOriginNotAllowed => {
                "Call from a page of a site that the key is for, or add the site in the portal."
            }
            Self::NotEntitled => {
                "Subscribe the key's application to a plan of a product that contains this API."
            }
            Self::SubscriptionSuspended => "The portal shows why, and whom to ask.",
            Self::PaymentRequired => "Pay the open invoice in the portal; the same keys work again at once.",
            Self::RateLimited(_) => "Wait as long as Retry-After says, then send calls more evenly.",
            Self::QuotaExceeded(_) => "Wait until the period ends, or choose a larger plan.",
            Self::SpendCapReached(_) => {
                "Raise the spend cap in the portal, or wait until the month is over; the same keys work again at once."
            }
            Self::CreditsUsedUp => "Add credits in the portal; the same keys work again at once.",
            Self::QuotaUnavailable => "Try again after a moment; this call was not charged.",
            Self::UpstreamUnreachable | Self::UpstreamFailed | Self::UpstreamTimeout => {
                "Try again later; this call was not charged."
            }
            Self::NotReady => "Try again in a few seconds.",
            Self::ConfigInvalid => {
                "Try again later: the platform's operators can see the fault. This call was not charged."
            }
            Self::BodyTooLarge { .. } => "Send a smaller body.",
            Self::RequestTimeout => "Send the body without pauses; slow networks need smaller bodies.",
            Self::ExpectationFailed => "Send 'Expect: 100-continue', or no Expect at all.",
            Self::CodingNotImplemented => {
                "Send 'Transfer-Encoding: chunked' alone; compression belongs into Content-Encoding."
            }
            Self::WebSocketKey => "Send one Sec-WebSocket-Key of sixteen random bytes in base 64.",
            Self::WebSocketVersion => "Send 'Sec-WebSocket-Version: 13'.",
            Self::UpstreamOverloaded => "Try again after a moment; this call was not charged.",
            Self::OriginNotAllowed => "Ask the operator of this platform to allow the page's origin.",
            Self::GrpcMessage => "Name the compression in grpc-encoding, or send messages as they are.",
            Self::GrpcNeedsHttp2 => "Ask the publisher to set the service's protocol to h2 or h2c.",
            Self::Internal => "Try again, and report the request id if it happens again.",
        }
    }

    /// The scope of the policy that refused the call; none where it was no policy.
    #[must_use]
    pub fn policy_scope(&self) -> Option<PolicyScope> {
        match self {
            Self::AddressNotAllowed(scope) => *scope,
            Self::RateLimited(hit) => Some(hit.scope).filter(|scope| *scope != PolicyScope::Plan),
            _ => None,
        }
    }

    /// The value of `Retry-After` in seconds, where waiting helps.
    #[must_use]
    pub const fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::RateLimited(hit) | Self::QuotaExceeded(hit) => Some(hit.retry_after_s),
            Self::NotReady => Some(2),
            Self::ConfigInvalid => Some(30),
            Self::UpstreamOverloaded | Self::QuotaUnavailable => Some(1),
            _ => None,
        }
    }

    /// The value of `WWW-Authenticate` on 401, and on 403 for want of a scope (RFC 6750 §3).
    #[must_use]
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::MissingCredential => Some(r#"Bearer realm="tollgate""#),
            Self::ScopeMissing { .. } => Some(r#"Bearer realm="tollgate", error="insufficient_scope""#),
            Self::InvalidCredential => Some(r#"Bearer realm="tollgate", error="invalid_token""#),
            Self::ExpiredCredential => {
                Some(r#"Bearer realm="tollgate", error="invalid_token", error_description="expired""#)
            }
            _ => None,
        }
    }

    /// How a call of a known consumer that ends so is metered; none where nobody's call was refused.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::RateLimited(_) => Some(Outcome::RateLimited),
            Self::QuotaExceeded(_) | Self::SpendCapReached(_) | Self::CreditsUsedUp => {
                Some(Outcome::QuotaExceeded)
            }
            Self::UpstreamUnreachable | Self::UpstreamTimeout | Self::UpstreamFailed => {
                Some(Outcome::UpstreamFailed)
            }
            _ => None,
        }
    }
}
