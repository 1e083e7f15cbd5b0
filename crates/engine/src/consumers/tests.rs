use tollgate_domain::Environment;

use crate::consumers::Consumers;
use crate::key::{Peppers, mint, parse};
use crate::quota::Month;
use crate::sample::{NOW, S, application, key, peppers, uuid};

fn knows(consumers: &Consumers, n: u8) -> bool {
    consumers.find(&parse(&key(n)).expect("well formed")).is_some()
}

#[test]
fn a_revoked_key_is_refused_and_its_siblings_stay() {
    let consumers = Consumers::new(peppers());
    consumers.replace(application(51, 41, &[1, 2]));
    assert!(knows(&consumers, 1) && knows(&consumers, 2) && !knows(&consumers, 3));
    consumers.replace(application(51, 41, &[2, 3]));
    assert!(!knows(&consumers, 1) && knows(&consumers, 2) && knows(&consumers, 3));
    consumers.remove(uuid(51).into());
    assert!(!knows(&consumers, 2) && !knows(&consumers, 3));
    assert_eq!((consumers.counts().applications, consumers.counts().credentials), (0, 0));
}

#[test]
fn what_is_not_listed_is_dropped() {
    let consumers = Consumers::new(peppers());
    consumers.replace_all([application(51, 41, &[1]), application(52, 41, &[2])]);
    consumers.replace_all([application(52, 41, &[2]), application(53, 41, &[3])]);
    assert!(!knows(&consumers, 1) && knows(&consumers, 2) && knows(&consumers, 3));
    assert_eq!(consumers.counts().applications, 2);
}

#[test]
fn a_key_that_moved_survives_the_removal_of_its_first_application() {
    let consumers = Consumers::new(peppers());
    consumers.replace(application(51, 41, &[1]));
    consumers.replace(application(52, 41, &[1]));
    consumers.remove(uuid(51).into());
    assert!(knows(&consumers, 1));
}

#[test]
fn a_meter_survives_replacement_and_removal() {
    let consumers = Consumers::new(peppers());
    let month = Month::at(NOW);
    consumers.replace(application(51, 41, &[1]));
    let found = consumers.find(&parse(&key(1)).expect("well formed")).expect("known");
    assert!(found.application.subscriptions[0].meters.quota.take(month, 5).is_ok());
    let own = |consumers: &Consumers| consumers.quota_own(uuid(51).into(), uuid(10_051).into(), month);
    consumers.replace(application(51, 42, &[1]));
    assert_eq!(own(&consumers), Some(1));
    consumers.remove(uuid(51).into());
    assert_eq!(own(&consumers), None);
    consumers.replace(application(51, 41, &[1]));
    assert_eq!(own(&consumers), Some(1));
    // The old handle of a call that is still under way counts on the same meter.
    assert!(found.application.subscriptions[0].meters.quota.take(month, 5).is_ok());
    assert_eq!(own(&consumers), Some(2));
    assert!(consumers.set_quota_others(uuid(51).into(), uuid(10_051).into(), month, 3));
    assert!(found.application.subscriptions[0].meters.quota.take(month, 5).is_err());
    assert!(!consumers.set_quota_others(uuid(51).into(), uuid(1).into(), month, 3));
}

#[test]
fn parked_meters_are_forgotten_after_their_month() {
    let consumers = Consumers::new(peppers());
    let month = Month::at(NOW);
    consumers.replace(application(51, 41, &[1]));
    let found = consumers.find(&parse(&key(1)).expect("well formed")).expect("known");
    assert!(found.application.subscriptions[0].meters.quota.take(month, 5).is_ok());
    consumers.remove(uuid(51).into());
    consumers.purge(NOW);
    assert_eq!(consumers.parked.len(), 1);
    consumers.purge(month.end_s() * S);
    assert_eq!(consumers.parked.len(), 0);
}

#[test]
fn keys_of_older_peppers_are_still_found() {
    let both = Peppers::new(vec![
        (1, *b"an older secret of 32 bytes ...."),
        (2, *b"a newer secret of 32 bytes ....."),
    ])
    .expect("two");
    let newer = mint("tg", Environment::Test, &[9; 32]);
    let mut row = application(51, 41, &[1, 2]);
    row.credentials[1].digest = both.digest(2, &newer).expect("version 2");
    row.credentials[1].pepper_version = 2;
    let consumers = Consumers::new(both);
    consumers.replace(row);
    assert!(knows(&consumers, 1));
    assert!(consumers.find(&parse(&newer).expect("well formed")).is_some());
}

#[test]
fn what_went_in_comes_out() {
    let consumers = Consumers::new(peppers());
    let mut row = application(51, 41, &[1, 2]);
    row.credentials[0].expires_at = Some(1_800_000_000);
    row.subscriptions[0].suspended = true;
    consumers.replace(row.clone());
    let mut seen = Vec::new();
    consumers.for_each(|application| seen.push(format!("{application:?}")));
    assert_eq!(seen, [format!("{row:?}")]);
}

#[test]
fn readers_never_miss_a_key_that_stays_while_writers_replace_it() {
    let consumers = Consumers::new(peppers());
    consumers.replace(application(51, 41, &[1, 2]));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..1_000u16 {
                let other = 2 + (round % 3) as u8;
                consumers.replace(application(51, 41, &[1, other]));
            }
        });
        scope.spawn(|| {
            for _ in 0..5_000 {
                assert!(knows(&consumers, 1));
            }
        });
    });
    assert_eq!(consumers.counts().credentials, 2);
}

#[test]
fn the_table_prints_no_digest() {
    let consumers = Consumers::new(peppers());
    consumers.replace(application(51, 41, &[1]));
    assert_eq!(
        format!("{consumers:?}"),
        "Consumers { counts: Counts { applications: 1, credentials: 1 }, .. }"
    );
}
