//! The queue of jobs, and the mails that leave by it.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tollgate_control::mail::Transport;
use tollgate_domain::InvoiceId;
use tollgate_store::{Lane, NewJob, QueueFigures};
use tollgate_testkit::MailServer;
use uuid::Uuid;

use crate::fixture::{Fixture, mailer};

#[tokio::test]
async fn a_job_is_there_only_if_its_change_is() {
    let fixture = Fixture::new().await;
    let store = fixture.control.store();
    let payload = json!({});
    let new =
        NewJob { kind: "housekeeping", lane: Lane::Prompt, payload: &payload, once: None, run_at: None };
    let mut tx = store.begin().await.unwrap();
    assert!(tx.insert_job(&new).await.unwrap());
    drop(tx);
    assert_eq!(store.queue_figures().await.unwrap(), QueueFigures::default());
    let mut tx = store.begin().await.unwrap();
    tx.insert_job(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.queue_figures().await.unwrap().lanes[0].due, 1);
    fixture.work().await;
    assert_eq!(store.queue_figures().await.unwrap().lanes[0].due, 0);
}

#[tokio::test]
async fn workers_never_hold_the_same_job_and_a_dead_ones_comes_back() {
    let fixture = Fixture::new().await;
    let store = fixture.control.store();
    let payload = json!({});
    for _ in 0..6 {
        store
            .insert_job(&NewJob {
                kind: "housekeeping",
                lane: Lane::Prompt,
                payload: &payload,
                once: None,
                run_at: None,
            })
            .await
            .unwrap();
    }
    let (one, two) =
        tokio::join!(store.lease_jobs(Lane::Prompt, 3, 60), store.lease_jobs(Lane::Prompt, 3, 60));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.iter().all(|job| two.iter().all(|other| other.id != job.id)));
    assert_eq!(one.len() + two.len(), 6);
    assert!(store.lease_jobs(Lane::Prompt, 9, 60).await.unwrap().is_empty());

    // A lease that is over: another worker gets the job, and the first one's word counts no more.
    store.postpone_job(&one[0], 0.0, Some("made due again")).await.unwrap();
    let died = store.lease_jobs(Lane::Prompt, 1, 0).await.unwrap().remove(0);
    let again = store.lease_jobs(Lane::Prompt, 1, 60).await.unwrap().remove(0);
    assert_eq!((again.id, again.attempts), (died.id, 3));
    store.finish_job(&died).await.unwrap();
    assert!(store.lease_jobs(Lane::Prompt, 1, 60).await.unwrap().is_empty());
    let there = fixture.database.count("select count(*) from jobs where kind = $1", "housekeeping").await;
    assert_eq!(there, 6, "the late word removed nothing");
}

#[tokio::test]
async fn what_may_happen_once_happens_once() {
    let fixture = Fixture::new().await;
    let store = fixture.control.store();
    let payload = json!({});
    let new = NewJob {
        kind: "housekeeping",
        lane: Lane::Prompt,
        payload: &payload,
        once: Some("x:1"),
        run_at: None,
    };
    assert!(store.insert_job(&new).await.unwrap());
    assert!(!store.insert_job(&new).await.unwrap(), "while it waits");
    fixture.work().await;
    assert!(!store.insert_job(&new).await.unwrap(), "after it was done");
}

