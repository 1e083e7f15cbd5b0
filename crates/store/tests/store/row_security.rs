//! Tenants never meet, even for a query that forgets to ask.

use sqlx::Executor;
use tollgate_testkit::TestDatabase;

use crate::fixture::{consumer, world};

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_sees_only_the_tenant_it_names() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let world = world(&store).await;
    let acme = consumer(&store, &world, "acme").await;
    consumer(&store, &world, "other").await;

    let role = format!("tenant_{}", uuid::Uuid::now_v7().simple());
    let mut conn = database.pool().acquire().await.unwrap();
    let sql = format!(
        "create role {role} nologin;
         grant usage on schema public to {role};
         grant select, update on all tables in schema public to {role};"
    );
    conn.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();

    for table in ["applications", "subscriptions", "credentials", "organizations"] {
        let mut tx = sqlx::Connection::begin(&mut *conn).await.unwrap();
        tx.execute(sqlx::AssertSqlSafe(format!("set local role {role}"))).await.unwrap();
        let count = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let without: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(without, 0, "{table} without a tenant");
        sqlx::query("select set_config('tollgate.organization', $1, true)")
            .bind(acme.organization.uuid().to_string())
            .execute(&mut *tx)
            .await
            .unwrap();
        let count = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let own: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(own, 1, "{table} of one tenant");
        tx.rollback().await.unwrap();
    }
    let drop = format!("drop owned by {role}; drop role {role};");
    conn.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
}
