//! What many keys cost the engine: memory at rest and after calls, the time to load them, and the time of a decision.
//!
//! `cargo run --release -p tollgate-engine --example scale -- <keys> <keys per application> [routes]`

mod platform;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use platform::{NOW, application, blueprint, key, peppers};
use tollgate_engine::{Call, Consumers, compile, decide};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Calls that are timed.
const CALLS: usize = 2_000_000;
/// Different keys that call.
const CALLERS: usize = 200_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let keys = arguments.next().unwrap_or(1_000_000);
    let per_application = arguments.next().unwrap_or(1);
    let routes = arguments.next().unwrap_or(1_000);

    let peppers = peppers();
    let at_start = rss();
    let snapshot = Arc::new(compile(&blueprint(routes)).expect("valid"));
    println!("{routes} routes: {:.1} MB", mb(rss().saturating_sub(at_start)));

    let consumers = Consumers::new(peppers.clone());
    let before = rss();
    let rows: Vec<_> =
        (0..keys / per_application).map(|n| application(&peppers, n, per_application)).collect();
    println!("rows: {:.1} MB", mb(rss() - before));
    let began = Instant::now();
    consumers.replace_all(rows);
    let took = began.elapsed();
    collect();
    let loaded = rss().saturating_sub(before);
    println!(
        "{:?} loaded in {:.2} s: {:.1} MB, {:.0} bytes per key",
        consumers.counts(),
        took.as_secs_f64(),
        mb(loaded),
        loaded as f64 / keys as f64
    );

    let callers = CALLERS.min(keys);
    let step = keys / callers;
    let shown: Vec<String> = (0..callers).map(|n| key(n * step)).collect();
    let path = format!("/v1/r{}/items/7", routes / 2);
    for round in ["first", "next"] {
        let began = cpu_time();
        for n in 0..CALLS {
            // A stride that visits every caller in an order no prefetcher knows.
            let key = &shown[(n * 7_919) % callers];
            let call = Call {
                method: "GET",
                host: Some(b"api.example"),
                target: path.as_bytes(),
                credential: Some(key.as_bytes()),
                whence: &tollgate_engine::Nowhere,
            };
            let admission = decide(&snapshot, &consumers, &call, NOW + n as u64, None).expect("admitted");
            std::hint::black_box(&admission);
        }
        let took = cpu_time() - began;
        println!(
            "{round} {CALLS} calls by {callers} keys: {:.0} ns each",
            took.as_nanos() as f64 / CALLS as f64
        );
    }
    println!("after the calls: {:.1} MB more", mb(rss().saturating_sub(before + loaded)));

    let began = Instant::now();
    let changes = (10_000 / per_application).max(10);
    for n in 0..changes {
        consumers.replace(application(&peppers, (n * 7_919) % (keys / per_application), per_application));
    }
    println!("one application replaced: {:.1} µs", began.elapsed().as_micros() as f64 / changes as f64);
}

/// What this process used of the processor: other processes do not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    Duration::from_nanos(stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds"))
}

/// Resident memory in bytes.
fn rss() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages") * 4_096
}

fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Lets the allocator give freed memory back, as the gateway's next calls would.
fn collect() {
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(100));
        drop(std::hint::black_box(vec![0u8; 1 << 20]));
    }
}
