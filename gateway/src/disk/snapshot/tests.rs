use std::sync::Arc;

use tollgate_domain::{Limit, LimitKind, LimitPer, Period, Plan};

use super::*;

fn blueprint() -> Blueprint {
    let limit = |burst| Limit {
        name: "burst".into(),
        kind: LimitKind::Rate,
        amount: 10,
        period: Period::Second,
        burst,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    };
    let plan = Plan {
        id: Uuid::from_u128(1).into(),
        product_id: Uuid::from_u128(2).into(),
        slug: "free".into(),
        limits: vec![limit(None), limit(Some(5))],
        fallback: None,
        uncharged: false,
    };
    Blueprint { plans: vec![plan], ..Blueprint::default() }
}

fn application(n: u128) -> ConsumerApplication {
    ConsumerApplication {
        id: Uuid::from_u128(n).into(),
        organization_id: Uuid::from_u128(4).into(),
        credentials: vec![],
        subscriptions: vec![],
    }
}

fn position(revision: i64) -> Position {
    Position { epoch: Uuid::from_u128(9), revision }
}

fn save(data: &DataDir, revision: i64, applications: u128) -> io::Result<Fingerprint> {
    data.save_runtime(position(revision), &blueprint(), |take| {
        (0..applications).for_each(|n| take(application(n)));
    })
}

fn revisions(data: &Arc<DataDir>) -> Vec<i64> {
    data.saved_runtimes().map(|saved| saved.position.revision).collect()
}

fn newest(data: &DataDir) -> PathBuf {
    data.snapshots_newest_first()[0].1.clone()
}

#[test]
fn what_is_saved_is_read_back_with_the_same_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(DataDir::open(&dir.path().join("gateway")).unwrap());
    assert!(data.saved_runtimes().next().is_none());
    let fingerprint = save(&data, 1, 3).unwrap();
    let mut saved = data.saved_runtimes().next().unwrap();
    assert_eq!((saved.position, saved.applications.by_ref().count()), (position(1), 3));
    assert!(saved.applications.is_complete());
    assert_eq!(saved.applications.fingerprint(), fingerprint);
    assert_eq!(saved.blueprint.plans[0].limits[1].burst, Some(5));
}

#[test]
fn five_are_kept_and_a_damaged_one_gives_way_to_the_one_before_and_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(DataDir::open(dir.path()).unwrap());
    for revision in 1..=7 {
        save(&data, revision, 1).unwrap();
    }
    assert_eq!(revisions(&data), [7, 6, 5, 4, 3]);

    let whole = std::fs::read(newest(&data)).unwrap();
    for at in [0, MAGIC_BYTES, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(newest(&data), bytes).unwrap();
        assert_eq!(revisions(&data), [6, 5, 4, 3], "byte {at}");
    }
    for length in [0, 7, MAGIC_BYTES + DIGEST_BYTES, whole.len() - 1] {
        std::fs::write(newest(&data), &whole[..length]).unwrap();
        assert_eq!(revisions(&data), [6, 5, 4, 3], "{length} bytes");
    }
    assert_eq!(data.snapshot_counts().damaged(), 8);
    save(&data, 8, 1).unwrap();
    assert_eq!(revisions(&data), [8, 6, 5, 4]);
}

#[test]
fn what_cannot_be_written_leaves_what_was_saved_and_no_half_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(DataDir::open(dir.path()).unwrap());
    save(&data, 1, 1).unwrap();
    let failing = data.write_whole(&dir.path().join("runtime.new"), |file| {
        file.write_all(b"half")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert!(failing.is_err());
    assert!(!dir.path().join("runtime.new").exists());
    assert_eq!(revisions(&data), [1]);
}

#[test]
fn no_flipped_bit_and_no_lost_end_is_taken_for_a_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(DataDir::open(&dir.path().join("gateway")).unwrap());
    save(&data, 1, 2).unwrap();
    let path = newest(&data);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, bytes).unwrap();
        assert!(open(&path).is_err(), "byte {at}");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(open(&path).is_err(), "cut at {at}");
    }
}

/// With `TOLLGATE_REWRITE_SEEDS` set they are written anew.
#[test]
fn what_the_fuzzer_starts_from_are_sound_records() {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/snapshot/two");
    if std::env::var_os("TOLLGATE_REWRITE_SEEDS").is_some() {
        let framed = [1, 2].map(|n| {
            let record = postcard::to_stdvec(&application(n)).unwrap();
            [&u32::try_from(record.len()).unwrap().to_le_bytes()[..], &record].concat()
        });
        std::fs::create_dir_all(seed.parent().unwrap()).unwrap();
        std::fs::write(&seed, [framed.concat(), vec![0; 4]].concat()).unwrap();
    }
    let bytes = std::fs::read(&seed).unwrap();
    let mut records = Records::new(&bytes[..]);
    for n in [1, 2] {
        let read: ConsumerApplication = records.next().unwrap().expect("a record");
        assert_eq!(read.id, application(n).id);
    }
    assert!(records.next::<ConsumerApplication>().unwrap().is_none());
}
