//! Bringing a database up to the schema of this build.

use crate::{Error, Result, Store};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Applies what is missing, under an advisory lock, so that several processes may start at once.
///
/// # Errors
/// A migration failed or an applied one was edited.
pub async fn migrate(store: &Store) -> Result<()> {
    MIGRATOR.run(store.pool()).await.map_err(|error| Error::Migration(error.to_string()))
}
