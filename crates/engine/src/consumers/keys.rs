//! One shard of the keys: sorted by digest, 44 bytes a key, found by where its digest must lie.

use std::sync::{Arc, OnceLock};

use subtle::ConstantTimeEq;
use tollgate_domain::{ConsumerCredential, CredentialId, Environment};

use super::RateCells;
use super::shards::SHARD_BITS;

const NEVER: u32 = u32::MAX;
/// A mark of a key that is held to something beside its plan.
const RESTRICTED: u8 = 1;
/// A mark of a key that was made elsewhere.
const IMPORTED: u8 = 2;

/// What a key is recognised by: the first half of its digest, which RFC 2104 §5 allows. It is uniform and nobody
/// without the pepper can choose it, so its first bits are its own hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag {
    head: u64,
    tail: [u8; 8],
}

impl From<[u8; 16]> for Tag {
    fn from(bytes: [u8; 16]) -> Self {
        let (mut head, mut tail) = ([0; 8], [0; 8]);
        head.copy_from_slice(&bytes[..8]);
        tail.copy_from_slice(&bytes[8..]);
        Self { head: u64::from_be_bytes(head), tail }
    }
}

impl Tag {
    pub(super) const fn shard(self) -> usize {
        (self.head >> (64 - SHARD_BITS)) as usize
    }

    /// What an application remembers of its keys' tags: enough to find them.
    pub(super) const fn prefix(self) -> u32 {
        (self.head >> 32) as u32
    }

    pub(super) const fn shard_of_prefix(prefix: u32) -> usize {
        (prefix >> (32 - SHARD_BITS)) as usize
    }

    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.head.to_be_bytes());
        bytes[8..].copy_from_slice(&self.tail);
        bytes
    }
}

/// Where an application stands in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u32);

impl Place {
    /// Applications that one shard can hold.
    pub(super) const SLOTS: usize = 1 << (32 - SHARD_BITS);

    pub(super) const fn new(shard: usize, slot: usize) -> Self {
        Self((shard as u32) << (32 - SHARD_BITS) | slot as u32)
    }

    pub(super) const fn shard(self) -> usize {
        (self.0 >> (32 - SHARD_BITS)) as usize
    }

    pub(super) const fn slot(self) -> usize {
        self.0 as usize & (Self::SLOTS - 1)
    }
}

/// A key beside the head of its tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyRow {
    /// Compared in constant time.
    tail: [u8; 8],
    pub(super) id: CredentialId,
    pub(super) application: Place,
    /// Unix seconds; [`NEVER`] where it does not expire.
    expires_at_s: u32,
    pepper_version: i16,
    pub(super) environment: Environment,
    marks: u8,
}

impl KeyRow {
    pub(super) fn new(row: &ConsumerCredential, application: Place) -> (Tag, Self) {
        let tag = Tag::from(row.tag);
        let expires_at_s = row.expires_at.map_or(NEVER, |at| at.clamp(0, i64::from(NEVER) - 1) as u32);
        let (id, pepper_version, environment) = (row.id, row.pepper_version, row.environment);
        let restricted = if row.restrictions.is_some() { RESTRICTED } else { 0 };
        let marks = restricted | if row.imported { IMPORTED } else { 0 };
        (tag, Self { tail: tag.tail, id, application, expires_at_s, pepper_version, environment, marks })
    }

    /// Unix seconds; none where it does not expire.
    pub(super) fn expires_at_s(&self) -> Option<u64> {
        (self.expires_at_s != NEVER).then_some(u64::from(self.expires_at_s))
    }

    pub(super) fn is_expired(&self, now_s: u64) -> bool {
        self.expires_at_s().is_some_and(|at| now_s >= at)
    }

    /// Whether it is held to rules of its own.
    pub(super) const fn is_restricted(&self) -> bool {
        self.marks & RESTRICTED != 0
    }

    /// In the form it came in, but for its restrictions, which lie elsewhere.
    pub(super) fn credential(&self, tag: Tag) -> ConsumerCredential {
        ConsumerCredential {
            id: self.id,
            environment: self.environment,
            tag: tag.bytes(),
            pepper_version: self.pepper_version,
            expires_at: (self.expires_at_s != NEVER).then_some(i64::from(self.expires_at_s)),
            imported: self.marks & IMPORTED != 0,
            restrictions: None,
        }
    }
}

