//! The pool, and one open transaction.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::Result;

/// Connections to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
}

impl Store {
    /// Prepares a pool; connects when first used, so that a start does not depend on the database being up.
    /// A connection is waited for 3 s at most, a statement runs 5 s at most.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn open(url: &str, connections_max: u32) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("tollgate")
            .options([("statement_timeout", "5000"), ("lock_timeout", "4000")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(Duration::from_secs(3))
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Over a pool that exists already.
    #[must_use]
    pub const fn from_pool(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The pool itself, for migrations and tests.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Opens a transaction. Dropping it without [`Tx::commit`] undoes everything.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { inner: self.pool.begin().await? })
    }
}

/// One open transaction; every write is a method of it.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
}

impl Tx {
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Makes the changes last. Returns the revision that the change was given, or none where it did not touch
    /// what gateways run.
    ///
    /// # Errors
    /// A deferred rule was broken, or the database went away.
    pub async fn commit(mut self) -> Result<Option<i64>> {
        // The revision is assigned by deferred triggers; run them now, so that it can be told.
        sqlx::query("set constraints all immediate").execute(self.conn()).await?;
        let revision: Option<String> =
            sqlx::query_scalar("select current_setting('tollgate.revision', true)")
                .fetch_one(self.conn())
                .await?;
        self.inner.commit().await?;
        Ok(revision.and_then(|text| text.parse().ok()))
    }
}
