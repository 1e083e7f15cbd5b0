//! Where statements go: to any connection of the pool, or into one unit of work.

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, PgPool, Postgres, SqlStr, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

type Connection = OwnedMutexGuard<Option<Transaction<'static, Postgres>>>;

/// The pool, and the unit of work that all statements belong to where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    pool: PgPool,
    unit: Option<Arc<Unit>>,
}

/// One transaction that several steps share. Every step is a savepoint of it.
pub(crate) struct Unit {
    connection: Arc<Mutex<Option<Transaction<'static, Postgres>>>>,
    steps: StdMutex<Steps>,
}

#[derive(Default)]
struct Steps {
    last: u32,
    /// Steps that were dropped unfinished; undone before the next statement, because a drop cannot wait.
    dropped: Vec<u32>,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unit")
    }
}

/// A step of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step(u32);

impl Db {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool, unit: None }
    }

    /// The pool itself: for what must see only what is committed.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether statements go into a unit.
    pub(crate) const fn in_unit(&self) -> bool {
        self.unit.is_some()
    }

    /// The same pool with a new unit.
    pub(crate) async fn open_unit(&self) -> sqlx::Result<Self> {
        let connection = Arc::new(Mutex::new(Some(self.pool.begin().await?)));
        let unit = Unit { connection, steps: StdMutex::default() };
        Ok(Self { pool: self.pool.clone(), unit: Some(Arc::new(unit)) })
    }

    /// The unit's connection, with all that was dropped undone.
    pub(crate) async fn connection(&self) -> sqlx::Result<Connection> {
        let unit = self.unit.as_ref().ok_or(sqlx::Error::WorkerCrashed)?;
        let mut connection = unit.connection.clone().lock_owned().await;
        let dropped = std::mem::take(&mut unit.steps().dropped);
        let transaction = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        // In the order in which they were dropped, which is from the inside out; what is left of those that a larger step
        // has undone already is gone with it.
        let mut undone = u32::MAX;
        for step in dropped {
            if step > undone {
                continue;
            }
            undone = step;
            let sql = format!("rollback to savepoint step_{step}; release savepoint step_{step}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut **transaction).await?;
        }
        Ok(connection)
    }

    /// Begins a step of the unit.
    pub(crate) async fn begin_step(&self) -> sqlx::Result<Step> {
        let mut connection = self.connection().await?;
        let transaction = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let step = {
            let mut steps = self.unit.as_ref().ok_or(sqlx::Error::WorkerCrashed)?.steps();
            steps.last += 1;
            steps.last
        };
        let sql = format!("savepoint step_{step}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut **transaction).await?;
        Ok(Step(step))
    }

    /// Makes a step part of the unit for good.
    pub(crate) async fn finish_step(&self, Step(step): Step) -> sqlx::Result<()> {
        let sql = format!("release savepoint step_{step}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(self).await?;
        Ok(())
    }

    /// Notes that a step is to be undone.
    pub(crate) fn drop_step(&self, Step(step): Step) {
        if let Some(unit) = &self.unit {
            unit.steps().dropped.push(step);
        }
    }

    /// Commits the unit. What still holds it gets errors from then on.
    pub(crate) async fn commit_unit(&self) -> sqlx::Result<()> {
        let transaction = self.connection().await?.take().ok_or(sqlx::Error::PoolClosed)?;
        transaction.commit().await
    }
}

impl Unit {
    fn steps(&self) -> std::sync::MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'c> Executor<'c> for &Db {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.in_unit() {
            return (&self.pool).fetch_many(query);
        }
        let db = self.clone();
        // Collected, so that the connection is free again when the caller sees the first row.
        let rows = async move {
            let mut connection = match db.connection().await {
                Ok(connection) => connection,
                Err(error) => return vec![Err(error)],
            };
            match connection.as_mut() {
                Some(transaction) => (&mut **transaction).fetch_many(query).collect().await,
                None => vec![Err(sqlx::Error::PoolClosed)],
            }
        };
        stream::once(rows).flat_map(stream::iter).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let db = self.clone();
        Box::pin(async move {
            if !db.in_unit() {
                return (&db.pool).fetch_optional(query).await;
            }
            let mut connection = db.connection().await?;
            let transaction = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
            (&mut **transaction).fetch_optional(query).await
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        let db = self.clone();
        Box::pin(async move {
            if !db.in_unit() {
                return (&db.pool).prepare_with(sql, parameters).await;
            }
            let mut connection = db.connection().await?;
            let transaction = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
            (&mut **transaction).prepare_with(sql, parameters).await
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<sqlx::Describe<Postgres>>>
    where
        'c: 'e,
    {
        let db = self.clone();
        // What a statement would return does not depend on the transaction.
        Box::pin(async move { (&db.pool).describe(sql).await })
    }
}