type Cached = OnceLock<Arc<RateCells>>;

/// Some of the keys.
#[derive(Default)]
pub(super) struct KeyShard {
    /// Ascending. Apart from the rows, so that a look-up touches little memory.
    heads: Box<[u64]>,
    rows: Box<[KeyRow]>,
    /// Meters of keys that called under a limit per key; nothing where none did.
    cells: OnceLock<Box<[Cached]>>,
}

impl KeyShard {
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(super) fn row(&self, at: usize) -> &KeyRow {
        &self.rows[at]
    }

    /// Which shard this is, known by one of its keys.
    pub(super) fn shard_of(&self, at: usize) -> usize {
        Tag { head: self.heads[at], tail: self.rows[at].tail }.shard()
    }

    /// Ids of its keys that are held to rules of their own.
    pub(super) fn restricted(&self) -> impl Iterator<Item = CredentialId> + '_ {
        self.rows.iter().filter(|row| row.is_restricted()).map(|row| row.id)
    }

    /// Where a key stands. Heads are uniform, so it lies near where its head lies among all numbers.
    pub(super) fn find(&self, tag: Tag) -> Option<usize> {
        let mut at = self.first_from(tag.head);
        while *self.heads.get(at)? == tag.head {
            if bool::from(self.rows[at].tail.ct_eq(&tag.tail)) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Keys whose tags begin so.
    pub(super) fn with_prefix(&self, prefix: u32) -> impl Iterator<Item = (Tag, &KeyRow)> {
        let from = self.first_from(u64::from(prefix) << 32);
        let tagged = self.heads[from..].iter().zip(&self.rows[from..]);
        tagged
            .map(|(head, row)| (Tag { head: *head, tail: row.tail }, row))
            .take_while(move |(tag, _)| tag.prefix() == prefix)
    }

    fn first_from(&self, head: u64) -> usize {
        let within = u128::from(head << SHARD_BITS);
        let mut at = ((within * self.heads.len() as u128) >> 64) as usize;
        while at > 0 && self.heads[at - 1] >= head {
            at -= 1;
        }
        while at < self.heads.len() && self.heads[at] < head {
            at += 1;
        }
        at
    }

    /// The meter of the key at a place; it is asked for once.
    pub(super) fn cells(
        &self,
        at: usize,
        meter: impl FnOnce(CredentialId) -> Arc<RateCells>,
    ) -> Arc<RateCells> {
        let all = self.cells.get_or_init(|| (0..self.len()).map(|_| OnceLock::new()).collect());
        Arc::clone(all[at].get_or_init(|| meter(self.rows[at].id)))
    }

    /// A copy that has forgotten the meters that are spent; none where there are none.
    pub(super) fn without_cells(&self, spent: impl Fn(&RateCells) -> bool) -> Option<Self> {
        let cells = self.cells.get()?;
        cells.iter().any(|cell| cell.get().is_some_and(|cells| spent(cells))).then(|| {
            let kept: Vec<Cached> = cells
                .iter()
                .map(|cell| {
                    cell.get().filter(|cells| !spent(cells)).cloned().map_or_else(OnceLock::new, Into::into)
                })
                .collect();
            Self { heads: self.heads.clone(), rows: self.rows.clone(), cells: cached(kept) }
        })
    }

    /// A copy with keys opened, in ascending order and each once, and the keys of `closed` gone that are not among
    /// them. A key is closed for an application: one that has moved to another stays.
    pub(super) fn with(&self, opened: &[(Tag, KeyRow)], closed: &[(u32, Place)]) -> Self {
        let capacity = self.len() + opened.len();
        let (mut heads, mut rows) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        let mut cells = Vec::new();
        let mut opened = opened.iter().peekable();
        for (at, (head, row)) in self.heads.iter().zip(&self.rows).enumerate() {
            let tag = Tag { head: *head, tail: row.tail };
            while let Some((new, row)) = opened.next_if(|(new, _)| *new < tag) {
                heads.push(new.head);
                rows.push(*row);
            }
            let row = match opened.next_if(|(new, _)| *new == tag) {
                Some((_, new)) => new,
                None if closed.binary_search(&(tag.prefix(), row.application)).is_ok() => continue,
                None => row,
            };
            if let Some(cell) = self.cells.get().and_then(|cells| cells[at].get())
                && row.id == self.rows[at].id
            {
                cells.resize_with(heads.len(), OnceLock::new);
                cells.push(Cached::from(Arc::clone(cell)));
            }
            heads.push(*head);
            rows.push(*row);
        }
        for (new, row) in opened {
            heads.push(new.head);
            rows.push(*row);
        }
        if !cells.is_empty() {
            cells.resize_with(heads.len(), OnceLock::new);
        }
        Self { heads: heads.into(), rows: rows.into(), cells: cached(cells) }
    }
}

fn cached(cells: Vec<Cached>) -> OnceLock<Box<[Cached]>> {
    if cells.iter().any(|cell| cell.get().is_some()) {
        OnceLock::from(cells.into_boxed_slice())
    } else {
        OnceLock::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::uuid;

    fn key(head: u64, tail: u8, application: usize) -> (Tag, KeyRow) {
        let mut tag = [tail; 16];
        tag[..8].copy_from_slice(&head.to_be_bytes());
        let row = ConsumerCredential {
            id: uuid(u128::from(head) + u128::from(tail)).into(),
            environment: Environment::Live,
            tag,
            pepper_version: 1,
            expires_at: None,
            imported: false,
            restrictions: None,
        };
        KeyRow::new(&row, Place::new(3, application))
    }

    #[test]
    fn a_row_is_as_small_as_the_documents_say() {
        assert_eq!(size_of::<KeyRow>() + size_of::<u64>(), 44);
    }

    proptest! {
        /// Heads from few values, so that they collide and crowd.
        #[test]
        fn a_shard_is_a_map_by_tag(
            steps in prop::collection::vec(
                (prop::collection::vec((0u64..6, 0u8..3, 0usize..3), 0..8), prop::collection::vec((0u64..6, 0usize..3), 0..4)),
                1..12,
            ),
        ) {
            // All in the last shard, and as far apart as they can be.
            let head = |n: u64| (0xfff << 52) | (n << 49) | (n % 2);
            let mut shard = KeyShard::default();
            let mut model = std::collections::BTreeMap::new();
            for (opened, closed) in steps {
                let mut closed: Vec<_> =
                    closed.iter().map(|(n, application)| (key(head(*n), 0, 0).0.prefix(), Place::new(3, *application))).collect();
                closed.sort();
                model.retain(|tag: &Tag, row: &mut KeyRow| !closed.contains(&(tag.prefix(), row.application)));
                let opened: std::collections::BTreeMap<_, _> =
                    opened.iter().map(|(n, tail, application)| key(head(*n), *tail, *application)).collect();
                let opened: Vec<_> = opened.into_iter().collect();
                model.extend(opened.iter().copied());
                shard = shard.with(&opened, &closed);
                prop_assert_eq!(shard.len(), model.len());
                for n in 0..6 {
                    for tail in 0..3 {
                        let (tag, _) = key(head(n), tail, 0);
                        let found = shard.find(tag).map(|at| (shard.row(at).id, shard.row(at).application));
                        prop_assert_eq!(found, model.get(&tag).map(|row| (row.id, row.application)));
                    }
                    let prefix = key(head(n), 0, 0).0.prefix();
                    let begin_so = model.keys().filter(|tag| tag.prefix() == prefix).count();
                    prop_assert_eq!(shard.with_prefix(prefix).count(), begin_so);
                }
            }
        }
    }

    #[test]
    fn meters_stay_with_their_keys() {
        let shard = KeyShard::default().with(&[key(1, 0, 0), key(3, 0, 0)], &[]);
        let meter = shard.cells(1, |_| Arc::default());
        let shard = shard.with(&[key(2, 0, 0), key(3, 0, 1)], &[(key(1, 0, 0).0.prefix(), Place::new(3, 0))]);
        // Key 1 has the prefix of the others and was closed; key 2 came before key 3.
        assert_eq!(shard.len(), 2);
        assert!(Arc::ptr_eq(&meter, &shard.cells(1, |_| unreachable!("it is cached"))));
        assert!(shard.without_cells(|_| false).is_none());
        let shard = shard.without_cells(|_| true).expect("one was forgotten");
        assert!(!Arc::ptr_eq(&meter, &shard.cells(1, |_| Arc::default())));
    }
}
