//! Very many keys: a start from disk serves soon, a change is a delta, and saving them stalls no call.

use std::time::Instant;

use nix::sys::signal::Signal;
use tollgate_testkit::Fault;

use crate::load::{Load, get};
use crate::rig::{Process, Rig, at_length, until};

/// Applications of this world's organization, each with a key and a subscription: a million where there is time.
const KEYS: u64 = 20_000;
const KEYS_AT_LENGTH: u64 = 1_000_000;

/// Straight into the tables, as a restored backup would: the feed is not told of each row.
async fn fill(rig: &Rig, keys: u64) {
    let sql = "with n as (select g, gen_random_uuid() as a, gen_random_uuid() as c from generate_series(1, $1::text::int) g),
        a as (insert into applications (id, organization_id, name)
            select n.a, o.organization_id, 'filled ' || g from n, (select organization_id from applications limit 1) o returning id),
        c as (insert into credentials (id, application_id, organization_id, name, environment, digest, pepper_version, display_prefix, display_last4)
            select n.c, n.a, o.organization_id, 'filled', 'live', sha256(n.c::text::bytea), 1, left('tg_live_' || n.c, 12), right(n.c::text, 4)
            from n, (select organization_id from applications limit 1) o returning id),
        s as (insert into subscriptions (id, application_id, organization_id, product_id, plan_id, state)
            select gen_random_uuid(), n.a, t.organization_id, t.product_id, t.plan_id, 'active'
            from n, (select organization_id, product_id, plan_id from subscriptions limit 1) t returning id)
        select (select count(*) from a) + (select count(*) from c) + (select count(*) from s)";
    assert_eq!(rig.database.count_unfed(sql, &keys.to_string()).await, 3 * keys as i64);
}

#[tokio::test]
async fn very_many_keys_are_served_from_disk_soon_and_changed_one_by_one() {
    let rig = Rig::new().await;
    let keys = if at_length() { KEYS_AT_LENGTH } else { KEYS };
    fill(&rig, keys).await;
    let began = Instant::now();
    let mut gateway = rig.gateway().await;
    let from_database = began.elapsed();
    let load = Load::start(gateway.gateway, &rig.world.key, 2, 50);
    let saved = || rig.data_dir().join("gateway").join("runtime.0000000001.snapshot").exists();
    until("saved beside the calls", async || saved() && load.tally.finished() > 100).await;
    let memory = gateway.resident_bytes();

    // One key comes and goes: a delta.
    let loads = gateway.metric("tollgate_config_full_loads_total").await;
    assert_eq!(loads, Some(1.0));
    let began = Instant::now();
    rig.database
        .run("update credentials set expires_at = now() + interval '1 day' where name <> 'filled'")
        .await;
    let revision = rig.store.feed_head().await.unwrap().revision as f64;
    until("in force", async || gateway.metric("tollgate_config_revision").await == Some(revision)).await;
    let changed = began.elapsed();
    assert_eq!(gateway.metric("tollgate_config_full_loads_total").await, loads, "not everything again");

    rig.postgres.set(Fault::Refuse);
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    let tally = load.stop().await;
    assert_eq!(tally.other(), Vec::<u16>::new());
    let began = Instant::now();
    let second = rig.gateway().await;
    let answer = get(second.gateway, "/v1/items", Some(&rig.world.key)).await;
    assert!(answer.is_some_and(|answer| answer.status == 200));
    let from_disk = began.elapsed();
    println!(
        "{keys} keys: {from_database:?} from the database, {from_disk:?} from disk to the first answer, a change in \
         {changed:?}, {} MB, slowest of {} calls while saving {:?}",
        memory >> 20,
        tally.finished(),
        tally.slowest()
    );
    drop::<Process>(second);
}
