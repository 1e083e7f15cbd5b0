//! Metering alone, to measure: calls of several gateways counted into real journals and carried to PostgreSQL, at a rate
//! that one machine could not proxy.
//!
//! `feed [calls a second] [seconds] [gateways]` counts calls of 2,000 keys (a few of them make most calls) on eight
//! operations, every second hands in what grew, as a gateway does, and prints how far behind that is: each second what was
//! counted and is not stored yet, at the end how long hand-ins took. Fails where a call is lost, counted twice or dropped.
//! Run by `bench/feed`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tollgate_domain::{CredentialId, Outcome, RouteId, SubscriptionId, UsageKey};
use tollgate_gateway::usage::journal::Amounts;
use tollgate_gateway::usage::ledger::{Ledger, Pending};
use tollgate_store::Store;
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

const KEYS: u64 = 2_000;
const ROUTES: u64 = 8;
/// Calls are counted in bursts of this length, all of a burst at once.
const BURST: Duration = Duration::from_millis(10);
const JOURNAL_BYTES_MAX: u64 = 1 << 30;
/// Counts that one statement stores.
const BATCH: usize = 2_000;

/// Ids are made from numbers, here and in `id`.
const CONSUMERS: [&str; 6] = [
    "create function feed_id(kind integer, n bigint) returns uuid language sql as
        $$ select (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$",
    "insert into products (id, slug, name, state, visibility) values (feed_id(1, 1), 'feed', 'Feed', 'published', 'public')",
    "insert into plans (id, product_id, slug, name, state) values (feed_id(2, 1), feed_id(1, 1), 'feed', 'Feed', 'open')",
    "insert into organizations (id, name, slug) select feed_id(3, n), 'Feed', 'feed-' || n from generate_series(0, 1999) n",
    "insert into applications (id, organization_id, name) select feed_id(4, n), feed_id(3, n), 'Feed' from generate_series(0, 1999) n",
    "insert into subscriptions (id, organization_id, application_id, product_id, plan_id, state)
        select feed_id(5, n), feed_id(3, n), feed_id(4, n), feed_id(1, 1), feed_id(2, 1), 'active' from generate_series(0, 1999) n",
];

fn id(kind: u64, n: u64) -> Uuid {
    Uuid::from_u64_pair((kind << 32) | 0x4000, (0x8000 << 48) | n)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |or: u64| arguments.next().map_or(Ok(or), |text| text.parse());
    let (rate, seconds, gateways) = (number(20_000)?, number(60)?, number(3)?.max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    runtime.block_on(async {
        let database = TestDatabase::create().await;
        for sql in CONSUMERS {
            database.run(sql).await;
        }
        let ledgers: Vec<_> = (0..gateways)
            .map(|n| {
                let own = folder.path().join(n.to_string());
                std::fs::create_dir(&own)?;
                let ledger = Arc::new(Ledger::new(own, Uuid::now_v7(), JOURNAL_BYTES_MAX, minute()));
                ledger.prepare_files();
                Ok::<_, std::io::Error>(ledger)
            })
            .collect::<Result<_, _>>()?;
        measure(&database, &ledgers, rate, seconds).await
    })
}

fn minute() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() / 60).unwrap_or(0)
}

