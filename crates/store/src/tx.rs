//! The pool, one open transaction, and units of work that hold several.

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::Result;
use crate::db::{Db, Step};

/// Connections to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: Db,
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
        Ok(Self::from_pool(pool))
    }

    /// Over a pool that exists already.
    #[must_use]
    pub const fn from_pool(pool: PgPool) -> Self {
        Self { pool: Db::new(pool) }
    }

    /// The pool itself, for migrations and tests.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        self.pool.pool()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Opens a transaction; inside a unit of work, a step of it. Dropping it without [`Tx::commit`] undoes everything.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin(&self) -> Result<Tx> {
        if self.pool.in_unit() {
            let step = self.pool.begin_step().await?;
            return Ok(Tx { db: self.pool.clone(), step: Some(step) });
        }
        Ok(Tx { db: self.pool.open_unit().await?, step: None })
    }

    /// Opens a unit of work: a store of which all reads and transactions are part of one transaction, so that they are
    /// made together ([`Store::commit_unit`]) or, when the last of its clones is dropped, not at all.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open_unit(&self) -> Result<Self> {
        Ok(Self { pool: self.pool.open_unit().await? })
    }

    /// Inside a unit of work: waits until nobody else works under this name, and keeps it until the unit ends.
    ///
    /// # Errors
    /// Somebody else kept it for too long, or the database is away.
    pub async fn take_turn(&self, name: &str) -> Result<()> {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Runs the checks that wait for the end of a transaction now: revisions are given and deferred rules hold.
    ///
    /// # Errors
    /// A rule was broken, or the database went away.
    pub async fn check_unit(&self) -> Result<()> {
        sqlx::query("set constraints all immediate").execute(&self.pool).await?;
        Ok(())
    }

    /// Makes a unit of work last. No clone of it can be used afterwards.
    ///
    /// # Errors
    /// A deferred rule was broken, or the database went away.
    pub async fn commit_unit(&self) -> Result<()> {
        Ok(self.pool.commit_unit().await?)
    }
}

/// One open transaction; every write is a method of it.
#[derive(Debug)]
pub struct Tx {
    db: Db,
    /// Set inside a unit of work, until the step is finished.
    step: Option<Step>,
}

impl Tx {
    pub(crate) const fn conn(&mut self) -> &Db {
        &self.db
    }

    /// A store that reads what this transaction would leave behind.
    #[must_use]
    pub fn reads(&self) -> Store {
        Store { pool: self.db.clone() }
    }

    /// Makes the changes last, or part of the unit of work. Returns the revision that the change was given, or none
    /// where it did not touch what gateways run or the unit goes on.
    ///
    /// # Errors
    /// A deferred rule was broken, or the database went away.
    pub async fn commit(mut self) -> Result<Option<i64>> {
        if let Some(step) = self.step {
            self.db.finish_step(step).await?;
            self.step = None;
            return Ok(None);
        }
        // The revision is assigned by deferred triggers; run them now, so that it can be told.
        sqlx::query("set constraints all immediate").execute(&self.db).await?;
        let revision: Option<String> =
            sqlx::query_scalar("select current_setting('tollgate.revision', true)")
                .fetch_one(&self.db)
                .await?;
        self.db.commit_unit().await?;
        Ok(revision.and_then(|text| text.parse().ok()))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(step) = self.step.take() {
            self.db.drop_step(step);
        }
    }
}
