//! Bringing a database up to the schema of this build.

use crate::{Error, Result, Store};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// How many migrations of this build the database does not have yet.
///
/// # Errors
/// The database failed, or was never migrated.
pub async fn pending_migrations(store: &Store) -> crate::Result<usize> {
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
            .fetch_all(store.pool())
            .await?;
    Ok(MIGRATOR.iter().filter(|migration| !applied.contains(&migration.version)).count())
}

/// Applies what is missing, under an advisory lock, so that several processes may start at once.
///
/// # Errors
/// A migration failed or an applied one was edited.
pub async fn migrate(store: &Store) -> Result<()> {
    MIGRATOR.run(store.pool()).await.map_err(|error| Error::Migration(error.to_string()))
}
