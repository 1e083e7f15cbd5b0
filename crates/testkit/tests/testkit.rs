//! The kit keeps its promises: tests do not meet in a database, and nothing is left of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sqlx::{Connection, PgConnection};
use tollgate_testkit::{TestDatabase, Upstream};

#[tokio::test]
async fn two_databases_are_migrated_and_apart() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    sqlx::query("create table mine (n int)").execute(one.pool()).await.unwrap();
    for (database, has_it) in [(&one, true), (&other, false)] {
        let found: bool = sqlx::query_scalar("select to_regclass('mine') is not null")
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert_eq!(found, has_it);
        let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert!(tables > 1, "migrated");
    }
}

#[tokio::test]
async fn a_database_is_gone_after_its_test() {
    let database = TestDatabase::create().await;
    let url = database.url().to_owned();
    PgConnection::connect(&url).await.unwrap().close().await.unwrap();
    drop(database);
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn an_upstream_remembers_what_it_was_sent() {
    let upstream = Upstream::echo().await;
    let mut client = tokio::net::TcpStream::connect(upstream.address()).await.unwrap();
    let sent =
        b"POST /a?b=c HTTP/1.1\r\nhost: x\r\nx-test: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    tokio::io::AsyncWriteExt::write_all(&mut client, sent).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut client, &mut answer).await.unwrap();
    assert!(answer.contains(r#""x-test":"1""#), "{answer}");
    upstream.wait_for(1).await;
    let request = &upstream.requests()[0];
    assert_eq!((request.uri.to_string().as_str(), &request.body[..]), ("/a?b=c", &b"hi"[..]));
}