#[tokio::test]
async fn a_mail_is_tried_again_until_the_server_takes_it() {
    let fixture = Fixture::new().await;
    let server = MailServer::start().await;
    let mailer = mailer(Transport::from_url(server.url()).unwrap());
    let store = fixture.control.store();
    fixture.sign_up("maria@example.com").await;

    server.answer(451);
    assert_eq!(fixture.control.work_once(&mailer).await.unwrap(), 1);
    assert!(server.mails().is_empty());
    let waiting = "select count(*) from jobs where last_error like $1 and run_at > now() and attempts = 1";
    assert_eq!(fixture.database.count(waiting, "the mail server did not take it: 451").await, 1);

    server.answer(250);
    let now =
        "with up as (update jobs set run_at = now() where kind = $1 returning id) select count(*) from up";
    assert_eq!(fixture.database.count(now, "verify_email").await, 1);
    fixture.control.work_once(&mailer).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: maria@example.com") && mails[0].contains("Subject: Confirm your e-mail"));
    assert_eq!(store.queue_figures().await.unwrap(), QueueFigures::default());
    assert_eq!((mailer.figures().sent, mailer.figures().failed), (1, 1));
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_kept_to_be_looked_at_and_can_be_taken_up_again() {
    let fixture = Fixture::new().await;
    let server = MailServer::start().await;
    let mailer = mailer(Transport::from_url(server.url()).unwrap());
    let store = fixture.control.store();
    fixture.sign_up("maria@example.com").await;
    server.answer(550);
    fixture.control.work_once(&mailer).await.unwrap();
    let dead = store.list_dead_jobs(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].kind.as_str(), dead[0].attempts), ("verify_email", 1));
    assert_eq!(dead[0].last_error.as_deref(), Some("the mail server refuses it: 550"));
    assert_eq!(fixture.control.work_once(&mailer).await.unwrap(), 0, "it is not tried again by itself");
    let metrics = fixture.control.work_metrics(&mailer).await;
    for line in [
        "tollgate_jobs_dead 1",
        "tollgate_job_attempts_total{kind=\"verify_email\",result=\"failed\"} 1",
        "tollgate_mails_total{result=\"failed\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }

    let mut tx = store.begin().await.unwrap();
    tx.revive_job(dead[0].id).await.unwrap();
    tx.commit().await.unwrap();
    server.answer(250);
    fixture.control.work_once(&mailer).await.unwrap();
    assert_eq!((server.mails().len(), store.list_dead_jobs(10).await.unwrap().len()), (1, 0));
}

#[tokio::test]
async fn ten_thousand_bills_hold_up_nobody_elses_work() {
    let fixture = Fixture::new().await;
    let store = fixture.control.store();
    let payloads: Vec<_> =
        (0..10_000).map(|_| json!({ "invoice_id": InvoiceId::from(Uuid::now_v7()) })).collect();
    let mut tx = store.begin().await.unwrap();
    tx.insert_jobs("tell_of_invoice", Lane::Many, &payloads).await.unwrap();
    tx.commit().await.unwrap();
    fixture.sign_up("maria@example.com").await;
    fixture.control.work_once(&fixture.mailer).await.unwrap();
    assert!(fixture.mails.last_to("maria@example.com").is_some(), "asked for last, sent with the first");
    let [prompt, _, many] = store.queue_figures().await.unwrap().lanes;
    assert!(prompt.due == 0 && many.due > 9_900, "{prompt:?} {many:?}");
    let metrics = fixture.control.work_metrics(&fixture.mailer).await;
    assert!(metrics.contains("tollgate_jobs_due{lane=\"prompt\"} 0"), "{metrics}");
}

#[tokio::test]
async fn what_is_slow_in_one_lane_keeps_nobody_waiting_in_another() {
    let fixture = Fixture::new().await;
    let store = fixture.control.store();
    // A month that somebody else is closing: whoever closes it waits.
    let mut closing = store.pool().begin().await.unwrap();
    sqlx::query("lock table billing_months in access exclusive mode").execute(&mut *closing).await.unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(fixture.control.clone().work(Arc::clone(&fixture.mailer), shutdown.clone()));
    let held = "select count(*) from jobs where kind = $1 and lease is not null";
    while fixture.database.count(held, "close_months").await == 0 {
        tokio::task::yield_now().await;
    }
    fixture.sign_up("maria@example.com").await;
    while fixture.mails.last_to("maria@example.com").is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.database.count(held, "close_months").await, 1);
    closing.rollback().await.unwrap();
    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_finishes_what_it_began_and_the_periodic_ones_come_round() {
    let fixture = Fixture::new().await;
    fixture.sign_up("maria@example.com").await;
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(fixture.control.clone().work(Arc::clone(&fixture.mailer), shutdown.clone()));
    while fixture.mails.last_to("maria@example.com").is_none() {
        tokio::task::yield_now().await;
    }
    // The lane of periodic work may be slower than that of mails.
    while fixture
        .database
        .count("select count(*) from jobs where kind = $1 and run_at > now()", "housekeeping")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    worker.await.unwrap();
    let left =
        "select count(*) from jobs where kind = $1 and lease is null and run_at > now() and attempts = 0";
    assert_eq!(fixture.database.count(left, "housekeeping").await, 1, "in ten minutes, not held by anybody");
    assert_eq!(fixture.database.count("select count(*) from jobs where kind = $1", "verify_email").await, 0);
}
