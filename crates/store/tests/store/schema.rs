//! Rules about the schema itself.

use tollgate_testkit::TestDatabase;

#[tokio::test]
async fn every_table_has_a_comment() {
    let database = TestDatabase::create().await;
    let bare: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> '_sqlx_migrations'
           and obj_description(c.oid) is null order by 1",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert!(bare.is_empty(), "tables without a comment: {bare:?}");
}

#[tokio::test]
async fn every_table_of_a_tenant_has_row_security() {
    let database = TestDatabase::create().await;
    let open: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where a.attname = 'organization_id' and not a.attisdropped and c.relkind in ('r', 'p')
           and not c.relrowsecurity order by 1",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert!(open.is_empty(), "tables with organization_id but without row security: {open:?}");
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_audit_entries_stay() {
    let database = TestDatabase::create().await;
    tollgate_store::migrate(&database.store()).await.unwrap();
    sqlx::query("insert into audit_entries (sequence, actor_kind, action, subject_kind) values (1, 'system', 'a.b', 'a')")
        .execute(database.pool())
        .await
        .unwrap();
    assert!(sqlx::query("delete from audit_entries").execute(database.pool()).await.is_err());
    assert!(sqlx::query("truncate audit_entries").execute(database.pool()).await.is_err());
    assert!(sqlx::query("update audit_entries set action = 'x'").execute(database.pool()).await.is_err());
}