async fn measure(
    database: &TestDatabase,
    ledgers: &[Arc<Ledger>],
    rate: u64,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let over = Arc::new(AtomicBool::new(false));
    let counting = {
        let ledgers = ledgers.to_vec();
        std::thread::spawn(move || count(&ledgers, rate, seconds))
    };
    let carriers: Vec<_> = ledgers
        .iter()
        .map(|ledger| {
            let (ledger, store, over) = (Arc::clone(ledger), database.store(), Arc::clone(&over));
            tokio::spawn(
                async move { carry(&ledger, &store, &over).await.map_err(|error| error.to_string()) },
            )
        })
        .collect();
    let stored = "select coalesce(sum(calls), 0)::bigint from usage_counters where $1 = ''";
    let began = Instant::now();
    let mut behind_most = 0;
    while !counting.is_finished() {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let counted = rate * began.elapsed().as_secs().min(seconds);
        let behind = counted.saturating_sub(u64::try_from(database.count(stored, "").await)?);
        behind_most = behind_most.max(behind);
        println!("{:>4} s: {behind} calls counted and not stored yet", began.elapsed().as_secs());
    }
    let counted = counting.join().map_err(|_| "counting failed")?;
    let took = began.elapsed();
    over.store(true, Ordering::Release);
    let mut rounds = Vec::new();
    for carrier in carriers {
        rounds.extend(carrier.await??);
    }
    rounds.sort_unstable();
    let at = |percent: usize| rounds.get(rounds.len() * percent / 100).copied().unwrap_or_default();
    let stored = u64::try_from(database.count(stored, "").await)?;
    let rows = database.count("select count(*) from usage_counters where $1 = ''", "").await;
    let dropped: u64 = ledgers.iter().map(|ledger| ledger.dropped()).sum();
    println!(
        "{counted} calls in {:.1} s ({:.0} a second) of {} gateways; {stored} stored in {rows} rows; {dropped} dropped",
        took.as_secs_f64(),
        counted as f64 / took.as_secs_f64(),
        ledgers.len(),
    );
    println!(
        "hand-ins: half within {:?}, 99 of 100 within {:?}, the longest {:?}",
        at(50),
        at(99),
        rounds.last()
    );
    println!(
        "most that were counted and not stored: {behind_most} calls ({:.1} s)",
        behind_most as f64 / rate as f64
    );
    if stored != counted || dropped > 0 {
        return Err("the ledgers differ".into());
    }
    Ok(())
}

/// Counts calls at the rate; returns how many.
fn count(ledgers: &[Arc<Ledger>], rate: u64, seconds: u64) -> u64 {
    let began = Instant::now();
    let (mut counted, mut draw) = (0u64, 0x9e37_79b9_7f4a_7c15u64);
    let amounts =
        Amounts { charged: 1, units: 1, readings: [3, 0], bytes_in: 100, bytes_out: 2_000, duration_us: 900 };
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = rate * u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) / 1_000;
        let now = minute();
        while counted < due {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            // The square of an even draw: the first tenth of the keys make a third of the calls.
            let even = draw >> 32;
            let n = (((even * even) >> 32) * KEYS) >> 32;
            let key = UsageKey {
                credential_id: CredentialId::from(id(6, n)),
                subscription_id: SubscriptionId::from(id(5, n)),
                route_id: RouteId::from(id(7, draw % ROUTES)),
                status: 200,
                outcome: Outcome::Served,
                minute: now,
            };
            let ledger = &ledgers[usize::try_from(counted).unwrap_or(0) % ledgers.len()];
            ledger.record(key, now, &amounts);
            counted += 1;
        }
        std::thread::sleep(BURST);
    }
    counted
}

/// Hands in what grew, once a second, until `over`; returns how long each hand-in took.
async fn carry(ledger: &Ledger, store: &Store, over: &AtomicBool) -> tollgate_store::Result<Vec<Duration>> {
    let mut accepted = std::collections::HashMap::<u64, Vec<u64>>::new();
    let mut rounds = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let last = over.load(Ordering::Acquire);
        let began = Instant::now();
        ledger.turn(minute() + u32::from(last));
        ledger.prepare_files();
        for pending in ledger.pending() {
            hand_in(&pending, store, &mut accepted).await?;
            if pending.is_final {
                ledger.settle(pending, &[]);
            }
        }
        rounds.push(began.elapsed());
        if last {
            return Ok(rounds);
        }
    }
}

async fn hand_in(
    pending: &Pending,
    store: &Store,
    accepted: &mut std::collections::HashMap<u64, Vec<u64>>,
) -> tollgate_store::Result<()> {
    for segment in &pending.segments {
        let accepted = accepted.entry(segment.seq()).or_default();
        accepted.resize(segment.claimed(), 0);
        let grown: Vec<_> = (0..accepted.len())
            .filter_map(|slot| Some((slot, segment.count(slot)?)))
            .filter(|(slot, count)| count.calls > accepted[*slot])
            .collect();
        for batch in grown.chunks(BATCH) {
            let counts: Vec<_> = batch.iter().map(|(_, count)| *count).collect();
            store.record_usage(&counts).await?;
            for (slot, count) in batch {
                accepted[*slot] = count.calls;
            }
        }
    }
    Ok(())
}
