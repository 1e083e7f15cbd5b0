use std::sync::Arc;

use proptest::prelude::*;
use tollgate_domain::{ApplicationId, ConsumerApplication, Environment};

use crate::consumers::change::shard_of;
use crate::consumers::keys::Tag;
use crate::consumers::{Account, Consumers};
use crate::gcra::Rate;
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

/// The account that calls of a key are counted on.
fn account(consumers: &Consumers, n: u8) -> Arc<Account> {
    let found = consumers.find(&parse(&key(n)).expect("well formed")).expect("known");
    let opening = consumers.opening(&found, &[uuid(31).into()]).expect("entitled");
    consumers.account(&found, &opening)
}

#[test]
fn a_count_survives_replacement_and_removal() {
    let consumers = Consumers::new(peppers());
    let month = Month::at(NOW);
    consumers.replace(application(51, 41, &[1]));
    let held = account(&consumers, 1);
    assert!(held.quota.take(month, 5, 1).is_ok());
    let own = || consumers.quota_own(uuid(10_051).into(), month);
    consumers.replace(application(51, 42, &[1]));
    assert_eq!(own(), 1);
    consumers.remove(uuid(51).into());
    consumers.purge(NOW);
    consumers.replace(application(51, 41, &[1]));
    assert_eq!(own(), 1);
    // A call that is still under way counts on the same account.
    assert!(Arc::ptr_eq(&held, &account(&consumers, 1)));
    consumers.set_quota_others(uuid(10_051).into(), month, 4);
    assert!(account(&consumers, 1).quota.take(month, 5, 1).is_err());
}

#[test]
fn use_elsewhere_is_known_before_the_subscription_is() {
    let consumers = Consumers::new(peppers());
    let month = Month::at(NOW);
    consumers.set_quota_others(uuid(10_051).into(), month, 5);
    consumers.replace(application(51, 41, &[1]));
    assert!(account(&consumers, 1).quota.take(month, 5, 1).is_err());
}

#[test]
fn what_tells_nothing_any_more_is_forgotten() {
    let consumers = Consumers::new(peppers());
    let month = Month::at(NOW);
    consumers.replace_all([application(51, 41, &[1]), application(52, 42, &[2])]);
    assert!(account(&consumers, 1).quota.take(month, 5, 1).is_ok());
    let rate = Rate::new(1, 60, 1);
    let found = consumers.find(&parse(&key(2)).expect("well formed")).expect("known");
    assert!(rate.take(&consumers.key_cells(&found)[0], NOW).is_ok());
    drop(found);
    account(&consumers, 2);
    consumers.set_quota_others(uuid(10_053).into(), month, 5);
    assert_eq!((consumers.accounts.len(), consumers.key_meters.len()), (3, 1));

    consumers.purge(NOW);
    // Application 52's account had counted nothing; its key's meter is not whole again.
    assert_eq!((consumers.accounts.len(), consumers.key_meters.len()), (2, 1));
    let held = account(&consumers, 1);
    consumers.purge(month.end_s() * S);
    assert_eq!((consumers.accounts.len(), consumers.key_meters.len()), (1, 0));
    // It is still the one account, for somebody has it.
    assert!(Arc::ptr_eq(&held, &account(&consumers, 1)));
    drop(held);
    consumers.purge(month.end_s() * S);
    assert_eq!(consumers.accounts.len(), 0);
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
    row.credentials[1].tag = both.tag(2, &newer).expect("version 2");
    row.credentials[1].pepper_version = 2;
    let consumers = Consumers::new(both);
    consumers.replace(row);
    assert!(knows(&consumers, 1));
    assert!(consumers.find(&parse(&newer).expect("well formed")).is_some());
}

/// Every application as text, in one order.
fn listed(applications: impl IntoIterator<Item = ConsumerApplication>) -> Vec<String> {
    let text = |mut application: ConsumerApplication| {
        application.credentials.sort_by_key(|credential| credential.id);
        format!("{application:?}")
    };
    let mut listed: Vec<_> = applications.into_iter().map(text).collect();
    listed.sort();
    listed
}

fn known(consumers: &Consumers) -> Vec<String> {
    let mut known = Vec::new();
    consumers.for_each(|application| known.push(application));
    listed(known)
}

