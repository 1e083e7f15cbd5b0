//! The audit log tells when it was touched.

use std::sync::Arc;

use sqlx::AssertSqlSafe;
use tollgate_control::{Actor, Control, ExportedHead, Settings};
use tollgate_engine::key::Peppers;

use crate::fixture::{Fixture, service_input};

/// Something that happens to the table behind everybody's back, by its owner.
async fn behind_the_back(fixture: &Fixture, sql: &str) {
    let sql = format!(
        "alter table audit_entries disable trigger user; {sql}; alter table audit_entries enable trigger user"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(fixture.database.pool()).await.unwrap();
}

async fn five_entries() -> Fixture {
    let fixture = Fixture::new().await;
    for slug in ["a", "b", "c", "d", "e"] {
        fixture.control.create_service(&Actor::system(), service_input(slug)).await.unwrap();
    }
    fixture
}

async fn broken_at(fixture: &Fixture, head: Option<&ExportedHead>) -> Option<i64> {
    let verdict = fixture.control.verify_audit(&Actor::system(), head).await.unwrap();
    verdict.broken.map(|(sequence, _)| sequence)
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_sound() {
    let fixture = five_entries().await;
    let verdict = fixture.control.verify_audit(&Actor::system(), None).await.unwrap();
    assert_eq!((verdict.entries, verdict.unsealed, verdict.broken), (5, 0, None));
    let head = fixture.control.audit_head(&Actor::system()).await.unwrap();
    assert_eq!(verdict.head, head);
    let head = head.unwrap();
    assert_eq!(head.to_string().parse::<ExportedHead>().unwrap(), head);
    assert_eq!(broken_at(&fixture, Some(&head)).await, None);
}

#[tokio::test]
async fn an_edited_entry_is_named_whichever_field_it_is() {
    for change in [
        "details = jsonb_set(details, '{name}', '\"Other\"')",
        "action = 'service.update'",
        "actor_kind = 'operator'",
        "actor_id = gen_random_uuid()",
        "at = at + interval '1 microsecond'",
        "request_id = 'x'",
        "address = '203.0.113.7'",
        "organization_id = gen_random_uuid()",
        "seal = sha256('x')",
        "seal = null",
    ] {
        let fixture = five_entries().await;
        behind_the_back(&fixture, &format!("update audit_entries set {change} where sequence = 3")).await;
        assert_eq!(broken_at(&fixture, None).await, Some(3), "{change}");
    }
}

#[tokio::test]
async fn a_deleted_entry_is_named() {
    let fixture = five_entries().await;
    behind_the_back(&fixture, "delete from audit_entries where sequence = 2").await;
    assert_eq!(broken_at(&fixture, None).await, Some(2));
    // Closing the gap does not hide it.
    behind_the_back(&fixture, "update audit_entries set sequence = sequence - 1 where sequence > 2").await;
    assert_eq!(broken_at(&fixture, None).await, Some(2));
}

#[tokio::test]
async fn a_cut_end_is_seen_by_a_head_that_was_exported() {
    let fixture = five_entries().await;
    let head = fixture.control.audit_head(&Actor::system()).await.unwrap().unwrap();
    behind_the_back(&fixture, "delete from audit_entries where sequence > 3").await;
    assert_eq!(broken_at(&fixture, None).await, None, "the chain alone cannot tell");
    assert_eq!(broken_at(&fixture, Some(&head)).await, Some(4));
    // What is written over the cut has other seals than those that were exported.
    for slug in ["x", "y"] {
        fixture.control.create_service(&Actor::system(), service_input(slug)).await.unwrap();
    }
    assert_eq!(broken_at(&fixture, Some(&head)).await, Some(5));
}

#[tokio::test]
async fn an_entry_by_somebody_without_the_key_is_named() {
    let fixture = five_entries().await;
    let peppers = Peppers::new(vec![(1, *b"another pepper of thirty-two byt")]).unwrap();
    let forger = Control::new(fixture.database.store(), Arc::new(peppers), Settings::default());
    forger.create_service(&Actor::system(), service_input("forged")).await.unwrap();
    assert_eq!(broken_at(&fixture, None).await, Some(6));
}

#[tokio::test]
async fn entries_of_changes_at_once_stand_in_one_unbroken_chain() {
    let fixture = Fixture::new().await;
    let tasks: Vec<_> = (0..12)
        .map(|at| {
            let control = fixture.control.clone();
            tokio::spawn(async move {
                control.create_service(&Actor::system(), service_input(&format!("s{at}"))).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let verdict = fixture.control.verify_audit(&Actor::system(), None).await.unwrap();
    assert_eq!((verdict.entries, verdict.broken), (12, None));
}

#[tokio::test]
async fn a_change_whose_entry_cannot_be_written_does_not_happen() {
    let fixture = five_entries().await;
    let sql = "alter table audit_entries add constraint full_disk check (sequence < 6)";
    sqlx::raw_sql(sql).execute(fixture.database.pool()).await.unwrap();
    let refused = fixture.control.create_service(&Actor::system(), service_input("f")).await;
    assert!(refused.is_err());
    assert!(fixture.control.store().find_service_by_slug("f").await.unwrap().is_none());
}
