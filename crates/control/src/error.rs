//! What can go wrong, by what the caller can do about it. Each face maps these to its wire in one file.

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;

/// One field of the input that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// JSON Pointer into the input, like `/targets/0/url`; for a document, into the document.
    pub pointer: String,
    /// What is wrong and what is expected, in plain words.
    pub message: String,
}

impl FieldFault {
    /// A fault of one field.
    #[must_use]
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A use case that did not happen. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or not one that the actor may know of.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The input cannot be taken.
    #[error("the input cannot be taken: {}", .0.first().map_or("", |fault| fault.message.as_str()))]
    Invalid(Vec<FieldFault>),
    /// It collides with something that exists.
    #[error("{0}")]
    Conflict(String),
    /// The thing was changed meanwhile; its version is given.
    #[error("changed meanwhile, now at version {0}")]
    VersionMismatch(i64),
    /// Sign in first.
    #[error("sign in first")]
    Unauthenticated,
    /// The role is too small.
    #[error("your role does not allow this")]
    Forbidden,
    /// Wrong e-mail or password.
    #[error("the e-mail or the password is wrong")]
    WrongPassword,
    /// Too many tries; seconds to wait.
    #[error("too many tries, wait {0} s")]
    TooManyTries(u32),
    /// The link was used, is too old, or never was.
    #[error("this link is no longer valid")]
    DeadLink,
    /// Too much at once; try again soon.
    #[error("busy, try again in a moment")]
    Busy,
    /// The database is away.
    #[error("the database does not answer")]
    Unavailable,
    /// The payment provider did not do what was asked.
    #[error(transparent)]
    Provider(crate::provider::ProviderFault),
    /// A fault of ours; logged where it is mapped.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault::new(pointer, message)])
    }
}

impl From<tollgate_store::Error> for Error {
    fn from(error: tollgate_store::Error) -> Self {
        use tollgate_store::Error as Store;
        match error {
            Store::NotFound(what) => Self::NotFound(what),
            Store::Conflict(constraint) => match constraint.as_str() {
                "subscriptions_one_per_product" => {
                    Self::Conflict("this application already has a subscription to the product".to_owned())
                }
                "tariffs_one_currency" => Self::Conflict(
                    "usage of this plan is priced in another currency; take its usage prices away first"
                        .to_owned(),
                ),
                name if name.contains("slug") => Self::invalid("/slug", "this slug is taken"),
                name if name.contains("routes") => {
                    Self::Conflict("two operations share a method and path or an operationId".to_owned())
                }
                _ => Self::Conflict("it exists already".to_owned()),
            },
            Store::Referenced(constraint) => Self::Conflict(referenced(&constraint)),
            Store::Unavailable(_) => Self::Unavailable,
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// Plain words for the foreign keys that a caller can meet.
fn referenced(constraint: &str) -> String {
    match constraint {
        "apis_service_id_fkey" => "the service does not exist, or an API still forwards to it",
        "product_apis_api_id_fkey" => "the API does not exist, or a product still offers it",
        "plans_product_id_fkey" => "the product does not exist, or still has plans",
        "subscriptions_plan_id_fkey" => "the plan still has subscriptions; close it instead",
        "subscriptions_product_id_fkey" => "the product still has subscriptions; retire it instead",
        _ => "something else still refers to it",
    }
    .to_owned()
}
