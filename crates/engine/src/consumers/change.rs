//! Changes to the tables: many applications at once, each shard written once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tollgate_domain::{ApplicationId, ConsumerApplication, ConsumerSubscription, CredentialId};

use super::Consumers;
use super::applications::{ApplicationShard, NewApplication};
use super::keys::{KeyRow, Place, Tag};
use super::shards::SHARD_BITS;
use super::terms::Pair;
use crate::rules::{Rules, RulesOfShard};

/// What only writers need.
#[derive(Default)]
pub(super) struct Writer {
    terms: HashMap<Pair, u32>,
}

/// Which keys open and which close, for which application.
#[derive(Default)]
struct KeyChanges {
    opened: Vec<(Tag, KeyRow)>,
    closed: Vec<(u32, Place)>,
    /// What keys that open are held to, by their shards.
    rules: Vec<(usize, CredentialId, Arc<Rules>)>,
}

pub(super) fn shard_of(id: ApplicationId) -> usize {
    // The low half of an id is random; the multiplication lets all of it count.
    (((id.uuid().as_u128() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> (64 - SHARD_BITS)) as usize
}

impl Consumers {
    /// Puts `present` in the place of what was known of them and forgets those that `gone` names, which is told
    /// which ones are present.
    ///
    /// In this order: an application is known before its keys open, and its place is free only after they closed.
    pub(super) fn apply_locked(
        &self,
        mut present: Vec<ConsumerApplication>,
        gone: impl FnOnce(&dyn Fn(ApplicationId) -> bool) -> Vec<ApplicationId>,
        writer: &mut Writer,
    ) {
        let order = |id: ApplicationId| (shard_of(id), id);
        present.sort_by_key(|row| order(row.id));
        let mut keys = KeyChanges::default();
        for run in present.chunk_by(|one, other| shard_of(one.id) == shard_of(other.id)) {
            self.put_applications(run, &mut keys, writer);
        }
        let gone = gone(&|id| present.binary_search_by_key(&order(id), |row| order(row.id)).is_ok());
        drop(present);
        let places = self.places_of(&gone);
        for place in &places {
            let shard = self.applications.get(place.shard());
            keys.closed.extend(shard.keys_of(place.slot()).iter().map(|prefix| (*prefix, *place)));
        }
        self.change_keys(keys);
        self.clear(&places);
    }

    /// Applications of one shard, ordered by id; where one comes twice the last counts.
    fn put_applications(&self, run: &[ConsumerApplication], keys: &mut KeyChanges, writer: &mut Writer) {
        let index = shard_of(run[0].id);
        let shard = self.applications.get(index);
        let mut free = shard.free_slots().take(Place::SLOTS);
        let mut changes = BTreeMap::new();
        for same in run.chunk_by(|one, other| one.id == other.id) {
            let row = &same[same.len() - 1];
            let known = shard.slot_of(row.id);
            // A billion applications in all are beyond what any machine holds otherwise.
            let Some(slot) = known.or_else(|| free.next()) else { continue };
            let place = Place::new(index, slot);
            match known {
                Some(slot) => keys.closed.extend(shard.keys_of(slot).iter().map(|prefix| (*prefix, place))),
                None => drop(self.counts.0.fetch_add(1, Ordering::Relaxed)),
            }
            keys.opened.extend(row.credentials.iter().map(|key| KeyRow::new(key, place)));
            for key in &row.credentials {
                if let Some(restrictions) = &key.restrictions {
                    keys.rules.push((Tag::from(key.tag).shard(), key.id, Arc::new(Rules::of(restrictions))));
                }
                if key.imported {
                    self.has_imported.store(true, Ordering::Release);
                }
            }
            changes.insert(
                slot,
                Some(NewApplication::new(row, |subscription| self.terms_of(subscription, writer))),
            );
        }
        self.set_applications(index, shard.with(&changes));
    }

    fn set_applications(&self, index: usize, shard: ApplicationShard) {
        self.applications.set(index, shard);
        self.state.fetch_add(1, Ordering::Release);
    }

    fn terms_of(&self, row: &ConsumerSubscription, writer: &mut Writer) -> u32 {
        let next = writer.terms.len() as u32;
        *writer.terms.entry((row.product_id, row.plan_id)).or_insert_with_key(|pair| {
            self.terms.set(next, *pair);
            next
        })
    }

    fn places_of(&self, ids: &[ApplicationId]) -> Vec<Place> {
        let place = |id: &ApplicationId| {
            let shard = shard_of(*id);
            Some(Place::new(shard, self.applications.get(shard).slot_of(*id)?))
        };
        let mut places: Vec<_> = ids.iter().filter_map(place).collect();
        places.sort();
        places.dedup();
        places
    }

    fn change_keys(&self, mut keys: KeyChanges) {
        keys.opened.sort_by_key(|(tag, _)| *tag);
        // Where a key comes twice, the last one counts.
        keys.opened.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                *earlier = *later;
            }
            same
        });
        keys.closed.sort();
        keys.rules.sort_by_key(|(shard, id, _)| (*shard, *id));
        for run in keys.rules.chunk_by(|one, other| one.0 == other.0) {
            self.add_rules(run);
        }
        let (mut opened, mut closed) = (&keys.opened[..], &keys.closed[..]);
        loop {
            let next = opened.first().map(|(tag, _)| tag.shard());
            let next_closed = closed.first().map(|(prefix, _)| Tag::shard_of_prefix(*prefix));
            let Some(index) = next.into_iter().chain(next_closed).min() else { break };
            let (here, later) = opened.split_at(opened.partition_point(|(tag, _)| tag.shard() == index));
            let (gone, later_gone) =
                closed.split_at(closed.partition_point(|(prefix, _)| Tag::shard_of_prefix(*prefix) == index));
            let before = self.keys.get(index);
            let after = before.with(here, gone);
            self.counts.1.fetch_add(after.len().wrapping_sub(before.len()), Ordering::Relaxed);
            self.keys.set(index, after);
            self.state.fetch_add(1, Ordering::Release);
            self.drop_rules(index);
            (opened, closed) = (later, later_gone);
        }
    }

    /// Rules are there before the keys that they are of.
    fn add_rules(&self, run: &[(usize, CredentialId, Arc<Rules>)]) {
        let shard = run[0].0;
        let known = self.rules.get(shard);
        if run.iter().all(|(_, id, rules)| known.get(id) == Some(rules)) {
            return;
        }
        let mut all = RulesOfShard::clone(&known);
        all.extend(run.iter().map(|(_, id, rules)| (*id, Arc::clone(rules))));
        self.rules.set(shard, all);
    }

    /// Rules go once nothing in their shard is held to them.
    fn drop_rules(&self, shard: usize) {
        let known = self.rules.get(shard);
        if known.is_empty() {
            return;
        }
        let keys = self.keys.get(shard);
        let held: HashSet<CredentialId> = keys.restricted().collect();
        if known.keys().any(|id| !held.contains(id)) {
            let mut all = RulesOfShard::clone(&known);
            all.retain(|id, _| held.contains(id));
            self.rules.set(shard, all);
        }
    }

    /// Gives places free.
    fn clear(&self, places: &[Place]) {
        for run in places.chunk_by(|one, other| one.shard() == other.shard()) {
            let index = run[0].shard();
            let changes = run.iter().map(|place| (place.slot(), None)).collect();
            let shard = self.applications.get(index).with(&changes);
            self.set_applications(index, shard);
            self.counts.0.fetch_sub(run.len(), Ordering::Relaxed);
        }
    }
}
