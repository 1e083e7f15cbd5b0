//! What can go wrong in the database, by what the caller can do about it.

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such row, or none that the scope may see.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A unique rule was broken, or another that callers can meet; the name is the constraint's.
    #[error("conflict with an existing row ({0})")]
    Conflict(String),
    /// Something else still refers to the row; the name is the constraint's.
    #[error("still referred to ({0})")]
    Referenced(String),
    /// The database is away or too slow.
    #[error("database unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else: a fault of ours.
    #[error("database error")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migration(String),
}

impl Error {
    /// Whether the rows themselves were refused (SQLSTATE class 22, data, or 23, integrity): sending the same again is of
    /// no use, however long one waits.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::Referenced(_) => true,
            Self::Database(sqlx::Error::Database(db)) => {
                db.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
            }
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound("row"),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(db) => {
                let constraint = db.constraint().unwrap_or_default().to_owned();
                match db.code().as_deref() {
                    Some("23505") => Self::Conflict(constraint),
                    // Raised by the trigger of that name.
                    Some("23514") if constraint == "tariffs_one_currency" => Self::Conflict(constraint),
                    Some("23503" | "23001") => Self::Referenced(constraint),
                    // Class 57: operator intervention (shutdown, statement timeout); 08: connection; 53: resources;
                    // 40: a deadlock that was resolved against us; 55P03: a lock that was not had in time; 25006: a
                    // standby, which takes no writes until it is promoted.
                    Some(code)
                        if ["57", "08", "53", "40", "55P03", "25006"]
                            .iter()
                            .any(|class| code.starts_with(class)) =>
                    {
                        Self::Unavailable(error)
                    }
                    _ => Self::Database(error),
                }
            }
            _ => Self::Database(error),
        }
    }
}
