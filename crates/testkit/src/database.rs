//! A database of its own for every test, migrated, and gone afterwards.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tollgate_store::Store;

use crate::server;

/// Any number, the same in every test process: it guards the template.
const TEMPLATE_LOCK: i64 = 0x0070_1167;
const CONNECTIONS_MAX: u32 = 10;
/// Older ones were left by killed tests.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// A fresh, migrated database. Dropping the value drops it, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    server_url: &'static str,
    pool: PgPool,
}

impl TestDatabase {
    /// Makes one, by copying a template that is migrated once per state of the migrations.
    ///
    /// # Panics
    /// When there is no server, or a migration fails.
    pub async fn create() -> Self {
        let server_url = server::url().await;
        Self::on(server_url).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// Makes one on a server of the test's own.
    ///
    /// # Panics
    /// When a migration fails.
    pub async fn on_cluster(cluster: &crate::Cluster) -> Self {
        // A few bytes, kept until the test's process ends.
        let server_url = Box::leak(cluster.url().into_boxed_str());
        Self::on(server_url).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    async fn on(server_url: &'static str) -> Result<Self> {
        let template = format!("tollgate_template_{}", migrations_fingerprint()?);
        match Self::copy(server_url, &template).await {
            Ok(database) => Ok(database),
            // A template of another build: its migrations are not those compiled in here.
            Err(_) => {
                remove_template(server_url, &template).await?;
                Self::copy(server_url, &template).await
            }
        }
    }

    async fn copy(server_url: &'static str, template: &str) -> Result<Self> {
        ensure_template(server_url, template).await?;
        let name = format!("tollgate_test_{}_{}", now_seconds(), uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(server_url).await?;
        run(&mut connection, format!("create database {name} template {template}")).await?;
        connection.close().await?;
        let url = with_database(server_url, &name);
        // Built first, so that whatever fails from here on still drops the database.
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(20))
            .connect_lazy(&url)?;
        let database = Self { name, url, server_url, pool };
        // Nothing to do but a look, unless a migration was added that the template did not know.
        tollgate_store::migrate(&database.store()).await?;
        Ok(database)
    }

    /// The same database on the server that took over.
    ///
    /// # Panics
    /// When it has no such database.
    #[must_use]
    pub fn on_successor(&self, cluster: &crate::Cluster) -> Self {
        let server_url: &'static str = Box::leak(cluster.url().into_boxed_str());
        let url = with_database(server_url, &self.name);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).connect_lazy(&url);
        Self { name: self.name.clone(), url, server_url, pool: pool.expect("it is a URL") }
    }

    /// Where to connect.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A pool of a few connections, open since the start.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The store over that pool.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::from_pool(self.pool.clone())
    }

    /// Runs one statement, for states that no use case leads to.
    pub async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.pool).await.expect("the statement runs");
    }

    /// As [`Self::count`], and no trigger fires: rows come as from a backup, and gateways are not told of each.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn count_unfed(&self, sql: &'static str, text: &str) -> i64 {
        let counted = async {
            let mut tx = self.pool.begin().await?;
            sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await?;
            sqlx::query("set local statement_timeout = 0").execute(&mut *tx).await?;
            let count = sqlx::query_scalar(sql).bind(text).fetch_one(&mut *tx).await?;
            tx.commit().await?;
            Ok::<_, sqlx::Error>(count)
        };
        counted.await.expect("a count can be read")
    }

    /// One number from a query with one text parameter, for rooms that know no SQL themselves.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn count(&self, sql: &'static str, text: &str) -> i64 {
        sqlx::query_scalar(sql).bind(text).fetch_one(&self.pool).await.expect("a count can be read")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server_url, name) = (self.server_url, std::mem::take(&mut self.name));
        // A thread and runtime of its own: a drop cannot wait on the test's runtime, which may be ending.
        let dropped = std::thread::spawn(move || -> Result<()> {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
                let mut connection = PgConnection::connect(server_url).await?;
                run(&mut connection, format!("drop database if exists {name} with (force)")).await
            })
        })
        .join();
        if let Ok(Err(error)) = dropped {
            eprintln!("a test database was left behind: {error:#}");
        }
    }
}

async fn ensure_template(server_url: &str, template: &str) -> Result<()> {
    let mut connection = PgConnection::connect(server_url).await?;
    if !exists(&mut connection, template).await? {
        sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut connection).await?;
        if !exists(&mut connection, template).await? {
            forget_old(&mut connection).await?;
            let building = format!("{template}_building");
            run(&mut connection, format!("drop database if exists {building} with (force)")).await?;
            run(&mut connection, format!("create database {building}")).await?;
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .connect(&with_database(server_url, &building))
                .await?;
            let migrated = tollgate_store::migrate(&Store::from_pool(pool.clone())).await;
            pool.close().await;
            migrated.context("the migrations fail on an empty database")?;
            // Closed to all, and with that to the vacuum: a copy must find nobody connected.
            run(&mut connection, format!("alter database {building} with allow_connections false")).await?;
            run(&mut connection, format!("alter database {building} rename to {template}")).await?;
        }
    }
    // Closing ends the session and with it the advisory lock.
    connection.close().await?;
    Ok(())
}

async fn remove_template(server_url: &str, template: &str) -> Result<()> {
    let mut connection = PgConnection::connect(server_url).await?;
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut connection).await?;
    run(&mut connection, format!("drop database if exists {template} with (force)")).await?;
    connection.close().await?;
    Ok(())
}

async fn exists(connection: &mut PgConnection, name: &str) -> Result<bool> {
    let query = sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)");
    Ok(query.bind(name).fetch_one(connection).await?)
}

/// Drops what killed tests and earlier migrations left.
async fn forget_old(connection: &mut PgConnection) -> Result<()> {
    let names: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database where datname ~ '^tollgate_(test|template)_'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let oldest_kept = now_seconds().saturating_sub(FORGOTTEN_AFTER.as_secs());
    for name in names {
        let made = name.strip_prefix("tollgate_test_").and_then(|rest| rest.split('_').next());
        let forgotten = made.and_then(|made| made.parse::<u64>().ok()).is_some_and(|made| made < oldest_kept);
        if forgotten {
            // Another process may be at it too.
            let _ = run(connection, format!("drop database if exists {name} with (force)")).await;
        }
    }
    Ok(())
}

/// The statements are put together from names made here; nothing in them comes from outside.
async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The same server, another database: replaces the path of a `postgres://` URL.
fn with_database(url: &str, name: &str) -> String {
    let (before, query) =
        url.split_once('?').map_or((url, String::new()), |(before, query)| (before, format!("?{query}")));
    let authority = before.find("://").map_or(0, |at| at + 3);
    let end = before[authority..].find('/').map_or(before.len(), |at| authority + at);
    format!("{}/{name}{query}", &before[..end])
}

/// Changes with every change of a migration's name or text.
fn migrations_fingerprint() -> Result<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut paths: Vec<_> = dir
        .read_dir()
        .with_context(|| dir.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let mut text = Vec::new();
    for path in paths {
        text.extend(path.file_name().unwrap_or_default().as_encoded_bytes());
        text.extend(std::fs::read(&path)?);
    }
    Ok(tollgate_boot::fnv::hex(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        for (from, to) in [
            ("postgres://u:p@h:1/a?host=%2Ftmp%2Fx", "postgres://u:p@h:1/b?host=%2Ftmp%2Fx"),
            ("postgres://h/a", "postgres://h/b"),
            ("postgres://h", "postgres://h/b"),
        ] {
            assert_eq!(with_database(from, "b"), to);
        }
    }
}
