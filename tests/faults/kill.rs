//! `kill -9` of the gateway at every place where a count could be lost or doubled, and of the database: none is.
//!
//! A call is finished when its caller has the last byte of the answer. Of those none may be missing in the ledger; and
//! no call may be there that did not reach the upstream.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tollgate_testkit::{Cluster, TestDatabase, Verdict};

use crate::load::Load;
use crate::rig::{Process, Rig, until};

/// Callers at once.
const CALLERS: usize = 4;
/// The same numbers from the same seed, everywhere.
pub struct Dice(pub u64);

impl Dice {
    /// 0 to `below` - 1 (SplitMix64).
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % below
    }
}

/// Where the process dies.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Before the call is counted, its answer not yet sent.
    Count(u64),
    /// In the middle of counting.
    Append(u64),
    /// Before a batch goes to Postgres.
    Send(u64),
    /// While Postgres is told to commit, which arrives or does not.
    Commit { nth: i64, arrives: bool },
    /// After Postgres has accepted, before that is noted.
    Ack(u64),
    /// When files are deleted that were accepted: at a graceful stop, or at the next start.
    Truncate(u64),
    /// Anywhere, after so many milliseconds.
    Anywhere(u64),
    /// Anywhere, after the database server was killed so many milliseconds after the start, and came back.
    AfterTheServer(u64),
}

impl Place {
    fn roll(dice: &mut Dice) -> Self {
        match dice.roll(8) {
            0 => Self::Count(1 + dice.roll(300)),
            1 => Self::Append(1 + dice.roll(300)),
            2 => Self::Send(1 + dice.roll(2)),
            3 => Self::Commit { nth: 1 + dice.roll(3).cast_signed(), arrives: dice.roll(2) == 0 },
            4 => Self::Ack(1 + dice.roll(2)),
            5 => Self::Truncate(1 + dice.roll(2)),
            6 => Self::AfterTheServer(dice.roll(1_000)),
            _ => Self::Anywhere(dice.roll(1_500)),
        }
    }

    fn variable(self) -> Option<String> {
        let (name, nth) = match self {
            Self::Count(nth) => ("count", nth),
            Self::Append(nth) => ("append", nth),
            Self::Send(nth) => ("send", nth),
            Self::Ack(nth) => ("ack", nth),
            Self::Truncate(nth) => ("truncate", nth),
            Self::Commit { .. } | Self::Anywhere(_) | Self::AfterTheServer(_) => return None,
        };
        Some(format!("{name}:{nth}"))
    }
}

/// Kills the process `victim` when the connection to Postgres carries the `commits`th commit.
struct Trap {
    victim: AtomicU32,
    commits: AtomicI64,
    arrives: std::sync::atomic::AtomicBool,
}

impl Trap {
    fn spring(&self, bytes: &[u8]) -> Verdict {
        let says_commit = bytes.windows(6).any(|six| six.eq_ignore_ascii_case(b"commit"));
        if !says_commit || self.commits.fetch_sub(1, Ordering::SeqCst) != 1 {
            return Verdict::Forward;
        }
        if let Ok(victim) = i32::try_from(self.victim.load(Ordering::SeqCst)) {
            let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
        }
        if self.arrives.load(Ordering::SeqCst) { Verdict::Forward } else { Verdict::Drop }
    }
}

/// Rounds of one stage: a gateway starts, takes calls, dies; the next one starts on what it left.
async fn rounds(seed: u64, rounds: u64) {
    let cluster = Cluster::start().await;
    let rig = Rig::on(TestDatabase::on_cluster(&cluster).await).await;
    let trap = Arc::new(Trap {
        victim: AtomicU32::new(0),
        commits: AtomicI64::new(i64::MIN),
        arrives: false.into(),
    });
    let watcher = Arc::clone(&trap);
    rig.postgres.watch(move |bytes| watcher.spring(bytes));
    let mut dice = Dice(seed);
    let mut finished = 0;
    for round in 0..rounds {
        let place = Place::roll(&mut dice);
        let mut command = rig.command();
        if let Some(variable) = place.variable() {
            command.env("TOLLGATE_FAIL_POINT", variable);
        }
        // Some die before they serve, from what they find on disk.
        let Some(mut process) = Process::start(command).await else { continue };
        check(&rig, finished, seed, round, "at the start").await;
        if let Place::Commit { nth, arrives } = place {
            trap.victim.store(process.id(), Ordering::SeqCst);
            trap.arrives.store(arrives, Ordering::SeqCst);
            trap.commits.store(nth, Ordering::SeqCst);
        }
        let load = Load::start(process.gateway, &rig.world.key, CALLERS, 50);
        match place {
            Place::Anywhere(wait) => {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                process.signal(Signal::SIGKILL);
            }
            Place::AfterTheServer(wait) => {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                cluster.kill().await;
                let seen = load.tally.finished();
                until("calls go on without the server", async || load.tally.finished() > seen + 20).await;
                cluster.start_again();
                tokio::time::sleep(Duration::from_millis(wait)).await;
                process.signal(Signal::SIGKILL);
            }
            Place::Truncate(_) => {
                until("calls finish", async || load.tally.finished() > 50 || process.has_ended()).await;
                process.signal(Signal::SIGTERM);
            }
            _ => {}
        }
        process.ended().await;
        trap.commits.store(i64::MIN, Ordering::SeqCst);
        finished += load.stop().await.finished();
    }
    let mut last = rig.gateway().await;
    check(&rig, finished, seed, rounds, "at the end").await;
    last.signal(Signal::SIGTERM);
    assert!(last.ended().await.success());
    let quota = rig.world.used(&rig.store).await;
    assert_eq!(quota, rig.counted().await, "seed {seed}: the quota is the sum of what was counted");
    println!("seed {seed}: {rounds} rounds, {finished} finished calls, {quota} counted, 0 lost, 0 double");
}

/// What a start finds on disk is handed in before it serves.
async fn check(rig: &Rig, finished: u64, seed: u64, round: u64, when: &str) {
    let (counted, arrived) = (rig.counted().await, rig.arrived.load(Ordering::SeqCst));
    assert!(
        finished <= counted && counted <= arrived,
        "seed {seed}, round {round}, {when}: {finished} finished, {counted} counted, {arrived} reached the upstream"
    );
}

/// What somebody who runs the tests at length asks for.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `TOLLGATE_FAULTS_ROUNDS` rounds in all, over four stages side by side; few where nobody asks for more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_finished_call_is_lost_and_none_counted_twice_however_the_process_dies() {
    let (all, seed) = (setting("TOLLGATE_FAULTS_ROUNDS", 16), setting("TOLLGATE_FAULTS_SEED", 1));
    let each = all / 4;
    tokio::join!(rounds(seed, each), rounds(seed + 1, each), rounds(seed + 2, each), rounds(seed + 3, each));
}