#[test]
fn what_went_in_comes_out() {
    let consumers = Consumers::new(peppers());
    let mut row = application(51, 41, &[1, 2]);
    row.credentials[0].expires_at = Some(1_800_000_000);
    row.subscriptions[0].suspended = true;
    row.subscriptions[0].unpaid = true;
    consumers.replace(row.clone());
    assert_eq!(known(&consumers), listed([row]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_tables_are_a_map_of_applications(
        steps in prop::collection::vec(
            prop::collection::vec((51u128..57, prop::option::of(prop::collection::btree_set(0u8..8, 0..5))), 1..5),
            1..20,
        ),
    ) {
        let consumers = Consumers::new(peppers());
        let mut model = std::collections::BTreeMap::new();
        for (n, step) in steps.into_iter().enumerate() {
            // Every application has keys of its own: no key moves.
            let step: std::collections::BTreeMap<_, _> = step.into_iter().collect();
            let row = |id: u128, keys: &std::collections::BTreeSet<u8>| {
                let keys: Vec<u8> = keys.iter().map(|key| key + (id as u8 - 51) * 8 + 1).collect();
                application(id, 41 + (n as u128 % 3), &keys)
            };
            let present: Vec<_> =
                step.iter().filter_map(|(id, keys)| Some(row(*id, keys.as_ref()?))).collect();
            if n % 5 == 4 {
                model = present.iter().map(|row| (row.id, row.clone())).collect();
                consumers.replace_all(present);
            } else {
                let gone: Vec<_> =
                    step.iter().filter(|(_, keys)| keys.is_none()).map(|(id, _)| uuid(*id).into()).collect();
                model.retain(|id, _| !gone.contains(id));
                model.extend(present.iter().map(|row| (row.id, row.clone())));
                consumers.apply(present, &gone);
            }
            prop_assert_eq!(known(&consumers), listed(model.values().cloned()));
            let counts = consumers.counts();
            let keys: usize = model.values().map(|row| row.credentials.len()).sum();
            prop_assert_eq!((counts.applications, counts.credentials), (model.len(), keys));
            for key in 1..=48 {
                let owner = uuid(u128::from((key - 1) / 8) + 51).into();
                let listed = model.get(&owner).is_some_and(|row| {
                    row.credentials.iter().any(|credential| credential.id == uuid(1_000 + u128::from(key)).into())
                });
                prop_assert_eq!(knows(&consumers, key), listed);
                if listed {
                    let text = format!("{:?}", account(&consumers, key).application);
                    prop_assert_eq!(text, format!("{:?}", owner.text()));
                }
            }
        }
    }
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
fn a_place_that_is_given_anew_is_never_taken_for_its_former_holders() {
    let consumers = Consumers::new(peppers());
    let other =
        (52..).find(|n| shard_of(uuid(*n).into()) == shard_of(uuid(51).into())).expect("one in 4,096");
    let tag = |n: u8| Tag::from(peppers().tag(1, &key(n)).expect("version 1"));
    consumers.replace(application(51, 41, &[1]));
    let found = consumers.find_tag(tag(1), || {
        consumers.remove(uuid(51).into());
        consumers.replace(application(other, 41, &[2]));
    });
    assert!(found.is_none());
    assert!(consumers.find_tag(tag(2), || ()).is_some());

    // The key has moved to the application that has the place now: then it is that one's.
    let mut moves = 0;
    let found = consumers.find_tag(tag(2), || {
        moves += 1;
        if moves == 1 {
            consumers.remove(uuid(other).into());
            consumers.replace(application(51, 41, &[2]));
        }
    });
    let found = found.expect("it opens");
    let opening = consumers.opening(&found, &[uuid(31).into()]).expect("entitled");
    assert_eq!(consumers.account(&found, &opening).application, ApplicationId::from(uuid(51)).text());
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

#[test]
fn what_keys_are_held_to_is_given_back_and_forgotten_with_them() {
    let consumers = Consumers::new(peppers());
    let held = tollgate_domain::Restrictions { scopes: vec!["api-11".to_owned()], ..Default::default() };
    let mut row = application(51, 43, &[1, 2]);
    row.credentials[0].restrictions = Some(Box::new(held.clone()));
    row.credentials[1].imported = true;
    consumers.replace(row.clone());
    let mut seen = Vec::new();
    consumers.for_each(|application| seen.push(application));
    let known = |id| seen[0].credentials.iter().find(|key| key.id == id).expect("it is there");
    assert_eq!(known(row.credentials[0].id).restrictions.as_deref(), Some(&held));
    assert_eq!(known(row.credentials[1].id).restrictions, None);
    assert!(known(row.credentials[1].id).imported);
    let rules = || consumers.rules.iter().map(|shard| shard.len()).sum::<usize>();
    assert_eq!(rules(), 1);
    row.credentials[0].restrictions = None;
    consumers.replace(row);
    assert_eq!(rules(), 0);
}
