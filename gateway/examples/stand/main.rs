//! A gateway by itself, to measure: of so many routes and keys from memory, without a control plane.
//!
//! `stand <upstream> <routes> <keys> [keys per application] [threads]` prints one line of JSON once calls are served,
//! with the address, a path and keys that may call, and runs until its input ends.

// What other examples need of it.
#[allow(dead_code)]
#[path = "../../../crates/engine/examples/platform/mod.rs"]
mod platform;
mod still;

use std::io::Read;
use std::sync::Arc;

use mimalloc::MiMalloc;
use platform::{application, blueprint, key, peppers};
use still::Still;
use tokio_util::sync::CancellationToken;
use tollgate_domain::Target;
use tollgate_gateway::{Gateway, Settings};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Keys that are told, spread over all.
const SHOWN: usize = 100;

fn main() {
    tollgate_boot::pages::keep_small().expect("small pages");
    let mut arguments = std::env::args().skip(1);
    let upstream = arguments.next().expect("where calls go, like http://127.0.0.1:9000");
    let mut number = |or: usize| arguments.next().map_or(or, |text| text.parse().expect("a number"));
    let (routes, keys, per_application, threads) = (number(1_000), number(1_000), number(1), number(1));

    let mut plan = blueprint(routes);
    for service in &mut plan.services {
        service.targets = vec![Target { url: upstream.clone(), weight: 1 }];
        service.read_timeout_ms = 60_000;
    }
    let peppers = peppers();
    let rows = (0..keys / per_application).map(|n| application(&peppers, n, per_application)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = Settings::new(folder.path().to_owned(), "http://portal.example".to_owned(), peppers);
    settings.threads = threads;
    settings.requests_per_connection = u32::MAX;
    settings.connections_per_address = 0;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let stop = CancellationToken::new();
    let running = runtime
        .block_on(Gateway::start(settings, Arc::new(Still::new(plan, rows)), stop.clone()))
        .expect("a gateway");
    let shown: Vec<String> = (0..SHOWN.min(keys)).map(|n| key(n * (keys / SHOWN.min(keys)))).collect();
    let url = format!("http://{}", running.gateway_addr);
    let path = format!("/v1/r{}/items/7", routes / 2);
    println!("{}", serde_json::json!({ "url": url, "path": path, "keys": shown }));

    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    stop.cancel();
    runtime.block_on(running.stopped());
}
