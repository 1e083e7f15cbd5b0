//! What a call on a kept connection asks of the allocator, from its first byte to its last.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use allocation_counter::measure;
use tokio::net::TcpListener;
use tollgate_domain::Target;
use uuid::Uuid;

use super::*;
use crate::live::Live;
use crate::places::Places;
use crate::platform::{application, blueprint, key, peppers};
use crate::request_log::{RequestLog, RequestLogMode};
use crate::resolve::Resolver;
use crate::usage::leases::Desk;
use crate::usage::ledger::Ledger;

const BODY: &str = "an answer";
/// A connection's task is made, and copied, with every new connection, and kept as long as it.
const TASK_BYTES_MAX: usize = 8 * 1024;

/// Takes heads without a body until its peer leaves, and gives each this answer.
fn answer_all(mut stream: StdStream, answer: &str) {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(bytes @ 1..) = stream.read(&mut piece) {
        head.extend_from_slice(&piece[..bytes]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }
}

fn call_again_and_again(address: SocketAddr, calls: usize) {
    let mut stream = StdStream::connect(address).unwrap();
    let request = format!("GET /v1/r5/items/7 HTTP/1.1\r\nHost: a.example\r\nX-API-Key: {}\r\n\r\n", key(3));
    for _ in 0..calls {
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(BODY.as_bytes()) {
            let bytes = stream.read(&mut piece).unwrap();
            assert!(bytes > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..bytes]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// How often the allocator was asked while one connection carried so many calls.
async fn allocations_of(calls: usize, proxy: &Proxy, settings: &Settings) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let caller = thread::spawn(move || call_again_and_again(address, calls));
    let (stream, peer) = listener.accept().await.unwrap();
    let places = Places::new(settings, Arc::default());
    let place = places.take(places.share(peer.ip()).unwrap()).await.unwrap();
    let pool = Pool::new(None);
    let connection = Connection::new(stream, Peer::new(peer.ip(), "http"), place, settings);
    let serve = connection.serve(proxy, &pool);
    assert!(
        size_of_val(&serve) <= TASK_BYTES_MAX,
        "{} bytes: what is rare belongs in a box",
        size_of_val(&serve)
    );
    let mut serve = pin!(serve);
    let mut asked = 0;
    poll_fn(|cx| {
        let mut polled = Poll::Pending;
        asked += measure(|| polled = serve.as_mut().poll(cx)).count_total;
        polled
    })
    .await;
    caller.join().unwrap();
    asked
}

#[tokio::test]
async fn a_call_on_kept_connections_allocates_nothing() {
    let upstream = StdListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    thread::spawn(move || {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
        upstream.incoming().flatten().for_each(|stream| answer_all(stream, &answer));
    });

    let dir = tempfile::tempdir().unwrap();
    let settings = Settings::new(dir.path().to_owned(), "http://portal.example".to_owned(), peppers());
    let live = Arc::new(Live::new(&settings, Arc::new(Resolver::default())));
    let mut plan = blueprint(10);
    plan.services[0].targets = vec![Target { url, weight: 1 }];
    assert!(live.apply_blueprint(plan).await);
    live.consumers.replace(application(&peppers(), 3, 1));
    let ledger = Arc::new(Ledger::new(dir.path().to_owned(), Uuid::now_v7(), 64 << 20, 0));
    ledger.prepare_files();
    // A call that is kept takes a slot, which is given back when it was carried away: here by nobody.
    let log = Arc::new(RequestLog::new(RequestLogMode::Off, 0, None));
    let proxy = Proxy::new(Arc::new(settings.clone()), live, ledger, log, Desk::of_nobody());

    // The first calls make what all later ones use: accounts, places to count, room for heads.
    let few = allocations_of(20, &proxy, &settings).await;
    assert!(few > 0, "the counter does not count");
    // A new minute is counted in new places, so the better of two runs each: no two minutes begin so soon.
    let mut least = [u64::MAX; 2];
    for _ in 0..2 {
        for (least, calls) in least.iter_mut().zip([20, 220]) {
            *least = allocations_of(calls, &proxy, &settings).await.min(*least);
        }
    }
    assert_eq!(least[0], least[1], "200 calls more ask for nothing more");
}
